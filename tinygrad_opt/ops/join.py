"""Putting tensors together and taking them apart: each is the transpose of the other."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.primitive import operand
from .checks import pieces
from .concatenation import joined, operands
from .index import pick
from .shape import _reshape, as_integer, normalize_axis

__all__ = [
    "append", "array_split", "column_stack", "dsplit", "dstack", "hsplit", "hstack", "split", "unstack", "vsplit",
    "vstack",
]  # fmt: skip


def part(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """A slice of one axis."""
    return pick(x, index=(slice(None),) * axis + (slice(start, stop, step),))


def rows(x: Any) -> Any:
    """At least two axes; a vector is a row."""
    return _reshape(x, shape=(1,) * (2 - len(x.shape)) + tuple(x.shape)) if len(x.shape) < 2 else x


def _columns(x: Any) -> Any:
    """At least two axes; a vector is a column."""
    return _reshape(x, shape=(x.size, 1)) if len(x.shape) < 2 else x


def sheets(x: Any) -> Any:
    """At least three axes: a new one at the end, and for vectors and numbers one in front."""
    shape = tuple(x.shape)
    if len(shape) >= 3:
        return x
    return _reshape(x, shape=(*shape, 1) if len(shape) == 2 else (1, x.size, 1))


def hstack(tensors: Sequence[Any], *, dtype: Any = None) -> Any:
    """Tensors one after the other along the second axis; vectors and numbers along the only one.

    Examples
    --------
    >>> tg.hstack([tg.tensor([1.0]), tg.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    parts = [x if x.shape else _reshape(x, shape=(1,)) for x in operands("hstack", tensors, dtype)]
    return joined("hstack", parts, 0 if len(parts[0].shape) == 1 else 1)


def vstack(tensors: Sequence[Any], *, dtype: Any = None) -> Any:
    """Tensors one below the other; vectors are rows.

    Examples
    --------
    >>> tg.vstack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return joined("vstack", [rows(x) for x in operands("vstack", tensors, dtype)], 0)


def dstack(tensors: Sequence[Any]) -> Any:
    """Tensors one behind the other, along the third axis; matrices and vectors get one of length 1 first.

    Examples
    --------
    >>> tg.dstack([tg.zeros(2, 3), tg.ones(2, 3)]).shape
    (2, 3, 2)
    """
    return joined("dstack", [sheets(x) for x in operands("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Vectors, and matrices, as columns of one matrix.

    Examples
    --------
    >>> tg.column_stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 3.],
            [2., 4.]])
    """
    return joined("column_stack", [_columns(x) for x in operands("column_stack", tensors)], 1)


def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """`x` with `values` behind it, both ravelled unless an axis is given.

    Examples
    --------
    >>> tg.append(tg.tensor([[1.0, 2.0]]), 3.0)
    tensor([1., 2., 3.])
    """
    return joined("append", operands("append", (x, values)), axis)


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """A tensor in pieces along one axis: views, whose gradients are written side by side.

    Parameters
    ----------
    x : tensor or array
    indices_or_sections : int or sequence of int
        The number of pieces, all equally long; or the places where pieces begin, counted as in slices: ``[2, 5]``
        makes ``x[:2], x[2:5], x[5:]``.
    axis : int

    Returns
    -------
    list of tensors

    Raises
    ------
    ShapeError
        For a bad axis, and where the axis cannot be cut into equal pieces (`array_split` makes unequal ones).

    Examples
    --------
    >>> tg.split(tg.tensor([1.0, 2.0, 3.0, 4.0]), 2)
    [tensor([1., 2.]), tensor([3., 4.])]
    """
    return _pieces("split", x, indices_or_sections, axis, even=True)


def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """As `split`; where the axis does not divide evenly, the first pieces are longer by one.

    Examples
    --------
    >>> tg.array_split(tg.tensor([1.0, 2.0, 3.0]), 2)
    [tensor([1., 2.]), tensor([3.])]
    """
    return _pieces("array_split", x, indices_or_sections, axis, even=False)


def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the second axis, of a vector along its only one.

    Examples
    --------
    >>> [piece.shape for piece in tg.hsplit(tg.zeros(2, 6), 3)]
    [(2, 2), (2, 2), (2, 2)]
    """
    x = _deep("hsplit", x, 1)
    return _pieces("hsplit", x, indices_or_sections, min(1, len(x.shape) - 1), even=True)


def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the first axis of a matrix, or of more axes.

    Examples
    --------
    >>> [piece.shape for piece in tg.vsplit(tg.zeros(4, 3), [1])]
    [(1, 3), (3, 3)]
    """
    return _pieces("vsplit", _deep("vsplit", x, 2), indices_or_sections, 0, even=True)


def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the third axis.

    Examples
    --------
    >>> [piece.shape for piece in tg.dsplit(tg.zeros(2, 3, 4), 2)]
    [(2, 3, 2), (2, 3, 2)]
    """
    return _pieces("dsplit", _deep("dsplit", x, 3), indices_or_sections, 2, even=True)


def _deep(function: str, x: Any, least: int) -> Any:
    x = operand(function, x)
    if len(x.shape) < least:
        raise errors.ShapeError(f"{function}: at least {least} axes are needed; got shape {tuple(x.shape)}")
    return x


def _pieces(function: str, x: Any, where: Any, axis: int, even: bool) -> list[Any]:
    x = operand(function, x)
    place = normalize_axis(function, axis, len(x.shape))
    length = x.shape[place]
    bounds: list[int | None]
    try:
        count = operator.index(where)
    except TypeError:
        if not hasattr(where, "__iter__"):
            as_integer(function, "indices_or_sections", where)
        bounds = [0, *(as_integer(function, "indices_or_sections", i) for i in where), None]
    else:
        if count < 1:
            raise ValueError(f"{function}: indices_or_sections must be at least 1; got {count}")
        if even and length % count:
            raise errors.ShapeError(
                f"{function}: axis {place} of length {length} cannot be cut into {count} equal pieces; array_split "
                "makes unequal ones"
            )
        short, longer = divmod(length, count)
        bounds = [i * short + min(i, longer) for i in range(pieces(function, "indices_or_sections", count) + 1)]
    return [part(x, place, start, stop) for start, stop in itertools.pairwise(bounds)]


def unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    """The tensors along one axis, without it: the inverse of `stack`.

    Examples
    --------
    >>> tg.unstack(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    x = operand("unstack", x)
    front = (slice(None),) * normalize_axis("unstack", axis, len(x.shape))
    return tuple(pick(x, index=(*front, i, ...)) for i in range(x.shape[len(front)]))
