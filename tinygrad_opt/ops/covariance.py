"""How variables vary together: covariances and correlations."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..core.dtypes import float64
from ..core.kinds import Elementwise
from ..core.primitive import operand
from .arguments import as_type, quotient, start, wide
from .arithmetic import square
from .checks import as_number
from .concatenation import concatenate
from .contract import matmul
from .exponential import sqrt
from .reduce import mean, sum
from .shape import transpose

__all__ = ["corrcoef", "cov"]


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """Covariances of several variables, from observations of them.

    Parameters
    ----------
    m : tensor or array, shape (variables, observations) or (observations,)
    y : tensor or array, optional
        Further variables.
    rowvar : bool
        False where the observations are in rows.
    bias : bool
        Divide by the number of observations n, and not by ``n - 1``.
    ddof : number, optional
        Divide by ``n - ddof`` instead.
    fweights, aweights : tensor or array, shape (observations,), optional
        How often each observation occurred, and how much it counts.
    dtype : dtype, optional
        To compute in: that of the variables (float64 for integers).

    Returns
    -------
    tensor, shape (variables, variables)
        A number for a single variable.

    Raises
    ------
    ShapeError
        For shapes that do not fit, and for no more observations than `ddof`.

    Examples
    --------
    >>> tg.cov(tg.tensor([[1.0, 2.0, 3.0], [1.0, 0.0, -1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    given = _variables("cov", m, y, rowvar, dtype)
    x, n = wide(given), given.shape[1]
    ddof = as_number("cov", "ddof", (0 if bias else 1) if ddof is None else ddof)
    w = _importance(x, fweights, aweights)
    if w is None:
        if n <= ddof:
            raise errors.ShapeError(
                f"cov: {n} observations and ddof={ddof} leave nothing to divide by; it needs more observations, or a "
                "smaller ddof"
            )
        centred = x - mean(x, 1, keepdims=True)
        c = matmul(centred, transpose(centred)) / (n - ddof)
    else:
        total = sum(w)
        centred = x - sum(x * w, 1, keepdims=True) / total
        divisor = total - ddof * (
            1 if aweights is None else sum(w * as_type(operand("cov", aweights, x), x.dtype)) / total
        )
        c = quotient(matmul(centred, transpose(centred * w)), divisor)
    c = as_type(c, given.dtype)
    return c.reshape(()) if c.size == 1 else c


def _variables(function: str, m: Any, y: Any, rowvar: bool, dtype: Any) -> Any:
    """Variables in rows, observations in columns."""
    rows: list[Any] = []
    for given in (m,) if y is None else (m, y):
        x = start(function, operand(function, given, m, "m" if not rows else "y"))
        if len(x.shape) > 2:
            raise errors.ShapeError(f"{function}: variables have at most 2 axes; got shape {tuple(x.shape)}")
        if len(x.shape) < 2:
            x = x.reshape((1, x.size))
        elif not rowvar:
            x = transpose(x)
        rows.append(as_type(x, dtype or (x.dtype if x.dtype.kind == "f" else float64)))
    if len({x.shape[1] for x in rows}) > 1:
        raise errors.ShapeError(
            f"{function}: m and y need as many observations; got {' and '.join(str(x.shape[1]) for x in rows)}"
        )
    return concatenate(rows, 0) if len(rows) > 1 else rows[0]


def _importance(x: Any, fweights: Any, aweights: Any) -> Any:
    """The product of both sorts of weights; None where there are none."""
    w = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        found = operand("cov", given, x)
        if tuple(found.shape) != (x.shape[1],):
            raise errors.ShapeError(
                f"cov: {name} has one number for each of the {x.shape[1]} observations; got shape {tuple(found.shape)}"
            )
        found = as_type(found, x.dtype)
        w = found if w is None else w * found
    return w


# Correlations leave [-1, 1] by rounding only, so that putting them back changes nothing in their derivatives.
_within_one: Elementwise = Elementwise("within_one", lambda g, _y, _x: g, kernel=lambda xp, x: xp.clip(x, -1, 1))


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Correlations of several variables: covariances divided by both standard deviations; parameters as for `cov`.

    A variable that does not vary has none: its correlations are nan.

    Examples
    --------
    >>> tg.corrcoef(tg.tensor([[1.0, 2.0, 3.0], [1.0, 0.0, -1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    rows = _variables("corrcoef", x, y, rowvar, dtype)
    if not rows.shape[1]:
        raise errors.ShapeError("corrcoef: no observations; it needs at least two")
    centred = wide(rows) - mean(wide(rows), 1, keepdims=True)
    scaled = centred / sqrt(sum(square(centred), 1, keepdims=True))
    c = matmul(scaled, transpose(scaled))
    c = as_type(_within_one(c), rows.dtype)
    return c.reshape(()) if c.size == 1 else c
