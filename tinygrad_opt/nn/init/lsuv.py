"""Starting values by measurement: the outputs of each layer, on a batch of data, get the variance 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ... import ops
from ...core.modes import no_grad
from ...core.tensor import Parameter
from ...ops.arguments import wide
from ..module import Module
from .filling import number, zeros_
from .structured import orthogonal_

__all__ = ["lsuv_"]


class _Reached(Exception):
    """The layer that was waited for has given its output: the rest of the model need not be computed."""


def lsuv_(model: Module, batch: Any, tolerance: float = 0.1, max_iterations: int = 10) -> Module:
    """Layer-sequential unit variance: orthogonal weights, scaled so that the outputs of every layer have variance 1.

    The layers are those with a weight of two or more axes and floating inputs (linear ones, convolutions), in the order
    in which the model uses them. Their biases become 0. The model is in evaluation mode meanwhile, so that nothing is
    dropped and no running averages move, and then in the modes that it was in.

    Parameters
    ----------
    model : Module
    batch : tensor, or tuple of tensors
        Inputs to measure with.
    tolerance : float
        How far from 1 a variance may stay.
    max_iterations : int
        How many times a layer is scaled at most.

    Returns
    -------
    Module
        The model itself.

    Raises
    ------
    ValueError
        Where the outputs of a layer are all equal, or not finite, so that no scale makes their variance 1.

    References
    ----------
    D. Mishkin, J. Matas, "All you need is a good init", ICLR 2016, algorithm 1.

    Examples
    --------
    >>> tg.manual_seed(0)
    >>> model = tg.nn.Sequential(tg.nn.Linear(8, 16), tg.nn.Tanh(), tg.nn.Linear(16, 4))
    >>> x = tg.randn(200, 8) * 5
    >>> bool(abs(tg.nn.init.lsuv_(model, x)(x).var() - 1) < 0.1)
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"lsuv_: expected a module; got {type(model).__name__}")
    number("lsuv_", "tolerance", tolerance, 0)
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, int) or max_iterations < 1:
        raise ValueError(f"lsuv_: max_iterations must be a positive integer; got {max_iterations!r}")
    inputs = batch if isinstance(batch, tuple) else (batch,)
    with _evaluating(model), no_grad():
        layers = _in_order_of_use(model, inputs)
        for layer in layers:
            orthogonal_(layer.weight)
            if isinstance(getattr(layer, "bias", None), Parameter):
                zeros_(layer.bias)
        for layer in layers:
            for _ in range(max_iterations):
                variance = _variance(model, layer, inputs)
                if abs(variance - 1) < tolerance:
                    break
                layer.weight.data = (layer.weight / math.sqrt(variance)).data
    return model


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    """Evaluation mode for a while; then each part is back in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _watched(layers: list[Any], see: Callable[[Any, tuple[Any, ...], Any], None]) -> Iterator[None]:
    """Show the inputs and outputs of layers, as they are called, to a function."""

    def watching(layer: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*args: Any, **kwargs: Any) -> Any:
            output = forward(*args, **kwargs)
            see(layer, args, output)
            return output

        return watch

    for layer in layers:
        vars(layer)["forward"] = watching(layer, layer.forward)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["forward"]


def _in_order_of_use(model: Module, inputs: tuple[Any, ...]) -> list[Any]:
    """The layers whose outputs are proportional to a weight, in the order of their first use."""
    candidates = [m for m in model.modules() if isinstance(w := getattr(m, "weight", None), Parameter) and w.ndim > 1]
    used: dict[int, Any] = {}

    def see(layer: Any, args: tuple[Any, ...], _: Any) -> None:
        if args and getattr(args[0], "dtype", None) is not None and args[0].dtype.kind == "f":
            used.setdefault(id(layer.weight), layer)  # a weight that two layers share is scaled for the first

    with _watched(candidates, see):
        model(*inputs)
    return list(used.values())


def _variance(model: Module, layer: Any, inputs: tuple[Any, ...]) -> float:
    """The variance of all outputs of a layer at its first use."""
    found: list[float] = []

    def see(_: Any, __: tuple[Any, ...], output: Any) -> None:
        found.append(float(ops.var(wide(output))))
        raise _Reached

    with _watched([layer], see), suppress(_Reached):
        model(*inputs)
    if not (found and 0 < found[0] < math.inf):
        name = next((name for name, module in model.named_modules() if module is layer), "")
        raise ValueError(
            f"lsuv_: the outputs of '{name}' have the variance {found[0] if found else 0:g}, which no scale makes 1. "
            "Use a batch of several different examples, without nan or inf"
        )
    return found[0]
