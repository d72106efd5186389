"""Reductions: many elements to one, along some axes."""

from __future__ import annotations

import math
from typing import Any

from .. import errors
from ..core.dtypes import float16, float32
from ..core.kinds import Constant, General, Linear, broadcast_to, cast
from ..core.primitive import operand
from .choice import where
from .comparison import equal
from .exponential import exp
from .shape import normalize_axes, normalize_axis

__all__ = ["all", "any", "argmax", "argmin", "logsumexp", "max", "mean", "min", "sum"]

Axes = int | tuple[int, ...] | None


def _kept(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[int, ...]:
    """The shape after reducing `axis`, the reduced axes kept with length 1."""
    return tuple(1 if i in axis else n for i, n in enumerate(shape))


def _spread(g: Any, like: Any, axis: tuple[int, ...]) -> Any:
    """A reduced value, put back beside every element that it came from."""
    return broadcast_to(g.reshape(_kept(like.shape, axis)), shape=like.shape)


def _count(shape: tuple[int, ...], axis: tuple[int, ...]) -> int:
    return math.prod(shape[i] for i in axis)


# The methods of arrays are a little quicker than the library's functions of the same name.
_sum: Linear = Linear(
    "sum",
    lambda g, like, *, axis, keepdims: _spread(g, like, axis),
    kernel=lambda xp, x, *, axis, keepdims: x.sum(axis=axis, keepdims=keepdims),
)
_mean: Linear = Linear(
    "mean",
    lambda g, like, *, axis, keepdims: _spread(g * (1 / _count(like.shape, axis)), like, axis),
    kernel=lambda xp, x, *, axis, keepdims: x.mean(axis=axis, keepdims=keepdims),
)


def _extreme(name: str, library_name: str) -> General:
    """max or min: the derivative goes to the extreme elements, in equal parts."""

    def share(y: Any, x: Any, axis: tuple[int, ...]) -> Any:
        wide = float32 if x.dtype == float16 else x.dtype  # float16 cannot count beyond 65,504
        chosen = cast(equal(x, y.reshape(_kept(x.shape, axis))), dtype=wide)
        return chosen / chosen.sum(axis, keepdims=True)

    def push(t: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        return (t * share(y, x, axis)).sum(axis, keepdims=keepdims)

    def pull(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        return g.reshape(_kept(x.shape, axis)) * share(y, x, axis)

    return General(name, [push], [pull], kernel=library_name)


_max = _extreme("max", "max")
_min = _extreme("min", "min")


def _logsumexp_kernel(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    shape = _kept(x.shape, axis)
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
    y = y.reshape(_kept(x.shape, axis))
    return exp(x - where(equal(y, -math.inf), 0.0, y))


_logsumexp: General = General(
    "logsumexp",
    [lambda t, y, x, *, axis, keepdims: (t * _softmax_of(y, x, axis)).sum(axis, keepdims=keepdims)],
    [lambda g, y, x, *, axis, keepdims: g.reshape(_kept(x.shape, axis)) * _softmax_of(y, x, axis)],
    kernel=_logsumexp_kernel,
)


def sum(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Sum over the elements along `axis`.

    Parameters
    ----------
    x : tensor or array
    axis : int or tuple of int, optional
        The axes that are summed away; all of them by default. Negative ones count from the end.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Returns
    -------
    tensor
        In the dtype of `x` (bool and small integers become int64, as in NumPy).

    Raises
    ------
    ShapeError
        For an axis that `x` does not have, or one named twice.

    Examples
    --------
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([4., 6.])
    """
    x = operand("sum", x)
    return _sum(x, axis=normalize_axes("sum", axis, len(x.shape)), keepdims=keepdims)


def mean(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Arithmetic mean of the elements along `axis`; parameters as for `sum`.

    Raises
    ------
    ShapeError
        For a bad axis, and for a mean over no elements.

    Examples
    --------
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(2.5)
    """
    x = operand("mean", x)
    return _mean(x, axis=_nonempty("mean", x, axis), keepdims=keepdims)


def max(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Largest element along `axis`; parameters as for `sum`.

    Tied elements share the derivative equally.

    Raises
    ------
    ShapeError
        For a bad axis, and for the maximum of no elements.

    Examples
    --------
    >>> tg.max(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([2., 4.])
    """
    x = operand("max", x)
    return _max(x, axis=_nonempty("max", x, axis), keepdims=keepdims)


def min(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Smallest element along `axis`; parameters as for `sum`.

    Tied elements share the derivative equally.

    Raises
    ------
    ShapeError
        For a bad axis, and for the minimum of no elements.

    Examples
    --------
    >>> tg.min(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1., 3.])
    """
    x = operand("min", x)
    return _min(x, axis=_nonempty("min", x, axis), keepdims=keepdims)


def logsumexp(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Logarithm of the sum of exponentials along `axis`, without overflow: ``y = ln Σ exp(xᵢ)``.

    Its gradient is the softmax of `x`. Parameters as for `sum`. The value over no elements, or over elements that
    are all ``-inf``, is ``-inf``, with gradient 0.

    Examples
    --------
    >>> tg.logsumexp(tg.tensor([1000.0, 0.0]))
    tensor(1000.)
    """
    x = operand("logsumexp", x)
    return _logsumexp(x, axis=normalize_axes("logsumexp", axis, len(x.shape)), keepdims=keepdims)


def _nonempty(function: str, x: Any, axis: Axes) -> tuple[int, ...]:
    """The axes of a reduction that has no value over zero elements."""
    axes = normalize_axes(function, axis, len(x.shape))
    if not x.size and _count(x.shape, axes) == 0:
        raise errors.ShapeError(
            f"{function}: no elements along axis {axes} of shape {tuple(x.shape)}; it needs at least one"
        )
    return axes


def _one_axis_kernel(name: str) -> Any:
    def kernel(xp: Any, x: Any, *, axis: int | None, keepdims: bool) -> Any:
        y = getattr(xp, name)(x, axis=axis)
        if not keepdims:
            return y
        return y.reshape(_kept(x.shape, normalize_axes(name, axis, x.ndim)))

    return kernel


_argmax: Constant = Constant("argmax", kernel=_one_axis_kernel("argmax"))
_argmin: Constant = Constant("argmin", kernel=_one_axis_kernel("argmin"))
_any: Constant = Constant("any")
_all: Constant = Constant("all")


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element along `axis` (of the ravelled tensor by default); the first one of a tie.

    Examples
    --------
    >>> tg.argmax(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1, 0])
    """
    x = operand("argmax", x)
    return _argmax(x, axis=_one_axis("argmax", x, axis), keepdims=keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along `axis` (of the ravelled tensor by default); the first one of a tie.

    Examples
    --------
    >>> tg.argmin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([0, 1])
    """
    x = operand("argmin", x)
    return _argmin(x, axis=_one_axis("argmin", x, axis), keepdims=keepdims)


def _one_axis(function: str, x: Any, axis: int | None) -> int | None:
    place = None if axis is None else normalize_axis(function, axis, len(x.shape))
    _nonempty(function, x, place)
    return place


def any(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether some element along `axis` is true.

    Examples
    --------
    >>> tg.any(tg.tensor([1.0, 2.0]) > 1)
    tensor(True)
    """
    x = operand("any", x)
    return _any(x, axis=normalize_axes("any", axis, len(x.shape)), keepdims=keepdims)


def all(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether every element along `axis` is true.

    Examples
    --------
    >>> tg.all(tg.tensor([1.0, 2.0]) > 1)
    tensor(False)
    """
    x = operand("all", x)
    return _all(x, axis=normalize_axes("all", axis, len(x.shape)), keepdims=keepdims)
