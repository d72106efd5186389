"""Arithmetic of corresponding elements, and their dtype. One rule per argument says what ``g · dy/dx`` is.

`absolute` has slope 0 at 0, and `power` reads 0 · log 0 as 0: gradients stay finite where a finite choice exists.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..core.dtypes import as_dtype
from ..core.kinds import Constant, Elementwise, cast
from ..core.primitive import operand
from .choice import where
from .comparison import sign
from .exponential import log

__all__ = [
    "abs", "absolute", "add", "astype", "divide", "multiply", "negative", "pow", "power", "reciprocal", "square",
    "subtract",
]  # fmt: skip

add: Elementwise = Elementwise(
    "add",
    lambda g, _y, _a, _b: g,
    lambda g, _y, _a, _b: g,
    doc="""Sum, elementwise: ``y = a + b``, with broadcasting.

    Examples
    --------
    >>> tg.add(tg.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """,
)

subtract: Elementwise = Elementwise(
    "subtract",
    lambda g, _y, _a, _b: g,
    lambda g, _y, _a, _b: -g,
    doc="""Difference, elementwise: ``y = a - b``, with broadcasting.

    Examples
    --------
    >>> tg.subtract(tg.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """,
)

multiply: Elementwise = Elementwise(
    "multiply",
    lambda g, _y, _a, b: g * b,
    lambda g, _y, a, _b: g * a,
    doc="""Product, elementwise: ``y = a b``, with broadcasting.

    Examples
    --------
    >>> tg.multiply(tg.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """,
)

divide: Elementwise = Elementwise(
    "divide",
    lambda g, _y, _a, b: g / b,
    lambda g, y, _a, b: -g * y / b,
    doc="""Quotient, elementwise: ``y = a / b``, with broadcasting.

    Examples
    --------
    >>> tg.divide(tg.tensor([1.0, 2.0]), 4)
    tensor([0.25, 0.5 ])
    """,
)

negative: Elementwise = Elementwise(
    "negative",
    lambda g, _y, _x: -g,
    doc="""Negative, elementwise: ``y = -x``.

    Examples
    --------
    >>> tg.negative(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """,
)

reciprocal: Elementwise = Elementwise(
    "reciprocal",
    lambda g, y, _x: -g * y * y,
    doc="""Reciprocal, elementwise: ``y = 1 / x``.

    Examples
    --------
    >>> tg.reciprocal(tg.tensor([2.0, 4.0]))
    tensor([0.5 , 0.25])
    """,
)

square: Elementwise = Elementwise(
    "square",
    lambda g, _y, x: g * (2 * x),
    doc="""Square, elementwise: ``y = x²``.

    Examples
    --------
    >>> tg.square(tg.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """,
)

absolute: Elementwise = Elementwise(
    "absolute",
    lambda g, _y, x: g * sign(x),
    doc="""Absolute value, elementwise: ``y = |x|``. The derivative at 0 is taken as 0.

    Examples
    --------
    >>> tg.absolute(tg.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """,
)
abs = absolute


_MANY = 100  # elements, from which on two more steps cost less than they save


def _power_kernel(xp: Any, x: Any, p: Any) -> Any:
    """NumPy is quick at positive bases only: from negative ones it goes from element to element."""
    whole = isinstance(p, (int, float)) and not -3 < p < 3 and p == p // 1
    if not whole or x.size < _MANY or x.dtype.kind != "f" or backend.of(x) is not backend.HOST:
        return xp.power(x, p)
    y = xp.power(xp.abs(x), p)
    return xp.copysign(y, x) if p % 2 else y


def _power_by_base(g: Any, _y: Any, x: Any, p: Any) -> Any:
    if isinstance(p, (int, float)):  # stays a Python number, so that it does not decide the dtype
        return g * (p * x ** (p - 1)) if p != 0 else g * 0.0
    smallest = 1 / float(backend.namespace(getattr(x, "_array", x)).finfo(x.dtype).max)  # that has a finite reciprocal
    return g * (p * power(x, where((p == 0) & (absolute(x) < smallest), 1, p - 1)))


def _power_by_exponent(g: Any, y: Any, x: Any, _p: Any) -> Any:
    if isinstance(x, (int, float)) and x != 0:
        return g * y * (math.log(x) if x > 0 else math.nan)
    finite = absolute(y) <= 1  # of the powers of 0, the logarithm of which is -infinity
    if isinstance(x, (int, float)):
        return g * where(finite, 0.0, -y)
    zero = (x == 0) & finite
    # Where y is 0, the logarithm is read as 1: then the slope of 0¹ by both arguments is the same in either order.
    return g * y * where(zero, cast(y == 0, dtype=y.dtype), log(where(zero, 1, x)))


power: Elementwise = Elementwise(
    "power",
    _power_by_base,
    _power_by_exponent,
    kernel=_power_kernel,
    doc="""Power, elementwise: ``y = xᵖ``, with broadcasting.

    The derivative by `x` never takes a logarithm, so negative bases with whole exponents are fine; the derivative by
    `p` needs ``x > 0``, and reads 0 · log 0 as 0 (but 0⁻¹ · log 0 is what it is, -∞).

    Examples
    --------
    >>> tg.power(tg.tensor([2.0, -3.0]), 3)
    tensor([  8., -27.])
    """,
)
pow = power


def astype(x: Any, dtype: Any) -> Any:
    """The same values as another dtype. The gradient comes back in the dtype of `x`.

    Parameters
    ----------
    x : tensor or array
    dtype : dtype
        A result that is not floating carries no derivative.

    Examples
    --------
    >>> tg.astype(tg.tensor([1.5, 2.5]), tg.int32)
    tensor([1, 2], dtype=int32)
    """
    x = operand("astype", x)
    wanted = as_dtype(dtype, "astype")
    return (cast if wanted.kind == "f" else _cast_away)(x, dtype=wanted)


_cast_away: Constant = Constant("cast_away", kernel=lambda xp, x, *, dtype: x.astype(dtype))
