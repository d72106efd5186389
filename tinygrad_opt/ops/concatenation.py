"""Tensors one after the other: along an axis that they have, or along a new one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.dtypes import as_dtype
from ..core.kinds import Linear
from ..core.primitive import operand
from ..core.tape import Variable
from .arithmetic import astype
from .shape import _reshape, normalize_axis

__all__ = ["concat", "concatenate", "stack"]


def _slice_of(g: Any, like: Any, *, axis: int, starts: tuple[int, ...], position: int) -> Any:
    return g[(slice(None),) * axis + (slice(starts[position], starts[position] + like.shape[axis]),)]


_concatenate: Linear = Linear(
    "concatenate",
    _slice_of,
    kernel=lambda xp, *arrays, axis, starts: xp.concatenate(arrays, axis=axis),
    variadic=True,
)


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
    return parts if dtype is None else [astype(x, as_dtype(dtype, function)) for x in parts]


def beside(function: str, argument: str, value: Any, x: Any) -> Any:
    """A number or list as an array of the dtype and kind of `x`: a Tensor beside a Tensor, or beside nothing."""
    if hasattr(value, "shape"):
        return operand(function, value, position=argument)
    if not isinstance(value, (list, tuple, int, float)):
        raise TypeError(f"{function}: {argument} must be a number, a tensor or a list of numbers; got {value!r:.60}")
    tensor = operand(function, value, x, argument)
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
    return joined("concatenate", operands("concatenate", tensors, dtype), axis)


concat = concatenate


def joined(function: str, parts: Sequence[Any], axis: int | None) -> Any:
    if axis is None:
        parts, axis = [_reshape(x, shape=(x.size,)) for x in parts], 0
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
    return joined("stack", [_reshape(x, shape=(*shape[:place], 1, *shape[place:])) for x in parts], place)
