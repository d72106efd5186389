"""What reductions and their relatives take: axes, a dtype, a mask.

The signatures are NumPy's. What NumPy does inside its loops for ``dtype=``, ``where=`` and ``initial=`` is done around
the loops here: the elements are cast, those left out are replaced by what does not count, and the initial value joins
the result.
"""

from __future__ import annotations

import math
from typing import Any

from .. import errors
from ..core.dtypes import as_dtype, float64
from ..core.primitive import operand
from ..core.tape import Variable
from .arithmetic import astype
from .choice import where as choose
from .comparison import less_equal
from .precision import wider
from .shape import broadcasts, normalize_axes, permute_dims

__all__: list[str] = []  # for the families, not for users

Axes = int | tuple[int, ...] | None


def start(
    function: str, a: Any, *, out: None = None, dtype: Any = None, where: Any = True, instead: Any = 0
) -> Any:  # fmt: skip
    """The elements to reduce: cast to `dtype`, and with `instead` in the place of those that `where` leaves out."""
    if isinstance(a, Variable) and out is None and dtype is None and where is True:  # the common call
        return a
    a = operand(function, a)
    if out is not None:
        raise errors.no_out(function)
    if dtype is not None:
        if isinstance(dtype, bool):
            raise TypeError(f"{function}: got dtype={dtype}; it comes before keepdims. Write keepdims={dtype}.")
        a = as_type(a, as_dtype(dtype, function))
    return a if where is True else choose(selection(function, where, a), a, instead)


def as_type(a: Any, dtype: Any) -> Any:
    """`a` in that dtype; itself where it has it, or where nothing is asked for."""
    return a if dtype is None or a.dtype == as_dtype(dtype) else astype(a, dtype)


def initially(function: str, initial: Any, dtype: Any) -> Any:
    """What a reduction starts with, in the dtype of its elements, as in NumPy: 1.5 among integers is 1."""
    if hasattr(initial, "dtype"):
        return as_type(initial, dtype)
    if not isinstance(initial, (int, float)) or (dtype.kind in "iu" and not math.isfinite(initial)):
        raise TypeError(f"{function}: initial must be a number that {dtype} can hold; got {initial!r:.60}")
    return {"b": bool, "i": int, "u": int}.get(dtype.kind, float)(initial)


def selection(function: str, where: Any, a: Any) -> Any:
    """The mask that was given as ``where=``: bool, and no larger than `a`, from which it selects."""
    mask, shape = operand(function, where, a, "where"), a.shape
    if mask.dtype.kind != "b":
        raise TypeError(f"{function}: where= takes a mask of bool; got {mask.dtype}. Write where=(mask != 0).")
    if not broadcasts(mask.shape, shape):
        raise errors.ShapeError(
            f"{function}: where= of shape {tuple(mask.shape)} does not broadcast to the shape {tuple(shape)} of the "
            "elements that it selects from"
        )
    return mask


def floating(a: Any) -> Any:
    """Whole numbers and truth values as float64, as NumPy's mean takes them; floating ones as they are."""
    return a if a.dtype.kind == "f" else as_type(a, float64)


def wide(a: Any) -> Any:
    """float16 as float32, for sums that would leave its range; every other dtype as it is."""
    return as_type(a, wider(a.dtype))


def quotient(total: Any, number: Any) -> Any:
    """``total / number``; nan, and derivative 0, where there is nothing to divide by."""
    nothing = less_equal(number, 0)
    return choose(nothing, math.nan, total / choose(nothing, 1, number))


# Axes.


def kept(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[int, ...]:
    """The shape after reducing `axis`, the reduced axes kept with length 1."""
    return tuple(1 if i in axis else n for i, n in enumerate(shape))


def in_one_axis(x: Any, axis: tuple[int, ...]) -> tuple[Any, int]:
    """`x` with the axes `axis` made one, and its place: for functions that go along a single axis."""
    if len(axis) == 1:
        return x, axis[0]
    shape = tuple(x.shape)
    rest = tuple(i for i in range(len(shape)) if i not in axis)
    row = x if rest + axis == tuple(range(len(shape))) else permute_dims(x, rest + axis)
    return row.reshape((*(shape[i] for i in rest), count(shape, axis))), len(rest)


def count(shape: tuple[int, ...], axis: tuple[int, ...]) -> int:
    return math.prod(shape[i] for i in axis)


def nonempty(function: str, x: Any, axis: Axes) -> tuple[int, ...]:
    """The axes of a reduction that has no value over zero elements."""
    axes = normalize_axes(function, axis, len(x.shape))
    if 0 in x.shape and not count(x.shape, axes):
        raise errors.ShapeError(
            f"{function}: no elements along axis {axes} of shape {tuple(x.shape)}; it needs at least one"
        )
    return axes
