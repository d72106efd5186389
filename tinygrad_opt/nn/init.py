"""Starting values of parameters. All of them draw on the host, so one seed gives one model on every device."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, errors
from ..core.tensor import Tensor

__all__ = ["fan_in_uniform_", "ones_", "uniform_", "zeros_"]


Initializer = str | float | Callable[[Tensor], Any]


def begin(layer: str, weight: Tensor, bias: Tensor | None, how: Initializer, bias_how: Initializer) -> None:
    """Give the weight and the bias of a layer their starting values; the bias knows its fan-in from the weight."""
    resolve(layer, how)(weight)
    if bias is not None:
        if bias_how in ("fan_in_uniform_", "fan_in_uniform"):
            fan_in_uniform_(bias, fan_in=math.prod(weight.shape[1:]))
        else:
            resolve(layer, bias_how)(bias)


def resolve(layer: str, how: Initializer) -> Callable[[Tensor], Any]:
    """The function that a layer's argument ``init=`` means: a name from this file, a number, or a function."""
    if callable(how):
        return how
    if isinstance(how, (int, float)) and not isinstance(how, bool):
        value = float(how)
        return lambda tensor: _fill(tensor, np.full(tensor.shape, value))
    name = how if isinstance(how, str) and how.endswith("_") else f"{how}_"
    if not isinstance(how, str) or name not in __all__:
        raise ValueError(f"{layer}: init must be a function, a number, or one of {', '.join(__all__)}; got {how!r}")
    return globals()[name]


def shown(how: Initializer) -> str:
    """What the ``repr`` of a layer says of its initializer."""
    return how if isinstance(how, str) else getattr(how, "__name__", repr(how))


def _fill(tensor: Tensor, values: np.ndarray[Any, Any]) -> Tensor:
    tensor.data = backend.to_device(values.astype(tensor.dtype), tensor.device)
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros, in place.

    Examples
    --------
    >>> tg.nn.init.zeros_(tg.ones(2))
    tensor([0., 0.])
    """
    return _fill(tensor, np.zeros(tensor.shape))


def ones_(tensor: Tensor) -> Tensor:
    """Ones, in place.

    Examples
    --------
    >>> tg.nn.init.ones_(tg.zeros(2))
    tensor([1., 1.])
    """
    return _fill(tensor, np.ones(tensor.shape))


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform random numbers in [a, b), in place.

    Examples
    --------
    >>> t = tg.nn.init.uniform_(tg.zeros(100), -1, 1)
    >>> bool((abs(t) <= 1).all())
    True
    """
    return _fill(tensor, backend.generator("cpu").uniform(a, b, tensor.shape))


def fan_in_uniform_(tensor: Tensor, fan_in: int | None = None) -> Tensor:
    """Uniform random numbers in ``[-1/√m, 1/√m)``, in place, for a layer with m inputs.

    Parameters
    ----------
    tensor : Tensor, shape (n, m, ...)
        A weight of n outputs; m times the product of the further sides is its number of inputs (its *fan-in*).
    fan_in : int, optional
        The number of inputs, where the shape does not tell it (biases).

    References
    ----------
    Goodfellow, Bengio, Courville, *Deep Learning*, section 8.4. PyTorch starts its linear layers in the same way.

    Examples
    --------
    >>> w = tg.nn.init.fan_in_uniform_(tg.zeros(3, 4))
    >>> bool((abs(w) <= 0.5).all())
    True
    """
    if fan_in is None:
        if tensor.ndim < 2:
            raise errors.ShapeError(
                f"fan_in_uniform_: shape {tensor.shape} does not tell the number of inputs; pass fan_in="
            )
        fan_in = math.prod(tensor.shape[1:])
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    return uniform_(tensor, -bound, bound)
