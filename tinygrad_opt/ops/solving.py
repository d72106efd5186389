"""Linear equations. The derivative of a solution is the solution of another system with the same matrix.

The rules of `inv`, `solve` and the determinants follow M. Giles, "Collected matrix derivative results for forward and
reverse mode algorithmic differentiation", Advances in Automatic Differentiation (2008).
"""

from __future__ import annotations

import math
from typing import Any

from .. import errors
from ..core.kinds import General
from ..core.primitive import operand
from .matrices import factorizable, matrices, verify
from .shape import _reshape

__all__ = ["inv", "solve"]


_inv: General = General(
    "inv",
    [lambda t, y, _x: -(y @ t @ y)],
    [lambda g, y, _x: -(y.mT @ g @ y.mT)],
    kernel=lambda xp, x: xp.linalg.inv(x),
)


def _solve_kernel(xp: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 < b.ndim:  # one matrix, factorized once: the columns of all right sides stand side by side
        columns = b.swapaxes(0, -2)
        y = xp.linalg.solve(a, columns.reshape((b.shape[-2], math.prod(columns.shape[1:]))))
        return y.reshape(columns.shape).swapaxes(0, -2)
    stack = xp.broadcast_shapes(a.shape[:-2], b.shape[:-2])  # CuPy's solve does not broadcast
    wide = [xp.broadcast_to(x, (*stack, *x.shape[-2:])) for x in (a, b)]
    return xp.linalg.solve(*wide)


# Both arguments are matrices; leading axes broadcast, and are summed back by the kind.
_solve: General = General(
    "solve",
    [lambda t, y, a, _b: -_solve(a, t @ y), lambda t, _y, a, _b: _solve(a, t)],
    [lambda g, y, a, _b: -(_solve(a.mT, g) @ y.mT), lambda g, _y, a, _b: _solve(a.mT, g)],
    kernel=_solve_kernel,
)


def inv(a: Any) -> Any:
    """Inverse of square matrices.

    Prefer `solve` where the inverse would only be multiplied with something: it is quicker and more accurate.

    Parameters
    ----------
    a : tensor, shape (..., n, n)

    Raises
    ------
    LinAlgError
        Where a matrix is singular, or not square (on a GPU, looking for this waits for the result).

    Examples
    --------
    >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    a = matrices("inv", a, square=True, name="a")
    y = _inv(a)
    verify("inv", "Singular matrix", y, a)
    return y


def solve(a: Any, b: Any) -> Any:
    """The x with ``a x = b``, for square matrices `a`.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
    b : tensor, shape (n,) or (..., n, k)
        A vector only where it has one axis, as in NumPy 2; else matrices, whose columns are solved for. Leading axes
        broadcast.

    Returns
    -------
    tensor, shape (..., n) for a vector, else (..., n, k)

    Raises
    ------
    LinAlgError
        Where a matrix is singular, or not square.
    ShapeError
        Where `b` has another number of rows.

    Examples
    --------
    >>> tg.linalg.solve(tg.tensor([[2.0, 0.0], [0.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([0.5 , 0.25])
    """
    a = matrices("solve", a, square=True, name="a", beside=b)
    b = factorizable("solve", operand("solve", b, a), "b")
    rows = tuple(b.shape)[-2:]
    if not rows or rows[0] != a.shape[-1]:
        raise errors.ShapeError(
            f"solve: b must have as many rows as a; got a {tuple(a.shape)} and b {tuple(b.shape)}: expected a vector "
            f"({a.shape[-1]},), or matrices (..., {a.shape[-1]}, k); for a stack of vectors write b[..., None]"
        )
    x = _solve(a, b if len(rows) > 1 else _reshape(b, shape=(*rows, 1)))
    verify("solve", "Singular matrix", x, a, b)
    return x if len(rows) > 1 else x[..., 0]
