"""Indexing, and its transpose: what `getitem` reads, `scatter_add` writes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend
from ..core.kinds import Linear
from ..core.patches import Patches
from ..core.primitive import operand
from ..core.tape import Variable

__all__ = ["getitem"]


def picks_once(index: tuple[Any, ...]) -> bool:
    """Whether an index picks every element at most once: all but integer arrays do."""
    return not any(isinstance(item, list) or (hasattr(item, "dtype") and item.dtype.kind in "iu") for item in index)


def _add_at(xp: Any, out: Any, index: tuple[Any, ...], g: Any) -> None:
    """Add `g` to what stands at `index`, in place; an element that is named twice receives both."""
    if picks_once(index):
        out[index] += g
    elif out.size and g.size:  # CuPy's add.at crashes on a target without elements
        xp.add.at(out, index, g)


def _scatter_add_kernel(xp: Any, g: Any, *, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """Zeros of `shape`, with `g` added at `index`."""
    out = xp.zeros(shape, dtype=g.dtype)
    if picks_once(index):
        out[index] = g
    else:
        _add_at(xp, out, index, g)
    return out


def _scatter_sum_kernel(xp: Any, *gs: Any, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Any:
    """Zeros of `shape`, with each of several arrays added at its own index."""
    out = xp.zeros(shape, dtype=xp.result_type(*gs))
    for g, index in zip(gs, indices, strict=True):
        _add_at(xp, out, index, g)
    return out


def _written(values: Sequence[Any], indices: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if len(values) == 1:
        return scatter_add(values[0], shape=shape, index=indices[0])
    return _scatter_sum(*values, shape=shape, indices=tuple(indices))


pick: Linear = Linear(
    "getitem",
    lambda g, like, *, index: Patches(g, index, like, _written),
    kernel=lambda xp, x, *, index: x[index],
)
scatter_add: Linear = Linear(
    "scatter_add", lambda g, like, *, shape, index: pick(g, index=index), kernel=_scatter_add_kernel
)
_scatter_sum: Linear = Linear(
    "scatter_sum",
    lambda g, like, *, shape, indices, position: pick(g, index=indices[position]),
    kernel=_scatter_sum_kernel,
    variadic=True,
)


def getitem(x: Any, index: Any) -> Any:
    """The elements at `index`: ``x[index]``, as in NumPy.

    Integers, slices with any step, ``None``, ``...``, boolean masks, integer arrays (also with repeats; the gradients
    of an element that is picked several times are summed), and mixtures of them. Index arrays are copied, so that
    changing them later does not change the derivative.

    Raises
    ------
    IndexError
        For an index that does not fit the shape, on every backend.

    Examples
    --------
    >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> x[[0, 0, 2]]
    tensor([1., 1., 3.], grad_fn='getitem')
    """
    x = operand("getitem", x)
    items = index if isinstance(index, tuple) else (index,)
    array = x._array if isinstance(x, Variable) else x
    with backend.beside(array):
        return pick(x, index=_canonical(array, items))


def _canonical(x: Any, items: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index as a tuple of slices, integers, and arrays of our own on the device of `x`."""
    result: list[Any] = []
    for item in items:
        if isinstance(item, Variable):
            item = item._array
        if item is None or item is Ellipsis or (isinstance(item, (slice, int)) and not isinstance(item, bool)):
            result.append(item)
        else:
            result.append(_index_array(x, item))
    _check_bounds(x, result)
    return tuple(result)


def _index_array(x: Any, item: Any) -> Any:
    xp = backend.namespace(x)
    if backend.is_array(item):
        array = backend.to_device(item, backend.device_of(x))
        array = xp.array(array) if array is item else array
    elif isinstance(item, (bool, list, tuple)) or hasattr(item, "dtype") or hasattr(item, "__index__"):
        array = xp.asarray(item)
        if array.size == 0 and isinstance(item, (list, tuple)):
            array = array.astype("int64")
    else:
        raise IndexError(_bad_index(item))
    if array.dtype.kind not in "biu":
        raise IndexError(_bad_index(item))
    return int(array) if array.ndim == 0 and array.dtype.kind in "iu" else array


def _bad_index(item: Any) -> str:
    return f"getitem: an index is made of integers, slices, None, ..., boolean masks and integer arrays; got {item!r}"


def _check_bounds(x: Any, items: list[Any]) -> None:
    """Refuse integer arrays that leave the axis: NumPy does so itself, CuPy would wrap around silently."""
    if backend.of(x) is backend.HOST:
        return
    used = sum(_axes_used(item) for item in items)
    axis = 0
    for item in items:
        if item is Ellipsis:
            axis = x.ndim - (used - axis)
        elif hasattr(item, "dtype") and item.dtype.kind in "iu" and item.size and axis < x.ndim:
            low, high, length = int(item.min()), int(item.max()), x.shape[axis]
            if low < -length or high >= length:
                bad = low if low < -length else high
                raise IndexError(f"getitem: index {bad} is out of bounds for axis {axis} of length {length}")
        axis += _axes_used(item)


def _axes_used(item: Any) -> int:
    """How many axes of the tensor one item of an index consumes."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if hasattr(item, "dtype") and item.dtype.kind == "b" else 1
