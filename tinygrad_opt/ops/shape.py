"""Maps that move elements around. They are linear, and most come in transposed pairs."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from .. import backend, errors
from ..core import kinds
from ..core.kinds import General, Linear
from ..core.primitive import operand

__all__ = [
    "broadcast_to", "copy", "expand_dims", "moveaxis", "permute_dims", "ravel", "reshape", "squeeze", "swapaxes",
    "transpose",
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
# The tensor itself. A cotangent that comes back through it is shown to `meet`, which says what goes on: see `nn.gates`.
gate: General = General(
    "gate",
    [lambda t, _y, _x, *, meet: t],
    [lambda g, _y, _x, *, meet: meet(g)],
    kernel=lambda xp, x, *, meet: x[...],
)
move: Linear = Linear(
    "move",
    lambda g, like, *, device, source: move(g, device=source, source=device),
    kernel=lambda xp, x, *, device, source: backend.to_device(x, device),
)


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def as_integer(function: str, argument: str, value: Any) -> int:
    """A whole number of any library as Python's int, or an error that names the function and its argument."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{function}: {argument} must be an integer; got {value!r}") from None


def as_shape(function: str, shape: Any, free: bool = False) -> tuple[int, ...]:
    """A shape given as one integer or as several; `free`: one side may be -1."""
    if type(shape) is int and shape >= 0:  # what is asked for most takes the short way
        return (shape,)
    try:
        wanted = tuple(map(operator.index, shape if isinstance(shape, (tuple, list)) else (shape,)))
    except TypeError:  # an array of integers, or nonsense
        try:
            wanted = tuple(map(operator.index, shape))
        except TypeError:
            raise TypeError(f"{function}: a shape is an integer or several; got {shape!r}") from None
    if wanted and min(wanted) < 0 and not (free and min(wanted) == -1 and wanted.count(-1) == 1):
        kept = ", but for one -1" if free else ""
        raise errors.ShapeError(f"{function}: a shape has no negative sides{kept}; got {wanted}")
    return wanted


def broadcasts(shape: Any, to: Any) -> bool:
    """Whether an array of one shape can be repeated until it has the other."""
    return len(shape) <= len(to) and all(n in (1, m) for n, m in zip(shape[::-1], to[::-1], strict=False))


def normalize_axis(function: str, axis: Any, ndim: int, argument: str = "axis") -> int:
    """One axis, counted from the front, or an error that names the function."""
    index = axis if type(axis) is int else as_integer(function, argument, axis)
    if not -ndim <= index < ndim:
        raise errors.ShapeError(f"{function}: {argument} {index} is out of bounds for a tensor of {ndim} axes")
    return index % ndim


def normalize_axes(function: str, axis: Any, ndim: int, argument: str = "axis") -> tuple[int, ...]:
    """All, one or several axes (None, an integer, a tuple), counted from the front and sorted."""
    if axis is None:
        return tuple(range(ndim))
    axes = distinct_axes(function, axis, ndim, argument)
    return axes if len(axes) == 1 else tuple(sorted(axes))


def distinct_axes(function: str, axis: Any, ndim: int, argument: str = "axis") -> tuple[int, ...]:
    """One or several axes, counted from the front, in the order given."""
    if not isinstance(axis, (tuple, list)):
        return (normalize_axis(function, axis, ndim, argument),)
    axes = tuple(normalize_axis(function, a, ndim, argument) for a in axis)
    if len(set(axes)) != len(axes):
        raise errors.ShapeError(f"{function}: {argument} {tuple(axis)} names one axis twice")
    return axes


def _ordered(function: str, order: str) -> bool:
    """Whether elements are counted with the last axis fastest (C), rather than with the first (F)."""
    if not isinstance(order, str) or order not in ("C", "F"):
        raise ValueError(
            f"{function}: order must be 'C' (the last axis varies fastest) or 'F' (the first one); got {order!r}. What "
            "depends on how the elements lie in memory has no place in a derivative."
        )
    return order == "C"


def reshape(x: Any, shape: int | Sequence[int], order: str = "C", *, copy: bool | None = None) -> Any:
    """The same elements, in the same order, in another shape.

    Parameters
    ----------
    x : tensor or array
    shape : int or sequence of int
        One side may be -1: it follows from the others.
    order : {"C", "F"}
        Which axis varies fastest, on reading and on placing the elements: the last one, or the first.
    copy : bool, optional
        True for memory of its own; False for an error where the elements cannot stay where they are.

    Raises
    ------
    ShapeError
        Where the elements do not fill the shape.

    Examples
    --------
    >>> tg.reshape(tg.arange(6), (2, -1)).shape
    (2, 3)
    """
    x = operand("reshape", x)
    wanted = as_shape("reshape", shape, free=True)
    if -1 in wanted:
        rest = math.prod(n for n in wanted if n != -1)
        if rest == 0 or x.size % rest:
            raise errors.ShapeError(f"reshape: a tensor of shape {tuple(x.shape)} cannot take the shape {wanted}")
        wanted = tuple(x.size // rest if n == -1 else n for n in wanted)
    if _ordered("reshape", order):
        y = _reshape(x, shape=wanted)
    else:
        y = transpose(_reshape(transpose(x), shape=wanted[::-1]))
    return y if copy is None else _with_memory(x, y, copy)


def _with_memory(x: Any, y: Any, own: bool) -> Any:
    """`y`, a rearrangement of `x`: in memory of its own, or in that of `x` and no other."""
    if own:
        return copy(y)
    bounds = [backend.of(array).byte_bounds(array) for array in (getattr(x, "_array", x), getattr(y, "_array", y))]
    if x.size and (bounds[0][0] >= bounds[1][1] or bounds[1][0] >= bounds[0][1]):
        raise ValueError("reshape: with copy=False the elements must stay where they are, and these cannot")
    return y


def ravel(x: Any, order: str = "C") -> Any:
    """All elements in one row.

    Parameters
    ----------
    x : tensor or array
    order : {"C", "F"}
        Which axis varies fastest: the last one, or the first.

    Examples
    --------
    >>> tg.ravel(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 2., 3., 4.])
    """
    x = operand("ravel", x)
    return _reshape(x if _ordered("ravel", order) else transpose(x), shape=(x.size,))


def permute_dims(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order: axis ``i`` of the result is axis ``axes[i]`` of `x`. Reversed by default.

    Examples
    --------
    >>> tg.permute_dims(tg.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = operand("permute_dims", x)
    return _permute(x, axes=_permutation("permute_dims", axes, len(x.shape)))


def _permutation(function: str, axes: Any, ndim: int) -> tuple[int, ...]:
    if axes is None:
        return tuple(range(ndim))[::-1]
    if not isinstance(axes, (tuple, list)) and not hasattr(axes, "__iter__"):
        axes = (axes,)
    order = tuple(normalize_axis(function, a, ndim, "axes") for a in axes)
    if sorted(order) != list(range(ndim)):
        raise errors.ShapeError(f"{function}: axes {tuple(axes)} must name each of the {ndim} axes once")
    return order


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in reversed order, or in the order of `axes`.

    Examples
    --------
    >>> tg.transpose(tg.zeros((2, 3))).shape
    (3, 2)
    """
    x = operand("transpose", x)
    return _permute(x, axes=_permutation("transpose", axes, len(x.shape)))


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
    i, j = normalize_axis("swapaxes", axis1, ndim, "axis1"), normalize_axis("swapaxes", axis2, ndim, "axis2")
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
    sources = distinct_axes("moveaxis", source, ndim, "source")
    targets = distinct_axes("moveaxis", destination, ndim, "destination")
    if len(sources) != len(targets):
        raise errors.ShapeError(
            f"moveaxis: source and destination must name as many axes; got {source} and {destination}"
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
    ndim = len(x.shape) + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    places = distinct_axes("expand_dims", axis, ndim)
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
    return kinds.broadcast_to(x, shape=as_shape("broadcast_to", shape))
