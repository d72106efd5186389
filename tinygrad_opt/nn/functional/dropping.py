"""Dropout: random elements, or whole channels, are left out in training.

The mask is drawn where the input is, from the generator that `manual_seed` sets and that `checkpoint` replays. For
derivatives of any order it is a constant.
"""

from __future__ import annotations

from typing import Any

from ... import backend, errors
from ...core.primitive import operand
from ...ops.arguments import floating
from ...ops.checks import as_real
from ...ops.choice import where
from ..arguments import new_result
from .rectifiers import SELU_ALPHA, SELU_SCALE

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d"]


def probability(function: str, p: Any, argument: str = "p") -> float:
    """A number between 0 and 1, both included; a truth value is none, but a mistaken `training`."""
    number = as_real(function, argument, p)
    if not 0 <= number <= 1 or isinstance(p, bool):
        raise ValueError(f"{function}: {argument} is the probability of being left out, from 0 to 1; got {p!r}")
    return number


def _start(function: str, x: Any, p: Any, inplace: bool) -> tuple[Any, float]:
    new_result(function, inplace)
    return operand(function, x), probability(function, p)


def _kept(x: Any, sides: tuple[int, ...], p: float) -> Any:
    """A mask beside `x` that is true with probability ``1 - p``."""
    array = getattr(x, "_array", x)
    place = backend.device_of(array)
    with backend.for_device(place).on(place):
        drawn = backend.generator(place).random(sides, dtype="float32")
        return backend.namespace(array).asarray(drawn) >= p


def _dropped(x: Any, sides: tuple[int, ...], p: float) -> Any:
    """`x` without what is left out; the rest is scaled, so that the expectation stays what it was."""
    x = floating(x)
    array = getattr(x, "_array", x)
    xp = backend.namespace(array)
    with backend.beside(array):
        if p == 1:  # there is nothing to scale, and nothing of an infinite or missing number is to be left
            return where(xp.zeros((1,) * len(sides), dtype=bool), x, 0.0)
        return x * xp.multiply(_kept(x, sides, p), 1 / (1 - p), dtype=x.dtype)


def dropout(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Leave out each element with probability `p`, and multiply the others by ``1 / (1 - p)``.

    Parameters
    ----------
    x : tensor
    p : float
        From 0 to 1. At 1 the result and all derivatives are 0.
    training : bool
        Where false, `x` itself is the result.
    inplace : False
        Tensors are not overwritten.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).

    Examples
    --------
    >>> tg.nn.functional.dropout(tg.ones(3), p=1.0)
    tensor([0., 0., 0.])
    """
    x, p = _start("dropout", x, p, inplace)
    return _dropped(x, tuple(x.shape), p) if training and p else x


def _channels(function: str, x: Any, p: float, training: bool, inplace: bool, shapes: dict[int, str]) -> Any:
    x, p = _start(function, x, p, inplace)
    if len(x.shape) not in shapes:
        raise errors.ShapeError(f"{function}: expected shape {' or '.join(shapes.values())}; got {tuple(x.shape)}")
    leading = 1 if shapes[len(x.shape)].startswith("(channels") else 2
    sides = tuple(x.shape[:leading]) + (1,) * (len(x.shape) - leading)
    return _dropped(x, sides, p) if training and p else x


def dropout1d(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Leave out each channel with probability `p`, and multiply the others by ``1 / (1 - p)``.

    Parameters
    ----------
    x : tensor, shape (batch, channels, length) or (channels, length)
    p, training, inplace
        As for `dropout`.

    References
    ----------
    J. Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.

    Examples
    --------
    >>> y = tg.nn.functional.dropout1d(tg.ones(1, 4, 3))
    >>> bool((y[..., :1] == y).all())
    True
    """
    shapes = {2: "(channels, length)", 3: "(batch, channels, length)"}
    return _channels("dropout1d", x, p, training, inplace, shapes)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Leave out each channel with probability `p`, and multiply the others by ``1 / (1 - p)``.

    Parameters
    ----------
    x : tensor, shape (batch, channels, height, width) or (batch, channels, length)
    p, training, inplace
        As for `dropout`.

    References
    ----------
    J. Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.

    Examples
    --------
    >>> y = tg.nn.functional.dropout2d(tg.ones(1, 4, 3, 3))
    >>> bool((y[..., :1, :1] == y).all())
    True
    """
    shapes = {3: "(batch, channels, length)", 4: "(batch, channels, height, width)"}
    return _channels("dropout2d", x, p, training, inplace, shapes)


def alpha_dropout(x: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps mean 0 and variance 1: what is left out becomes the lower limit of `selu`, -λα.

    ``y = a x + b`` for what is kept and ``y = b - a λα`` for the rest, with ``a = ((1 - p)(1 + p λ²α²))^(-1/2)`` and
    ``b = a p λα``.

    Parameters
    ----------
    x : tensor
    p : float
        From 0 to 1; at 1 the result is 0.
    training : bool
        Where false (which is the default, as in PyTorch), `x` itself is the result.
    inplace : False
        Tensors are not overwritten.

    References
    ----------
    G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    Examples
    --------
    >>> x = tg.ones(3)
    >>> tg.nn.functional.alpha_dropout(x) is x
    True
    """
    x, p = _start("alpha_dropout", x, p, inplace)
    if not training or not p:
        return x
    if p == 1:
        return _dropped(x, tuple(x.shape), p)
    limit = SELU_ALPHA * SELU_SCALE
    a = ((1 - p) * (1 + p * limit**2)) ** -0.5
    return where(_kept(x, tuple(x.shape), p), floating(x), -limit) * a + a * p * limit
