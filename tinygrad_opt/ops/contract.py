"""Sums of products: matrix multiplication of any rank, and the affine map of a layer."""

from __future__ import annotations

import math
from typing import Any

from .. import errors
from ..core.kinds import General, Multilinear
from ..core.primitive import operand
from .shape import _reshape

__all__ = ["affine", "matmul"]


# Both arguments have at least two axes; leading ones broadcast, and are summed back by the kind.
_matmul: Multilinear = Multilinear(
    "matmul",
    lambda g, _a, b: g @ b.swapaxes(-1, -2),
    lambda g, a, _b: a.swapaxes(-1, -2) @ g,
)


def matmul(a: Any, b: Any) -> Any:
    """Matrix product, ``a @ b``, as in NumPy.

    A vector is a row on the left and a column on the right; leading axes broadcast.

    Parameters
    ----------
    a : tensor, shape (..., n, k) or (k,)
    b : tensor, shape (..., k, m) or (k,)

    Returns
    -------
    tensor, shape (..., n, m)
        Without ``n`` where `a` is a vector, and without ``m`` where `b` is one.

    Raises
    ------
    ShapeError
        Where the inner lengths differ, or an argument is a number.

    Examples
    --------
    >>> tg.matmul(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    a = operand("matmul", a, b)
    b = operand("matmul", b, a)
    p, q = a.shape, b.shape
    if not p or not q:
        raise errors.ShapeError(f"matmul: shapes {tuple(p)} and {tuple(q)}: a number has no axes; use a * b")
    if p[-1] != q[0 if len(q) == 1 else -2]:
        raise errors.ShapeError(
            f"matmul: shapes {tuple(p)} and {tuple(q)}: the last axis of the first ({p[-1]}) must be as long as "
            f"the {'only' if len(q) == 1 else 'last but one'} axis of the second ({q[0 if len(q) == 1 else -2]})"
        )
    if len(p) == 2 and len(q) == 2:
        return _matmul(a, b)
    if len(p) > 2 and len(q) <= 2:  # one product of two matrices, in place of a batch of small ones
        rows = _reshape(a, shape=(math.prod(p[:-1]), p[-1]))
        return _reshape(matmul(rows, b), shape=(*p[:-1], *q[1:]))
    row = _reshape(a, shape=(1, *p)) if len(p) == 1 else a
    column = _reshape(b, shape=(*q, 1)) if len(q) == 1 else b
    product = _matmul(row, column)
    if len(p) == 1:
        product = _reshape(product, shape=(*product.shape[:-2], product.shape[-1]))
    return _reshape(product, shape=product.shape[:-1]) if len(q) == 1 else product


def _affine_kernel(xp: Any, x: Any, weight: Any, bias: Any) -> Any:
    sides = weight.shape
    if x.ndim != 2 or len(sides) != 2 or x.shape[1] != sides[1] or bias.shape != sides[:1]:
        raise ValueError("expected x (..., n), weight (m, n), bias (m,)")  # a bias of (1,) would broadcast
    y = xp.matmul(x, weight.T)
    if y.dtype != bias.dtype:
        return y + bias
    y += bias
    return y


# One node in place of three for the commonest layer: the product is not kept, only x and the weight are.
_affine: General = General(
    "affine",
    pushes=[
        lambda t, _y, _x, weight, _b: t @ weight.T,
        lambda t, _y, x, _w, _b: x @ t.T,
        lambda t, _y, _x, _w, _b: t,
    ],
    pulls=[
        lambda g, _y, _x, weight, _b: g @ weight,
        lambda g, _y, x, _w, _b: g.T @ x,
        lambda g, _y, _x, _w, _b: g.sum(0),
    ],
    kernel=_affine_kernel,
)


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """``y = x Wᵀ + b``: what a linear layer computes.

    Parameters
    ----------
    x : tensor, shape (..., n)
    weight : tensor, shape (m, n)
    bias : tensor, shape (m,)

    Returns
    -------
    tensor, shape (..., m)

    Raises
    ------
    ShapeError
        Where these shapes do not fit together.

    Examples
    --------
    >>> tg.affine(tg.tensor([[1.0, 2.0]]), tg.tensor([[1.0, 1.0]]), tg.tensor([0.5]))
    tensor([[3.5]])
    """
    x, weight = operand("affine", x, weight), operand("affine", weight, x, 1)
    shape = x.shape
    if len(shape) == 2 or not shape or len(weight.shape) != 2:  # what does not fit, the kernel refuses
        return _affine(x, weight, bias)
    rows = _reshape(x, shape=(math.prod(shape[:-1]), shape[-1]))
    return _reshape(_affine(rows, weight, bias), shape=(*shape[:-1], weight.shape[0]))
