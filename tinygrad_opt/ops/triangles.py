"""Decompositions into triangles: Cholesky, QR. Their derivatives split a matrix into its triangles.

What Cholesky reads is one triangle; its derivative is the one along symmetric directions, so that the gradient is
symmetric.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import backend, errors
from ..core.kinds import General
from .checks import one_of
from .concatenation import concatenate
from .matrices import library_beside, lower, matrices, pack, symmetric, unpack, verify, wants_derivative
from .solving import _inv, _solve

__all__ = ["cholesky", "qr"]


class QRResult(NamedTuple):
    """Orthonormal columns, and an upper triangle."""

    Q: Any
    R: Any


# Cholesky.


def _cholesky_push(t: Any, y: Any, _x: Any) -> Any:
    inverse = _inv(y)
    return y @ lower(inverse @ symmetric(t) @ inverse.mT, 0.5)


def _cholesky_pull(g: Any, y: Any, _x: Any) -> Any:
    inverse = _inv(y)
    return symmetric(inverse.mT @ lower(y.mT @ g, 0.5) @ inverse)


_cholesky: General = General("cholesky", [_cholesky_push], [_cholesky_pull], kernel=lambda xp, x: xp.linalg.cholesky(x))


def _check_pivots(y: Any, a: Any) -> None:
    """Off the host a failure leaves nan, or a pivot that is not positive: its logarithm is not finite."""
    array = getattr(y, "_array", y)
    if backend.of(array) is not backend.HOST:
        xp, there = library_beside(array)
        with there:
            logarithms = xp.log(xp.diagonal(array, axis1=-2, axis2=-1))
        verify("cholesky", "Matrix is not positive definite", logarithms, a)


def cholesky(a: Any, *, upper: bool = False) -> Any:
    """The lower triangle L with ``a = L Lᵀ``, for symmetric positive definite matrices.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
        Only its lower triangle is read. Its gradient is symmetric: the derivative along symmetric directions.
    upper : bool
        Read the upper triangle, and return the upper triangle ``U = Lᵀ``, ``a = Uᵀ U``.

    Raises
    ------
    LinAlgError
        Where a matrix is not positive definite, or not square.

    References
    ----------
    I. Murray, "Differentiation of the Cholesky decomposition" (2016).

    Examples
    --------
    >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    a = matrices("cholesky", a, square=True, name="a")
    y = _cholesky(a.mT if upper else a)
    _check_pivots(y, a)
    return y.mT if upper else y


# QR. The primitive takes tall matrices; the further columns of a wide one follow the first ones.


def _qr_kernel(xp: Any, x: Any, *, shape: tuple[int, int], complete: bool) -> Any:
    q, r = xp.linalg.qr(x, mode="complete" if complete else "reduced")
    return pack(x.ndim - 2, q, r)


def _qr_shapes(shape: tuple[int, int], complete: bool = False) -> list[tuple[int, ...]]:
    m, n = shape
    k = m if complete else min(m, n)
    return [(m, k), (k, n)]


def _qr_push(t: Any, y: Any, _x: Any, *, shape: tuple[int, int], complete: bool) -> Any:
    q, r = unpack(y, *_qr_shapes(shape))
    c = _over(t, r)
    p = q.mT @ c
    skew = lower(p, 0.0) - lower(p, 0.0).mT
    return pack(len(t.shape) - 2, q @ skew + c - q @ p, (p - skew) @ r)


def _qr_pull(g: Any, y: Any, _x: Any, *, shape: tuple[int, int], complete: bool) -> Any:
    (q, r), (gq, gr) = (unpack(packed, *_qr_shapes(shape)) for packed in (y, g))
    half = lower(r @ gr.mT - gq.mT @ q, 0.5)
    return _over(gq + q @ (half + half.mT), r.mT)


def _over(x: Any, r: Any) -> Any:
    """``x r⁻¹``."""
    return _solve(r.mT, x.mT).mT


_qr: General = General("qr", [_qr_push], [_qr_pull], kernel=_qr_kernel)


def qr(a: Any, mode: str = "reduced") -> Any:
    """QR decomposition: ``a = Q R``, with orthonormal columns in Q and an upper triangle R.

    Parameters
    ----------
    a : tensor, shape (..., m, n)
        For a derivative its first ``min(m, n)`` columns must be independent.
    mode : "reduced", "complete" or "r"
        "reduced": ``k = min(m, n)`` columns in Q. "complete": m columns; those that this adds to a tall matrix are any
        that fit, and have no derivative. "r": only R, of the reduced form.

    Returns
    -------
    Q : tensor, shape (..., m, k)
    R : tensor, shape (..., k, n)
        The signs are as they come: the diagonal of R may be negative.

    Raises
    ------
    LinAlgError
        Where `a` is not a matrix.
    GraphError
        For ``mode="complete"`` where the added columns would have to be differentiated.

    References
    ----------
    S. Walter, L. Lehmann and R. Lamour, "On evaluating higher-order derivatives of the QR decomposition of tall
    matrices with full column rank in forward and reverse mode algorithmic differentiation" (2012).

    Examples
    --------
    >>> Q, R = tg.linalg.qr(tg.tensor([[3.0, 5.0], [4.0, 0.0]]))
    >>> tg.absolute(R)
    tensor([[5., 3.],
            [0., 4.]])
    """
    one_of("qr", "mode", mode, ("reduced", "complete", "r"))
    a = matrices("qr", a, name="a")
    m, n = shape = (a.shape[-2], a.shape[-1])
    complete = mode == "complete" and m > n
    if complete and wants_derivative(a):
        raise errors.undefined_basis("qr", shape, "qr(x), whose mode is 'reduced'")
    first = (m, min(m, n))
    q, r = unpack(_qr(a[..., :m] if n > m else a, shape=first, complete=complete), *_qr_shapes(first, complete))
    if n > m:
        r = concatenate([r, q.mT @ a[..., m:]], axis=-1)
    return r if mode == "r" else QRResult(q, r)
