"""Reductions over a short last axis, column by column.

NumPy's own go from result to result, which is ten times slower where each has few elements. Below eight elements it
adds up from the left, as is done here, so that not a bit of the result differs.
"""

from __future__ import annotations

from typing import Any

from .. import backend
from .dtypes import float16

__all__ = ["fold", "folding", "is_short"]

Array = Any
_SHORT = 8  # elements
_MANY = 1000  # elements, from which on it repays


def is_short(x: Array, axis: tuple[int, ...]) -> bool:
    """Whether `axis` ends with a short last axis of many floating numbers (float16 is added up in float32)."""
    return (
        x.size > _MANY
        and 1 < x.shape[-1] < _SHORT
        and x.ndim - 1 in axis
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
    """A kernel: the reduction that arrays have as a method, with short last axes folded by the operation."""

    def kernel(xp: Any, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
        if not is_short(x, axis):
            return getattr(x, method)(axis=axis, keepdims=keepdims)
        x = fold(getattr(xp, operation), x)
        others = tuple(i for i in axis if i != x.ndim - 1)
        if others:
            x = getattr(x, method)(axis=others, keepdims=True)
        return x if keepdims else x.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axis))

    return kernel
