"""Derivatives of what was computed already: one walk down from results to whatever they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.modes import enable_grad
from ..core.tensor import Tensor, seed_for
from ..core.tree import flatten, leaves_like, paths
from ..core.walks import Route, pull_back
from . import sweeps
from .arguments import check_tensors

__all__ = ["gradients"]


def gradients(
    outputs: Any, inputs: Any, grad_outputs: Any = None, *, create_graph: bool = False, unused: str = "error"
) -> Any:
    """Derivatives of already computed `outputs` with respect to `inputs`: ``Σᵢ vᵢᵀ ∂yᵢ/∂x``.

    Nothing is stored in ``grad``, and the graph can be swept again.

    Parameters
    ----------
    outputs : tensor, or nested lists, tuples and dicts of tensors
        Scalars, unless `grad_outputs` is given.
    inputs : tensor, or nested lists, tuples and dicts of tensors
        Leaves, or results on the way to the outputs.
    grad_outputs : like `outputs`, optional
        The vectors v; 1 for scalars.
    create_graph : bool
        Record the computation of the derivatives, so that they can be differentiated in turn.
    unused : {"error", "zero", "none"}
        What to do with an input that no output depends on.

    Returns
    -------
    like `inputs`
        Each derivative has the shape and dtype of its input.

    Raises
    ------
    UnusedInputError
        For an unused input, unless `unused` says otherwise.
    ShapeError, GraphError
        For outputs that are not scalars without `grad_outputs`; for outputs that were not recorded.

    Examples
    --------
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> (dy,) = tg.gradients(x**3, [x], create_graph=True)
    >>> tg.gradients(dy, [x])
    [tensor(12.)]
    """
    if unused not in ("error", "zero", "none"):
        raise ValueError(f"gradients: unused must be 'error', 'zero' or 'none'; got {unused!r}")
    ys, _ = flatten(outputs)
    xs, rebuild = flatten(inputs)
    check_tensors("gradients", "inputs", xs)
    check_tensors("gradients", "outputs", ys)
    vs = [None] * len(ys) if grad_outputs is None else leaves_like(grad_outputs, outputs, "gradients: grad_outputs")
    for x, path in zip(xs, paths(inputs, "inputs"), strict=True):
        if x._node is None and unused == "error":
            raise errors.no_graph(_label(x, path))
    recorded = [(y, v) for y, v in zip(ys, vs, strict=True) if y._node is not None]
    if not recorded and unused == "error":
        raise errors.no_graph("the output")
    seeds = [seed_for(y, v) for y, v in recorded]
    route = Route([y._node for y, _ in recorded], sweeps.nodes_of(xs))
    products = sweeps.swept(pull_back, route, seeds, set(route.everything) if create_graph else None)
    results: list[Any] = []
    for x, path in zip(xs, paths(inputs, "inputs"), strict=True):
        product = products.get(x._node)
        if product is None and unused == "error":
            raise errors.unused_input(_label(x, path))
        if product is None and unused == "zero":
            product = sweeps.zeros_like(x)
        elif create_graph and product is not None and product._node is None:
            product = _constant_of(product, xs)
        results.append(product)
    return rebuild(sweeps.each_its_own(results))


def _constant_of(gradient: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """The gradient of a linear function: it does not change with the inputs, and its derivative by them is zero.

    Sums over no elements tie it to them; subtracting one changes nothing, not even the sign of a zero.
    """
    with enable_grad():
        for x in inputs:
            gradient = gradient - x.ravel()[:0].sum().to(gradient.device).to(gradient.dtype)
    return gradient


def _label(x: Tensor, path: str) -> str:
    return f"{path} '{x.name}'" if x.name else path
