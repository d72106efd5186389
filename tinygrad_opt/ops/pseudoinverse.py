"""What least squares needs: the pseudoinverse, and what follows from it."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..core.dtypes import float32
from ..core.kinds import Constant, General
from ..core.primitive import operand
from .arithmetic import astype
from .comparison import not_equal
from .matrices import factorizable, matrices, verify
from .reduce import any as any_of
from .shape import _reshape
from .spectra import svdvals

__all__ = ["lstsq", "matrix_rank", "pinv"]


def _pinv_kernel(xp: Any, x: Any, *, rcond: Any) -> Any:
    if x.size == 0:
        return xp.linalg.pinv(x)
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    large = s > _threshold(xp, rcond) * s.max(axis=-1, keepdims=True)
    inverse = xp.where(large, 1 / xp.where(large, s, xp.ones_like(s)), xp.zeros_like(s))
    return xp.matmul(vh.swapaxes(-1, -2) * inverse[..., None, :], u.swapaxes(-1, -2))


def _limit(function: str, value: Any) -> Any:
    """A tolerance as a number or an array."""
    array = getattr(value, "_array", value)
    if isinstance(array, (int, float)) or getattr(getattr(array, "dtype", None), "kind", "") in ("i", "u", "f"):
        return array
    raise TypeError(f"{function}: a tolerance is a number, or an array of one number for each matrix; got {value!r}")


def _threshold(xp: Any, value: Any) -> Any:
    """A number, or one number for each matrix of a stack."""
    return value if isinstance(value, (int, float)) else xp.asarray(value)[..., None]


# While the rank stays the same. Each term is written so that no square matrix of the longer side is formed.


def _pinv_push(t: Any, y: Any, x: Any, *, rcond: Any) -> Any:
    beside = t.mT - (t.mT @ x) @ y
    within = t.mT - y @ (x @ t.mT)
    return y @ (y.mT @ beside) - y @ t @ y + (within @ y.mT) @ y


def _pinv_pull(g: Any, y: Any, x: Any, *, rcond: Any) -> Any:
    left = (g.mT @ y) @ y.mT
    right = y.mT @ (y @ g.mT)
    return left - x @ (y @ left) - y.mT @ g @ y.mT + right - (right @ y) @ x


_pinv: General = General("pinv", [_pinv_push], [_pinv_pull], kernel=_pinv_kernel)
_UNSET: Any = object()


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _UNSET) -> Any:
    """Moore-Penrose pseudoinverse, by singular values.

    Parameters
    ----------
    a : tensor, shape (..., m, n)
        Its derivative is the one among matrices of the same rank: there is no other.
    rcond, rtol : float, or array of shape (...)
        Singular values up to this part of the largest one count as 0: 1e-15 by default, ``max(m, n) * eps`` for
        ``rtol=None``. Only one of the two can be given.
    hermitian : bool
        The matrices are symmetric; accepted as NumPy does, and of no consequence.

    Returns
    -------
    tensor, shape (..., n, m)

    Raises
    ------
    LinAlgError
        Where `a` is not a matrix, or the iteration does not converge.

    References
    ----------
    G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
    variables separate", SIAM Journal on Numerical Analysis 10 (1973).

    Examples
    --------
    >>> tg.linalg.pinv(tg.tensor([[2.0, 0.0]]))
    tensor([[0.5],
            [0. ]])
    """
    a = matrices("pinv", a, square=hermitian, name="a")
    if rcond is not None and rtol is not _UNSET:
        raise ValueError("pinv: only one of rcond and rtol can be given")
    if rcond is None:
        rcond = 1e-15 if rtol is _UNSET else _precision(a) if rtol is None else rtol
    y = _pinv(a, rcond=_limit("pinv", rcond))
    verify("pinv", "SVD did not converge", y)
    return y


def _precision(a: Any) -> float:
    """The relative size of what rounding leaves of a singular value that is 0."""
    return max(a.shape[-2:]) * (2.0**-23 if a.dtype == float32 else 2.0**-52)  # integers are computed with as float64


def _rank_kernel(xp: Any, x: Any, *, tol: Any, rtol: Any) -> Any:
    s = xp.linalg.svd(x, compute_uv=False)
    verify("matrix_rank", "SVD did not converge", s)
    if tol is None and s.shape[-1]:
        tol = s.max(axis=-1, keepdims=True) * _threshold(xp, rtol)
    else:
        tol = 0 if tol is None else _threshold(xp, tol)
    return (s > tol).sum(axis=-1)


_matrix_rank: Constant = Constant("matrix_rank", kernel=_rank_kernel)


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Number of singular values that are not 0, up to rounding: an integer for each matrix, without a derivative.

    Parameters
    ----------
    A : tensor, shape (..., m, n), or fewer axes
        A vector or number has rank 1, unless it is 0.
    tol : float, or array of shape (...)
        The size up to which a singular value counts as 0.
    hermitian : bool
        The matrices are symmetric; accepted as NumPy does, and of no consequence.
    rtol : float, or array of shape (...)
        The same, as a part of the largest singular value; ``max(m, n) * eps`` by default.

    Examples
    --------
    >>> tg.linalg.matrix_rank(tg.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    A = factorizable("matrix_rank", operand("matrix_rank", A), "A")
    if tol is not None and rtol is not None:
        raise ValueError("matrix_rank: only one of tol and rtol can be given")
    if len(A.shape) < 2:
        return astype(any_of(not_equal(A, 0)), "int64")
    rtol = _precision(A) if rtol is None else rtol
    return _matrix_rank(A, tol=None if tol is None else _limit("matrix_rank", tol), rtol=_limit("matrix_rank", rtol))


def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, int, Any]:
    """Least squares: the x that makes ``|b - a x|`` smallest, and the shortest one where there are several.

    Parameters
    ----------
    a : tensor, shape (m, n)
    b : tensor, shape (m,) or (m, k)
    rcond : float, optional
        Singular values up to this part of the largest one count as 0: ``max(m, n) * eps`` by default.

    Returns
    -------
    x : tensor, shape (n,) or (n, k)
        Its derivative is the one among matrices of the same rank.
    residuals : tensor, shape (1,) or (k,); (0,) where the rank is below n, or m is not above n
        The smallest values of ``|b - a x|²``.
    rank : int
    s : tensor, shape (min(m, n),)
        The singular values of `a`.

    Raises
    ------
    LinAlgError
        Where `a` is not one matrix.
    ShapeError
        Where `b` has another number of rows.

    Examples
    --------
    >>> x, residuals, rank, s = tg.linalg.lstsq(tg.tensor([[1.0], [1.0]]), tg.tensor([1.0, 3.0]))
    >>> x, residuals
    (tensor([2.]), tensor([2.]))
    """
    a = matrices("lstsq", a, name="a", beside=b)
    b = factorizable("lstsq", operand("lstsq", b, a), "b")
    if len(a.shape) != 2:
        raise errors.not_matrices("lstsq", "a", a.shape, False)
    m, n = a.shape
    if len(b.shape) not in (1, 2) or b.shape[0] != m:
        raise errors.ShapeError(
            f"lstsq: b must have as many rows as a, shape ({m},) or ({m}, k); got {tuple(b.shape)}"
        )  # fmt: skip
    rcond = _precision(a) if rcond is None or _limit("lstsq", rcond) < 0 else rcond
    right = _reshape(b, shape=(m, 1)) if len(b.shape) == 1 else b
    s = svdvals(a)
    rank = int((s > rcond * s[:1]).sum())  # they are in descending order
    x = _pinv(a, rcond=rcond) @ right
    left_over = right - a @ x
    residuals = (left_over * left_over).sum(0)
    if rank < n or m <= n:
        residuals = residuals[:0]
    return x[:, 0] if len(b.shape) == 1 else x, residuals, rank, s
