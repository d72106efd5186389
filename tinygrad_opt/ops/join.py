"""Putting tensors together and taking them apart: each is the transpose of the other."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.kinds import Linear
from ..core.primitive import operand
from ..core.tape import Variable
from .elementwise import astype
from .index import pick
from .shape import _reshape, as_integer, normalize_axis, ravel

__all__ = [
    "append", "array_split", "column_stack", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "split",
    "stack", "unstack", "vsplit", "vstack",
]  # fmt: skip


def _slice_of(g: Any, like: Any, *, axis: int, starts: tuple[int, ...], position: int) -> Any:
    return part(g, axis, starts[position], starts[position] + like.shape[axis])


_concatenate: Linear = Linear(
    "concatenate",
    _slice_of,
    kernel=lambda xp, *arrays, axis, starts: xp.concatenate(arrays, axis=axis),
    variadic=True,
)


def part(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """A slice of one axis."""
    return pick(x, index=(slice(None),) * axis + (slice(start, stop, step),))


def operands(function: str, tensors: Any, dtype: Any = None) -> list[Any]:
    """The tensors of a sequence; lists and numbers among them give way to the arrays."""
    if isinstance(tensors, (str, dict)) or not hasattr(tensors, "__iter__") or getattr(tensors, "shape", None) == ():
        raise TypeError(f"{function}: expected a sequence of tensors, as in {function}([a, b]); got {tensors!r:.60}")
    parts = list(tensors)
    if not parts:
        raise errors.ShapeError(f"{function}: at least one tensor is needed; got an empty sequence")
    for position, x in enumerate(parts):
        if not hasattr(x, "shape") and not isinstance(x, (list, tuple, int, float)):
            raise errors.unsupported_argument(function, position, x)
    arrays = [x for x in parts if hasattr(x, "shape")]
    if not arrays:  # whole numbers give way to floating ones
        arrays = [x for x in map(operand, itertools.repeat(function), parts) if x.dtype.kind == "f"]
    reference = next((x for x in arrays if isinstance(x, Variable)), arrays[0] if arrays else None)
    parts = [beside(function, "an argument", x, reference) for x in parts]
    return parts if dtype is None else [astype(x, dtype) for x in parts]


def beside(function: str, argument: str, value: Any, x: Any) -> Any:
    """A number or list as an array of the dtype and kind of `x`: a Tensor beside a Tensor, or beside nothing."""
    if hasattr(value, "shape"):
        return value
    if not isinstance(value, (list, tuple, int, float)):
        raise TypeError(f"{function}: {argument} must be a number, a tensor or a list of numbers; got {value!r:.60}")
    tensor = operand(function, value, x)
    return tensor if x is None or isinstance(x, Variable) else tensor._array


def _listed(parts: Sequence[Any]) -> str:
    return ", ".join(str(tuple(x.shape)) for x in parts)


def concatenate(tensors: Sequence[Any], axis: int | None = 0, *, dtype: Any = None) -> Any:
    """Tensors one after the other along an existing axis.

    Parameters
    ----------
    tensors : sequence of tensors or arrays
        Equal in shape except along `axis`.
    axis : int or None
        None ravels them first.
    dtype : dtype, optional
        Of the result; the one that holds all of them where nothing is said.

    Raises
    ------
    ShapeError
        For an empty sequence, a bad axis, and shapes that do not fit.

    Examples
    --------
    >>> tg.concatenate([tg.tensor([1.0]), tg.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    return _joined("concatenate", operands("concatenate", tensors, dtype), axis)


concat = concatenate


def _joined(function: str, parts: Sequence[Any], axis: int | None) -> Any:
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    shape = tuple(parts[0].shape)
    if not shape:
        raise errors.ShapeError(f"{function}: numbers have no axis to be joined along; use stack, or axis=None")
    place = normalize_axis(function, axis, len(shape))
    starts, total = [], 0
    for x in parts:
        sides = tuple(x.shape)
        if len(sides) != len(shape):
            raise errors.ShapeError(
                f"{function}: all tensors need the same number of axes; got shapes {_listed(parts)}"
            )
        if sides[:place] != shape[:place] or sides[place + 1 :] != shape[place + 1 :]:
            raise errors.ShapeError(
                f"{function}: shapes {' and '.join(str(tuple(x.shape)) for x in parts)} do not fit: they may differ "
                f"only in the length of axis {place}"
            )
        starts.append(total)
        total += sides[place]
    return _concatenate(*parts, axis=place, starts=tuple(starts))


def stack(tensors: Sequence[Any], axis: int = 0, *, dtype: Any = None) -> Any:
    """Tensors of one shape, side by side along a new axis.

    Examples
    --------
    >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])]).shape
    (2, 2)
    """
    parts = operands("stack", tensors, dtype)
    if len({tuple(x.shape) for x in parts}) != 1:
        raise errors.ShapeError(f"stack: all tensors need one shape; got {_listed(parts)}")
    shape = tuple(parts[0].shape)
    place = normalize_axis("stack", axis, len(shape) + 1)
    return _joined("stack", [_reshape(x, shape=(*shape[:place], 1, *shape[place:])) for x in parts], place)


def _rows(x: Any) -> Any:
    """At least two axes; a vector is a row."""
    return _reshape(x, shape=(1,) * (2 - len(x.shape)) + tuple(x.shape)) if len(x.shape) < 2 else x


def _columns(x: Any) -> Any:
    """At least two axes; a vector is a column."""
    return _reshape(x, shape=(x.size, 1)) if len(x.shape) < 2 else x


def _sheets(x: Any) -> Any:
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
    return _joined("hstack", parts, 0 if len(parts[0].shape) == 1 else 1)


def vstack(tensors: Sequence[Any], *, dtype: Any = None) -> Any:
    """Tensors one below the other; vectors are rows.

    Examples
    --------
    >>> tg.vstack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return _joined("vstack", [_rows(x) for x in operands("vstack", tensors, dtype)], 0)


def dstack(tensors: Sequence[Any]) -> Any:
    """Tensors one behind the other, along the third axis; matrices and vectors get one of length 1 first.

    Examples
    --------
    >>> tg.dstack([tg.zeros(2, 3), tg.ones(2, 3)]).shape
    (2, 3, 2)
    """
    return _joined("dstack", [_sheets(x) for x in operands("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Vectors, and matrices, as columns of one matrix.

    Examples
    --------
    >>> tg.column_stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
    tensor([[1., 3.],
            [2., 4.]])
    """
    return _joined("column_stack", [_columns(x) for x in operands("column_stack", tensors)], 1)


def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """`x` with `values` behind it, both ravelled unless an axis is given.

    Examples
    --------
    >>> tg.append(tg.tensor([[1.0, 2.0]]), 3.0)
    tensor([1., 2., 3.])
    """
    return _joined("append", operands("append", (x, values)), axis)


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
        bounds = [i * short + min(i, longer) for i in range(count + 1)]
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
