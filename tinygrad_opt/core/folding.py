"""Reductions over a short last axis, column by column.

NumPy's own go from result to result, which is ten times slower where each has few elements. Below eight elements it
adds up from the left, as is done here, so that not a bit of the result differs.
"""

from __future__ import annotations

from typing import Any

from .. import backend
from .dtypes import float16

__all__ = ["fold", "folding", "is_short", "row_maxima", "row_sums"]

Array = Any
_SHORT = 8  # elements
_MANY = 1000  # elements, from which on it repays
_NARROW = 40  # elements, up to which the largest is found more quickly column by column


def is_short(x: Array) -> bool:
    """Whether these are many floating numbers with a short last axis (float16 is added up in float32)."""
    return (
        x.size > _MANY
        and x.ndim > 1
        and 1 < x.shape[-1] < _SHORT
        and x.dtype.kind == "f"
        and x.dtype != float16
        and backend.of(x) is backend.HOST
    )


def fold(operation: Any, x: Array) -> Array:
    """The columns of the last axis, which stays with length 1, joined by an operation of two arrays."""
    total = operation(x[..., 0], x[..., 1])
    for i in range(2, x.shape[-1]):
        operation(total, x[..., i], out=total)
    return total[..., None]


def folding(method: str, operation: str) -> Any:
    """A kernel: the reduction that arrays have as a method, or the operation that folds where it is quicker."""

    def kernel(xp: Any, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
        if axis != (x.ndim - 1,) or not is_short(x):
            return getattr(x, method)(axis=axis, keepdims=keepdims)
        y = fold(getattr(xp, operation), x)
        return y if keepdims else y[..., 0]

    return kernel


def row_maxima(xp: Any, x: Array) -> Array:
    """The largest elements along the last axis, which stays with length 1: the same, in whatever order they are met."""
    if 1 < x.shape[-1] <= _NARROW and x.size > _MANY and x.ndim > 1 and backend.of(x) is backend.HOST:
        return fold(xp.maximum, x)
    return x.max(axis=-1, keepdims=True)


def row_sums(xp: Any, x: Array) -> Array:
    """The sums along the last axis, which stays with length 1, of few numbers each: the order makes no difference."""
    if x.shape[-1] <= 4 * _NARROW and x.size > _MANY and x.ndim > 1 and backend.of(x) is backend.HOST:
        return xp.einsum("...i->...", x)[..., None]
    return x.sum(axis=-1, keepdims=True)
