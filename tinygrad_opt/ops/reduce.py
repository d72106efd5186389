"""Reductions: many elements to one, along some axes.

The signatures are NumPy's; what they have in common is in `arguments`.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import float64
from ..core.folding import folding, is_short
from ..core.kinds import Constant, General, Linear, broadcast_to, cast
from ..core.primitive import operand
from .arguments import Axes, as_type, count, floating, initially, kept, nonempty, quotient, selection, start, wide
from .choice import maximum, minimum
from .choice import where as choose
from .comparison import equal
from .exponential import exp
from .precision import widened, wider
from .shape import normalize_axes, normalize_axis

__all__ = ["all", "amax", "amin", "any", "argmax", "argmin", "logsumexp", "max", "mean", "min", "sum"]


def _spread(g: Any, like: Any, axis: tuple[int, ...]) -> Any:
    """A reduced value, put back beside every element that it came from."""
    return broadcast_to(g.reshape(kept(like.shape, axis)), shape=like.shape)


# The methods of arrays are a little quicker than the library's functions of the same name.
_add_up = folding("sum", "add")


def _mean_kernel(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    if axis == (x.ndim - 1,) and is_short(x):
        return _add_up(xp, x, axis=axis, keepdims=keepdims) / count(x.shape, axis)
    return x.mean(axis=axis, keepdims=keepdims)


_sum: Linear = Linear(
    "sum",
    lambda g, like, *, axis, keepdims: _spread(g, like, axis),
    kernel=_add_up,
)
_mean: Linear = Linear(
    "mean",
    lambda g, like, *, axis, keepdims: _spread(g * (1 / count(like.shape, axis)), like, axis),
    kernel=_mean_kernel,
)


def shares(y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """One, divided equally among the elements along `axis` that are equal to the reduced value `y`."""
    chosen = cast(equal(x, y.reshape(kept(x.shape, axis))), dtype=wider(x.dtype))
    return chosen / chosen.sum(axis, keepdims=True)


def _extreme(name: str, of_two: str) -> General:
    """max or min: the derivative goes to the extreme elements, in equal parts."""

    def push(t: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        return (t * shares(y, x, axis)).sum(axis, keepdims=keepdims)

    def pull(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        return g.reshape(kept(x.shape, axis)) * shares(y, x, axis)

    return General(name, [push], [pull], kernel=folding(name, of_two))


_max = _extreme("max", "maximum")
_min = _extreme("min", "minimum")


def _logsumexp_kernel(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    shape = kept(x.shape, axis)
    if x.size == 0:
        y = xp.full(shape, -xp.inf, dtype=x.dtype)
    else:
        top = x.max(axis=axis, keepdims=True)
        top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))  # inf - inf would be nan
        total = xp.exp(x - top).sum(axis=axis, keepdims=True)
        some = total != 0  # true for nan, which must come through
        y = xp.where(some, xp.log(xp.where(some, total, xp.ones_like(total))) + top, -xp.inf)
    return y if keepdims else y.reshape(tuple(n for i, n in enumerate(shape) if i not in axis))


def _softmax_of(y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """exp(x - y), with weights 0 where everything is -inf."""
    y = y.reshape(kept(x.shape, axis))
    return exp(x - choose(equal(y, -math.inf), 0.0, y))


_logsumexp: General = General(
    "logsumexp",
    [lambda t, y, x, *, axis, keepdims: (t * _softmax_of(y, x, axis)).sum(axis, keepdims=keepdims)],
    [lambda g, y, x, *, axis, keepdims: g.reshape(kept(x.shape, axis)) * _softmax_of(y, x, axis)],
    kernel=widened(_logsumexp_kernel),
)


def sum(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """Sum over the elements along `axis`.

    Parameters
    ----------
    a : tensor or array
    axis : int or tuple of int, optional
        The axes that are summed away; all of them by default. Negative ones count from the end.
    dtype : dtype, optional
        Of the terms and of the sum: that of `a` (int64 for bool and small integers, as in NumPy).
    out : None
        Only for NumPy's order of arguments.
    keepdims : bool
        Keep the reduced axes, with length 1.
    initial : number, optional
        Where the sum starts.
    where : tensor or array of bool, optional
        Which elements take part; it broadcasts to the shape of `a`. The others have derivative 0.

    Raises
    ------
    ShapeError
        For an axis that `a` does not have, one named twice, and a mask that does not fit.

    Examples
    --------
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([4., 6.])
    """
    a = start("sum", a, out=out, dtype=dtype, where=where)
    y = as_type(_sum(a, axis=normalize_axes("sum", axis, len(a.shape)), keepdims=keepdims), dtype)
    return y if initial is None else y + initially("sum", initial, y.dtype)


def mean(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """Arithmetic mean of the elements along `axis`; parameters as for `sum`.

    The mean of integers is a float64. With a mask that selects nothing it is nan.

    Raises
    ------
    ShapeError
        For a bad axis, and for a mean over no elements.

    Examples
    --------
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(2.5)
    """
    a = start("mean", a, out=out, dtype=dtype)
    axes = nonempty("mean", a, axis)
    if where is True:
        return as_type(_mean(a, axis=axes, keepdims=keepdims), dtype)
    mask = selection("mean", where, a)
    kind = a.dtype if a.dtype.kind == "f" else float64
    total = _sum(choose(mask, wide(as_type(a, kind)), 0), axis=axes, keepdims=keepdims)
    number = _sum(broadcast_to(mask, shape=a.shape), axis=axes, keepdims=keepdims)
    return as_type(quotient(total, as_type(number, total.dtype)), kind if dtype is None else dtype)


def max(
    a: Any, axis: Axes = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Largest element along `axis`, and at least `initial`; parameters as for `sum`.

    Tied elements share the derivative equally.

    Raises
    ------
    ShapeError
        For a bad axis, and for the maximum of no elements without `initial`.

    Examples
    --------
    >>> tg.max(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([2., 4.])
    """
    return _largest("max", _max, maximum, a, axis, out, keepdims, initial, where)


def min(
    a: Any, axis: Axes = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Smallest element along `axis`, and at most `initial`; parameters as for `sum`.

    Tied elements share the derivative equally.

    Raises
    ------
    ShapeError
        For a bad axis, and for the minimum of no elements without `initial`.

    Examples
    --------
    >>> tg.min(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1., 3.])
    """
    return _largest("min", _min, minimum, a, axis, out, keepdims, initial, where)


def _largest(
    function: str, reduction: Any, of_two: Any, a: Any, axis: Axes, out: None, keepdims: bool, initial: Any, where: Any
) -> Any:
    """max, and min by its mirror image: `of_two` is the same for two operands."""
    if initial is None:
        if where is not True:
            raise ValueError(f"{function}: where= may leave nothing; pass initial=, the result for no elements")
        a = start(function, a, out=out)
        return reduction(a, axis=nonempty(function, a, axis), keepdims=keepdims)
    a = operand(function, a)
    initial = initially(function, initial, a.dtype)
    a = start(function, a, out=out, where=where, instead=initial)
    axes = normalize_axes(function, axis, len(a.shape))
    if not count(a.shape, axes):
        return as_type(_sum(a, axis=axes, keepdims=keepdims) + initial, a.dtype)
    return of_two(reduction(a, axis=axes, keepdims=keepdims), initial)


amax, amin = max, min


def logsumexp(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Logarithm of the sum of exponentials along `axis`, without overflow: ``y = ln Σ exp(xᵢ)``.

    Its gradient is the softmax of `x`. Parameters as for `sum`. The value over no elements, or over elements that
    are all ``-inf``, is ``-inf``, with gradient 0.

    Examples
    --------
    >>> tg.logsumexp(tg.tensor([1000.0, 0.0]))
    tensor(1000.)
    """
    x = floating(operand("logsumexp", x))
    return _logsumexp(x, axis=normalize_axes("logsumexp", axis, len(x.shape)), keepdims=keepdims)


def _one_axis_kernel(name: str) -> Any:
    def kernel(xp: Any, x: Any, *, axis: int | None, keepdims: bool) -> Any:
        y = getattr(xp, name)(x, axis=axis)
        if not keepdims:
            return y
        return y.reshape(kept(x.shape, normalize_axes(name, axis, x.ndim)))

    return kernel


_argmax: Constant = Constant("argmax", kernel=_one_axis_kernel("argmax"))
_argmin: Constant = Constant("argmin", kernel=_one_axis_kernel("argmin"))
_any: Constant = Constant("any")
_all: Constant = Constant("all")


def argmax(a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """Position of the largest element along `axis` (of the ravelled tensor by default); the first one of a tie.

    Examples
    --------
    >>> tg.argmax(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1, 0])
    """
    a = start("argmax", a, out=out)
    return _argmax(a, axis=_one_axis("argmax", a, axis), keepdims=keepdims)


def argmin(a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """Position of the smallest element along `axis` (of the ravelled tensor by default); the first one of a tie.

    Examples
    --------
    >>> tg.argmin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([0, 1])
    """
    a = start("argmin", a, out=out)
    return _argmin(a, axis=_one_axis("argmin", a, axis), keepdims=keepdims)


def _one_axis(function: str, x: Any, axis: int | None) -> int | None:
    place = None if axis is None else normalize_axis(function, axis, len(x.shape))
    nonempty(function, x, place)
    return place


def any(a: Any, axis: Axes = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Any:
    """Whether some element along `axis` is true.

    Examples
    --------
    >>> tg.any(tg.tensor([1.0, 2.0]) > 1)
    tensor(True)
    """
    a = start("any", a, out=out, where=where, instead=False)
    return _any(a, axis=normalize_axes("any", axis, len(a.shape)), keepdims=keepdims)


def all(a: Any, axis: Axes = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Any:
    """Whether every element along `axis` is true.

    Examples
    --------
    >>> tg.all(tg.tensor([1.0, 2.0]) > 1)
    tensor(False)
    """
    a = start("all", a, out=out, where=where, instead=True)
    return _all(a, axis=normalize_axes("all", axis, len(a.shape)), keepdims=keepdims)
