"""Where values lie among others: places in an ordered row, and counts in bins. Step functions, without derivatives."""

from __future__ import annotations

import math
import operator
from typing import Any

from .. import errors
from ..core.dtypes import float64
from ..core.kinds import Constant
from ..core.primitive import operand
from ..core.tape import Variable
from .arguments import as_type, start
from .checks import holdable, one_of
from .concatenation import beside
from .reduce import any, max, min, sum

__all__ = ["histogram", "searchsorted"]

_searchsorted: Constant = Constant(
    "searchsorted", kernel=lambda xp, a, v, *, side: xp.searchsorted(a, xp.asarray(v), side=side)
)


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where each of `v` would have to be put into `a` to keep it in order.

    Parameters
    ----------
    a : tensor or array, shape (n,), ascending
    v : tensor, array or number
    side : {"left", "right"}
        Before or behind the elements that are equal.
    sorter : tensor or array of int, optional
        What sorts `a`, where it is not in order: ``tg.argsort(a)``.

    Examples
    --------
    >>> tg.searchsorted(tg.tensor([1.0, 2.0, 3.0]), [2.0, 2.5])
    tensor([1, 2])
    """
    a = start("searchsorted", a)
    if len(a.shape) != 1:
        raise errors.ShapeError(f"searchsorted: a has one axis, and is in order along it; got shape {tuple(a.shape)}")
    one_of("searchsorted", "side", side, ("left", "right"))
    if sorter is not None:
        a = a[sorter]
    return _searchsorted(a, beside("searchsorted", "v", v, a), side=side)


_histogram: Constant = Constant(
    "histogram",
    kernel=lambda xp, x, edges, *weights: xp.histogram(x, edges, weights=weights[0] if weights else None)[0],
)


def _edges_kernel(xp: Any, x: Any, *, bins: int, low: float, high: float) -> Any:
    dtype = x.dtype if x.dtype.kind == "f" else float64
    return xp.linspace(dtype.type(low), dtype.type(high), bins + 1, dtype=dtype)


_bin_edges: Constant = Constant("bin_edges", kernel=_edges_kernel)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """How many elements fall into each of several bins. It is a step function: its derivative is zero.

    Parameters
    ----------
    a : tensor or array
    bins : int, or sequence of numbers
        The number of bins of equal width, or their edges in ascending order; the last bin holds both of its edges.
    range : (low, high), optional
        What the bins cover: from the smallest to the largest element by default.
    density : bool, optional
        Shares per unit of width instead of numbers, in the dtype of the edges.
    weights : tensor or array of the shape of `a`, optional
        What each element counts.

    Returns
    -------
    counts : tensor, shape (bins,)
    edges : tensor, shape (bins + 1,)

    Examples
    --------
    >>> tg.histogram(tg.tensor([1.0, 2.0, 2.5, 5.0]), bins=2)
    (tensor([3, 1]), tensor([1., 3., 5.]))
    """
    a = start("histogram", a)
    edges = _edges(a, bins, range)
    if weights is None:
        counts = _histogram(a, edges)
    else:
        w = operand("histogram", weights, a)
        if tuple(w.shape) != tuple(a.shape):
            raise errors.ShapeError(f"histogram: weights of shape {tuple(w.shape)} for elements of {tuple(a.shape)}")
        counts = _histogram(a, edges, w)
    if density:
        counts = as_type(counts, edges.dtype)
        counts = counts / sum(counts) / (edges[1:] - edges[:-1])
    return counts, edges


def _edges(a: Any, bins: Any, limits: Any) -> Any:
    """The edges of the bins: as given, or so many of equal width."""
    if isinstance(bins, (list, tuple)) or getattr(bins, "shape", ()) != ():
        edges = operand("histogram", bins, a)
        if len(edges.shape) != 1 or edges.size < 2 or any(edges[1:] < edges[:-1]):
            raise ValueError(f"histogram: the edges of bins are two numbers or more, in ascending order; got {bins!r}")
        return edges if isinstance(a, Variable) or not isinstance(edges, Variable) else edges._array
    if not hasattr(bins, "__index__"):
        raise TypeError(f"histogram: bins is a number of bins, or their edges; got {bins!r}")
    if (number := operator.index(bins)) < 1:
        raise ValueError(f"histogram: there is at least one bin; got bins={bins!r}")
    holdable("histogram", (number,))
    if limits is None:
        limits = (float(min(a)), float(max(a))) if a.size else (0.0, 1.0)
    try:
        low, high = (float(x) for x in limits)
    except (TypeError, ValueError):
        raise TypeError(f"histogram: range is a pair of numbers, (low, high); got {limits!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"histogram: bins need a finite range, from low to high; got {low} to {high}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _bin_edges(a, bins=number, low=low, high=high)
