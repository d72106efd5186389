"""What the names of NumPy's functions leave open: other names of the same thing, and what has no derivative at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import ops
from .primitive import operand

__all__ = ["METHODS", "STRUCTURAL", "UFUNC_DEFAULTS", "candidates", "is_constant", "spelled"]

# NumPy's name of a function -> further names that ours may have.
_ALIASES = {
    "absolute": ("abs",), "amax": ("max",), "amin": ("min",), "around": ("round",), "fabs": ("absolute",),
    "max": ("amax",), "min": ("amin",), "remainder": ("mod",), "round": ("around",),
}  # fmt: skip
# Of `numpy.linalg`, what means the same as the function of that name in `numpy`. (`diagonal` and `trace` do not.)
_OF_ARRAYS = frozenset({"cross", "matmul", "outer", "tensordot", "vecdot"})


def _full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    filled = ops.astype(operand("full_like", fill_value), a.dtype if dtype is None else dtype)
    return ops.broadcast_to(filled, a.shape if shape is None else shape)


def _diagonal(x: Any, *, offset: int = 0) -> Any:
    """Of the last two axes, whereas `numpy.diagonal` takes the first two."""
    row, column = max(-offset, 0), max(offset, 0)
    length = max(0, min(x.shape[-2] - row, x.shape[-1] - column))
    return ops.getitem(x, (..., list(range(row, row + length)), list(range(column, column + length))))


# One line each: they move or keep elements, and are our own functions under another name.
STRUCTURAL: dict[str, Callable[..., Any]] = {
    "np.conjugate": lambda x: x,
    "np.divmod": lambda x1, x2: (ops.floor_divide(x1, x2), ops.mod(x1, x2)),
    "np.positive": lambda x: x,
    "np.real": lambda val: val,
    "np.full_like": _full_like,
    "np.matrix_transpose": lambda x: ops.swapaxes(x, -1, -2),
    "np.linalg.diagonal": _diagonal,
    "np.linalg.matrix_transpose": lambda x: ops.swapaxes(x, -1, -2),
    "np.linalg.trace": lambda x, *, offset=0: ops.sum(_diagonal(x, offset=offset), axis=-1),
    "np.ndim": lambda a: len(a.shape),
    "np.shape": lambda a: tuple(a.shape),
}

# Functions whose values are shapes, flags, positions, texts; or arrays of which the shape alone is taken.
_CONSTANT = frozenset({
    "allclose", "argwhere", "array2string", "array_equal", "array_equiv", "array_repr", "array_str", "can_cast",
    "common_type", "digitize", "empty_like", "fix", "flatnonzero", "imag", "isclose", "iscomplex", "iscomplexobj",
    "isin", "isneginf", "isposinf", "isreal", "isrealobj", "lexsort", "may_share_memory", "min_scalar_type",
    "ones_like", "result_type", "rint", "shares_memory", "size", "spacing", "zeros_like",
})  # fmt: skip

METHODS: dict[tuple[str, str], Any] = {
    ("reduce", "add"): np.sum,
    ("reduce", "multiply"): np.prod,
    ("reduce", "maximum"): np.max,
    ("reduce", "minimum"): np.min,
    ("reduce", "logical_and"): np.all,
    ("reduce", "logical_or"): np.any,
    ("accumulate", "add"): np.cumsum,
    ("accumulate", "multiply"): np.cumprod,
}

UFUNC_DEFAULTS = {"casting": "same_kind", "order": "K", "subok": True, "where": True}


def spelled(function: Any) -> str:
    """The name as one writes it: ``np.linalg.solve``."""
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{function.__name__}"


def candidates(function: Any) -> Iterator[tuple[str, str]]:
    """Where ours may be: its module, and its name there."""
    module = (getattr(function, "__module__", None) or "numpy").partition(".")[2]
    if module not in ("", "linalg"):
        return
    for name in (function.__name__, *_ALIASES.get(function.__name__, ())):
        if module:
            yield module, name
        if not module or name in _OF_ARRAYS:
            yield "", name


def is_constant(function: Any) -> bool:
    """Whether a function is piecewise constant: it is listed, or yields flags or integers for floating arguments."""
    if isinstance(function, np.ufunc):
        results = [types.partition("->")[2] for types in function.types if "d" in types.partition("->")[0]]
        if all(code in "?bhilq" for codes in results for code in codes):
            return True
    return function.__name__ in _CONSTANT and (getattr(function, "__module__", None) or "numpy") == "numpy"
