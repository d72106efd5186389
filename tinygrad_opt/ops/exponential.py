"""Exponentials, logarithms and roots of corresponding elements.

Where a slope is infinite (`log` and `sqrt` at 0) it is told. What loses digits in one form has another: `expm1` and
`log1p` near 0, `logaddexp` for sums of exponentials, which never leaves the range of the floating numbers.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import float64
from ..core.kinds import Elementwise
from .blend import blend
from .choice import where
from .trigonometric import tanh

__all__ = [
    "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "rsqrt", "sigmoid", "softplus",
    "sqrt", "xlogy",
]  # fmt: skip

_LN2 = math.log(2)
_LN10 = math.log(10)

sqrt: Elementwise = Elementwise(
    "sqrt",
    lambda g, y, _x: g * 0.5 / y,
    doc="""Square root, elementwise: ``y = √x``. The derivative at 0 is infinite.

    Examples
    --------
    >>> tg.sqrt(tg.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """,
)

rsqrt: Elementwise = Elementwise(
    "rsqrt",
    lambda g, y, _x: g * (-0.5 * y * y * y),
    kernel=lambda xp, x, **out: xp.reciprocal(xp.sqrt(x), **out),
    doc="""Reciprocal of the square root, elementwise: ``y = 1 / √x``.

    Examples
    --------
    >>> tg.rsqrt(tg.tensor([4.0, 16.0]))
    tensor([0.5 , 0.25])
    """,
)

exp: Elementwise = Elementwise(
    "exp",
    lambda g, y, _x: g * y,
    doc="""Exponential, elementwise: ``y = eˣ``.

    Examples
    --------
    >>> tg.exp(tg.tensor([1.0]))
    tensor([2.7182...])
    """,
)

exp2: Elementwise = Elementwise(
    "exp2",
    lambda g, y, _x: g * (_LN2 * y),
    doc="""Power of two, elementwise: ``y = 2ˣ``.

    Examples
    --------
    >>> tg.exp2(tg.tensor([3.0, -1.0]))
    tensor([8. , 0.5])
    """,
)

expm1: Elementwise = Elementwise(
    "expm1",
    lambda g, _y, x: g * exp(x),  # y + 1 would have lost the digits of eˣ where that is small
    doc="""``y = eˣ - 1``, elementwise, to full precision near 0.

    Examples
    --------
    >>> tg.expm1(tg.tensor([0.0, 1e-10]))
    tensor([0.e+00, 1.e-10])
    """,
)

log: Elementwise = Elementwise(
    "log",
    lambda g, _y, x: g / x,
    doc="""Natural logarithm, elementwise: ``y = ln x``.

    Examples
    --------
    >>> tg.log(tg.tensor([2.0]))
    tensor([0.6931...])
    """,
)

log2: Elementwise = Elementwise(
    "log2",
    lambda g, _y, x: g * (1 / _LN2) / x,
    doc="""Logarithm to the base 2, elementwise.

    Examples
    --------
    >>> tg.log2(tg.tensor([8.0, 0.5]))
    tensor([ 3., -1.])
    """,
)

log10: Elementwise = Elementwise(
    "log10",
    lambda g, _y, x: g * (1 / _LN10) / x,
    doc="""Logarithm to the base 10, elementwise.

    Examples
    --------
    >>> tg.log10(tg.tensor([1000.0, 0.1], dtype=tg.float64))
    tensor([ 3., -1.], dtype=float64)
    """,
)

log1p: Elementwise = Elementwise(
    "log1p",
    lambda g, _y, x: g / (1 + x),
    doc="""``y = ln(1 + x)``, elementwise, to full precision near 0.

    Examples
    --------
    >>> tg.log1p(tg.tensor([0.0, 1e-10]))
    tensor([0.e+00, 1.e-10])
    """,
)


def _sigmoid_kernel(xp: Any, x: Any, **out: Any) -> Any:
    """``1 / (1 + e⁻ˣ)`` or ``eˣ / (1 + eˣ)``: the one whose exponential is at most 1."""
    small = _exp_below(xp, x)
    return xp.divide(blend(xp, xp.less(x, 0), small, 1.0), small + 1, **out)


def _exp_below(xp: Any, x: Any) -> Any:
    """``exp(-|x|)``, which is at most 1."""
    return xp.exp(xp.abs(x) * -1.0)


def _sigmoid_slope_kernel(xp: Any, x: Any, **out: Any) -> Any:
    """``y (1 - y)`` without the difference, which would lose the digits of what is left to 1."""
    small = _exp_below(xp, x)
    return xp.divide(small, xp.square(small + 1), **out)


def _softplus_kernel(xp: Any, x: Any, **out: Any) -> Any:
    """``max(x, 0) + ln(1 + exp(-|x|))``: the library's `logaddexp` goes from element to element."""
    return xp.add(xp.maximum(x, 0), xp.log1p(_exp_below(xp, x)), **out)


_sigmoid_slope: Elementwise = Elementwise(
    "sigmoid_slope", lambda g, y, x: g * (-y * tanh(0.5 * x)), kernel=_sigmoid_slope_kernel
)

sigmoid: Elementwise = Elementwise(
    "sigmoid",
    lambda g, _y, x: g * _sigmoid_slope(x),
    kernel=_sigmoid_kernel,
    doc="""Logistic function, elementwise: ``y = 1 / (1 + e⁻ˣ)``, without overflow.

    Examples
    --------
    >>> tg.sigmoid(tg.tensor([0.0, -1e4, 1e4]))
    tensor([0.5, 0. , 1. ])
    """,
)

softplus: Elementwise = Elementwise(
    "softplus",
    lambda g, _y, x: g * sigmoid(x),
    kernel=_softplus_kernel,
    doc="""Smooth rectifier, elementwise: ``y = ln(1 + eˣ)``, without overflow.

    Examples
    --------
    >>> tg.softplus(tg.tensor([0.0]))
    tensor([0.6931...])
    """,
)


def _of_one_dtype(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Both as floating arrays, a Python number in the dtype that it has beside the other."""
    dtype = xp.result_type(a, b)
    if dtype.kind in "biu":  # differences of unsigned numbers would wrap around
        dtype = float64
    return xp.asarray(a, dtype=dtype), xp.asarray(b, dtype=dtype)


def _share_kernel(xp: Any, a: Any, b: Any, *, unit: float) -> Any:
    """The sigmoid of what `a` is ahead of `b`.

    Equal infinities are ahead of each other by nothing. Where both are -inf the sum is empty, and nothing has a share.
    """
    a, b = _of_one_dtype(xp, a, b)
    tied = (a == b) & xp.isinf(a)
    share = _sigmoid_kernel(xp, (blend(xp, tied, 0, a) - blend(xp, tied, 0, b)) * unit)
    return blend(xp, tied & (a < 0), 0, share)


# The derivative of logaddexp by its first argument: the part that it has in the sum.
_share: Elementwise = Elementwise(
    "share",
    lambda g, y, a, b, *, unit: g * (unit * y * _share(b, a, unit=unit)),
    lambda g, y, a, b, *, unit: g * (-unit * y * _share(b, a, unit=unit)),
    kernel=_share_kernel,
)


def _added_in(unit: float) -> Any:
    """A kernel for ``max(a, b) + ln(1 + exp(-|a - b|))`` in units of 1 or of ln 2; equal infinities are not apart."""

    def kernel(xp: Any, a: Any, b: Any) -> Any:
        a, b = _of_one_dtype(xp, a, b)
        apart = a != b
        gap = blend(xp, apart, a, 0) - blend(xp, apart, b, 0)
        return xp.maximum(a, b) + xp.log1p(_exp_below(xp, gap * unit)) * (1 / unit)

    return kernel


logaddexp: Elementwise = Elementwise(
    "logaddexp",
    lambda g, _y, a, b: g * _share(a, b, unit=1.0),
    lambda g, _y, a, b: g * _share(b, a, unit=1.0),
    kernel=_added_in(1.0),
    doc="""``y = ln(eᵃ + eᵇ)``, elementwise, with broadcasting, without overflow.

    Examples
    --------
    >>> tg.logaddexp(tg.tensor([-1000.0]), -1000.0)
    tensor([-999.30...])
    """,
)

logaddexp2: Elementwise = Elementwise(
    "logaddexp2",
    lambda g, _y, a, b: g * _share(a, b, unit=_LN2),
    lambda g, _y, a, b: g * _share(b, a, unit=_LN2),
    kernel=_added_in(_LN2),
    doc="""``y = log₂(2ᵃ + 2ᵇ)``, elementwise, with broadcasting, without overflow.

    Examples
    --------
    >>> tg.logaddexp2(tg.tensor([3.0]), 3.0)
    tensor([4.])
    """,
)

# x log y where x = 0: nothing, whatever y (but for nan); at y = 0 the slopes are infinite, and read as 0.


def _xlogy_kernel(xp: Any, x: Any, y: Any) -> Any:
    x, y = _of_one_dtype(xp, x, y)
    return x * xp.log(blend(xp, (x == 0) & (y == y), 1, y))


def _xlogy_by_x(g: Any, _y: Any, x: Any, y: Any) -> Any:
    if isinstance(y, (int, float)):  # stays a Python number, so that it does not decide the dtype
        return g * math.log(y) if y > 0 else where(x == 0, 0.0, g * (-math.inf if y == 0 else math.nan))
    return xlogy(g, where((x == 0) & (y <= 0), 1, y))


xlogy: Elementwise = Elementwise(
    "xlogy",
    _xlogy_by_x,
    lambda g, _y, x, y: g * x / where((x == 0) & (y <= 0), math.inf, y),
    kernel=_xlogy_kernel,
    doc="""``x ln y``, elementwise, with broadcasting; 0 where x is 0, for entropies.

    Examples
    --------
    >>> tg.xlogy(tg.tensor([0.0, 2.0]), tg.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """,
)
