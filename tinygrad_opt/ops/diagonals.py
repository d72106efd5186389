"""Diagonals and triangles of matrices.

With its rows one after the other, a matrix of `m` columns has its diagonal at every ``m + 1``-st place: a slice.
"""

from __future__ import annotations

from typing import Any

from .. import errors
from ..core.kinds import Linear, broadcast_to
from ..core.primitive import operand
from .index import pick, scatter_add
from .reduce import sum
from .shape import _reshape, as_integer, moveaxis, normalize_axis

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


def _slice(n: int, m: int, k: int) -> slice:
    """Where the k-th diagonal of an n by m matrix lies among its elements."""
    start, length = (k, min(n, m - k)) if k >= 0 else (-k * m, min(n + k, m))
    return slice(start, start + (length - 1) * (m + 1) + 1, m + 1) if length > 0 else slice(0, 0)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of matrices.

    Parameters
    ----------
    x : tensor or array, of at least two axes
    offset : int
        0 for the main diagonal, positive ones lie above it.
    axis1, axis2 : int
        The axes of the rows and columns; the diagonal comes last in the result.

    Examples
    --------
    >>> tg.diagonal(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return _diagonal("diagonal", x, offset, axis1, axis2)


def _diagonal(function: str, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    x = operand(function, x)
    ndim = len(x.shape)
    if ndim < 2:
        raise errors.ShapeError(f"{function}: a diagonal needs two axes; got shape {tuple(x.shape)}")
    k = as_integer(function, "offset", offset)
    rows, columns = normalize_axis(function, axis1, ndim, "axis1"), normalize_axis(function, axis2, ndim, "axis2")
    if rows == columns:
        raise errors.ShapeError(f"{function}: axis1 and axis2 must be different; both are {rows}")
    if (rows, columns) != (ndim - 2, ndim - 1):
        x = moveaxis(x, (rows, columns), (-2, -1))
    *lead, n, m = x.shape
    return pick(_reshape(x, shape=(*lead, n * m)), index=(..., _slice(n, m, k)))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum along the diagonals of matrices, in that `dtype`; parameters as for `diagonal`.

    Examples
    --------
    >>> tg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    return sum(_diagonal("trace", x, offset, axis1, axis2), -1, dtype)


def diag(x: Any, k: int = 0) -> Any:
    """A matrix with the vector `x` on its k-th diagonal; or the k-th diagonal of the matrix `x`.

    Examples
    --------
    >>> tg.diag(tg.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    x = operand("diag", x)
    if len(x.shape) not in (1, 2):
        raise errors.ShapeError(
            f"diag: a vector or a matrix is needed; got shape {tuple(x.shape)}. Stacks of matrices have diagonal"
        )
    offset = as_integer("diag", "k", k)
    return _diagonal("diag", x, offset, 0, 1) if len(x.shape) == 2 else _onto_diagonal(x, offset)


def diagflat(x: Any, k: int = 0) -> Any:
    """A matrix with all elements of `x` on its k-th diagonal.

    Examples
    --------
    >>> tg.diagflat(tg.tensor([[1.0, 2.0]]), 1).shape
    (3, 3)
    """
    x = operand("diagflat", x)
    return _onto_diagonal(_reshape(x, shape=(x.size,)), as_integer("diagflat", "k", k))


def _onto_diagonal(x: Any, k: int) -> Any:
    n = x.size + abs(k)
    return _reshape(scatter_add(x, shape=(n * n,), index=(_slice(n, n, k),)), shape=(n, n))


def _triangle(name: str) -> Linear:
    kernel = lambda xp, x, *, k: getattr(xp, name)(x, k)  # noqa: E731
    triangle: Linear = Linear(name, lambda g, like, *, k: triangle(g, k=k), kernel=kernel)
    return triangle


# Each is a projection: its own transpose.
_triu, _tril = _triangle("triu"), _triangle("tril")


def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of matrices, from the k-th diagonal on; zeros below it.

    Examples
    --------
    >>> tg.triu(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 2.],
            [0., 4.]])
    """
    return _triu(_square("triu", x), k=as_integer("triu", "k", k))


def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of matrices, up to the k-th diagonal; zeros above it.

    Examples
    --------
    >>> tg.tril(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 0.],
            [3., 4.]])
    """
    return _tril(_square("tril", x), k=as_integer("tril", "k", k))


def _square(function: str, x: Any) -> Any:
    """At least two axes: a vector is repeated as the rows of a square matrix, as in NumPy."""
    x = operand(function, x)
    if not x.shape:
        raise errors.ShapeError(f"{function}: a number has no triangle; at least one axis is needed")
    return broadcast_to(x, shape=(x.size, x.size)) if len(x.shape) == 1 else x
