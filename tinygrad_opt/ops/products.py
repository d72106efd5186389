"""Products of two tensors, under the names that NumPy gives them: each is one sum of products, `einsum` of two."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.primitive import operand
from .einstein import _einsum, einsum
from .notation import LETTERS
from .shape import _reshape, moveaxis, normalize_axis, ravel

__all__ = ["dot", "inner", "kron", "outer", "tensordot", "vdot", "vecdot"]


def _operands(function: str, a: Any, b: Any) -> tuple[Any, Any]:
    return operand(function, a, b), operand(function, b, a, 1)


def _contracted(function: str, a: Any, b: Any, left: Sequence[int], right: Sequence[int]) -> Any:
    """The sum over pairs of axes; the result has the other axes of `a`, then those of `b`."""
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise errors.ShapeError(
                f"{function}: shapes {tuple(a.shape)} and {tuple(b.shape)}: axis {i} of the first ({a.shape[i]}) must "
                f"be as long as axis {j} of the second ({b.shape[j]})"
            )
    first = LETTERS[: len(a.shape)]
    second = list(LETTERS[len(a.shape) : len(a.shape) + len(b.shape)])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    out = [c for c in first if c not in second] + [c for c in second if c not in first]
    return _einsum(a, b, subscripts=f"{first},{''.join(second)}->{''.join(out)}")


def dot(a: Any, b: Any) -> Any:
    """Dot product, as in NumPy: over the last axis of `a` and the last but one (or only) axis of `b`.

    The inner product of two vectors, the product of two matrices, ``a * b`` where one of them is a number. Stacks of
    matrices meet each with each; `matmul` pairs them instead.

    Raises
    ------
    ShapeError
        Where the two axes differ in length.

    Examples
    --------
    >>> tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    a, b = _operands("dot", a, b)
    if not a.shape or not b.shape:
        return _contracted("dot", a, b, (), ())
    return _contracted("dot", a, b, (len(a.shape) - 1,), (max(len(b.shape) - 2, 0),))


def vdot(a: Any, b: Any) -> Any:
    """Dot product of all elements of `a` with all elements of `b`, whatever their shapes.

    Raises
    ------
    ShapeError
        Where they have different numbers of elements.

    Examples
    --------
    >>> tg.vdot(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0, 1.0, 1.0]))
    tensor(10.)
    """
    a, b = _operands("vdot", a, b)
    return _contracted("vdot", ravel(a), ravel(b), (0,), (0,))


def inner(a: Any, b: Any) -> Any:
    """Sum over the last axes of both, as in NumPy; ``a * b`` where one of them is a number.

    Raises
    ------
    ShapeError
        Where the last axes differ in length.

    Examples
    --------
    >>> tg.inner(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    a, b = _operands("inner", a, b)
    if not a.shape or not b.shape:
        return _contracted("inner", a, b, (), ())
    return _contracted("inner", a, b, (len(a.shape) - 1,), (len(b.shape) - 1,))


def outer(a: Any, b: Any) -> Any:
    """Every element of `a` times every element of `b`: a matrix, ``y_ij = a_i b_j``.

    Examples
    --------
    >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 10.0]))
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """
    a, b = _operands("outer", a, b)
    return _contracted("outer", ravel(a), ravel(b), (), ())


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Dot products of the vectors that lie along `axis`; the other axes broadcast.

    Raises
    ------
    ShapeError
        Where the vectors differ in length, or the other axes do not broadcast.

    Examples
    --------
    >>> tg.vecdot(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    x1, x2 = _operands("vecdot", x1, x2)
    i, j = (normalize_axis("vecdot", axis, len(x.shape)) for x in (x1, x2))
    first, second = moveaxis(x1, i, -1), moveaxis(x2, j, -1)
    pairs = list(zip(first.shape[::-1], second.shape[::-1], strict=False))
    if pairs[0][0] != pairs[0][1] or any(n != m and 1 not in (n, m) for n, m in pairs):
        raise errors.ShapeError(
            f"vecdot: the vectors along axis {axis} must have one length, and the other axes broadcast; got shapes "
            f"{tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    return einsum("...i,...i->...", first, second)


def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Any:
    """Sum over pairs of axes of two tensors.

    Parameters
    ----------
    a, b : tensor or array
    axes : int, or pair of (int or sequence of int)
        Which axes of `a` and which of `b` run together. An integer N: the last N of `a` and the first N of `b`.

    Returns
    -------
    tensor
        The remaining axes of `a`, then those of `b`.

    Raises
    ------
    ShapeError
        For axes that do not exist, are named twice, or differ in number or length.

    Examples
    --------
    >>> tg.tensordot(tg.ones((2, 3, 4)), tg.ones((4, 3, 5)), axes=((1, 2), (1, 0))).shape
    (2, 5)
    """
    a, b = _operands("tensordot", a, b)
    left, right = _pairs(axes, len(a.shape), len(b.shape))
    return _contracted("tensordot", a, b, left, right)


def _pairs(axes: Any, ndim_a: int, ndim_b: int) -> tuple[list[int], list[int]]:
    """The axes of both that run together, counted from the front."""
    if isinstance(count := _listed(axes), int):
        if not 0 <= count <= min(ndim_a, ndim_b):
            raise errors.ShapeError(
                f"tensordot: axes={count}: expected 0 to {min(ndim_a, ndim_b)} for {ndim_a} and {ndim_b} axes"
            )
        return list(range(ndim_a - count, ndim_a)), list(range(count))
    try:
        given_a, given_b = ((axis,) if isinstance(axis := _listed(given), int) else tuple(axis) for given in axes)
    except (TypeError, ValueError):
        raise TypeError(f"tensordot: axes must be an integer or a pair of (sequences of) axes; got {axes!r}") from None
    left, right = (
        [normalize_axis("tensordot", axis, ndim) for axis in given]
        for given, ndim in ((given_a, ndim_a), (given_b, ndim_b))
    )
    if len(left) != len(right) or len(set(left)) < len(left) or len(set(right)) < len(right):
        raise errors.ShapeError(f"tensordot: axes={axes!r} must name as many axes of both tensors, each once")
    return left, right


def _listed(axes: Any) -> Any:
    """An integer of any library as Python's; anything else as it is."""
    try:
        return operator.index(axes)
    except TypeError:
        return axes


def kron(a: Any, b: Any) -> Any:
    """Kronecker product: every element of `a` times the whole of `b`, block by block.

    A missing axis counts as one of length 1 in front.

    Examples
    --------
    >>> tg.kron(tg.tensor([1.0, 10.0]), tg.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    a, b = _operands("kron", a, b)
    ndim = max(len(a.shape), len(b.shape))
    p, q = ((1,) * (ndim - len(x.shape)) + tuple(x.shape) for x in (a, b))
    blocks, within = LETTERS[:ndim], LETTERS[ndim : 2 * ndim]
    pairs = "".join(f"{i}{j}" for i, j in zip(blocks, within, strict=True))
    product = _einsum(_reshape(a, shape=p), _reshape(b, shape=q), subscripts=f"{blocks},{within}->{pairs}")
    return _reshape(product, shape=tuple(n * m for n, m in zip(p, q, strict=True)))
