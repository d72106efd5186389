"""Functions that are known by samples: differences, slopes, areas, and the values in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import backend, errors
from ..core.dtypes import float64
from ..core.kinds import Constant
from ..core.primitive import operand
from .arithmetic import astype
from .checks import together
from .choice import where
from .comparison import isfinite
from .concatenation import beside, joined, operands
from .index import pick
from .join import part
from .rounding import floor
from .shape import _reshape, as_integer, broadcast_to, normalize_axes, normalize_axis

__all__ = ["diff", "gradient", "interp", "trapezoid"]


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along an axis, `n` times over; of bool, whether they differ.

    Parameters
    ----------
    x : tensor or array
    n : int
        How many times.
    axis : int
    prepend, append : tensor, array or number, optional
        What stands before and behind, before the differences are taken.

    Examples
    --------
    >>> tg.diff(tg.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    x = operand("diff", x)
    times = as_integer("diff", "n", n)
    if times < 0:
        raise ValueError(f"diff: n must not be negative; got {times}")
    place = normalize_axis("diff", axis, len(x.shape))
    if times == 0:
        return x
    first = [] if prepend is None else [_slab(x, "prepend", prepend, place)]
    last = [] if append is None else [_slab(x, "append", append, place)]
    if first or last:
        x = joined("diff", [*first, x, *last], place)
    for _ in range(max(1, min(times, x.shape[place]))):  # nothing is left then
        later, earlier = part(x, place, 1, None), part(x, place, None, -1)
        x = later != earlier if x.dtype.kind == "b" else later - earlier
    return x


def _slab(x: Any, argument: str, value: Any, axis: int) -> Any:
    """What is to stand beside `x`; a number is repeated along the other axes."""
    value = beside("diff", argument, value, x)
    if not value.shape:
        return broadcast_to(value, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    if len(value.shape) != len(x.shape):
        raise errors.ShapeError(
            f"diff: {argument} must be a number, or have as many axes as the tensor of shape {tuple(x.shape)}; got "
            f"shape {tuple(value.shape)}"
        )
    return value


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area under the straight lines between samples: ``Σ (xᵢ₊₁ - xᵢ) (yᵢ₊₁ + yᵢ) / 2``.

    Parameters
    ----------
    y : tensor or array
        The samples.
    x : tensor or array, optional
        Where they were taken: a vector, or in the shape of `y`.
    dx : number or tensor
        The distance between samples, where there is no `x`.
    axis : int

    Examples
    --------
    >>> tg.trapezoid(tg.tensor([0.0, 1.0, 4.0]), dx=0.5)
    tensor(1.5)
    """
    y = operand("trapezoid", y)
    place = normalize_axis("trapezoid", axis, len(y.shape))
    if x is None:
        dx = dx if isinstance(dx, (int, float)) else beside("trapezoid", "dx", dx, y)
    else:
        x = beside("trapezoid", "x", x, y)
        ndim = len(x.shape)
        sides = zip(x.shape, y.shape, strict=True) if ndim == len(y.shape) > 1 else ()
        beside_each_other = all(n == m or 1 in (n, m) for n, m in sides)
        same = ndim in (1, len(y.shape)) and x.shape[place if ndim > 1 else 0] == y.shape[place]
        if not (same and beside_each_other):
            raise errors.ShapeError(
                f"trapezoid: x must have one place for each of the {y.shape[place]} samples along axis {place}; got "
                f"x {tuple(x.shape)} for y {tuple(y.shape)}"
            )
        dx = diff(x, axis=place) if ndim > 1 else _along(diff(x), place, len(y.shape))
    return (dx * (part(y, place, 1, None) + part(y, place, None, -1)) / 2.0).sum(place)


def _along(vector: Any, axis: int, ndim: int) -> Any:
    """A vector that stands along one of several axes."""
    return _reshape(vector, shape=tuple(vector.size if i == axis else 1 for i in range(ndim)))


def gradient(f: Any, *varargs: Any, axis: int | Sequence[int] | None = None, edge_order: int = 1) -> Any:
    """Slopes of a sampled function, by differences that are exact for parabolas inside the grid.

    Inside, the derivative of the parabola through three neighbours (for even distances ``(f₊ - f₋) / 2h``); at the
    ends, that of the straight line through two, or of the parabola through three (`edge_order`).

    Parameters
    ----------
    f : tensor or array
        The samples.
    *varargs : number, tensor or vector
        The distances of the samples: one for all axes, or one for each, 1 by default. A vector gives the places of
        the samples along its axis. Derivatives flow into tensors.
    axis : int or sequence of int, optional
        All axes where nothing is said.
    edge_order : {1, 2}

    Returns
    -------
    tensor, or tuple of tensors
        One for each axis.

    Examples
    --------
    >>> tg.gradient(tg.tensor([1.0, 4.0, 9.0, 16.0]))
    tensor([3., 4., 6., 7.])

    References
    ----------
    B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, 1988.
    """
    f = operand("gradient", f)
    if f.dtype.kind == "b":
        raise TypeError("gradient: truth values have no slopes; convert them first: f.astype(tg.float32)")
    if as_integer("gradient", "edge_order", edge_order) not in (1, 2):
        raise ValueError(f"gradient: edge_order must be 1 or 2; got {edge_order!r}")
    axes = normalize_axes("gradient", axis, len(f.shape))
    if isinstance(axis, (tuple, list)):
        axes = tuple(normalize_axis("gradient", a, len(f.shape)) for a in axis)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(f"gradient: one distance for all {len(axes)} axes, or one for each; got {len(varargs)}")
    spacings = [_distance(f, h) for h in varargs or (1,)]
    if len(spacings) < len(axes) and not isinstance(spacings[0], (int, float)) and spacings[0].shape:
        raise TypeError(f"gradient: places are given for each of the {len(axes)} axes; got one vector")
    spacings = spacings * len(axes) if len(spacings) == 1 else spacings
    slopes = tuple(_slope(f, h, place, edge_order) for h, place in zip(spacings, axes, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _distance(f: Any, h: Any) -> Any:
    """The distance of samples, or their places: whole numbers as floating ones, whose differences do not wrap."""
    if isinstance(h, (int, float)):
        return h
    h = beside("gradient", "a distance", h, f)
    if h.dtype.kind == "b":
        raise TypeError("gradient: a distance is a number; got truth values")
    return h if h.dtype.kind == "f" else astype(h, f.dtype if f.dtype.kind == "f" else float64)


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    length = f.shape[axis]
    if length < edge_order + 1:
        raise errors.ShapeError(
            f"gradient: at least {edge_order + 1} samples along axis {axis} are needed for edge_order={edge_order}; "
            f"got shape {tuple(f.shape)}"
        )
    if f.dtype.kind in "biu":
        f = astype(f, float64)
    even = getattr(spacing, "shape", ()) == ()
    if not even and tuple(spacing.shape) != (length,):
        raise errors.ShapeError(
            f"gradient: give one number, the distance of the samples along axis {axis}, or the places of all {length}; "
            f"got shape {tuple(spacing.shape)}"
        )
    gaps = None if even else _along(diff(spacing), axis, len(f.shape))
    if gaps is None:
        inside = (part(f, axis, 2, None) - part(f, axis, None, -2)) / (2 * spacing)
    else:
        lines = diff(f, axis=axis) / gaps  # the slopes between neighbours
        left, right = part(gaps, axis, None, -1), part(gaps, axis, 1, None)
        inside = (right * part(lines, axis, None, -1) + left * part(lines, axis, 1, None)) / (left + right)
    ends = [_end_slope(f, spacing, gaps, axis, edge_order, last) for last in (False, True)]
    slopes = joined("gradient", [ends[0], inside, ends[1]], axis)
    return slopes if slopes.dtype == f.dtype else astype(slopes, f.dtype)


def _end_slope(f: Any, spacing: Any, gaps: Any, axis: int, edge_order: int, last: bool) -> Any:
    """The slope at one end: of the line through two samples, or of the parabola through three."""

    def nearest(x: Any, count: int) -> Any:
        return part(x, axis, -count, None) if last else part(x, axis, None, count)

    steps = spacing if gaps is None else nearest(gaps, edge_order)
    lines = diff(nearest(f, edge_order + 1), axis=axis) / steps
    if edge_order == 1:
        return lines
    near, far = (part(lines, axis, i, i + 1) for i in ((1, 0) if last else (0, 1)))
    if gaps is None:
        return 1.5 * near - 0.5 * far
    gap, next_gap = (part(steps, axis, i, i + 1) for i in ((1, 0) if last else (0, 1)))
    return near + (near - far) * gap / (gap + next_gap)


def _segment_kernel(xp: Any, x: Any, knots: Any) -> Any:
    """The number of the interval between knots that x lies in; what is outside belongs to the outermost ones."""
    return xp.clip(xp.searchsorted(knots, x, side="right") - 1, 0, max(knots.size - 2, 0))


_segment: Constant = Constant("segment", kernel=_segment_kernel)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Values of the broken line through the points ``(xp, fp)``, and constant beyond its ends.

    Derivatives flow into `x`, `xp` and `fp`. At a knot the line to its right counts, at the last one that to its left.

    Parameters
    ----------
    x : tensor or array
    xp, fp : vectors of one length
        The knots, ascending (this is not checked), and the values there.
    left, right : number or tensor, optional
        The values beyond the ends; those at the ends where nothing is said.
    period : number, optional
        The function repeats itself; `xp` need not ascend then, and `left` and `right` are ignored.

    Examples
    --------
    >>> tg.interp(tg.tensor([0.5, 1.5, 9.0]), tg.tensor([0.0, 1.0, 2.0]), tg.tensor([0.0, 10.0, 30.0]))
    tensor([ 5., 20., 30.])
    """
    x, xp, fp = (astype(v, float64) if v.dtype.kind in "biu" else v for v in operands("interp", (x, xp, fp)))
    together("interp", x=x, xp=xp, fp=fp)
    if len(xp.shape) != 1 or tuple(xp.shape) != tuple(fp.shape) or not xp.size:
        raise errors.ShapeError(
            f"interp: xp and fp must be vectors of one length, at least 1; got {tuple(xp.shape)} and {tuple(fp.shape)}"
        )
    if period is not None:
        x, xp, fp = _unrolled(x, xp, fp, period)
        left = right = None
    lower = _segment(x, xp)
    lower = getattr(lower, "_array", lower)
    y, start = pick(fp, index=(lower,)), pick(xp, index=(lower,))
    slope: Any = 0.0
    if xp.size > 1:
        gaps = diff(xp)  # of two knots at one place, the jump has no slope
        slope = pick(diff(fp) / where(gaps == 0, 1.0, gaps), index=(lower,))
        at_knot = ((x == start) | (x == xp[-1])) & ~isfinite(slope)  # known, even if its neighbour is infinite
        y, slope = where(at_knot & (x == xp[-1]), fp[-1], y), where(at_knot, 0.0, slope)
    y = y + (x - start) * slope
    left, right = _end("left", left, fp, 0), _end("right", right, fp, -1)
    return where(xp[0] > x, left, where(xp[-1] < x, right, y))


def _end(side: str, value: Any, fp: Any, position: int) -> Any:
    """The value beyond an end of the knots."""
    value = fp[position] if value is None else beside("interp", side, value, fp)
    if value.shape != ():
        raise errors.ShapeError(f"interp: {side} must be one number; got shape {tuple(value.shape)}")
    return value


def _unrolled(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Places within one period, the knots sorted, and one knot more at either end."""
    if not isinstance(period, (int, float)) or not 0 < abs(period) < math.inf:
        raise ValueError(f"interp: period must be a number other than 0; got {period!r}")
    period = abs(period)
    x, xp = (places - period * floor(places / period) for places in (x, xp))
    knots = getattr(xp, "_array", xp)
    with backend.beside(knots):
        order = (backend.namespace(knots).argsort(knots),)
    xp, fp = pick(xp, index=order), pick(fp, index=order)
    return x, joined("interp", [xp[-1:] - period, xp, xp[:1] + period], 0), joined("interp", [fp[-1:], fp, fp[:1]], 0)
