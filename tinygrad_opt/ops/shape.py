"""Maps that move elements around. They are linear, and most come in transposed pairs."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from .. import backend, errors
from ..core import kinds
from ..core.kinds import Linear
from ..core.primitive import operand

__all__ = [
    "broadcast_to", "concatenate", "copy", "expand_dims", "moveaxis", "permute_dims", "ravel", "reshape",
    "squeeze", "stack", "swapaxes", "transpose",
]  # fmt: skip

_reshape: Linear = Linear("reshape", lambda g, like, *, shape: _reshape(g, shape=like.shape),
                  kernel=lambda xp, x, *, shape: x.reshape(shape))  # fmt: skip
_permute: Linear = Linear("permute_dims", lambda g, like, *, axes: _permute(g, axes=_inverse(axes)),
                  kernel=lambda xp, x, *, axes: x.transpose(axes))  # fmt: skip

copy: Linear = Linear(
    "copy",
    lambda g, like: g,
    kernel=lambda xp, x: xp.array(x),
    doc="""The same values in memory of their own; derivatives flow through.

    Examples
    --------
    >>> tg.copy(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """,
)
# A second handle on the same memory, with a node of its own: where a transform enters another one's graph.
alias: Linear = Linear("alias", lambda g, like: g, kernel=lambda xp, x: x[...])
move: Linear = Linear(
    "move",
    lambda g, like, *, device, source: move(g, device=source, source=device),
    kernel=lambda xp, x, *, device, source: backend.to_device(x, device),
)


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def _slice_of(g: Any, like: Any, *, axis: int, starts: tuple[int, ...], position: int) -> Any:
    index = (slice(None),) * axis + (slice(starts[position], starts[position] + like.shape[axis]),)
    return g[index]


_concatenate: Linear = Linear(
    "concatenate",
    _slice_of,
    kernel=lambda xp, *arrays, axis, starts: xp.concatenate(arrays, axis=axis),
    variadic=True,
)


def normalize_axis(function: str, axis: Any, ndim: int) -> int:
    """One axis, counted from the front, or an error that names the function."""
    try:
        index = operator.index(axis)
    except TypeError:
        raise TypeError(f"{function}: axis must be an integer; got {axis!r}") from None
    if not -ndim <= index < ndim:
        raise errors.ShapeError(f"{function}: axis {index} is out of bounds for a tensor of {ndim} axes")
    return index % ndim


def normalize_axes(function: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """All, one or several axes (None, an integer, a tuple), counted from the front and sorted."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, (tuple, list)):
        return (normalize_axis(function, axis, ndim),)
    axes = sorted(normalize_axis(function, a, ndim) for a in axis)
    if len(set(axes)) != len(axes):
        raise errors.ShapeError(f"{function}: axis {tuple(axis)} names one axis twice")
    return tuple(axes)


def reshape(x: Any, shape: int | Sequence[int]) -> Any:
    """The same elements, in the same (row-major) order, in another shape.

    Parameters
    ----------
    x : tensor or array
    shape : int or sequence of int
        One side may be -1: it follows from the others.

    Examples
    --------
    >>> tg.reshape(tg.arange(6), (2, -1)).shape
    (2, 3)
    """
    x = operand("reshape", x)
    wanted = (shape,) if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
    if -1 in wanted:
        rest = math.prod(n for n in wanted if n != -1)
        if wanted.count(-1) > 1 or rest == 0 or x.size % rest:
            raise errors.ShapeError(f"reshape: a tensor of shape {tuple(x.shape)} cannot take the shape {wanted}")
        wanted = tuple(x.size // rest if n == -1 else n for n in wanted)
    return _reshape(x, shape=wanted)


def ravel(x: Any) -> Any:
    """All elements in one row.

    Examples
    --------
    >>> tg.ravel(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 2., 3., 4.])
    """
    x = operand("ravel", x)
    return _reshape(x, shape=(x.size,))


def permute_dims(x: Any, axes: Sequence[int]) -> Any:
    """The axes in another order: axis ``i`` of the result is axis ``axes[i]`` of `x`.

    Examples
    --------
    >>> tg.permute_dims(tg.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = operand("permute_dims", x)
    ndim = len(x.shape)
    order = tuple(normalize_axis("permute_dims", a, ndim) for a in axes)
    if sorted(order) != list(range(ndim)):
        raise errors.ShapeError(f"permute_dims: axes {tuple(axes)} must name each of the {ndim} axes once")
    return _permute(x, axes=order)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in reversed order, or in the order of `axes`.

    Examples
    --------
    >>> tg.transpose(tg.zeros((2, 3))).shape
    (3, 2)
    """
    x = operand("transpose", x)
    return _permute(x, axes=tuple(range(len(x.shape)))[::-1]) if axes is None else permute_dims(x, axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Examples
    --------
    >>> tg.swapaxes(tg.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = operand("swapaxes", x)
    ndim = len(x.shape)
    order = list(range(ndim))
    i, j = normalize_axis("swapaxes", axis1, ndim), normalize_axis("swapaxes", axis2, ndim)
    order[i], order[j] = order[j], order[i]
    return _permute(x, axes=tuple(order))


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Some axes moved to new places; the others keep their order.

    Examples
    --------
    >>> tg.moveaxis(tg.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = operand("moveaxis", x)
    ndim = len(x.shape)
    sources, targets = (
        [normalize_axis("moveaxis", a, ndim) for a in ((axes,) if isinstance(axes, int) else axes)]
        for axes in (source, destination)
    )
    if len(set(sources)) != len(sources) or len(set(targets)) != len(targets) or len(sources) != len(targets):
        raise errors.ShapeError(
            f"moveaxis: source {source} and destination {destination} must name as many axes, each once"
        )
    order = [axis for axis in range(ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return _permute(x, axes=tuple(order))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """New axes of length 1, at the places `axis` of the result.

    Examples
    --------
    >>> tg.expand_dims(tg.zeros(3), 0).shape
    (1, 3)
    """
    x = operand("expand_dims", x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    ndim = len(x.shape) + len(axes)
    places = normalize_axes("expand_dims", axes, ndim)
    rest = iter(x.shape)
    return _reshape(x, shape=tuple(1 if i in places else next(rest) for i in range(ndim)))


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Without its axes of length 1 (all of them, or those in `axis`).

    Examples
    --------
    >>> tg.squeeze(tg.zeros((1, 3, 1))).shape
    (3,)
    """
    x = operand("squeeze", x)
    shape = tuple(x.shape)
    if axis is None:
        return _reshape(x, shape=tuple(n for n in shape if n != 1))
    axes = normalize_axes("squeeze", axis, len(shape))
    if any(shape[a] != 1 for a in axes):
        raise errors.ShapeError(f"squeeze: only axes of length 1 can go; axis={axis} of shape {shape}")
    return _reshape(x, shape=tuple(n for i, n in enumerate(shape) if i not in axes))


def broadcast_to(x: Any, shape: int | Sequence[int]) -> Any:
    """`x` repeated, without copying, along new leading axes and axes of length 1, up to `shape`.

    The gradient is summed back over the repetitions.

    Examples
    --------
    >>> tg.broadcast_to(tg.tensor([1.0, 2.0]), (3, 2)).shape
    (3, 2)
    """
    x = operand("broadcast_to", x)
    wanted = (shape,) if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
    return kinds.broadcast_to(x, shape=wanted)


def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Any:
    """Tensors one after the other along an existing axis.

    Parameters
    ----------
    tensors : sequence of tensors or arrays
        Equal in shape except along `axis`.
    axis : int or None
        None ravels them first.

    Examples
    --------
    >>> tg.concatenate([tg.tensor([1.0]), tg.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    parts = [operand("concatenate", x) for x in tensors]
    if not parts:
        raise errors.ShapeError("concatenate: at least one tensor is needed; got an empty sequence")
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    place = normalize_axis("concatenate", axis, len(parts[0].shape))
    starts, total = [], 0
    for x in parts:
        shape = tuple(x.shape)
        if len(shape) != len(parts[0].shape):
            shapes = ", ".join(str(tuple(x.shape)) for x in parts)
            raise errors.ShapeError(f"concatenate: all tensors need the same number of axes; got shapes {shapes}")
        starts.append(total)
        total += shape[place]
    return _concatenate(*parts, axis=place, starts=tuple(starts))


def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """Tensors of one shape, side by side along a new axis.

    Examples
    --------
    >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])]).shape
    (2, 2)
    """
    parts = [operand("stack", x) for x in tensors]
    if len({tuple(x.shape) for x in parts}) != 1:
        shapes = ", ".join(str(tuple(x.shape)) for x in parts) or "none"
        raise errors.ShapeError(f"stack: all tensors need one shape; got {shapes}")
    return concatenate([expand_dims(x, axis) for x in parts], axis)
