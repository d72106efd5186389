"""Which of several: choosing by a mask, the larger and the smaller of two, bounds.

Where arguments tie there is no single derivative. `maximum` and its relatives share it equally; a bound of `clip`
leaves it to what is bounded; `relu` has the slope 0 at 0.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend, errors
from ..core.kinds import Elementwise, cast
from ..core.primitive import operand
from .blend import blend
from .comparison import isnan

__all__ = ["clip", "fmax", "fmin", "maximum", "minimum", "nan_to_num", "relu"]

where: Elementwise = Elementwise(
    "where",
    None,
    lambda g, _y, mask, _a, _b: where(mask, g, 0.0),
    lambda g, _y, mask, _a, _b: where(mask, 0.0, g),
    kernel=blend,
    doc="""``a`` where `mask` is true, ``b`` elsewhere: see `selection.where`, which is public.""",
)

relu: Elementwise = Elementwise(
    "relu",
    lambda g, y, _x: where(y <= 0, 0.0, g),
    kernel=lambda xp, x, **out: xp.maximum(x, 0, **out),
    doc="""Rectifier, elementwise: ``y = max(x, 0)``. The derivative at 0 is taken as 0.

    Examples
    --------
    >>> tg.relu(tg.tensor([1.0, -2.0]))
    tensor([1., 0.])
    """,
)

# nan compares as false: maximum and minimum, which answer nan, pass the derivative on to both arguments then.

maximum: Elementwise = Elementwise(
    "maximum",
    lambda g, _y, a, b: where(a < b, 0.0, where(a == b, 0.5 * g, g)),
    lambda g, _y, a, b: where(b < a, 0.0, where(a == b, 0.5 * g, g)),
    doc="""The larger of two, elementwise, with broadcasting. Tied arguments share the derivative equally.

    Where either is nan, so is the result; see `fmax`.

    Examples
    --------
    >>> tg.maximum(tg.tensor([1.0, 5.0]), 2.0)
    tensor([2., 5.])
    """,
)

minimum: Elementwise = Elementwise(
    "minimum",
    lambda g, _y, a, b: where(a > b, 0.0, where(a == b, 0.5 * g, g)),
    lambda g, _y, a, b: where(b > a, 0.0, where(a == b, 0.5 * g, g)),
    doc="""The smaller of two, elementwise, with broadcasting. Tied arguments share the derivative equally.

    Where either is nan, so is the result; see `fmin`.

    Examples
    --------
    >>> tg.minimum(tg.tensor([1.0, 5.0]), 2.0)
    tensor([1., 2.])
    """,
)


def _number_wins(g: Any, mine: Any, other: Any, loses: Any) -> Any:
    """The derivative by `mine` of fmax or fmin: none where it `loses`, or is nan and the other is a number."""
    loses = loses | ((mine != mine) & (other == other))
    return where(loses, 0.0, where(mine == other, 0.5 * g, g))


fmax: Elementwise = Elementwise(
    "fmax",
    lambda g, _y, a, b: _number_wins(g, a, b, a < b),
    lambda g, _y, a, b: _number_wins(g, b, a, b < a),
    doc="""The larger of two, elementwise, with broadcasting; a number beats nan. Tied arguments share equally.

    Examples
    --------
    >>> tg.fmax(tg.tensor([1.0, float("nan")]), 2.0)
    tensor([2., 2.])
    """,
)

fmin: Elementwise = Elementwise(
    "fmin",
    lambda g, _y, a, b: _number_wins(g, a, b, a > b),
    lambda g, _y, a, b: _number_wins(g, b, a, b > a),
    doc="""The smaller of two, elementwise, with broadcasting; a number beats nan. Tied arguments share equally.

    Examples
    --------
    >>> tg.fmin(tg.tensor([1.0, float("nan")]), 2.0)
    tensor([1., 2.])
    """,
)

# Bounds are maximum and minimum with another convention for ties: what lies on the bound is free to move inwards, so
# it keeps its whole derivative, as in PyTorch.

_clip_low: Elementwise = Elementwise(
    "clip_low",
    lambda g, _y, x, low: where(x >= low, g, 0.0),
    lambda g, _y, x, low: where(x < low, g, 0.0),
    kernel="maximum",
)

_clip_high: Elementwise = Elementwise(
    "clip_high",
    lambda g, _y, x, high: where(x <= high, g, 0.0),
    lambda g, _y, x, high: where(x > high, g, 0.0),
    kernel="minimum",
)


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Bounded from below and above, elementwise, with broadcasting: ``min(max(a, a_min), a_max)``.

    Parameters
    ----------
    a : tensor or array
    a_min, a_max : tensor, array or number, optional
        The bounds, which get derivatives too. On a bound the derivative belongs to `a` alone.
    min, max
        Other names of the bounds.

    Raises
    ------
    ValueError
        Where a bound is given under both of its names.

    Examples
    --------
    >>> tg.clip(tg.tensor([-2.0, 0.5, 3.0]), 0, 1)
    tensor([0. , 0.5, 1. ])
    >>> tg.clip(tg.tensor([-2.0, 0.5, 3.0]), max=1.0)
    tensor([-2. ,  0.5,  1. ])
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError("clip: the same bound is given twice; write clip(x, low, high) or clip(x, min=low, max=high)")
    a = _checked("clip", 0, a)
    low = _bound(a, 1, a_min if min is None else min)
    high = _bound(a, 2, a_max if max is None else max)
    if low is None and high is None:
        a = operand("clip", a)
        return cast(a, dtype=a.dtype)  # a copy
    a = a if low is None else _clip_low(a, low)
    return a if high is None else _clip_high(a, high)


def _bound(a: Any, position: int, bound: Any) -> Any:
    """The bound, or None where it is a whole number that the integers of `a` cannot reach: their dtype has it not."""
    dtype = getattr(a, "dtype", None)
    if bound is None or type(bound) is not int or dtype is None or dtype.kind not in "iu":
        return None if bound is None else _checked("clip", position, bound)
    limits = backend.namespace(getattr(a, "_array", a)).iinfo(dtype)
    return None if (bound <= limits.min if position == 1 else bound >= limits.max) else bound


def _checked(function: str, position: int, value: Any) -> Any:
    """The value itself, if it is anything that a function of elements takes."""
    if not hasattr(value, "dtype") and not isinstance(value, (int, float, list, tuple)):
        raise errors.unsupported_argument(function, position, value)
    return value


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of nan and the infinities, elementwise. What is replaced has the derivative 0.

    Parameters
    ----------
    x : tensor or array
    copy : bool
        For NumPy's sake: the result is always new.
    nan : tensor, array or number
        What takes the place of nan.
    posinf, neginf : tensor, array or number, optional
        What takes the place of infinity; the largest and the smallest finite number of the dtype where nothing is said.

    Examples
    --------
    >>> tg.nan_to_num(tg.tensor([1.0, float("nan"), float("-inf")]), neginf=-9.0)
    tensor([ 1.,  0., -9.])
    """
    if not copy:
        raise ValueError("nan_to_num: tensors are not overwritten; leave copy=False out, and use the result")
    x = operand("nan_to_num", x)
    if x.dtype.kind != "f":
        return cast(x, dtype=x.dtype)  # a copy
    largest = float(backend.namespace(getattr(x, "_array", x)).finfo(x.dtype).max)
    nan = _instead(x, "nan", nan)
    above = largest if posinf is None else _instead(x, "posinf", posinf)
    below = -largest if neginf is None else _instead(x, "neginf", neginf)
    return where(isnan(x), nan, where(x == math.inf, above, where(x == -math.inf, below, x)))


def _instead(x: Any, argument: str, value: Any) -> Any:
    """What takes the place of some elements of `x`: a number, or as many as fit."""
    if isinstance(value, (int, float)):
        return value
    value = operand("nan_to_num", value, x, argument)
    sides = zip(tuple(value.shape)[::-1], tuple(x.shape)[::-1], strict=False)
    if len(value.shape) > len(x.shape) or any(n not in (1, m) for n, m in sides):
        raise errors.ShapeError(
            f"nan_to_num: {argument} of shape {tuple(value.shape)} does not broadcast to the shape {tuple(x.shape)} of "
            "the elements"
        )
    return value
