"""Functions of corresponding elements. One rule per argument says what ``g · dy/dx`` is; the rest follows.

Conventions at points without a derivative are chosen so that gradients stay finite where a finite choice exists:
``relu`` and ``absolute`` have slope 0 at 0, ``maximum`` and ``minimum`` share equally between tied arguments, and
``power`` reads 0 · log 0 as 0. `sqrt` at 0 has the slope that it has: infinity.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import as_dtype
from ..core.kinds import Constant, Elementwise, cast
from ..core.primitive import operand

__all__ = [
    "absolute", "add", "astype", "divide", "equal", "exp", "floor", "greater", "greater_equal", "isfinite", "less",
    "less_equal", "log", "maximum", "minimum", "multiply", "negative", "not_equal", "power", "reciprocal", "relu",
    "sign", "sqrt", "square", "subtract", "tanh", "where",
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

tanh: Elementwise = Elementwise(
    "tanh",
    lambda g, y, _x: g * (1 - y * y),
    doc="""Hyperbolic tangent, elementwise.

    Examples
    --------
    >>> tg.tanh(tg.tensor([1.0]))
    tensor([0.7615...])
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

relu: Elementwise = Elementwise(
    "relu",
    lambda g, y, _x: where(y > 0, g, 0.0),
    kernel=lambda xp, x, **out: xp.maximum(x, 0, **out),
    doc="""Rectifier, elementwise: ``y = max(x, 0)``. The derivative at 0 is taken as 0.

    Examples
    --------
    >>> tg.relu(tg.tensor([1.0, -2.0]))
    tensor([1., 0.])
    """,
)

where: Elementwise = Elementwise(
    "where",
    None,
    lambda g, _y, mask, _a, _b: where(mask, g, 0.0),
    lambda g, _y, mask, _a, _b: where(mask, 0.0, g),
    kernel=lambda xp, mask, a, b: xp.where(xp.asarray(mask), a, b),  # CuPy takes no Python bool
    doc="""Choose, elementwise: ``a`` where `mask` is true, ``b`` elsewhere, with broadcasting.

    Parameters
    ----------
    mask : tensor or array of bool
    a, b : tensor, array or number
        What was not chosen gets the derivative 0, even where its own value is infinite or nan.

    Examples
    --------
    >>> x = tg.tensor([1.0, -2.0])
    >>> tg.where(x > 0, x, 0.0)
    tensor([1., 0.])
    """,
)


maximum: Elementwise = Elementwise(
    "maximum",
    lambda g, _y, a, b: where(a > b, g, where(a == b, 0.5 * g, 0.0)),
    lambda g, _y, a, b: where(b > a, g, where(a == b, 0.5 * g, 0.0)),
    doc="""The larger of two, elementwise, with broadcasting. Tied arguments share the derivative equally.

    Examples
    --------
    >>> tg.maximum(tg.tensor([1.0, 5.0]), 2.0)
    tensor([2., 5.])
    """,
)

minimum: Elementwise = Elementwise(
    "minimum",
    lambda g, _y, a, b: where(a < b, g, where(a == b, 0.5 * g, 0.0)),
    lambda g, _y, a, b: where(b < a, g, where(a == b, 0.5 * g, 0.0)),
    doc="""The smaller of two, elementwise, with broadcasting. Tied arguments share the derivative equally.

    Examples
    --------
    >>> tg.minimum(tg.tensor([1.0, 5.0]), 2.0)
    tensor([1., 2.])
    """,
)


def _power_by_base(g: Any, _y: Any, x: Any, p: Any) -> Any:
    if isinstance(p, (int, float)):  # stays a Python number, so that it does not decide the dtype
        return g * (p * x ** (p - 1)) if p != 0 else g * 0.0
    return g * (p * power(x, where((x == 0) * (p == 0), 1.0, p - 1)))


def _power_by_exponent(g: Any, y: Any, x: Any, _p: Any) -> Any:
    if isinstance(x, (int, float)):
        return g * y * (math.log(x) if x > 0 else math.nan) if x != 0 else g * 0.0
    return where(x == 0, 0.0, g * y * log(where(x == 0, 1.0, x)))


power: Elementwise = Elementwise(
    "power",
    _power_by_base,
    _power_by_exponent,
    doc="""Power, elementwise: ``y = xᵖ``, with broadcasting.

    The derivative by `x` never takes a logarithm, so negative bases with whole exponents are fine; the derivative by
    `p` needs ``x > 0``, and reads 0 · log 0 as 0.

    Examples
    --------
    >>> tg.power(tg.tensor([2.0, -3.0]), 3)
    tensor([  8., -27.])
    """,
)

sign: Constant = Constant(
    "sign",
    doc="""-1, 0 or 1, elementwise: the sign of `x`.

    Examples
    --------
    >>> tg.sign(tg.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """,
)

floor: Constant = Constant(
    "floor",
    doc="""The largest whole number not above `x`, elementwise.

    Examples
    --------
    >>> tg.floor(tg.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """,
)

isfinite: Constant = Constant(
    "isfinite",
    doc="""Whether each element is neither infinite nor nan.

    Examples
    --------
    >>> tg.isfinite(tg.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """,
)


def _comparison(name: str, sign: str) -> Constant:
    doc = f"""Whether ``a {sign} b``, elementwise, with broadcasting.

    Examples
    --------
    >>> tg.{name}(tg.tensor([2.0]), tg.tensor([2.0])).dtype
    dtype('bool')
    """
    return Constant(name, doc=doc)


equal = _comparison("equal", "==")
not_equal = _comparison("not_equal", "!=")
less = _comparison("less", "<")
less_equal = _comparison("less_equal", "<=")
greater = _comparison("greater", ">")
greater_equal = _comparison("greater_equal", ">=")


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
    wanted = as_dtype(dtype)
    return (cast if wanted.kind == "f" else _cast_away)(x, dtype=wanted)


_cast_away: Constant = Constant("cast_away", kernel=lambda xp, x, *, dtype: x.astype(dtype))
