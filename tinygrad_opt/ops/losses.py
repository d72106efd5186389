"""Elementwise losses with a curve of their own: parts of `nn.functional.losses`, which says what they are for.

Each is one function of elements, so that a loss costs few nodes and few arrays, and its rule is the form of the slope
that keeps its digits.
"""

from __future__ import annotations

from typing import Any

from ..core.kinds import Elementwise
from .arithmetic import absolute
from .blend import blend
from .choice import maximum, where
from .exponential import _exp_below, _sigmoid_slope
from .precision import widened

__all__: list[str] = []  # for the losses, not for users


def _huber_kernel(xp: Any, z: Any, *, delta: float) -> Any:
    """With c the residual, cut off at ±delta, ``c (z - c/2)`` is both ``z²/2`` inside and the line outside."""
    bounded = xp.clip(z, -delta, delta)
    return bounded * (z - 0.5 * bounded)


huber: Elementwise = Elementwise(
    "huber",
    lambda g, _y, z, *, delta: g * _cut_off(z, delta=delta),
    kernel=_huber_kernel,
    doc="""``z²/2`` up to ``|z| = delta``, and on from there in a straight line.""",
)

_cut_off: Elementwise = Elementwise(
    "cut_off",
    lambda g, _y, z, *, delta: where(absolute(z) < delta, g, 0.0),
    kernel=lambda xp, z, *, delta: xp.clip(z, -delta, delta),
)


def _logistic_loss_kernel(xp: Any, x: Any, p: Any) -> Any:
    """``ln(1 + eˣ) - p x``; what is large is subtracted first, without an error where p is 0 or 1."""
    return (xp.maximum(x, 0) - p * x) + xp.log1p(_exp_below(xp, x))


def _logistic_excess_kernel(xp: Any, x: Any, p: Any) -> Any:
    """``σ(x) - p``. σ(x) is 0 or 1, but for a small rest, which is added last: no digits are lost where p is 0 or 1."""
    small = _exp_below(xp, x)
    return (~xp.signbit(x) - p) - xp.copysign(small / (small + 1), x)


logistic_loss: Elementwise = Elementwise(
    "logistic_loss",
    lambda g, _y, x, p: g * _logistic_excess(x, p),
    lambda g, _y, x, _p: g * -x,
    kernel=widened(_logistic_loss_kernel),
    doc="""Cross-entropy of a coin of probability p, and one of probability σ(x): ``-p ln σ(x) - (1 - p) ln σ(-x)``.""",
)

_logistic_excess: Elementwise = Elementwise(
    "logistic_excess",
    lambda g, _y, x, _p: g * _sigmoid_slope(x),
    lambda g, _y, _x, _p: -g,
    kernel=widened(_logistic_excess_kernel),
)


def _clamped_log_kernel(xp: Any, x: Any, *, offset: int, floor: float) -> Any:
    zero = x == -offset  # where NumPy would warn
    y = (xp.log1p if offset else xp.log)(blend(xp, zero, 1.0 - offset, x))
    return blend(xp, zero, -100.0, xp.maximum(y, -100.0))


clamped_log: Elementwise = Elementwise(
    "clamped_log",
    lambda g, _y, x, *, offset, floor: g / maximum(x + offset, floor),
    kernel=widened(_clamped_log_kernel),
    doc="""``ln(x + offset)``, offset 0 or 1, but no less than -100; of slope ``1 / floor`` where that is reached.""",
)
