"""Angles: circular and hyperbolic functions of corresponding elements, their inverses, and lengths in the plane.

No square of an argument is formed that could leave the range of the floating numbers: `hypot` takes its place. At the
origin `hypot` and `arctan2` have the slope 0; the inverse functions have the infinite slopes that they have.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.kinds import Elementwise
from .choice import where

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan",
    "atan2", "atanh", "cos", "cosh", "deg2rad", "degrees", "hypot", "rad2deg", "radians", "sin", "sinh", "tan",
    "tanh",
]  # fmt: skip

sin: Elementwise = Elementwise(
    "sin",
    lambda g, _y, x: g * cos(x),
    doc="""Sine of an angle in radians, elementwise.

    Examples
    --------
    >>> tg.sin(tg.tensor([1.0]))
    tensor([0.8414...])
    """,
)

cos: Elementwise = Elementwise(
    "cos",
    lambda g, _y, x: -g * sin(x),
    doc="""Cosine of an angle in radians, elementwise.

    Examples
    --------
    >>> tg.cos(tg.tensor([1.0]))
    tensor([0.5403...])
    """,
)

tan: Elementwise = Elementwise(
    "tan",
    lambda g, y, _x: g * (1 + y * y),
    doc="""Tangent of an angle in radians, elementwise.

    Examples
    --------
    >>> tg.tan(tg.tensor([1.0]))
    tensor([1.5574...])
    """,
)

# The slopes of inverse functions are functions of their own, whose derivatives are powers of themselves: at no order is
# a difference of nearly equal numbers taken, and none is 0 · ∞ at the ends.

_arcsin_slope: Elementwise = Elementwise(
    "arcsin_slope",
    lambda g, y, x: g * (x * y * y * y),
    kernel=lambda xp, x: 1 / xp.sqrt((1 - x) * (1 + x)),
)

_arccosh_slope: Elementwise = Elementwise(
    "arccosh_slope",
    lambda g, y, x: g * (-x * y * y * y),
    kernel=lambda xp, x: 1 / (xp.sqrt(x - 1) * xp.sqrt(x + 1)),
)

_arctanh_slope: Elementwise = Elementwise(
    "arctanh_slope",
    lambda g, y, x: g * (2 * x * y * y),
    kernel=lambda xp, x: 1 / ((1 - x) * (1 + x)),
)

arcsin: Elementwise = Elementwise(
    "arcsin",
    lambda g, _y, x: g * _arcsin_slope(x),
    doc="""Inverse of the sine, elementwise, between -π/2 and π/2.

    Examples
    --------
    >>> tg.arcsin(tg.tensor([1.0]))
    tensor([1.5707...])
    """,
)
asin = arcsin

arccos: Elementwise = Elementwise(
    "arccos",
    lambda g, _y, x: -g * _arcsin_slope(x),
    doc="""Inverse of the cosine, elementwise, between 0 and π.

    Examples
    --------
    >>> tg.arccos(tg.tensor([-1.0]))
    tensor([3.1415...])
    """,
)
acos = arccos


def _arctan_rule(g: Any, _y: Any, x: Any) -> Any:
    length = hypot(x, 1.0)
    return g / length / length


arctan: Elementwise = Elementwise(
    "arctan",
    _arctan_rule,
    doc="""Inverse of the tangent, elementwise, between -π/2 and π/2.

    Examples
    --------
    >>> tg.arctan(tg.tensor([1.0]))
    tensor([0.7853...])
    """,
)
atan = arctan


def _or_infinity(length: Any) -> Any:
    """A length to divide by: at the origin every quotient is to be 0."""
    return where(length == 0, math.inf, length)


def _turn(g: Any, side: Any, a: Any, b: Any) -> Any:
    length = _or_infinity(hypot(a, b))
    return g * (side / length) / length


arctan2: Elementwise = Elementwise(
    "arctan2",
    lambda g, _y, a, b: _turn(g, b, a, b),
    lambda g, _y, a, b: -_turn(g, a, a, b),
    doc="""The angle of the point (b, a), elementwise, with broadcasting: between -π and π, 0 along the first axis.

    Examples
    --------
    >>> tg.arctan2(tg.tensor([-1.0]), tg.tensor([-1.0]))
    tensor([-2.3561...])
    """,
)
atan2 = arctan2

hypot: Elementwise = Elementwise(
    "hypot",
    lambda g, y, a, _b: g * (a / _or_infinity(y)),
    lambda g, y, _a, b: g * (b / _or_infinity(y)),
    doc="""The length of the vector (a, b), elementwise, with broadcasting: ``√(a² + b²)``, without overflow.

    Examples
    --------
    >>> tg.hypot(tg.tensor([3.0, 3e30]), tg.tensor([4.0, 4e30]))
    tensor([5.e+00, 5.e+30])
    """,
)

sinh: Elementwise = Elementwise(
    "sinh",
    lambda g, _y, x: g * cosh(x),
    doc="""Hyperbolic sine, elementwise.

    Examples
    --------
    >>> tg.sinh(tg.tensor([1.0]))
    tensor([1.1752...])
    """,
)

cosh: Elementwise = Elementwise(
    "cosh",
    lambda g, _y, x: g * sinh(x),
    doc="""Hyperbolic cosine, elementwise.

    Examples
    --------
    >>> tg.cosh(tg.tensor([1.0]))
    tensor([1.5430...])
    """,
)

tanh: Elementwise = Elementwise(
    "tanh",
    lambda g, y, _x: g * (1 - y * y),  # to the digits that y has: the next layer keeps y, and nobody keeps x
    doc="""Hyperbolic tangent, elementwise.

    Examples
    --------
    >>> tg.tanh(tg.tensor([1.0]))
    tensor([0.7615...])
    """,
)

arcsinh: Elementwise = Elementwise(
    "arcsinh",
    lambda g, _y, x: g / hypot(x, 1.0),
    doc="""Inverse of the hyperbolic sine, elementwise.

    Examples
    --------
    >>> tg.arcsinh(tg.tensor([1.0]))
    tensor([0.8813...])
    """,
)
asinh = arcsinh

arccosh: Elementwise = Elementwise(
    "arccosh",
    lambda g, _y, x: g * _arccosh_slope(x),
    doc="""Inverse of the hyperbolic cosine, elementwise, not negative.

    Examples
    --------
    >>> tg.arccosh(tg.tensor([2.0]))
    tensor([1.3169...])
    """,
)
acosh = arccosh

arctanh: Elementwise = Elementwise(
    "arctanh",
    lambda g, _y, x: g * _arctanh_slope(x),
    doc="""Inverse of the hyperbolic tangent, elementwise.

    Examples
    --------
    >>> tg.arctanh(tg.tensor([0.5]))
    tensor([0.5493...])
    """,
)
atanh = arctanh

deg2rad: Elementwise = Elementwise(
    "deg2rad",
    lambda g, _y, _x: g * (math.pi / 180),
    doc="""Degrees as radians, elementwise.

    Examples
    --------
    >>> tg.deg2rad(tg.tensor([180.0]))
    tensor([3.1415...])
    """,
)
radians = deg2rad

rad2deg: Elementwise = Elementwise(
    "rad2deg",
    lambda g, _y, _x: g * (180 / math.pi),
    doc="""Radians as degrees, elementwise.

    Examples
    --------
    >>> tg.rad2deg(tg.tensor([3.1415927]))
    tensor([180.])
    """,
)
degrees = rad2deg
