"""What a layer's ``init=`` means, and how its ``repr`` says it: a name, a function or a number."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ...core.tensor import Tensor
from . import by_activation, fans, filling, structured

__all__ = ["Initializer", "begin", "resolve", "shown"]

Initializer = str | float | Callable[[Tensor], Any]

# Those that need nothing but the tensor. The others are given with their arguments, by functools.partial.
_BY_NAME: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        structured.dirac_, structured.eye_, fans.fan_in_uniform_, fans.kaiming_normal_, fans.kaiming_uniform_,
        fans.lecun_normal_, fans.lecun_uniform_, filling.normal_, filling.ones_, structured.orthogonal_,
        structured.sparse_, filling.trunc_normal_, filling.uniform_, fans.xavier_normal_, fans.xavier_uniform_,
        filling.zeros_,
    )
}  # fmt: skip
_WITH_ARGUMENTS = {
    "activation_normal_": (by_activation.activation_normal_, "activation='tanh'"),
    "activation_uniform_": (by_activation.activation_uniform_, "activation='tanh'"),
    "constant_": (filling.constant_, "val=0.1"),
}


def begin(layer: str, weight: Tensor, bias: Tensor | None, how: Initializer, bias_how: Initializer) -> None:
    """Give the weight and the bias of a layer their starting values; the bias knows its fan-in from the weight."""
    resolve(layer, how)(weight)
    if bias is not None:
        resolve(layer, bias_how, math.prod(weight.shape[1:]))(bias)


def resolve(layer: str, how: Initializer, fan_in: int | None = None) -> Callable[[Tensor], Any]:
    """The function that a layer's argument ``init=`` means: a name, a number, or a function.

    A layer that knows the fan-in better than the shape of the tensor tells it passes it.
    """
    if callable(how):
        return how
    if isinstance(how, (int, float)) and not isinstance(how, bool):
        return functools.partial(filling.constant_, val=filling.number(layer, "init", how))
    name = how if isinstance(how, str) and how.endswith("_") else f"{how}_"
    if isinstance(how, str) and name in _WITH_ARGUMENTS:
        example = f"init=functools.partial(nn.init.{name}, {_WITH_ARGUMENTS[name][1]})"
        raise ValueError(f"{layer}: init={how!r} needs more than the tensor; write {example}")
    if not isinstance(how, str) or name not in _BY_NAME:
        raise ValueError(f"{layer}: init must be a function, a number, or one of {', '.join(_BY_NAME)}; got {how!r}")
    start = _BY_NAME[name]
    return functools.partial(start, fan_in=fan_in) if fan_in and start is fans.fan_in_uniform_ else start


def shown(how: Initializer) -> str:
    """What the ``repr`` of a layer says of its initializer.

    Examples
    --------
    >>> tg.nn.init.shown(functools.partial(tg.nn.init.kaiming_normal_, nonlinearity="tanh"))
    "kaiming_normal_(nonlinearity='tanh')"
    """
    if isinstance(how, functools.partial):
        given = [*map(repr, how.args), *(f"{name}={value!r}" for name, value in how.keywords.items())]
        return f"{shown(how.func)}({', '.join(given)})"
    if not callable(how):
        return str(how)
    name = getattr(how, "__name__", "<>")
    return "custom" if name.startswith("<") else name
