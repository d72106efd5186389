"""Specifications of activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..sources import NONZERO, Domain, Source
from .spec import Sample, Spec, unary

__all__ = ["SPECS"]

_INNER = math.sqrt(2 / math.pi)


def _normal(x: Any) -> Any:
    """The normal distribution function, number by number."""
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in x.ravel()], dtype).reshape(x.shape)


def _density(x: Any) -> Any:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-1.0 * x))


def _gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(_INNER * (x + 0.044715 * x**3)))


def _gelu_tanh_slope(x: Any) -> Any:
    tanh = np.tanh(_INNER * (x + 0.044715 * x**3))
    return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * _INNER * (1 + 3 * 0.044715 * x**2)


def _mish_slope(x: Any) -> Any:
    tanh = np.tanh(np.log1p(np.exp(x)))
    return tanh + x * (1 - tanh * tanh) * _logistic(x)


def _elu(source: Source) -> Sample:
    factors = {name: source.choose((1.0, 0.5, 1.75)) for name in ("alpha", "scale", "steepness")}
    return Sample([source.array(source.shape(), NONZERO)], factors)


def _elu_reference(x: Any, alpha: float, scale: float, steepness: float) -> Any:
    return np.where(x > 0, scale * x, scale * alpha * (np.exp(steepness * x) - 1)).astype(x.dtype)


def _elu_slope_reference(x: Any, alpha: float, scale: float, steepness: float) -> Any:
    return np.where(x > 0, scale, scale * alpha * steepness * np.exp(steepness * x)).astype(x.dtype)


def _prelu(source: Source) -> Sample:
    x, slope = (source.array(shape, NONZERO) for shape in source.shapes(2))
    return Sample([x, source.choose((0.25, 0.0, -0.5)) if source.flip() else slope])


def _hardtanh(source: Source) -> Sample:
    low, high = source.choose(((-1.0, 1.0), (0.0, 2.0), (-0.75, -0.5)))
    return Sample([source.array(source.shape(), Domain(-3.0, 3.0, avoid=(low, high)))], {"low": low, "high": high})


# What has kinks here is, but for hardtanh, not straight beside them: the table of conventions says what holds there.
SPECS = [
    unary("silu", lambda x: x * _logistic(x)),
    unary("silu_slope", lambda x: _logistic(x) * (1 + x * (1 - _logistic(x)))),
    unary("gelu", lambda x: x * _normal(x), analytic=False),
    unary("gelu_slope", lambda x: _normal(x) + x * _density(x), analytic=False),
    unary("gelu_tanh", _gelu_tanh),
    unary("gelu_tanh_slope", _gelu_tanh_slope),
    unary("mish", lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    unary("mish_slope", _mish_slope),
    Spec("elu", _elu_reference, _elu, analytic=False),
    Spec("elu_slope", _elu_slope_reference, _elu, analytic=False),
    Spec("prelu", lambda x, slope: np.where(x > 0, x, x * slope), _prelu, analytic=False),
    Spec("hardtanh", lambda x, low, high: np.clip(x, low, high), _hardtanh, analytic=False, kinks="the bounds"),
    unary(
        "hardswish",
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        Domain(-4.0, 4.0, avoid=(-3.0, 3.0)),
        analytic=False,
    ),
    unary("softsign", lambda x: x / (1 + np.abs(x)), NONZERO, analytic=False),
]
