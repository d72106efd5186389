"""More elements around a tensor: constants, or those at its borders once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..core.kinds import broadcast_to
from ..core.primitive import operand
from .arithmetic import astype
from .checks import holdable
from .concatenation import beside, joined
from .index import scatter_add
from .join import part
from .shape import as_integer, normalize_axis

__all__ = ["pad"]

Sides = tuple[Any, Any]

# Which element of an axis of length n stands at place i of the endless axis that a mode continues it to.
_CONTINUED: dict[str, Callable[[int, int], int]] = {
    "edge": lambda i, n: min(max(i, 0), n - 1),
    "wrap": lambda i, n: i % n,
    "symmetric": lambda i, n: min(i % (2 * n), 2 * n - 1 - i % (2 * n)),
    "reflect": lambda i, n: (n - 1) - abs(i % (2 * n - 2) - (n - 1)) if n > 1 else 0,
}
_OPTIONS = {"constant": ("constant_values",), "reflect": ("reflect_type",), "symmetric": ("reflect_type",)}


def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """More elements before and after those along each axis.

    Parameters
    ----------
    x : tensor or array
    pad_width : int, (before, after), a sequence of such pairs, or a dict of them by axis
        One number or one pair counts for all axes. Axes that a dict does not name are left alone.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
        What is put there: `constant_values`; the last element, again and again; what is mirrored in the last
        element, or behind it; what stands at the other end.
    constant_values : number or tensor, in the same forms as `pad_width`
        0 by default. Derivatives flow into tensors.

    Raises
    ------
    ShapeError
        For negative widths, widths that do not fit the axes, and an empty axis in another mode than "constant".

    Examples
    --------
    >>> tg.pad(tg.tensor([1.0, 2.0, 3.0]), (2, 1))
    tensor([0., 0., 1., 2., 3., 0.])
    >>> tg.pad(tg.tensor([1.0, 2.0, 3.0]), 2, "reflect")
    tensor([3., 2., 1., 2., 3., 2., 1.])
    """
    x = operand("pad", x)
    _check_mode(mode, options)
    widths = _widths(pad_width, len(x.shape))
    if mode != "constant":
        for axis, (before, after) in enumerate(widths):
            x = _continued(x, axis, before, after, mode)
        return x
    values = options.get("constant_values", 0)
    if isinstance(values, (int, float)) and values == 0:
        shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
        inside = tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, widths, strict=True))
        return scatter_add(x, shape=holdable("pad", shape), index=inside)
    for axis, (width, pair) in enumerate(zip(widths, _constants(values, len(x.shape)), strict=True)):
        if width != (0, 0) or any(hasattr(value, "shape") for value in pair):  # a tensor not used has derivative 0
            x = _between(x, axis, width, pair)
    return x


def _check_mode(mode: Any, options: dict[str, Any]) -> None:
    if not isinstance(mode, str) or (mode != "constant" and mode not in _CONTINUED):
        known = ", ".join(["constant", *_CONTINUED])
        raise ValueError(
            f"pad: mode must be one of {known}; got {mode!r}. Put together what you need with concatenate: "
            "tg.concatenate([tg.broadcast_to(x.mean(), 2), x])."
        )
    for name in options:
        if name not in _OPTIONS.get(mode, ()):
            raise ValueError(f"pad: {name!r} does not go with mode {mode!r}")
    if options.get("reflect_type", "even") != "even":
        raise ValueError(f"pad: reflect_type must be 'even'; got {options['reflect_type']!r}")


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """The widths before and after each axis."""
    if isinstance(pad_width, dict):
        widths = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            (widths[normalize_axis("pad", axis, ndim, "pad_width: axis")],) = _widths(width, 1)
        return widths
    pairs = [
        (as_integer("pad", "pad_width", a), as_integer("pad", "pad_width", b))
        for a, b in _pairs("pad_width", pad_width, max(ndim, 1))
    ]
    if any(n < 0 for pair in pairs for n in pair):
        raise errors.ShapeError(f"pad: pad_width has no negative numbers; got {pad_width}. Slices take away elements")
    return pairs[:ndim]


def _pairs(argument: str, value: Any, ndim: int) -> list[Sides]:
    """One value, a pair, a pair for all axes or one for each: as a pair for each axis."""
    value = value.tolist() if argument == "pad_width" and hasattr(value, "tolist") else value
    rows = list(value) if isinstance(value, (tuple, list)) else [value]
    nested = [list(row) if isinstance(row, (tuple, list)) else [row] for row in rows]
    flat = not any(isinstance(row, (tuple, list)) for row in rows)
    if flat:
        nested = [rows]
    if len(nested) not in (1, ndim) or any(len(row) not in (1, 2) for row in nested):
        raise errors.ShapeError(
            f"pad: {argument} must be a number, a pair (before, after), or one pair for each of the {ndim} axes; got "
            f"{value!r}"
        )
    nested = nested * ndim if len(nested) == 1 else nested
    return [(row[0], row[-1]) for row in nested]


def _constants(values: Any, ndim: int) -> list[Sides]:
    if getattr(values, "shape", ()) == ():
        return _pairs("constant_values", values, ndim)
    if tuple(values.shape) not in ((1,), (2,), (1, 1), (1, 2), (ndim, 1), (ndim, 2)):
        raise errors.ShapeError(f"pad: constant_values of shape {tuple(values.shape)} do not fit ({ndim}, 2)")
    spread = broadcast_to(values, shape=(ndim, 2))
    return [(spread[i, 0], spread[i, 1]) for i in range(ndim)]


def _between(x: Any, axis: int, width: tuple[int, int], values: Sides) -> Any:
    """`x` between blocks of one value each; the last of several axes has the corners, as in NumPy."""
    blocks = []
    for count, value in zip(width, values, strict=True):
        value = beside("pad", "constant_values", value, x)
        if value.shape != ():
            raise errors.ShapeError(f"pad: constant_values are numbers; got shape {tuple(value.shape)}")
        value = value if value.dtype == x.dtype else astype(value, x.dtype)
        blocks.append(broadcast_to(value, shape=(*x.shape[:axis], count, *x.shape[axis + 1 :])))
    return joined("pad", [blocks[0], x, blocks[1]], axis)


def _continued(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    length = x.shape[axis]
    if not before and not after:
        return x
    if not length:
        raise errors.ShapeError(f"pad: axis {axis} is empty, so there is nothing to continue; use mode='constant'")
    source = _CONTINUED[mode]
    left = [source(i, length) for i in range(-before, 0)]
    right = [source(i, length) for i in range(length, length + after)]
    return joined("pad", [*_runs(x, axis, left), x, *_runs(x, axis, right)], axis)


def _runs(x: Any, axis: int, places: Sequence[int]) -> list[Any]:
    """The elements at these places, as few slices as possible, for slices have a quick transpose."""
    runs, start = [], 0
    while start < len(places):
        first = places[start]
        step = places[start + 1] - first if start + 1 < len(places) and abs(places[start + 1] - first) < 2 else 1
        stop = start + 1
        while stop < len(places) and places[stop] == first + step * (stop - start):
            stop += 1
        if step:
            end = first + step * (stop - start)
            runs.append(part(x, axis, first, end if end >= 0 else None, step))
        else:
            shape = (*x.shape[:axis], stop - start, *x.shape[axis + 1 :])
            runs.append(broadcast_to(part(x, axis, first, first + 1), shape=shape))
        start = stop
    return runs
