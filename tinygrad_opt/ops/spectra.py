"""Decompositions by spectra: eigenvalues of symmetric matrices, singular values of any.

What `eigh` reads is one triangle; its derivative is the one along symmetric directions, so that the gradient is
symmetric.

Where eigenvalues or singular values coincide, the vectors turn freely, and have no derivative. The rules divide by the
gaps, and read 0/0 as 0: the gradient of a function of the values alone is right there too, as long as it treats equal
values alike; anything that depends on how the vectors turn is infinite or nan.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import errors
from ..core.kinds import General
from .arithmetic import absolute
from .comparison import sign
from .matrices import (
    identity,
    library_beside,
    matrices,
    over,
    over_gaps,
    pack,
    symmetric,
    unpack,
    verify,
    wants_derivative,
)

__all__ = ["eigh", "eigvalsh", "svd", "svdvals"]


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values in descending order, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


# Eigenvalues of symmetric matrices. The rules cut what is packed into the eigenvalues w and the eigenvectors v.


def _eigh_kernel(xp: Any, x: Any, *, UPLO: str, n: int) -> Any:
    return pack(x.ndim - 2, *xp.linalg.eigh(x, UPLO=UPLO))


def _eigh_push(t: Any, y: Any, _x: Any, *, UPLO: str, n: int) -> Any:
    w, v = unpack(y, (n,), (n, n))
    moved = symmetric(t) @ v
    return pack(len(t.shape) - 2, (v * moved).sum(-2), v @ over_gaps(v.mT @ moved, w))


def _eigh_pull(g: Any, y: Any, _x: Any, *, UPLO: str, n: int) -> Any:
    w, v = unpack(y, (n,), (n, n))
    gw, gv = unpack(g, (n,), (n, n))
    inner = over_gaps(v.mT @ gv, w) + _diagonal(gw)
    return symmetric(v @ inner @ v.mT)


def _diagonal(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    wide = x[..., None, :]
    return identity(wide) * wide


_eigh: General = General("eigh", [_eigh_push], [_eigh_pull], kernel=_eigh_kernel)


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues and orthonormal eigenvectors of symmetric matrices: ``a = V diag(w) Vᵀ``.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
        Its gradient is symmetric: the derivative along symmetric directions.
    UPLO : "L" or "U"
        Which triangle is read, the lower or the upper one.

    Returns
    -------
    eigenvalues : tensor, shape (..., n)
        In ascending order.
    eigenvectors : tensor, shape (..., n, n)
        As columns; their signs are as they come. They have a derivative only where the eigenvalues differ: it grows as
        one over the gaps, and is not finite where two are equal.

    Raises
    ------
    LinAlgError
        Where the matrices are not square, or the iteration does not converge.

    References
    ----------
    M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).

    Examples
    --------
    >>> tg.linalg.eigh(tg.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return EighResult(*_eigen("eigh", a, UPLO))


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric matrices, in ascending order; parameters as for `eigh`.

    Examples
    --------
    >>> tg.linalg.eigvalsh(tg.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    return _eigen("eigvalsh", a, UPLO)[0]


def _eigen(function: str, a: Any, UPLO: str) -> list[Any]:
    a = matrices(function, a, square=True, name="a")
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise ValueError(f"{function}: UPLO must be 'L' or 'U'; got {UPLO!r}")
    n = a.shape[-1]
    y = _eigh(a, UPLO=UPLO.upper(), n=n)
    verify(function, "Eigenvalues did not converge", y, a)
    return unpack(y, (n,), (n, n))


# Singular values. The rules know the thin form, with k = min(m, n) vectors on both sides.


def _svd_kernel(xp: Any, x: Any, *, shape: tuple[int, int], full: bool) -> Any:
    return pack(x.ndim - 2, *xp.linalg.svd(x, full_matrices=full))


def _svd_shapes(shape: tuple[int, int], full: bool = False) -> list[tuple[int, ...]]:
    m, n = shape
    k = min(m, n)
    return [(m, m if full else k), (k,), (n if full else k, n)]


def _svd_push(t: Any, y: Any, _x: Any, *, shape: tuple[int, int], full: bool) -> Any:
    u, s, vh = unpack(y, *_svd_shapes(shape))
    v = vh.mT
    m, n = shape
    moved, turned = t @ v, t.mT @ u
    p = u.mT @ moved
    right, left = p * s[..., None, :], p * s[..., :, None]
    du, dv = u @ _over_gaps_of_squares(right + right.mT, s), v @ _over_gaps_of_squares(left + left.mT, s)
    if m > n:
        du = du + over(moved - u @ p, s[..., None, :])
    if n > m:
        dv = dv + over(turned - v @ p.mT, s[..., None, :])
    return pack(len(t.shape) - 2, du, (u * moved).sum(-2), dv.mT)


def _svd_pull(g: Any, y: Any, _x: Any, *, shape: tuple[int, int], full: bool) -> Any:
    (u, s, vh), (gu, gs, gvh) = (unpack(packed, *_svd_shapes(shape)) for packed in (y, g))
    v, gv = vh.mT, gvh.mT
    m, n = shape
    a, b = u.mT @ gu, v.mT @ gv
    right, left = _over_gaps_of_squares(a - a.mT, s), _over_gaps_of_squares(b - b.mT, s)
    x = u @ (right * s[..., None, :] + left * s[..., :, None] + _diagonal(gs)) @ vh
    if m > n:
        x = x + over(gu - u @ a, s[..., None, :]) @ vh
    if n > m:
        x = x + u @ over(gv - v @ b, s[..., None, :]).mT
    return x


def _over_gaps_of_squares(x: Any, s: Any) -> Any:
    """``x_ij / (s_j² - s_i²)``, without squares that overflow, and 0 on the diagonal."""
    return over(over_gaps(x, s), s[..., None, :] + s[..., :, None])


_svd: General = General("svd", [_svd_push], [_svd_pull], kernel=_svd_kernel)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition: ``a = U diag(S) Vh``.

    Parameters
    ----------
    a : tensor, shape (..., m, n)
    full_matrices : bool
        Complete both sides to orthogonal matrices, (m, m) and (n, n). The vectors that this adds are any that fit: they
        have no derivative, so a matrix that is not square and to be differentiated needs ``full_matrices=False``.
    compute_uv : bool
        False: only S is returned, as by `svdvals`.
    hermitian : bool
        The matrices are symmetric: `eigh` finds the result more quickly.

    Returns
    -------
    U : tensor, shape (..., m, k)
    S : tensor, shape (..., k)
        In descending order; ``k = min(m, n)``.
    Vh : tensor, shape (..., k, n)
        U and Vh have a derivative only where the singular values differ: it grows as one over the gaps, and is not
        finite where two are equal.

    Raises
    ------
    LinAlgError
        Where `a` is not a matrix, or the iteration does not converge.
    GraphError
        For ``full_matrices=True`` where the added vectors would have to be differentiated.

    References
    ----------
    J. Townsend, "Differentiating the singular value decomposition" (2016).

    Examples
    --------
    >>> tg.linalg.svd(tg.tensor([[0.0, 3.0], [2.0, 0.0]])).S
    tensor([3., 2.])
    """
    a = matrices("svd", a, square=hermitian, name="a")
    shape = (a.shape[-2], a.shape[-1])
    if hermitian:
        result = _svd_by_eigh(a)
        return result if compute_uv else result.S
    full = bool(full_matrices) and bool(compute_uv) and shape[0] != shape[1]
    if full and wants_derivative(a):
        raise errors.undefined_basis("svd", shape, "svd(x, full_matrices=False), or svdvals(x)")
    y = _svd(a, shape=shape, full=full)
    verify("svd", "SVD did not converge", y)
    result = SVDResult(*unpack(y, *_svd_shapes(shape, full)))
    return result if compute_uv else result.S


def _svd_by_eigh(a: Any) -> SVDResult:
    """Eigenvalues by size, their signs moved to one side."""
    w, v = eigh(a)
    xp, there = library_beside(w)
    with there:
        order = xp.argsort(-xp.abs(getattr(w, "_array", w)), axis=-1)
        chosen = (order[..., None, :] == xp.arange(w.shape[-1])[:, None]).astype(w.dtype)
    w, v = (w[..., None, :] @ chosen)[..., 0, :], v @ chosen
    return SVDResult(v, absolute(w), v.mT * sign(w)[..., :, None])


def svdvals(x: Any) -> Any:
    """Singular values, in descending order.

    Parameters
    ----------
    x : tensor, shape (..., m, n)

    Returns
    -------
    tensor, shape (..., min(m, n))

    Examples
    --------
    >>> tg.linalg.svdvals(tg.tensor([[0.0, 3.0], [2.0, 0.0]]))
    tensor([3., 2.])
    """
    return svd(matrices("svdvals", x), compute_uv=False)
