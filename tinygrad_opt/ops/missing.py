"""Reductions that pass over nan, as if these elements were not there; their derivative is 0."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from .arguments import Axes, nonempty, selection, start
from .choice import where as choose
from .comparison import equal
from .reduce import any, max, mean, min, sum
from .scan import prod
from .shape import normalize_axes
from .statistics import std, var

__all__ = ["nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar"]


def _present(function: str, a: Any, axis: Axes, where: Any) -> tuple[Any, tuple[int, ...], Any]:
    """The elements, the axes, and which of the elements are numbers (and selected)."""
    a = start(function, a)
    numbers = equal(a, a)
    present = numbers if where is True else numbers * selection(function, where, a)
    return a, normalize_axes(function, axis, len(a.shape)), present


def nansum(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """Sum of the elements that are not nan; parameters as for `sum`.

    Examples
    --------
    >>> tg.nansum(tg.tensor([1.0, float("nan"), 3.0]))
    tensor(4.)
    """
    a, axes, present = _present("nansum", a, axis, where)
    return sum(a, axes, dtype, out, keepdims, initial, present)


def nanprod(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """Product of the elements that are not nan; parameters as for `sum`.

    Examples
    --------
    >>> tg.nanprod(tg.tensor([2.0, float("nan"), 3.0]))
    tensor(6.)
    """
    a, axes, present = _present("nanprod", a, axis, where)
    return prod(a, axes, dtype, out, keepdims, initial, present)


def nanmean(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """Mean of the elements that are not nan; nan where there are none. Parameters as for `mean`.

    Examples
    --------
    >>> tg.nanmean(tg.tensor([1.0, float("nan"), 3.0]))
    tensor(2.)
    """
    a, axes, present = _present("nanmean", a, axis, where)
    nonempty("nanmean", a, axes)
    return mean(a, axes, dtype, out, keepdims, where=present)


def nanvar(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False, *,
    where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """Variance of the elements that are not nan; nan where there are too few. Parameters as for `var`.

    Examples
    --------
    >>> tg.nanvar(tg.tensor([1.0, float("nan"), 3.0]))
    tensor(1.)
    """
    a, axes, present = _present("nanvar", a, axis, where)
    nonempty("nanvar", a, axes)
    return var(a, axes, dtype, out, ddof, keepdims, where=present, mean=mean, correction=correction)


def nanstd(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False, *,
    where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """Standard deviation of the elements that are not nan; nan where there are too few. Parameters as for `std`.

    Examples
    --------
    >>> tg.nanstd(tg.tensor([1.0, float("nan"), 3.0]))
    tensor(1.)
    """
    a, axes, present = _present("nanstd", a, axis, where)
    nonempty("nanstd", a, axes)
    return std(a, axes, dtype, out, ddof, keepdims, where=present, mean=mean, correction=correction)


def nanmax(
    a: Any, axis: Axes = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Largest of the elements that are not nan; nan where there are none. Parameters as for `max`.

    Examples
    --------
    >>> tg.nanmax(tg.tensor([1.0, float("nan"), 3.0]))
    tensor(3.)
    """
    return _extreme("nanmax", max, -inf, a, axis, out, keepdims, initial, where)


def nanmin(
    a: Any, axis: Axes = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Smallest of the elements that are not nan; nan where there are none. Parameters as for `min`.

    Examples
    --------
    >>> tg.nanmin(tg.tensor([1.0, float("nan"), 3.0]))
    tensor(1.)
    """
    return _extreme("nanmin", min, inf, a, axis, out, keepdims, initial, where)


def _extreme(
    function: str, reduction: Any, worst: float, a: Any, axis: Axes, out: None, keepdims: bool, initial: Any, where: Any
) -> Any:
    a, axes, present = _present(function, a, axis, where)
    if initial is None:
        nonempty(function, a, axes)
    if a.dtype.kind != "f":  # integers are never nan
        return reduction(a, axes, out, keepdims, initial, where)
    if initial is not None:
        return reduction(a, axes, out, keepdims, initial, present)
    y = reduction(choose(present, a, worst), axes, out, keepdims)
    return choose(any(present, axes, keepdims=keepdims), y, nan)
