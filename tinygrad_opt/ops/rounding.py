"""Whole numbers nearby, and what division leaves over.

A rounded number does not move with its argument, and has no derivative. What a division leaves over does:
``remainder(a, b) = a - b ⌊a/b⌋`` has the slope 1 by `a` and ``-⌊a/b⌋`` by `b`. At its jumps, where `a` is a multiple of
`b`, the slope is that of the side whose value is taken.
"""

from __future__ import annotations

import operator
from typing import Any

from ..core.kinds import Constant, Elementwise

__all__ = ["ceil", "floor", "floor_divide", "fmod", "mod", "remainder", "round", "trunc"]

floor: Constant = Constant(
    "floor",
    doc="""The largest whole number not above `x`, elementwise.

    Examples
    --------
    >>> tg.floor(tg.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """,
)

ceil: Constant = Constant(
    "ceil",
    doc="""The smallest whole number not below `x`, elementwise.

    Examples
    --------
    >>> tg.ceil(tg.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """,
)

trunc: Constant = Constant(
    "trunc",
    doc="""The next whole number towards 0, elementwise.

    Examples
    --------
    >>> tg.trunc(tg.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """,
)

_round: Constant = Constant("round")


def round(a: Any, decimals: int = 0) -> Any:
    """The nearest number with so many decimals, elementwise; halves go to the even neighbour. Constant.

    Parameters
    ----------
    a : tensor or array
    decimals : int
        Negative: to tens, hundreds, ...

    Examples
    --------
    >>> tg.round(tg.tensor([0.5, 1.5, -1.7]))
    tensor([ 0.,  2., -2.])
    >>> tg.round(tg.tensor([1.25, 0.17]), 1)
    tensor([1.2, 0.2])
    """
    try:
        decimals = operator.index(decimals)
    except TypeError:
        raise TypeError(f"round: decimals is a whole number; got {decimals!r}. Write tg.round(x, 2).") from None
    return _round(a, decimals=decimals)


floor_divide: Constant = Constant(
    "floor_divide",
    doc="""``⌊a / b⌋``, elementwise, with broadcasting: how often `b` goes into `a`, rounded down.

    Examples
    --------
    >>> tg.floor_divide(tg.tensor([7.0, -7.0]), 2)
    tensor([ 3., -4.])
    """,
)


def _by_divisor(g: Any, y: Any, a: Any, b: Any) -> Any:
    """`b` goes into ``a - y`` a whole number of times, but for rounding; quicker than to divide by `b` once more."""
    return -g * round((a - y) / b)


remainder: Elementwise = Elementwise(
    "remainder",
    lambda g, _y, _a, _b: g,
    _by_divisor,
    doc="""What dividing `a` by `b` leaves over, with the sign of `b`: ``a - b ⌊a/b⌋``, elementwise, with broadcasting.

    Examples
    --------
    >>> tg.remainder(tg.tensor([7.0, -7.0]), 3)
    tensor([1., 2.])
    """,
)
mod = remainder

fmod: Elementwise = Elementwise(
    "fmod",
    lambda g, _y, _a, _b: g,
    _by_divisor,
    doc="""What dividing `a` by `b` leaves over, with the sign of `a`, elementwise, with broadcasting: C's remainder.

    Examples
    --------
    >>> tg.fmod(tg.tensor([7.0, -7.0]), 3)
    tensor([ 1., -1.])
    """,
)
