"""Order: sorted elements, the order that sorts them, and order statistics (median, quantiles).

Among tied elements `sort` keeps the order in which they came, on every backend, and the derivative of a place goes to
the one element that stands there. An order statistic is one number that all tied elements could have given: they share
its derivative equally, as in max and min. Both are generalized (Clarke) derivatives.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..core.dtypes import float64
from ..core.kinds import Constant, General
from .arguments import Axes, in_one_axis, kept, nonempty, start
from .arithmetic import astype
from .checks import one_of
from .concatenation import stack
from .index import along, pick, scatter_add
from .reduce import shares
from .shape import normalize_axis, ravel

__all__ = ["argpartition", "argsort", "median", "partition", "percentile", "quantile", "sort"]

KINDS = (None, "quicksort", "heapsort", "mergesort", "stable")
# Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996): the quantile at the
# share q lies at the place n q + α + q (1 - α - β), counted from 1.
PLACES = {
    "linear": (1.0, 1.0),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
STEPS = ("lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf", "closest_observation")
METHODS = (*PLACES, *STEPS)


def _argsort_kernel(xp: Any, x: Any, *, axis: int) -> Any:
    """Stable. NumPy's fast sort is not, but four times as fast: what is tied is put in order afterwards."""
    if backend.of(x) is not backend.HOST:
        return xp.argsort(x, axis=axis, kind="stable")
    order = xp.argsort(x, axis=axis)
    y = xp.take_along_axis(x, order, axis)
    first, second = ((slice(None),) * axis + (s,) for s in (slice(None, -1), slice(1, None)))
    before, after = y[first], y[second]
    if (after > before).all():
        return order
    group = xp.zeros_like(order)  # equal for what is tied; all nan are
    xp.cumsum((after != before) & (before == before), axis=axis, out=group[second])
    group *= x.shape[axis]
    return xp.sort(group + order, axis=axis) - group


_argsort: Constant = Constant("argsort", kernel=_argsort_kernel)
_argpartition: Constant = Constant(
    "argpartition", kernel=lambda xp, x, *, axis, kth: xp.argpartition(x, kth, axis=axis)
)


def _rearranged(name: str, order: Constant, kernel: Any) -> General:
    """The elements in another order, which is a permutation as long as they do not overtake each other."""

    def places(x: Any, axis: int, meta: dict[str, Any]) -> tuple[Any]:
        return (along(x, order(x, axis=axis, **meta), axis),)

    def push(t: Any, _y: Any, x: Any, *, axis: int, **meta: Any) -> Any:
        return pick(t.reshape((x.size,)), index=places(x, axis, meta))

    def pull(g: Any, _y: Any, x: Any, *, axis: int, **meta: Any) -> Any:
        return scatter_add(g, shape=(x.size,), index=places(x, axis, meta)).reshape(x.shape)

    return General(name, [push], [pull], kernel=kernel)


_sort = _rearranged("sort", _argsort, lambda xp, x, *, axis: xp.sort(x, axis=axis))
_partition = _rearranged(
    "partition",
    _argpartition,
    lambda xp, x, *, axis, kth: xp.take_along_axis(x, xp.argpartition(x, kth, axis=axis), axis),
)


def _order_statistic_kernel(xp: Any, x: Any, *, axis: int, k: int) -> Any:
    """The k-th smallest; nan where there is one, which the maximum tells."""
    ordered = xp.partition(x, k, axis=axis) if backend.of(x) is backend.HOST else xp.sort(x, axis=axis)
    largest = x.max(axis=axis)
    return xp.where(xp.asarray(largest != largest), largest, ordered.take(k, axis=axis))


_order_statistic: General = General(
    "order_statistic",
    [lambda t, y, x, *, axis, k: (t * shares(y, x, (axis,))).sum(axis)],
    [lambda g, y, x, *, axis, k: g.reshape(kept(x.shape, (axis,))) * shares(y, x, (axis,))],
    kernel=_order_statistic_kernel,
)


def _row(function: str, a: Any, axis: int | None) -> tuple[Any, int]:
    """The tensor and its axis; ravelled where there is none."""
    a = start(function, a)
    if axis is None:
        a, axis = ravel(a), 0
    return a, normalize_axis(function, axis, len(a.shape))


def _check_order(function: str, kind: Any, order: Any) -> None:
    if kind not in KINDS:
        raise ValueError(f"{function}: kind is one of {KINDS}; got {kind!r}. The result does not depend on it.")
    if order is not None:
        raise TypeError(f"{function}: order= names fields of records, and tensors have none")


def argsort(
    a: Any, axis: int | None = -1, kind: str | None = None, order: None = None, *, stable: bool | None = None
) -> Any:
    """The indices that sort along `axis`, smallest first; tied elements keep their order, and nan come last.

    Parameters
    ----------
    a : tensor or array
    axis : int or None
        None ravels it first.
    kind, order, stable
        NumPy's; the result is always the stable one.

    Examples
    --------
    >>> tg.argsort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    _check_order("argsort", kind, order)
    a, place = _row("argsort", a, axis)
    return _argsort(a, axis=place)


def sort(
    a: Any, axis: int | None = -1, kind: str | None = None, order: None = None, *, stable: bool | None = None
) -> Any:
    """The elements in ascending order along `axis`; nan come last. Parameters as for `argsort`.

    The derivative of a place goes to the element that stands there; tied elements keep their order.

    Examples
    --------
    >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    _check_order("sort", kind, order)
    a, place = _row("sort", a, axis)
    return _sort(a, axis=place)


def argpartition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None) -> Any:
    """Indices that bring the `kth` smallest element to its place, the smaller ones before it, the others behind it.

    Parameters
    ----------
    a : tensor or array
    kth : int or sequence of int
        Places, counted from either end.
    axis : int or None
        None ravels it first.
    kind, order
        NumPy's; there is only one of each.

    Examples
    --------
    >>> x = tg.tensor([4.0, 1.0, 3.0, 2.0])
    >>> x[tg.argpartition(x, 1)][1]
    tensor(2.)
    """
    a, place = _row("argpartition", a, axis)
    return _argpartition(a, kth=_places("argpartition", kth, a.shape[place], place), axis=place)


def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None) -> Any:
    """The elements with the `kth` smallest in its place, the smaller ones before it, the others behind it.

    Parameters as for `argpartition`. The order before and behind is not defined.

    Examples
    --------
    >>> tg.partition(tg.tensor([4.0, 1.0, 3.0, 2.0]), 1)[1]
    tensor(2.)
    """
    a, place = _row("partition", a, axis)
    return _partition(a, kth=_places("partition", kth, a.shape[place], place), axis=place)


def _places(function: str, kth: Any, length: int, axis: int) -> list[int]:
    several = kth.tolist() if hasattr(kth, "tolist") else kth
    places = []
    for k in several if isinstance(several, (list, tuple)) else [several]:
        if not isinstance(k, int):
            raise TypeError(f"{function}: kth is an integer, or several; got {kth!r}")
        if not -length <= k < length:
            raise ValueError(f"{function}: kth={k} is out of bounds for axis {axis} of length {length}")
        places.append(k % length)
    return places


def _floating(a: Any) -> Any:
    """Integers as float64, as NumPy's means of them are."""
    return a if a.dtype.kind == "f" else astype(a, float64)


def median(a: Any, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle element along `axis` in ascending order, or the mean of the two in the middle; nan where one is nan.

    Tied elements share the derivative equally.

    Parameters
    ----------
    a : tensor or array
    axis : int or tuple of int, optional
        All axes by default.
    out, overwrite_input
        Only for NumPy's order of arguments.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Raises
    ------
    ShapeError
        For a bad axis, and for the median of no elements.

    Examples
    --------
    >>> tg.median(tg.tensor([7.0, 1.0, 2.0, 4.0]))
    tensor(3.)
    """
    a = _floating(start("median", a, out=out))
    axes = nonempty("median", a, axis)
    row, place = in_one_axis(a, axes)
    n = row.shape[place]
    y = _order_statistic(row, axis=place, k=(n - 1) // 2)
    if n % 2 == 0:
        y = 0.5 * y + 0.5 * _order_statistic(row, axis=place, k=n // 2)
    return y.reshape(kept(tuple(a.shape), axes)) if keepdims else y


def quantile(
    a: Any, q: Any, axis: Axes = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: None = None,
) -> Any:  # fmt: skip
    """The value below which a share `q` of the elements along `axis` lies; nan where one of them is nan.

    Tied elements share the derivative equally; by `q` there is none.

    Parameters
    ----------
    a : tensor or array
    q : number, or sequence of numbers
        From 0 to 1. The axes of a sequence come first in the result.
    axis : int or tuple of int, optional
        All axes by default.
    out, overwrite_input, weights
        Only for NumPy's order of arguments.
    method : str
        Where the quantile lies among the sorted elements, by NumPy's names: "linear", "lower", "higher", "midpoint" and
        "nearest" are what to take between the two elements next to ``q (n - 1)``; the others are "inverted_cdf",
        "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
        "median_unbiased" and "normal_unbiased".
    keepdims : bool
        Keep the reduced axes, with length 1.

    Examples
    --------
    >>> tg.quantile(tg.tensor([1.0, 2.0, 3.0, 5.0]), 0.5)
    tensor(2.5)
    """
    return _quantiles("quantile", a, q, 1.0, axis, out, method, keepdims, weights)


def percentile(
    a: Any, q: Any, axis: Axes = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: None = None,
) -> Any:  # fmt: skip
    """The value below which `q` percent of the elements along `axis` lie; otherwise as `quantile`.

    Examples
    --------
    >>> tg.percentile(tg.tensor([1.0, 2.0, 3.0, 5.0]), 100)
    tensor(5.)
    """
    return _quantiles("percentile", a, q, 100.0, axis, out, method, keepdims, weights)


def _quantiles(
    function: str, a: Any, q: Any, whole: float, axis: Axes, out: None, method: str, keepdims: bool, weights: None
) -> Any:
    one_of(function, "method", method, METHODS)
    if weights is not None:
        raise TypeError(f"{function}: weights= is not supported")
    a = start(function, a, out=out)
    if a.dtype.kind == "b":
        raise TypeError(f"{function}: nothing lies between truth values; convert them first: a.astype(tg.float32)")
    a = a if method in ("lower", "higher", "nearest") else _floating(a)
    axes = nonempty(function, a, axis)
    row, place = in_one_axis(a, axes)

    def one(share: Any) -> Any:
        if isinstance(share, (list, tuple)):
            return stack([one(s) for s in share]) if share else stack([one(0)])[:0]
        if not isinstance(share, (int, float)) or not 0 <= share <= whole:
            raise ValueError(f"{function}: q lies between 0 and {whole:g}; got {share!r}")
        y = _between(row, place, *_neighbours(share / whole, row.shape[place], method))
        return y.reshape(kept(tuple(a.shape), axes)) if keepdims else y

    return one(q.tolist() if hasattr(q, "tolist") else q)


def _neighbours(q: float, n: int, method: str) -> tuple[int, int, float]:
    """The places of two elements among `n` in order, and how far from the first to the second the quantile lies."""
    position, part = q * (n - 1), 0.5
    if method in PLACES and method != "linear":
        alpha, beta = PLACES[method]
        position = n * q + (alpha + q * (1 - alpha - beta)) - 1
    elif method.endswith("cdf"):
        position = n * q - 1
    position = min(max(position, 0.0), n - 1.0)
    low, high = math.floor(position), math.ceil(position)
    if method == "closest_observation":
        low = high = max(round(n * q) - 1, 0)  # halves go to the even number, counted from 1
    elif method == "nearest":
        low = high = round(position)
    elif method == "lower":
        high = low
    elif method in ("higher", "inverted_cdf"):
        low = high
    elif method == "averaged_inverted_cdf":
        low, high = high, min(high + (position == n * q - 1 == high), n - 1)
    elif method != "midpoint":
        part = position - low
    return low, high, part


def _between(row: Any, axis: int, low: int, high: int, part: float) -> Any:
    """The element at a place of the sorted row, or what lies between two of them."""
    first = _order_statistic(row, axis=axis, k=low)
    if low == high:
        return first
    return first + (_order_statistic(row, axis=axis, k=high) - first) * part
