"""Statistics: spread, and weighted means."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..core.dtypes import float64
from ..core.kinds import General, broadcast_to
from ..core.primitive import operand
from .arguments import Axes, as_type, count, kept, nonempty, quotient, selection, start, wide
from .arithmetic import square
from .checks import as_number
from .choice import where as choose
from .comparison import equal
from .exponential import sqrt
from .precision import widened
from .reduce import any, max, min, sum
from .reduce import mean as mean_of
from .shape import normalize_axis, permute_dims

__all__ = ["average", "ptp", "std", "var"]


def _var_kernel(xp: Any, x: Any, *, axis: tuple[int, ...], ddof: float, keepdims: bool) -> Any:
    return x.var(axis=axis, ddof=ddof, keepdims=keepdims)


def _slopes(x: Any, axis: tuple[int, ...], ddof: float) -> Any:
    """The derivative of the variance by each element: ``2 (x - μ) / (n - ddof)``."""
    x = wide(x)
    return (x - x.mean(axis, keepdims=True)) * (2 / (count(x.shape, axis) - ddof))


_var: General = General(
    "var",
    [lambda t, _y, x, *, axis, ddof, keepdims: (t * _slopes(x, axis, ddof)).sum(axis, keepdims=keepdims)],
    [lambda g, _y, x, *, axis, ddof, keepdims: g.reshape(kept(x.shape, axis)) * _slopes(x, axis, ddof)],
    kernel=widened(_var_kernel),
)


def var(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False, *,
    where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """Variance along `axis`: the mean of the squared distances from the mean, ``y = Σ (xᵢ - μ)² / (n - ddof)``.

    Parameters
    ----------
    a : tensor or array
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        To compute in: that of `a` (float64 for integers).
    out : None
        Only for NumPy's order of arguments.
    ddof : number
        1 makes the estimate from a sample unbiased.
    keepdims : bool
        Keep the reduced axes, with length 1.
    where : tensor or array of bool, optional
        Which elements take part.
    mean : tensor or array, optional
        The mean, where it is known, with its reduced axes kept.
    correction : number, optional
        Another name of `ddof`.

    Raises
    ------
    ShapeError
        For a bad axis, and for no more elements than `ddof`, which leave nothing to divide by.

    Examples
    --------
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0]), ddof=1)
    tensor(1.)
    """
    return as_type(_variance("var", a, axis, dtype, out, ddof, keepdims, where, mean, correction), dtype)


def std(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False, *,
    where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """Standard deviation along `axis`: the root of the variance; parameters as for `var`.

    Where all elements are equal, its derivative is taken as 0.

    Examples
    --------
    >>> tg.std(tg.tensor([1.0, 2.0, 3.0]), ddof=1)
    tensor(1.)
    """
    a = start("std", a, dtype=dtype)
    spread = _variance("std", wide(a), axis, None, out, ddof, keepdims, where, mean, correction)
    constant = equal(spread, 0)
    root = choose(constant, 0, sqrt(choose(constant, 1, spread)))
    return as_type(root, a.dtype if a.dtype.kind == "f" else dtype)


def _variance(
    function: str, a: Any, axis: Axes, dtype: Any, out: None, ddof: float, keepdims: bool, where: Any, mean: Any,
    correction: float | None,
) -> Any:  # fmt: skip
    if correction is not None:
        if ddof != 0:
            raise ValueError(f"{function}: ddof and correction are two names for one number; give one of them")
        ddof = correction
    ddof = as_number(function, "ddof", ddof)
    a = start(function, a, out=out, dtype=dtype)
    axes = nonempty(function, a, axis)
    n = count(tuple(a.shape), axes)
    if n <= ddof:
        raise errors.ShapeError(
            f"{function}: {n} elements along axis {axes} and ddof={ddof} leave nothing to divide by; it needs more "
            f"elements, or a smaller ddof"
        )
    if where is True and mean is None:
        return _var(a, axis=axes, ddof=ddof, keepdims=keepdims)
    return _selected_variance(function, a, axes, ddof, keepdims, where, mean)


def _selected_variance(
    function: str, a: Any, axis: tuple[int, ...], ddof: float, keepdims: bool, where: Any, mean: Any
) -> Any:
    """The variance of the elements that `where` selects, or about a known mean; nan where too few are selected."""
    dtype = a.dtype if a.dtype.kind == "f" else float64
    a = wide(as_type(a, dtype))
    if mean is None:
        mean = mean_of(a, axis, keepdims=True, where=where)
    distances = a - mean
    if where is True:
        y = sum(square(distances), axis, keepdims=keepdims) / (count(tuple(a.shape), axis) - ddof)
    else:
        mask = broadcast_to(selection(function, where, a), shape=tuple(a.shape))
        n = as_type(sum(mask, axis, keepdims=keepdims), a.dtype)
        y = quotient(sum(square(choose(mask, distances, 0)), axis, keepdims=keepdims), n - ddof)
    return as_type(y, dtype)


def ptp(a: Any, axis: Axes = None, out: None = None, keepdims: bool = False) -> Any:
    """Range ("peak to peak") along `axis`: the largest minus the smallest element; parameters as for `max`.

    Examples
    --------
    >>> tg.ptp(tg.tensor([3.0, 1.0, 6.0]))
    tensor(5.)
    """
    a = start("ptp", a, out=out)
    if a.dtype.kind == "b":
        raise TypeError("ptp: truth values have no difference; convert them first: a.astype(tg.float32)")
    axes = nonempty("ptp", a, axis)
    return max(a, axes, keepdims=keepdims) - min(a, axes, keepdims=keepdims)


def average(a: Any, axis: Axes = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Weighted mean along `axis`: ``y = Σ wᵢ aᵢ / Σ wᵢ``.

    Parameters
    ----------
    a : tensor or array
    axis : int or tuple of int, optional
        All axes by default.
    weights : tensor or array, optional
        Of the shape of `a`, or of its shape along `axis`. All 1 by default.
    returned : bool
        Give the sum of the weights too.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Returns
    -------
    tensor, or two of them

    Raises
    ------
    ShapeError
        For a bad axis, for no elements, and for weights that do not fit.
    ZeroDivisionError
        Where weights sum to 0.

    Examples
    --------
    >>> tg.average(tg.tensor([1.0, 2.0]), weights=[3.0, 1.0])
    tensor(1.25)
    """
    a = start("average", a)
    axes = nonempty("average", a, axis)
    if weights is None:
        y = mean_of(a, axes, keepdims=keepdims)
        total = choose(False, y, float(count(tuple(a.shape), axes)))
    else:
        a = a if a.dtype.kind == "f" else as_type(a, float64)
        w = _weights(a, weights, axis)
        weighted = a * w
        total = sum(as_type(w, weighted.dtype), axes, keepdims=keepdims)
        if any(equal(total, 0)):
            raise ZeroDivisionError("average: the weights sum to 0, so that there is nothing to divide by")
        y = sum(weighted, axes, keepdims=keepdims) / total
    return (y, broadcast_to(total, shape=tuple(y.shape))) if returned else y


def _weights(a: Any, weights: Any, axis: Axes) -> Any:
    """Weights in the shape of `a`, or in one that broadcasts to it."""
    w = operand("average", weights, a)
    shape = tuple(a.shape)
    if tuple(w.shape) == shape:
        return w
    named = () if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = [normalize_axis("average", i, len(shape)) for i in named]
    if not axes or tuple(w.shape) != tuple(shape[i] for i in axes):
        raise errors.ShapeError(
            f"average: weights of shape {tuple(w.shape)} fit neither the shape {shape} of a nor its sides along axis="
            f"{axis}"
        )
    w = permute_dims(w, sorted(range(len(axes)), key=axes.__getitem__))
    return w.reshape(tuple(n if i in axes else 1 for i, n in enumerate(shape)))
