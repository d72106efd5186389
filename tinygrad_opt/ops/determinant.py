"""Determinants. The derivative of the determinant is the matrix of cofactors, which exists for singular matrices too.

``det(A) A⁻ᵀ`` does not: it is 0/0 there. With ``A = U diag(s) Vᵀ`` the cofactors are ``det(U) det(V) U diag(e) Vᵀ``,
where e_i is the product of all singular values but s_i: nothing is divided. Their own derivative is of the same make,
with products of all but two. So first and second derivatives are right for matrices of any rank.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .. import backend
from ..core.kinds import General
from ..errors import LinAlgError
from .choice import where
from .comparison import isfinite, sign
from .concatenation import stack
from .matrices import identity, matrices, unpack
from .solving import _inv
from .spectra import _svd

__all__ = ["det", "slogdet"]


class SlogdetResult(NamedTuple):
    """The sign of the determinant (0 where it vanishes), and the logarithm of its magnitude."""

    sign: Any
    logabsdet: Any


def _products_of_others(s: Any) -> Any:
    """Along the last axis: for each element the product of all the others, from the left and from the right."""
    n = s.shape[-1]
    left, right = [s[..., 0] * 0 + 1], [s[..., 0] * 0 + 1]
    for i in range(n - 1):
        left.append(left[-1] * s[..., i])
        right.append(right[-1] * s[..., n - 1 - i])
    return stack([a * b for a, b in zip(left, right[::-1], strict=True)], axis=-1)


def _decomposed(x: Any) -> tuple[Any, Any, Any, Any]:
    """Singular vectors and values, and ``det(U) det(V)``, 1 or -1; nan in its place for a matrix that is not finite."""
    known = isfinite(x).all(axis=(-2, -1), keepdims=True)
    n = x.shape[-1]
    u, s, vh = unpack(_svd(where(known, x, 0.0), shape=(n, n), full=False), (n, n), (n,), (n, n))
    return u, s, vh, where(known, sign(_det(u) * _det(vh))[..., None, None], math.nan)


def _cofactor_kernel(xp: Any, x: Any) -> Any:
    if x.size == 0:
        return xp.zeros(x.shape, dtype=x.dtype)
    if (inverse := _well_conditioned_inverse(xp, x)) is not None:
        return xp.linalg.det(x)[..., None, None] * inverse.swapaxes(-1, -2)
    u, s, vh, turn = _decomposed(x)
    return turn * ((u * _products_of_others(s)[..., None, :]) @ vh)


def _well_conditioned_inverse(xp: Any, x: Any) -> Any:
    """The inverse, where dividing by the determinant costs no more than three digits: it is quicker to find.

    On the host only: elsewhere the question would wait for the device.
    """
    if backend.of(x) is not backend.HOST:
        return None
    try:
        inverse = xp.linalg.inv(x)
    except LinAlgError:
        return None
    squares = (x * x).sum(axis=(-2, -1)) * (inverse * inverse).sum(axis=(-2, -1))
    return inverse if bool((squares < 1e6).all()) else None


def _cofactor_rule(t: Any, _y: Any, x: Any) -> Any:
    """In the basis of the singular vectors; the map is its own transpose, as the second derivative of det."""
    if 0 in x.shape:
        return t
    u, s, vh, turn = _decomposed(x)
    unit = identity(x)
    others = _products_of_others(where(unit != 0, 1.0, s[..., None, :])) * (1 - unit)  # all but s_i and s_j
    p = u.mT @ t @ vh.mT
    along = (p * unit).sum(-1)
    inner = unit * (others @ along[..., None]) - others * p.mT
    return turn * (u @ inner @ vh)


_cofactor: General = General("cofactor", [_cofactor_rule], kernel=_cofactor_kernel)
_det: General = General(
    "det",
    [lambda t, _y, x: (_cofactor(x) * t).sum((-2, -1))],
    [lambda g, _y, x: g[..., None, None] * _cofactor(x)],
    kernel=lambda xp, x: xp.linalg.det(x),
)

# One row for each matrix: the sign, which does not move, and the logarithm.


def _slogdet_push(t: Any, _y: Any, x: Any) -> Any:
    slope = (_inv(x).mT * t).sum((-2, -1))
    return stack([slope * 0, slope], axis=-1)


_slogdet: General = General(
    "slogdet",
    [_slogdet_push],
    [lambda g, _y, x: g[..., 1, None, None] * _inv(x).mT],
    kernel=lambda xp, x: xp.stack(xp.linalg.slogdet(x), axis=-1),
)


def det(a: Any) -> Any:
    """Determinant of square matrices.

    Its first and second derivatives are right for singular matrices too, whatever the rank. A third one needs singular
    values that differ, where some vanish.

    Parameters
    ----------
    a : tensor, shape (..., n, n)

    Returns
    -------
    tensor, shape (...)

    Raises
    ------
    LinAlgError
        Where the matrices are not square.

    Examples
    --------
    >>> tg.linalg.det(tg.tensor([[2.0, 1.0], [1.0, 3.0]]))
    tensor(5.)
    """
    return _det(matrices("det", a, square=True, name="a"))


def slogdet(a: Any) -> SlogdetResult:
    """Sign of the determinant, and logarithm of its magnitude: for determinants that would overflow.

    Parameters
    ----------
    a : tensor, shape (..., n, n)

    Returns
    -------
    sign : tensor, shape (...)
        Without a derivative.
    logabsdet : tensor, shape (...)
        -inf for a singular matrix; its derivative is infinite there, and asking for it raises (on a GPU, where a
        derivative does not wait for what was found, it is not finite).

    Raises
    ------
    LinAlgError
        Where the matrices are not square.

    Examples
    --------
    >>> tg.linalg.slogdet(tg.tensor([[2.0, 0.0], [0.0, -0.5]])).sign
    tensor(-1.)
    """
    packed = _slogdet(matrices("slogdet", a, square=True, name="a"))
    return SlogdetResult(sign(packed[..., 0]), packed[..., 1])
