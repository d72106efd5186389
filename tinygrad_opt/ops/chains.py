"""Products of many matrices: powers of one, and chains of different ones."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.primitive import operand
from .choice import where
from .contract import matmul
from .matrices import identity, matrices
from .shape import _reshape, as_integer, copy
from .solving import inv

__all__ = ["matrix_power", "multi_dot"]


def matrix_power(a: Any, n: int) -> Any:
    """Square matrices to an integer power, by repeated squaring.

    Parameters
    ----------
    a : tensor, shape (..., m, m)
    n : int
        0 gives the unit matrix; a negative power is that of the inverse.

    Raises
    ------
    LinAlgError
        Where the matrices are not square, or singular and `n` is negative.
    TypeError
        For a power that is not an integer.

    Examples
    --------
    >>> tg.linalg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    a = matrices("matrix_power", a, square=True, half=True, name="a")
    power = as_integer("matrix_power", "n", n)
    if power == 0:
        return where(False, a, identity(a))  # of a's shape, and with derivative 0
    square, power, result = (inv(a), -power, None) if power < 0 else (a, power, None)
    if power == 1:
        return copy(square)
    while power:
        if power & 1:
            result = square if result is None else result @ square
        power >>= 1
        square = square @ square if power else square
    return result


def multi_dot(arrays: Sequence[Any]) -> Any:
    """Product of two or more matrices, in the order that costs the fewest multiplications.

    Parameters
    ----------
    arrays : sequence of tensors, shape (n_i, n_{i+1})
        The first and the last one may be vectors.

    Raises
    ------
    ShapeError
        Where neighbours do not fit, or fewer than two are given.

    References
    ----------
    T. Cormen, C. Leiserson, R. Rivest and C. Stein, "Introduction to Algorithms", chapter on dynamic programming.

    Examples
    --------
    >>> tg.linalg.multi_dot([tg.ones((2, 9)), tg.ones((9, 9)), tg.ones(9)])
    tensor([81., 81.])
    """
    if not isinstance(arrays, (list, tuple)):
        raise TypeError(f"multi_dot: expected a list of matrices; got a {type(arrays).__name__}")
    beside = next((x for x in arrays if hasattr(x, "shape")), None)
    factors = [operand("multi_dot", x, beside) for x in arrays]
    shapes = [tuple(x.shape) for x in factors]
    ends, inside = [len(shape) for shape in (*shapes[:1], *shapes[-1:])], shapes[1:-1]
    if len(factors) < 2 or not {*ends} <= {1, 2} or any(len(shape) != 2 for shape in inside):
        raise errors.MatrixError(
            "multi_dot: expected two or more matrices, of which the first and the last may be vectors; got shapes "
            f"{', '.join(map(str, shapes)) or 'none'}"
        )
    for i, (left, right) in enumerate(itertools.pairwise(shapes)):
        if left[-1] != right[0]:
            raise errors.ShapeError(f"multi_dot: factor {i} of shape {left} does not fit factor {i + 1}, {right}")
    if ends[0] == 1:
        factors[0] = _reshape(factors[0], shape=(1, *shapes[0]))
    if ends[1] == 1:
        factors[-1] = _reshape(factors[-1], shape=(*shapes[-1], 1))
    product = _multiplied(factors, _splits([x.shape[0] for x in factors] + [factors[-1].shape[1]]))
    rows, columns = product.shape
    return _reshape(product, shape=(rows,) * (ends[0] == 2) + (columns,) * (ends[1] == 2))


def _splits(sides: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to cut each stretch of a chain in two, so that the whole costs least: shorter stretches first."""
    count = len(sides) - 1
    cost = {(i, i): 0 for i in range(count)}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [
                (cost[i, k] + cost[k + 1, j] + sides[i] * sides[k + 1] * sides[j + 1], k) for k in range(i, j)
            ]  # fmt: skip
            cost[i, j], cuts[i, j] = min(options)
    return cuts


def _multiplied(factors: list[Any], cuts: dict[tuple[int, int], int]) -> Any:
    """The product along those cuts; the inner stretches are made first."""
    done = {(i, i): x for i, x in enumerate(factors)}
    todo = [(0, len(factors) - 1)]
    while todo:
        i, j = todo[-1]
        k = cuts[i, j]
        missing = [stretch for stretch in ((i, k), (k + 1, j)) if stretch not in done]
        if missing:
            todo += missing
        else:
            done[i, j] = matmul(done.pop((i, k)), done.pop((k + 1, j)))
            todo.pop()
    return done[0, len(factors) - 1]
