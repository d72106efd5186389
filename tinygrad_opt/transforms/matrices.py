"""Whole Jacobians and Hessians: the function is recorded once, then swept once for each basis vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import backend, ops
from ..core.modes import enable_grad
from ..core.primitive import wrap
from ..core.tape import Node
from ..core.tensor import Tensor
from ..core.walks import Route, pull_back, push_forward
from . import sweeps
from .arguments import Argnums, Fn, check_floating, check_function, grouped, positions
from .recording import Recording

__all__ = ["hessian", "jacobian"]


def jacobian(fn: Fn, argnums: Argnums = 0, mode: str = "auto", has_aux: bool = False) -> Fn:
    """A function that returns the matrix of all first derivatives; it can be differentiated again, to any order.

    Parameters
    ----------
    fn : callable
        Returns a tensor, or nested lists, tuples and dicts of tensors; with `has_aux`, a pair of that and anything
        else.
    argnums : int or sequence of int
        Which arguments to differentiate; each may be a tensor or nested lists, tuples and dicts of tensors.
    mode : {"auto", "forward", "reverse"}
        One sweep for each element of the arguments, or one for each element of the result; "auto" takes the fewer.
    has_aux : bool
        Whether `fn` returns something beside the output.

    Returns
    -------
    callable
        With the arguments of `fn`; returns the derivatives, or ``(derivatives, aux)``. They are built like the
        output, and in place of each of its tensors stands a structure like the argument (a tuple of such where
        `argnums` is a sequence), of tensors of shape ``output.shape + argument.shape``.

    Examples
    --------
    >>> tg.jacobian(lambda x: tg.stack([x[0] * x[1], x[1] ** 2]))(tg.tensor([2.0, 3.0]))
    tensor([[3., 2.],
            [0., 6.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian: mode must be 'auto', 'forward' or 'reverse'; got {mode!r}")
    return _matrix("jacobian", fn, argnums, mode, has_aux)


def hessian(fn: Fn, argnums: Argnums = 0, has_aux: bool = False) -> Fn:
    """A function that returns the matrix of all second derivatives, by forward over reverse mode.

    Parameters are those of `jacobian`; `fn` need not return a scalar.

    Returns
    -------
    callable
        With the arguments of `fn`; returns the Jacobian of the Jacobian. For a scalar function of one tensor that is
        a tensor of shape ``x.shape + x.shape``; for structures, in place of each of their tensors stands the same
        structure once more. Memory and time grow with the square of the number of elements: for products with
        vectors alone see `hvp` and `linearize`.

    Examples
    --------
    >>> tg.hessian(lambda x: x[0] ** 2 * x[1])(tg.tensor([2.0, 3.0]))
    tensor([[6., 4.],
            [4., 0.]])
    """
    first = _matrix("hessian", fn, argnums, "reverse", has_aux)
    return _matrix("hessian", first, argnums, "forward", has_aux)


def _matrix(transform: str, fn: Fn, argnums: Argnums, mode: str, has_aux: bool) -> Fn:
    check_function(transform, fn)

    def evaluate(*args: Any, **kwargs: Any) -> Any:
        places = positions(transform, argnums, len(args))
        recording = Recording(transform, fn, args, places, kwargs=kwargs, has_aux=has_aux)
        check_floating(transform, recording.outputs)
        inputs, outputs = (sum(t.size for t in tensors) for tensors in (recording.inputs, recording.outputs))
        forward = mode == "forward" or (mode == "auto" and inputs < outputs)
        blocks = _by_columns(recording) if forward else _by_rows(recording)
        result = recording.built([grouped(argnums, recording.grouped(row)) for row in blocks])
        return (result, recording.aux) if has_aux else result

    return evaluate


def _by_columns(recording: Recording) -> list[list[Tensor]]:
    """The block of each output by each input, from one push for each element of the inputs."""
    live, outputs = recording.live(), recording.outputs
    columns = []
    for x in recording.inputs:
        stacked = _swept(push_forward, Route(sweeps.nodes_of(outputs), sweeps.nodes_of([x])), x, outputs, live)
        last = [
            block if block.shape == y.shape else ops.moveaxis(block, 0, -1)
            for block, y in zip(stacked, outputs, strict=True)
        ]
        columns.append([_shaped(block, y, x) for block, y in zip(last, outputs, strict=True)])
    return [[column[i] for column in columns] for i in range(len(outputs))]


def _by_rows(recording: Recording) -> list[list[Tensor]]:
    """The block of each output by each input, from one pull for each element of the outputs."""
    live, inputs = recording.live(), recording.inputs
    rows = []
    for y in recording.outputs:
        stacked = _swept(pull_back, Route(sweeps.nodes_of([y]), sweeps.nodes_of(inputs)), y, inputs, live)
        rows.append([_shaped(block, y, x) for block, x in zip(stacked, inputs, strict=True)])
    return rows


def _shaped(block: Tensor, y: Tensor, x: Tensor) -> Tensor:
    shape = y.shape + x.shape
    return (block if block.shape == shape else block.reshape(shape)).to(x.dtype)


def _units(x: Tensor) -> Iterator[Tensor]:
    """The basis vectors of the shape of `x`."""
    for i in range(x.size):
        unit = sweeps.zeros_like(x)
        with backend.beside(unit._array):
            unit._array.reshape(-1)[i] = 1
        yield unit


def _swept(walk: Any, route: Route, source: Tensor, targets: Sequence[Tensor], live: set[Node] | None) -> list[Tensor]:
    """What a walk brings to each target for each basis vector at the source, stacked along a first axis.

    With `live` the results are recorded; then a single one stays as it is.
    """
    if live is not None and source.size and route.outputs:
        found = [sweeps.swept(walk, route, [unit], live) for unit in _units(source)]
        rows = [[f[t._node] if t._node in f else sweeps.zeros_like(t) for f in found] for t in targets]
        with enable_grad():
            return sweeps.each_its_own([ops.stack(row) if len(row) > 1 else row[0] for row in rows])
    blocks = []
    for t in targets:
        with backend.beside(t._array):
            blocks.append(backend.namespace(t._array).zeros((source.size, *t.shape), dtype=t.dtype))
    for i, unit in enumerate(_units(source) if route.outputs else ()):
        reached = walk(route, [unit._array])
        for t, block in zip(targets, blocks, strict=True):
            if t._node in reached:
                with backend.beside(block):
                    block[i] = reached[t._node]
    return [wrap(block) for block in blocks]
