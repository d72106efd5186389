"""Derivatives by evaluation alone: what every rule of the package is checked against.

The functions here know nothing of tensors or tapes. They take a plain function of float64 NumPy arrays, evaluate it
at neighbouring points, and say how far off the result may be:

- `complex_step` moves along the imaginary axis, where no difference is taken and nothing cancels: exact to rounding,
  for functions that are analytic and written so that complex numbers pass through;
- `directional` and `second_directional` extrapolate differences of ever smaller steps to step zero (Richardson's
  table), with an error estimate of their own, and notice a kink.

Directions are dense, so that one derivative along a random direction tests every entry of a Jacobian at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

__all__ = ["Estimate", "complex_step", "directional", "second_directional"]

Array = Any
Function = Callable[..., Array]
EPS = float(np.finfo(np.float64).eps)

_ENOUGH = 1e-12  # the relative error at which the table stops growing
_USELESS = 1e-5  # the relative error from which on an estimate says nothing
_ROUNDING = 1e-10  # what values of ordinary size inside a function may leave of themselves when they cancel
_ROWS = 22  # steps from 2⁻³ down to 2⁻²⁴


@dataclass(frozen=True)
class Estimate:
    """A numeric derivative, with what is known about its quality, element by element.

    Attributes
    ----------
    value : array
    error : array
        By how much `value` may be wrong, judged from how it settled as the step shrank.
    reliable : array of bool
        Where the value can be compared with: it settled, and there is no kink.
    kink : array of bool
        Where the slopes to the left and to the right keep apart although the step shrinks.
    left, right : array
        The one-sided slopes at the smallest step that was tried.
    """

    value: Array
    error: Array
    reliable: Array
    kink: Array
    left: Array
    right: Array

    def map(self, change: Callable[[Array], Array]) -> Estimate:
        """The same change (of shape, of selection) made to every field."""
        return Estimate(*(change(getattr(self, field.name)) for field in fields(self)))


def complex_step(fn: Function, xs: Sequence[Array], ts: Sequence[Array]) -> Array:
    """The derivative of `fn` at `xs` along `ts`, exact to rounding: ``Im fn(x + i h t) / h``.

    Parameters
    ----------
    fn : callable
        Analytic, and able to compute with complex arrays.
    xs, ts : sequences of float64 arrays
        The point and the direction, one array for each argument.

    Returns
    -------
    array
        Shaped like the result of `fn`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_opt.testing import numeric
    >>> numeric.complex_step(np.exp, [np.array([0.0, 1.0])], [np.array([1.0, 0.0])])
    array([1., 0.])

    References
    ----------
    W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998).
    """
    step = 1e-30
    return np.imag(fn(*(x + 1j * (step * t) for x, t in zip(xs, ts, strict=True)))) / step


def directional(
    fn: Function, xs: Sequence[Array], ts: Sequence[Array], start: float = 2.0**-3, inner: float = 0.0
) -> Estimate:
    """The derivative of `fn` at `xs` along `ts`, from central differences extrapolated to step zero.

    Parameters
    ----------
    fn : callable
        Takes float64 arrays, returns one.
    xs, ts : sequences of float64 arrays
        The point and the direction, one array for each argument.
    start : float
        The largest step tried; steps are halved until the result settles.
    inner : float
        The size of values that cancel inside `fn`: their rounding shows in a result that may itself be zero.

    Returns
    -------
    Estimate
        Shaped like the result of `fn`. Points where `fn` is nan only enlarge the error.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_opt.testing import numeric
    >>> numeric.directional(np.exp, [np.array([0.0, 1.0])], [np.array([1.0, 1.0])]).value
    array([1.        , 2.71828183])
    >>> numeric.directional(np.abs, [np.array([0.0, 1.0])], [np.array([1.0, 1.0])]).kink
    array([ True, False])

    References
    ----------
    C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4 (1982).
    """
    slopes: list[tuple[Array, Array]] = []
    with np.errstate(all="ignore"):
        here = np.asarray(fn(*xs), dtype=np.float64)

        def quotient(h: float) -> tuple[Array, Array]:
            above, below = (fn(*_moved(xs, ts, s)) for s in (h, -h))
            slopes.append(((here - below) / h, (above - here) / h))
            return (above - below) / (2 * h), np.abs(above) + np.abs(below)

        value, error, size = _extrapolate(quotient, start, 1, inner)
        gaps = [np.abs(right - left) for left, right in slopes[-3:]]
        kink = gaps[-1] > 1e-7 * (np.minimum(size, 1.0) + np.abs(value)) + _ROUNDING
        for coarse, fine in itertools.pairwise(gaps):  # smooth: the gap halves; noise: it doubles
            kink = kink & (fine > 0.75 * coarse) & (fine < 1.33 * coarse)
        return Estimate(value, error, _settled(value, error, size) & ~kink, kink, *slopes[-1])


def second_directional(
    fn: Function, xs: Sequence[Array], us: Sequence[Array], ws: Sequence[Array], *, analytic: bool = False,
    start: float = 2.0**-3, inner: float = 0.0,
) -> Estimate:  # fmt: skip
    """The second derivative of `fn` along `us` and `ws`; for a scalar function, ``uᵀ H w``.

    Parameters
    ----------
    fn, xs, us, ws
        As for `directional`, with two directions.
    analytic : bool
        Whether `fn` takes complex arrays: the first derivative is then a complex step, and the result about as
        exact as a first derivative. Otherwise it is a mixed second difference, with half as many good digits.
    start, inner : float
        As for `directional`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_opt.testing import numeric
    >>> x, u, w = np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    >>> f = lambda x: (x[0] * x[1]) ** 2
    >>> round(float(numeric.second_directional(f, [x], [u], [w]).value), 6)
    8.0
    """
    if analytic:
        return directional(lambda *at: complex_step(fn, at, us), xs, ws, start, inner)

    def quotient(h: float) -> tuple[Array, Array]:
        corners = [
            np.asarray(fn(*_moved(_moved(xs, us, a), ws, b)), dtype=np.float64)
            for a, b in ((h, h), (h, -h), (-h, h), (-h, -h))
        ]
        difference = corners[0] - corners[1] - corners[2] + corners[3]
        return difference / (4 * h * h), np.sum(np.abs(corners), axis=0) / 2

    with np.errstate(all="ignore"):
        value, error, size = _extrapolate(quotient, start, 2, inner)
        return Estimate(value, error, _settled(value, error, size), np.zeros(value.shape, bool), value, value)


def _settled(value: Array, error: Array, size: Array) -> Array:
    """Whether an estimate says anything, next to its own size and to that of the function."""
    return error <= _USELESS * (np.abs(value) + size) + _ROUNDING


def _moved(xs: Sequence[Array], ts: Sequence[Array], h: float) -> list[Array]:
    return [x + h * t for x, t in zip(xs, ts, strict=True)]


def _extrapolate(
    quotient: Callable[[float], tuple[Array, Array]], start: float, order: int, inner: float
) -> tuple[Array, Array, Array]:
    """Richardson's table over halved steps: the element that changed least, and by how much it may be wrong.

    `quotient` gives, for one step h, a difference quotient whose error is a series in h², and the size of the values
    that were subtracted. Each further column removes one more term of the series. What an element changes by against
    its two predecessors is the estimate of its error, as Ridders proposed; rounding comes on top. The third result is
    the largest size that was met.
    """
    best, error, largest = np.asarray(np.nan), np.asarray(np.inf), np.asarray(0.0)
    older: list[Array] = []
    for k in range(_ROWS):
        h = start * 0.5**k
        value, size = quotient(h)
        noise = EPS * (size + inner) / h**order
        largest = np.fmax(largest, np.where(np.isfinite(size), size, 0.0))
        row = [np.asarray(value, dtype=np.float64)]
        for m, before in enumerate(older, start=1):
            row.append(row[-1] + (row[-1] - before) / (4.0**m - 1.0))
            change = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - before)) + noise
            better = change < error
            best, error = np.where(better, row[-1], best), np.where(better, change, error)
        older = row
        enough = _ENOUGH * (np.abs(best) + np.minimum(largest, 1.0))
        if k >= 3 and np.all((error <= enough) | (error <= noise)):
            break  # good enough, or rounding alone is larger from here on
    return best, error, largest
