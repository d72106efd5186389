"""Indexing, and its transpose: what `getitem` reads, `scatter_add` writes back."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from .. import backend, errors
from ..core.dtypes import float16, float32, int64
from ..core.kinds import Linear
from ..core.patches import Patches
from ..core.primitive import operand
from ..core.tape import Variable
from .checks import one_of
from .shape import normalize_axis, ravel

__all__ = ["getitem", "take", "take_along_axis"]

_BOUNDS = (int, type(None))
_MANY = 1000  # elements, from which on it repays to work out where each of them lies


def picks_once(index: tuple[Any, ...]) -> bool:
    """Whether an index picks every element at most once: all but integer arrays of several elements do."""
    return not any(
        isinstance(item, list) or (hasattr(item, "dtype") and item.dtype.kind in "iu" and item.size > 1)
        for item in index
    )


def positions(xp: Any, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """Where the elements at `index` lie in the ravelled tensor, without an array of the size of the tensor."""
    total: Any = 0
    stride = math.prod(shape)
    for axis, n in enumerate(shape):
        stride //= n
        steps = xp.arange(0, n * stride, stride).reshape(n, *(1,) * (len(shape) - axis - 1))
        total = total + xp.broadcast_to(steps, shape)[index]
    return total


def _add_at(xp: Any, out: Any, index: tuple[Any, ...], g: Any) -> None:
    """Add `g` to what stands at `index`, in place; an element that is named twice receives both."""
    if picks_once(index):
        out[index] += g
    else:
        add_repeatedly(xp, out, index, g)


def add_repeatedly(xp: Any, out: Any, index: tuple[Any, ...], g: Any) -> None:
    """The same for integer arrays, which may name an element twice."""
    shape = out.shape
    if not out.size or not g.size:  # CuPy's add.at crashes on a target without elements
        return
    if len(index) == 1 < len(shape) and g.size >= _MANY and backend.of(out) is backend.HOST:
        index, g = _all_but_one_each(xp, out, index[0], g)
        if not g.size:
            return
    if len(shape) == len(index) == 1:  # NumPy's add.at is ten times as fast along a single axis
        xp.add.at(out, xp.asarray(index[0]).reshape(-1), g.reshape(-1))
    elif g.size >= _MANY and g.size >= 4 * _longest(index) and out.flags.c_contiguous:
        # Whole rows, at which add.at is slow. The ravelled array has to be a view.
        xp.add.at(out.reshape(-1), positions(xp, shape, index).reshape(-1), g.reshape(-1))
    else:
        xp.add.at(out, index, g)


def _all_but_one_each(xp: Any, out: Any, index: Any, g: Any) -> tuple[tuple[Any], Any]:
    """Add one of those that go to the same row, for all rows at once, if these are most; what is left to be added."""
    rows = xp.asarray(index).reshape(-1)
    g = g.reshape(rows.size, *out.shape[1:])
    order, last = xp.arange(rows.size), xp.empty(out.shape[0], dtype=int64)
    last[rows] = order
    chosen = last[rows] == order
    if 2 * xp.count_nonzero(chosen) < rows.size:
        return (rows,), g
    out[rows[chosen]] += g[chosen]
    return (rows[~chosen],), g[~chosen]


def _scatter_add_kernel(xp: Any, g: Any, *, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """Zeros of `shape`, with `g` added at `index`."""
    if picks_once(index):
        out = xp.zeros(shape, dtype=g.dtype)
        out[index] = g
        return out
    out = xp.zeros(shape, dtype=atomic(g.dtype))
    add_repeatedly(xp, out, index, g.astype(out.dtype, copy=False))
    return out.astype(g.dtype, copy=False)


def atomic(dtype: Any) -> Any:
    """The dtype to add up in: one that a GPU can read, add to and write in one step, and that does not saturate."""
    return dtype if dtype.itemsize >= 4 else float32 if dtype == float16 else int64


def _scatter_sum_kernel(xp: Any, *gs: Any, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Any:
    """Zeros of `shape`, with each of several arrays added at its own index."""
    dtype = xp.result_type(*gs)
    out = xp.zeros(shape, dtype=atomic(dtype))
    for g, index in zip(gs, indices, strict=True):
        _add_at(xp, out, index, g.astype(out.dtype, copy=False))
    return out.astype(dtype, copy=False)


def _written(values: Sequence[Any], indices: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if len(values) == 1:
        return scatter_add(values[0], shape=shape, index=indices[0])
    return _scatter_sum(*values, shape=shape, indices=tuple(indices))


def _longest(index: tuple[Any, ...]) -> int:
    return max(item.size if hasattr(item, "dtype") else len(item) for item in index if not _is_basic(item))


def _is_basic(item: Any) -> bool:
    """Whether an item is what every library takes as it is: an integer, a slice between integers, None or ``...``."""
    if isinstance(item, slice):
        return isinstance(item.start, _BOUNDS) and isinstance(item.stop, _BOUNDS) and isinstance(item.step, _BOUNDS)
    return item is None or item is Ellipsis or type(item) is int


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
    return pick(x, index=(index,) if _is_basic(index) else canonical(x, index))


def canonical(x: Any, index: Any) -> tuple[Any, ...]:
    """An index as a tuple of slices, integers, and arrays of our own on the device of `x`."""
    array = x._array if isinstance(x, Variable) else x
    items = index if isinstance(index, tuple) else (index,)
    result = []
    with backend.beside(array):
        for item in items:
            if _is_basic(item):
                result.append(item)
            elif isinstance(item, slice):
                result.append(slice(_bound(item.start), _bound(item.stop), _bound(item.step)))
            else:
                result.append(_index_array(array, item))
        _check_bounds(array, result)
    return tuple(result)


def _bound(value: Any) -> int | None:
    try:
        return None if value is None else operator.index(value)
    except TypeError:
        raise TypeError(f"getitem: the bounds and the step of a slice are integers or None; got {value!r}") from None


def _index_array(x: Any, item: Any) -> Any:
    xp = backend.namespace(x)
    if isinstance(item, Variable):
        item = item._array
    if hasattr(item, "dtype") and item.dtype.kind not in "biu":
        raise IndexError(_bad_index(item))
    if backend.is_array(item) and item.ndim:
        array = backend.to_device(item, backend.device_of(x))
        array = xp.array(array) if array is item else array
    elif isinstance(item, (list, tuple)):
        array = _from_list(xp, item)
    elif isinstance(item, bool) or hasattr(item, "dtype") or hasattr(item, "__index__"):
        array = item if hasattr(item, "dtype") else xp.asarray(item)
        array = xp.asarray(bool(array)) if array.dtype.kind == "b" else array
    else:
        raise IndexError(_bad_index(item))
    if array.dtype.kind not in "biu":
        raise IndexError(_bad_index(item))
    return int(array) if array.ndim == 0 and array.dtype.kind in "iu" else array


def _from_list(xp: Any, item: Any) -> Any:
    """A (nested) list of numbers, arrays and tensors as an array."""
    try:
        array = xp.asarray(_plain(item))
    except ValueError:
        raise IndexError(_bad_index(item)) from None
    return array if array.size else array.astype("int64")


def _plain(item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return [_plain(part) for part in item]
    return item.tolist() if hasattr(item, "tolist") else item


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
            refuse_outside("getitem", item, x.shape[axis], axis)
        axis += _axes_used(item)


def refuse_outside(function: str, indices: Any, length: int, axis: int) -> None:
    """Raise where an integer array names a place that an axis does not have."""
    if not indices.size:
        return
    with backend.beside(indices):
        low, high = int(indices.min()), int(indices.max())
    if low < -length or high >= length:
        bad = low if low < -length else high
        raise IndexError(f"{function}: index {bad} is out of bounds for axis {axis} of length {length}")


def _axes_used(item: Any) -> int:
    """How many axes of the tensor one item of an index consumes."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if hasattr(item, "dtype") and item.dtype.kind == "b" else 1


def _whole_numbers(function: str, indices: Any, x: Any) -> Any:
    """Indices as an integer array of our own, on the device of `x`."""
    array = x._array if isinstance(x, Variable) else x
    given = indices._array if isinstance(indices, Variable) else indices
    if not hasattr(given, "dtype"):
        given = operand(function, _plain(given))._array
    if given.dtype.kind not in "biu" and given.size:
        raise TypeError(f"{function}: indices are whole numbers; got {given.dtype}. Write indices.astype(tg.int64).")
    with backend.beside(array):
        given = backend.to_device(given, backend.device_of(array)) if backend.is_array(given) else given
        return backend.namespace(array).array(given, dtype="int64")


def take(a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Any:
    """The elements (rows, slices) at `indices` along `axis`.

    Parameters
    ----------
    a : tensor or array
    indices : int, or (nested) list, tensor or array of int
        Its shape takes the place of `axis` in the result.
    axis : int, optional
        The ravelled tensor by default.
    out : None
        Only for NumPy's order of arguments.
    mode : {"raise", "wrap", "clip"}
        What becomes of indices outside: an error; counted modulo the length; moved to the nearest end.

    Raises
    ------
    IndexError
        For an index outside with ``mode="raise"``, and for any index into an axis of length 0.

    Examples
    --------
    >>> tg.take(tg.tensor([1.0, 2.0, 3.0]), [0, -1, 0])
    tensor([1., 3., 1.])
    """
    a = operand("take", a)
    if out is not None:
        raise errors.no_out("take")
    one_of("take", "mode", mode, ("raise", "wrap", "clip"))
    if axis is None:
        a, axis = ravel(a), 0
    place = normalize_axis("take", axis, len(a.shape))
    n = a.shape[place]
    found = _whole_numbers("take", indices, a)
    if n == 0 or mode == "raise":
        refuse_outside("take", found, n, place)
    else:
        with backend.beside(found):
            found = found % n if mode == "wrap" else found.clip(0, n - 1)
    return pick(a, index=(*(slice(None),) * place, found if found.ndim else int(found)))


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each place of the result, the element that `indices` names in its own row along `axis`.

    ``y[i, j, k] = arr[i, indices[i, j, k], k]`` for ``axis=1``; the other axes broadcast.

    Parameters
    ----------
    arr : tensor or array
    indices : tensor or array of int, with as many axes as `arr`
    axis : int or None
        None ravels `arr` first.

    Raises
    ------
    ShapeError
        Where the shapes do not broadcast along the other axes.
    IndexError
        For an index outside.

    Examples
    --------
    >>> x = tg.tensor([[3.0, 1.0, 2.0]])
    >>> tg.take_along_axis(x, tg.argsort(x, axis=1), axis=1)
    tensor([[1., 2., 3.]])
    """
    arr = operand("take_along_axis", arr)
    if axis is None:
        arr, axis = ravel(arr), 0
    place = normalize_axis("take_along_axis", axis, len(arr.shape))
    found = _whole_numbers("take_along_axis", indices, arr)
    shape, others = tuple(arr.shape), tuple(found.shape)
    fits = len(shape) == len(others) and all(
        i == place or n == m or 1 in (n, m) for i, (n, m) in enumerate(zip(shape, others, strict=True))
    )
    if not fits:
        raise errors.ShapeError(
            f"take_along_axis: indices of shape {others} do not fit a tensor of shape {shape}: both need the same "
            f"number of axes, and equal sides (or 1) except along axis {place}"
        )
    refuse_outside("take_along_axis", found, n := shape[place], place)
    with backend.beside(found):
        found = found + n * (found < 0)  # a modulo would be slow
    return pick(ravel(arr), index=(along(arr, found, place),))


def along(x: Any, indices: Any, axis: int) -> Any:
    """Where, in the ravelled `x`, the elements lie that `indices` (not negative) name in their rows along `axis`."""
    array = x._array if isinstance(x, Variable) else x
    indices = indices._array if isinstance(indices, Variable) else indices
    xp, shape = backend.namespace(array), array.shape
    with backend.beside(array):
        row: Any = 0
        for i, n in enumerate(shape):
            stride = math.prod(shape[i + 1 :])
            if i == axis:
                step = stride
            else:
                row = row + (xp.arange(n) * stride).reshape(n, *(1,) * (len(shape) - i - 1))
        return indices * step + row
