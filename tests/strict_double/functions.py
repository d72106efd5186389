"""What CuPy does in its own way: where it copies to, what it never checks, what it leaves undefined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import indexing
from .array import check_dtype, ndarray, operand, run
from .devices import launch, synchronize
from .kernels import ElementwiseKernel


def array(
    obj: Any, dtype: Any = None, copy: bool | None = True, order: str = "K", subok: bool = False, ndmin: int = 0, *,
    blocking: bool = False,
) -> ndarray:  # fmt: skip
    """An array on the current device: from the host, from the other device, or a copy within it."""
    here = launch(())
    if isinstance(obj, ndarray):
        same = dtype is None or np.dtype(dtype) == obj.dtype  # a float64 dtype is equal to None
        if not copy and obj._device == here and same and ndmin <= obj.ndim:
            return obj
        return ndarray(np.array(obj._host, dtype=dtype, order=order, ndmin=ndmin), here)
    if isinstance(obj, (list, tuple)) and obj and all(isinstance(item, ndarray) for item in obj):
        return run(np.array, list(obj), dtype=dtype, ndmin=ndmin)
    host = np.array(obj, dtype=dtype, order=order, ndmin=ndmin)
    native = host.dtype.newbyteorder("=")
    check_dtype(native)
    return ndarray(host.astype(native, copy=False), here)


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, blocking: bool = False
) -> ndarray:
    """The array itself where it is on the current device already."""
    return array(a, dtype, copy, order or "K")


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    """The array itself where its elements lie in a row already."""
    here = asarray(a, dtype)
    return here if here.flags.c_contiguous else here.copy()


def asnumpy(a: Any, stream: None = None, order: str = "C", out: None = None, *, blocking: bool = True) -> np.ndarray:
    """A copy in host memory."""
    return a.get(order=order) if isinstance(a, ndarray) else np.asarray(a, order=order)


def copy(a: ndarray, order: str = "K") -> ndarray:
    """A copy on the current device."""
    return a.copy(order)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """Memory as it comes: nan, or a number that strikes the eye."""
    return ndarray(_spoilt(np.empty(shape, dtype, order)), launch(()))


def empty_like(
    prototype: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None
) -> ndarray:
    """As `empty`, in the shape of another array."""
    return ndarray(_spoilt(np.empty_like(prototype._host, dtype, order, True, shape)), launch([prototype._device]))


def _spoilt(host: np.ndarray) -> np.ndarray:
    host.fill(np.nan if host.dtype.kind in "fc" else 119)
    return host


def where(condition: ndarray, x: Any = None, y: Any = None) -> Any:
    """The condition is an array; one argument alone has to wait for the device."""
    if not hasattr(condition, "astype"):
        raise AttributeError(f"{type(condition).__name__!r} object has no attribute 'astype'")
    if x is None and y is None:
        return condition.nonzero()
    for value in (x, y):
        operand(value)
    return run(np.where, condition.astype("?", copy=False), x, y)


def nonzero(a: ndarray) -> tuple[ndarray, ...]:
    """How long the result is depends on the values: the host waits."""
    synchronize("nonzero()")
    return run(np.nonzero, a)


def squeeze(a: ndarray, axis: Any = None) -> ndarray:
    """The array itself where there is nothing to squeeze."""
    squeezed = run(np.squeeze, a, axis=axis)
    return a if squeezed.ndim == a.ndim else squeezed


def take(a: ndarray, indices: Any, axis: int | None = None, out: ndarray | None = None) -> ndarray:
    """What is out of range wraps around."""
    return run(np.take, a, indices, axis=axis, out=out, mode="wrap")


def take_along_axis(a: ndarray, indices: ndarray, axis: int | None) -> ndarray:
    """What is out of range wraps around."""
    if axis is None:
        a, axis = a.ravel(), 0
    return run(np.take_along_axis, a, _wrapped(a, indices, axis), axis)


def put_along_axis(arr: ndarray, indices: ndarray, values: Any, axis: int) -> None:
    """Where an index is named twice, the first value stays, as in ``a[i] = v``."""
    launch(array._device for array in (arr, indices, values) if isinstance(array, ndarray))
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    index[axis] = _wrapped(arr, indices, axis)._host
    indexing.assign(arr._host, tuple(index), operand(values))


def _wrapped(a: ndarray, indices: ndarray, axis: int) -> ndarray:
    return indices % a.shape[axis] if a.shape[axis] else indices


def lenient(function: Callable[..., Any]) -> Callable[..., Any]:
    """A factorization that answers nan where NumPy's raises: CuPy does not look whether it succeeded."""

    def factorize(a: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(a, *args, **kwargs)
        except np.linalg.LinAlgError:
            if a.ndim < 2:
                raise
            regular = np.broadcast_to(np.eye(*a.shape[-2:], dtype=a.dtype), a.shape)
            results = function(regular, *args, **kwargs)  # raises again where the shapes are at fault
            return tuple(map(_nan_like, results)) if isinstance(results, tuple) else _nan_like(results)

    return factorize


def _nan_like(result: Any) -> Any:
    return np.full_like(result, np.nan) if np.asarray(result).dtype.kind in "fc" else result


OWN: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (ElementwiseKernel, array, asarray, ascontiguousarray, asnumpy, copy, empty, empty_like, where, nonzero,
              squeeze, take, take_along_axis, put_along_axis)
}  # fmt: skip
