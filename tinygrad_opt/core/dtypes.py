"""Which numbers a tensor may hold, and what Python's own numbers become."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from .. import errors

__all__ = [
    "array_from_data",
    "as_dtype",
    "bool",
    "default_dtype",
    "float16",
    "float32",
    "float64",
    "int32",
    "int64",
    "set_default_dtype",
]

# dtypes are NumPy's on every backend: CuPy uses the very same objects.
float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
bool = np.dtype("bool")

_default = float32


def default_dtype() -> np.dtype[Any]:
    """The dtype that Python's floating numbers become."""
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype that Python's floating numbers, and lists of them, become.

    Parameters
    ----------
    dtype : float16, float32 or float64
        The package starts with float32.

    Raises
    ------
    TypeError
        For anything that is not a floating dtype.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.set_default_dtype(tg.float64)
    >>> tg.tensor([1.5]).dtype
    dtype('float64')
    >>> tg.set_default_dtype(tg.float32)
    """
    global _default
    wanted = as_dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"set_default_dtype: expected float16, float32 or float64; got {wanted}")
    _default = wanted


def as_dtype(dtype: Any, function: str = "") -> np.dtype[Any]:
    """Any spelling of a dtype, as the dtype, if a tensor may hold it; else an error, in the name of the function."""
    if not isinstance(dtype, np.dtype):
        dtype = _spelled(dtype, function)
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        error = errors.unsupported_dtype(dtype)
        raise errors.in_argument(function, "dtype", error) if function else error
    return dtype.newbyteorder("=")


def _spelled(dtype: Any, function: str) -> np.dtype[Any]:
    """The dtype that a name or a type stands for."""
    if isinstance(dtype, (str, type)):
        with contextlib.suppress(TypeError):
            return np.dtype(dtype)
    raise errors.not_a_dtype(dtype, function)


def array_from_data(data: Any, dtype: Any, function: str = "") -> np.ndarray[Any, Any]:
    """A NumPy array from numbers and (nested) lists: floating ones take the default dtype, the others keep theirs."""
    try:
        array = np.array(data)
    except ValueError as error:
        raise errors.ShapeError(
            f"{function or 'tensor'}: nested lists must have equal lengths at each depth: {error}"
        ) from None
    if dtype is None and array.dtype.kind == "f":
        dtype = _default
    as_dtype(array.dtype, function)  # whatever it is to become
    return array.astype(as_dtype(array.dtype if dtype is None else dtype, function), copy=False)
