"""Rectifiers and their relatives: straight lines, and exponentials, that meet at kinks."""

from __future__ import annotations

from typing import Any

from ... import errors, ops
from ...core.primitive import operand
from ...ops import relu
from ...ops.activations import elu_like, hardswish, hardtanh_between, leaky
from ...ops.checks import as_real
from ...ops.shape import as_integer
from .affine import linear

__all__ = [
    "celu", "elu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "maxout", "prelu", "relu", "relu6", "selu",
    "threshold",
]  # fmt: skip

# Klambauer et al.'s fixed point of mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """``y = x`` where x > 0, ``negative_slope · x`` elsewhere; at 0 the slope on the left counts.

    References
    ----------
    A. Maas, A. Hannun, A. Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.

    Examples
    --------
    >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.5,  2. ])
    """
    return leaky(operand("leaky_relu", x), as_real("leaky_relu", "negative_slope", negative_slope))


def prelu(x: Any, weight: Any) -> Any:
    """``y = x`` where x > 0, ``weight · x`` elsewhere, with a learned slope for all channels (axis 1) or for each.

    Parameters
    ----------
    x : tensor, shape (batch, channels, ...)
        Of fewer than two axes: a single channel.
    weight : tensor, shape (1,), () or (channels,)

    Raises
    ------
    ShapeError
        Where there are as many slopes as there are no channels.

    References
    ----------
    K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> tg.nn.functional.prelu(tg.tensor([[-1.0, -1.0]]), tg.tensor([0.5, 2.0]))
    tensor([[-0.5, -2. ]])
    """
    x = operand("prelu", x)
    weight = operand("prelu", weight, x, "weight")
    channels = x.shape[1] if len(x.shape) > 1 else 1
    if len(weight.shape) > 1 or weight.size not in (1, channels) or (x.size and not weight.size):
        raise errors.ShapeError(
            f"prelu: expected a weight of shape (1,) or ({channels},), one slope for each channel of x "
            f"{tuple(x.shape)}; got {tuple(weight.shape)}"
        )
    sides = (1,) * min(1, len(x.shape)) + (weight.size,) + (1,) * (len(x.shape) - 2)
    return leaky(x, ops.reshape(weight, sides[: len(x.shape)] if weight.size == 1 else sides))


def _elu(function: str, x: Any, alpha: float, scale: float, steepness: float) -> Any:
    return elu_like(operand(function, x), alpha=alpha, scale=scale, steepness=steepness)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """``y = x`` where x > 0, ``α (eˣ - 1)`` elsewhere; the slope at 0 is α.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by exponential linear units",
    ICLR 2016.

    Examples
    --------
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321...,  2.       ])
    """
    return _elu("elu", x, as_real("elu", "alpha", alpha), 1.0, 1.0)


def selu(x: Any) -> Any:
    """``λ x`` where x > 0, ``λ α (eˣ - 1)`` elsewhere, with λ = 1.0507... and α = 1.6732...

    With these constants, layers of independent inputs drive mean and variance towards 0 and 1.

    References
    ----------
    G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    Examples
    --------
    >>> tg.nn.functional.selu(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113...,  2.1014...])
    """
    return _elu("selu", x, SELU_ALPHA, SELU_SCALE, 1.0)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """``y = x`` where x > 0, ``α (exp(x/α) - 1)`` elsewhere: an ELU whose slope is 1 on both sides of 0.

    References
    ----------
    J. T. Barron, "Continuously differentiable exponential linear units", 2017.

    Examples
    --------
    >>> tg.nn.functional.celu(tg.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869...,  2.       ])
    """
    alpha = as_real("celu", "alpha", alpha)
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0, by which x is divided; relu is the limit")
    return _elu("celu", x, alpha, 1.0, 1 / alpha)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """Bounded: ``y = min(max(x, min_val), max_val)``; on the bounds and outside the slope is 0.

    Examples
    --------
    >>> tg.nn.functional.hardtanh(tg.tensor([-2.0, 0.5, 2.0]))
    tensor([-1. ,  0.5,  1. ])
    """
    low, high = as_real("hardtanh", "min_val", min_val), as_real("hardtanh", "max_val", max_val)
    if not low <= high:
        raise ValueError(f"hardtanh: min_val must not be larger than max_val; got {min_val!r} and {max_val!r}")
    return hardtanh_between(operand("hardtanh", x), low=low, high=high)


def relu6(x: Any) -> Any:
    """``y = min(max(x, 0), 6)``; the slope at 0 and at 6 is 0.

    Examples
    --------
    >>> tg.nn.functional.relu6(tg.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh_between(operand("relu6", x), low=0.0, high=6.0)


def hardsigmoid(x: Any) -> Any:
    """``y = clip(x/6 + 1/2, 0, 1)``: three straight lines that resemble the logistic function; slope 0 at ±3.

    References
    ----------
    A. Howard et al., "Searching for MobileNetV3", ICCV 2019 (with these constants).

    Examples
    --------
    >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0. , 0.5, 1. ])
    """
    return hardtanh_between(operand("hardsigmoid", x), low=-3.0, high=3.0) / 6.0 + 0.5


def threshold(x: Any, threshold: float, value: float) -> Any:
    """``y = x`` where x > threshold, `value` elsewhere; the slope at the threshold is 0.

    Examples
    --------
    >>> tg.nn.functional.threshold(tg.tensor([0.5, 2.0]), 1.0, -7.0)
    tensor([-7.,  2.])
    """
    x = operand("threshold", x)
    limit, value = as_real("threshold", "threshold", threshold), as_real("threshold", "value", value)
    return ops.where(x <= limit, value, x)


def maxout(x: Any, weight: Any, bias: Any = None, pieces: int = 2) -> Any:
    """The largest of several affine maps: ``yᵢ = maxⱼ (wᵢⱼ · x + bᵢⱼ)``, a learned convex function of `pieces` planes.

    Parameters
    ----------
    x : tensor, shape (..., n)
    weight : tensor, shape (m · pieces, n)
        The rows of one output follow each other: those of output i begin at ``i · pieces``.
    bias : tensor, shape (m · pieces,), optional
    pieces : int

    Returns
    -------
    tensor, shape (..., m)
        Pieces that tie share the derivative.

    References
    ----------
    I. Goodfellow et al., "Maxout networks", ICML 2013.

    Examples
    --------
    >>> tg.nn.functional.maxout(tg.tensor([[-3.0]]), tg.tensor([[1.0], [-1.0]]))  # |x|
    tensor([[3.]])
    """
    pieces = as_integer("maxout", "pieces", pieces)
    x = operand("maxout", x)
    weight = operand("maxout", weight, x, "weight")
    if len(weight.shape) != 2 or pieces < 1 or weight.shape[0] % pieces or x.shape[-1:] != weight.shape[1:]:
        raise errors.ShapeError(
            f"maxout: expected x (..., n) and a weight of shape (m * {pieces}, n), {pieces} rows for each output; got "
            f"{tuple(x.shape)} and {tuple(weight.shape)}"
        )
    y = linear(x, weight, bias)
    return ops.max(ops.reshape(y, (*y.shape[:-1], weight.shape[0] // pieces, pieces)), axis=-1)
