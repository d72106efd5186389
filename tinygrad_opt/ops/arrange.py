"""Turning, shifting and repeating: the same elements in other places, some of them more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend, errors
from ..core.kinds import Linear, broadcast_to
from ..core.primitive import operand
from .checks import holdable
from .index import pick
from .shape import _permute, _reshape, as_integer, distinct_axes, normalize_axes, normalize_axis

__all__ = ["flip", "fliplr", "flipud", "repeat", "roll", "rot90", "tile"]


def _flip_kernel(xp: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
    return x[tuple(slice(None, None, -1 if i in axes else None) for i in range(x.ndim))]


# Both are permutations of the elements: the transpose is the inverse.
_flip: Linear = Linear("flip", lambda g, like, *, axes: _flip(g, axes=axes), kernel=_flip_kernel)
_roll: Linear = Linear(
    "roll",
    lambda g, like, *, shift, axis: _roll(g, shift=tuple(-n for n in shift), axis=axis),
    kernel=lambda xp, x, *, shift, axis: xp.roll(x, shift, axis=axis),
)


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The elements in reversed order along one axis, several, or all.

    Examples
    --------
    >>> tg.flip(tg.tensor([1.0, 2.0, 3.0]))
    tensor([3., 2., 1.])
    """
    x = operand("flip", x)
    return _flip(x, axes=normalize_axes("flip", axis, len(x.shape)))


def flipud(x: Any) -> Any:
    """The rows in reversed order.

    Examples
    --------
    >>> tg.flipud(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    x = operand("flipud", x)
    return _flip(x, axes=(normalize_axis("flipud", 0, len(x.shape)),))


def fliplr(x: Any) -> Any:
    """The columns in reversed order.

    Examples
    --------
    >>> tg.fliplr(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 1.],
            [4., 3.]])
    """
    x = operand("fliplr", x)
    return _flip(x, axes=(normalize_axis("fliplr", 1, len(x.shape)),))


def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """The elements shifted along an axis; what leaves at one end comes in at the other.

    Parameters
    ----------
    x : tensor or array
    shift : int or sequence of int
        By how many places; one number for all axes, or one for each.
    axis : int or sequence of int, optional
        The elements are taken as one row where nothing is said. An axis that is named twice is shifted twice.

    Examples
    --------
    >>> tg.roll(tg.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    x = operand("roll", x)
    if axis is None:
        total = sum(as_integer("roll", "shift", n) for n in _sequence(shift))
        return _reshape(_roll(_reshape(x, shape=(x.size,)), shift=(total,), axis=(0,)), shape=tuple(x.shape))
    axes = [normalize_axis("roll", a, len(x.shape)) for a in _sequence(axis)]
    shifts = [as_integer("roll", "shift", n) for n in _sequence(shift)]
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise errors.ShapeError(f"roll: shift {shift} and axis {axis} must be equally many, or one of them one")
    count = max(len(shifts), len(axes)) if shifts and axes else 0
    by = dict.fromkeys(axes[:count], 0)
    for i in range(count):
        by[axes[i % len(axes)]] += shifts[i % len(shifts)]
    return _roll(x, shift=tuple(by.values()), axis=tuple(by))


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def rot90(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Turned by 90 degrees, `k` times, from the first of two axes towards the second.

    Examples
    --------
    >>> tg.rot90(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    x = operand("rot90", x)
    ndim = len(x.shape)
    plane = distinct_axes("rot90", axes, ndim, "axes")
    if len(plane) != 2:
        raise errors.ShapeError(f"rot90: axes must be two different ones; got {axes}")
    turns = as_integer("rot90", "k", k) % 4
    if turns == 2:
        return _flip(x, axes=tuple(sorted(plane)))
    order = list(range(ndim))
    order[plane[0]], order[plane[1]] = order[plane[1]], order[plane[0]]
    if turns == 1:
        return _permute(_flip(x, axes=(plane[1],)), axes=tuple(order))
    return _flip(_permute(x, axes=tuple(order)), axes=(plane[1],)) if turns else x[...]


def tile(x: Any, reps: int | Sequence[int]) -> Any:
    """The whole tensor repeated `reps` times along each axis; missing axes are added in front.

    The gradient is summed over the repetitions.

    Examples
    --------
    >>> tg.tile(tg.tensor([1.0, 2.0]), 2)
    tensor([1., 2., 1., 2.])
    """
    x = operand("tile", x)
    times = tuple(as_integer("tile", "reps", n) for n in _listed(reps))
    if any(n < 0 for n in times):
        raise errors.ShapeError(f"tile: reps must not be negative; got {reps!r}")
    ndim = max(len(times), len(x.shape))
    times = (1,) * (ndim - len(times)) + times
    sides = (1,) * (ndim - len(x.shape)) + tuple(x.shape)
    apart = tuple(side for n in sides for side in (1, n))
    wide = tuple(side for pair in zip(times, sides, strict=True) for side in pair)
    merged = tuple(n * count for n, count in zip(sides, times, strict=True))
    holdable("tile", merged if x.size else times)
    return _reshape(broadcast_to(_reshape(x, shape=apart), shape=wide), shape=merged)


def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """Each element repeated, next to itself, along one axis.

    The gradient is summed over the repetitions.

    Parameters
    ----------
    x : tensor or array
    repeats : int or sequence of int
        How often: one number for all, or one for each element along the axis.
    axis : int, optional
        The elements are taken as one row where nothing is said.

    Examples
    --------
    >>> tg.repeat(tg.tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    >>> tg.repeat(tg.tensor([1.0, 2.0]), [0, 3])
    tensor([2., 2., 2.])
    """
    x = operand("repeat", x)
    if axis is None:
        x, axis = _reshape(x, shape=(x.size,)), 0
    place = normalize_axis("repeat", axis, len(x.shape))
    before, length, after = x.shape[:place], x.shape[place], x.shape[place + 1 :]
    counts = [as_integer("repeat", "repeats", n) for n in _listed(repeats)]
    if len(counts) not in (1, length) or any(n < 0 for n in counts):
        raise errors.ShapeError(
            f"repeat: repeats must be one non-negative integer, or one for each of the {length} elements along axis "
            f"{place}; got {repeats!r}"
        )
    holdable("repeat", (*before, sum(counts) * (length if len(counts) == 1 else 1), *after))
    if len(counts) == 1:
        beside = _reshape(x, shape=(*before, length, 1, *after))
        wide = broadcast_to(beside, shape=(*before, length, counts[0], *after))
        return _reshape(wide, shape=(*before, length * counts[0], *after))
    array = getattr(x, "_array", x)
    xp = backend.namespace(array)
    with backend.beside(array):
        index = xp.repeat(xp.arange(length), counts)
    return pick(x, index=(slice(None),) * place + (index,))


def _listed(repeats: Any) -> Sequence[Any]:
    """One number or several, from a list or from an array of any library."""
    values = repeats.tolist() if hasattr(repeats, "tolist") else repeats
    return values if isinstance(values, (list, tuple)) else (values,)
