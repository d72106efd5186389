"""Indexing as CuPy does it: what is out of range wraps around, and of duplicates nobody knows which one wins.

Where an index names one element twice, NumPy keeps the last value written. The double keeps the first: code that
relies on NumPy's order gives another result here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .devices import launch, synchronize

Index = tuple[Any, ...]
# The dtypes for which CuPy has an atomic operation.
_ADDED = frozenset("float16 float32 float64 int32 int64 uint32 uint64".split())
_AT = {
    "add": _ADDED,
    "subtract": frozenset("int32 uint32".split()),
    "maximum": _ADDED - {"float16"},
    "minimum": _ADDED - {"float16"},
}


def lower(array: Any, index: Any) -> tuple[Index, list[Any]]:
    """An index as NumPy may have it, ending in an ellipsis if it has none, and the arrays of the double in it."""
    items = list(index) if isinstance(index, tuple) else [index]
    arrays = [item for item in items if isinstance(item, type(array))]
    items = [_item(array, item) for item in items]
    if not any(item is Ellipsis for item in items):
        items.append(Ellipsis)  # so that integers alone give a view, not one of NumPy's scalars
    axis, free = 0, array.ndim - sum(_axes_used(item) for item in items)
    for position, item in enumerate(items):
        if isinstance(item, np.ndarray) and item.dtype.kind in "iu" and axis < array.ndim and array.shape[axis]:
            items[position] = item % array.shape[axis]
        axis += free if item is Ellipsis else _axes_used(item)
    return tuple(items), arrays


def _item(array: Any, item: Any) -> Any:
    if isinstance(item, type(array)):
        item = item._host
    elif isinstance(item, np.ndarray):
        raise TypeError("an index array of the double is an array of the double, not NumPy's")
    elif isinstance(item, list):
        item = np.asarray(item, dtype=None if item else np.int32)
    if isinstance(item, (bool, np.bool_)) or getattr(item, "dtype", None) == np.bool_:
        synchronize("a boolean index")
    return item


def _axes_used(item: Any) -> int:
    """How many axes one item of an index consumes."""
    if item is None or item is Ellipsis or isinstance(item, (bool, np.bool_)):
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1


def assign(host: np.ndarray, index: Index, value: Any) -> None:
    """``host[index] = value``; of several values for one element, the first stays."""
    if not any(isinstance(item, np.ndarray) and item.dtype.kind in "iu" for item in index):
        host[index] = value
        return
    places = np.arange(host.size).reshape(host.shape)[index]
    values = np.empty(places.shape, host.dtype)
    values[...] = value
    host.flat[places.ravel()[::-1]] = values.ravel()[::-1]


def at(function: np.ufunc, array: Any, index: Any, value: Any) -> None:
    """``ufunc.at``, for the few functions and dtypes that CuPy has it for; `value` is lowered already."""
    if function.__name__ not in _AT:
        raise NotImplementedError(f"`cupy_{function.__name__}.at` is not supported yet")
    if array.dtype.name not in _AT[function.__name__]:
        raise TypeError(f"{function.__name__}.at does not support {array.dtype}")
    if not array.size:
        raise RuntimeError(f"{function.__name__}.at on an array without elements crashes CuPy's context: skip it")
    lowered, arrays = lower(array, index)
    launch(other._device for other in [array, *arrays])
    with np.errstate(all="ignore"):
        function.at(array._host, lowered, np.asarray(value).astype(array.dtype))
