"""What everyday work with arrays needs besides, put together from other functions."""

from __future__ import annotations

from typing import Any

from .. import backend, errors
from ..core.dtypes import int64
from ..core.kinds import broadcast_to
from ..core.primitive import operand
from .arithmetic import astype
from .arrange import roll
from .checks import holdable, one_of
from .concatenation import operands
from .join import rows, sheets
from .shape import _reshape, as_integer, copy, moveaxis, normalize_axis

__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "cross", "meshgrid", "vander"]


def _each(function: str, change: Any, tensors: tuple[Any, ...]) -> Any:
    changed = tuple(change(operand(function, x)) for x in tensors)
    return changed[0] if len(changed) == 1 else changed


def atleast_1d(*tensors: Any) -> Any:
    """Numbers as vectors of one element; everything else as it is. Several arguments give a tuple.

    Examples
    --------
    >>> tg.atleast_1d(tg.tensor(1.0))
    tensor([1.])
    """
    return _each("atleast_1d", lambda x: x if x.shape else _reshape(x, shape=(1,)), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Numbers and vectors as matrices of one row; everything else as it is. Several arguments give a tuple.

    Examples
    --------
    >>> tg.atleast_2d(tg.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    return _each("atleast_2d", rows, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """At least three axes: shape (n,) becomes (1, n, 1), and (n, m) becomes (n, m, 1). Several arguments give a tuple.

    Examples
    --------
    >>> tg.atleast_3d(tg.tensor([1.0, 2.0])).shape
    (1, 2, 1)
    """
    return _each("atleast_3d", sheets, tensors)


def _common_shape(function: str, parts: list[Any]) -> tuple[int, ...]:
    """The shape that all broadcast to."""
    shapes = [tuple(x.shape) for x in parts]
    sides: list[int] = []
    for i in range(max(map(len, shapes), default=0)):
        lengths = {shape[-1 - i] for shape in shapes if i < len(shape)} - {1}
        if len(lengths) > 1:
            raise errors.ShapeError(f"{function}: shapes {' and '.join(map(str, shapes))} do not broadcast")
        sides.append(lengths.pop() if lengths else 1)
    return tuple(sides[::-1])


def broadcast_arrays(*tensors: Any) -> tuple[Any, ...]:
    """All tensors in their common shape, repeated without copying where they were smaller.

    Examples
    --------
    >>> [x.shape for x in tg.broadcast_arrays(tg.zeros(3, 1), tg.zeros(2))]
    [(3, 2), (3, 2)]
    """
    parts = [operand("broadcast_arrays", x) for x in tensors]
    shape = _common_shape("broadcast_arrays", parts)
    return tuple(x if tuple(x.shape) == shape else broadcast_to(x, shape=shape) for x in parts)


def meshgrid(*tensors: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of all points of a grid, one tensor for each axis.

    Parameters
    ----------
    *tensors : vectors, or numbers
    copy : bool
        False for tensors that repeat their elements without memory of their own.
    sparse : bool
        Leave the axes along which a coordinate does not change at length 1.
    indexing : {"xy", "ij"}
        Whether the first coordinate runs along the columns (second axis), as on paper, or along the first axis.

    Examples
    --------
    >>> x, y = tg.meshgrid(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0, 5.0]))
    >>> x
    tensor([[1., 2.],
            [1., 2.],
            [1., 2.]])
    """
    one_of("meshgrid", "indexing", indexing, ("xy", "ij"))
    parts = [operand("meshgrid", x) for x in tensors]
    if any(len(x.shape) > 1 for x in parts):
        raise errors.ShapeError(f"meshgrid: vectors are needed; got shapes {[tuple(x.shape) for x in parts]}")
    places = list(range(len(parts)))
    if indexing == "xy" and len(parts) > 1:
        places[:2] = [1, 0]
    grid = [
        _reshape(x, shape=(1,) * place + (x.size,) + (1,) * (len(parts) - place - 1))
        for x, place in zip(parts, places, strict=True)
    ]
    if not sparse:
        shape = _common_shape("meshgrid", grid)
        if any(x.size == 0 for x in parts):
            shape = tuple(dict(zip(places, (x.size for x in parts), strict=True))[i] for i in range(len(parts)))
        grid = [broadcast_to(x, shape=shape) for x in grid]
    return tuple(_own(x) for x in grid) if copy else tuple(grid)


_own = copy  # the function, where a parameter has its name


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Cross product of vectors in space: ``a × b = (a₂b₃ - a₃b₂, a₃b₁ - a₁b₃, a₁b₂ - a₂b₁)``.

    Parameters
    ----------
    a, b : tensors of vectors of three components
        Their other axes broadcast.
    axisa, axisb, axisc : int
        The axes of the components in `a`, in `b` and in the result.
    axis : int, optional
        All three at once.

    Examples
    --------
    >>> tg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = operands("cross", (a, b))
    if axis is not None:
        axisa = axisb = axisc = axis
    places = [
        normalize_axis("cross", place, len(x.shape), name)
        for x, place, name in ((a, axisa, "axisa"), (b, axisb, "axisb"))
    ]
    for x, place in zip((a, b), places, strict=True):
        if x.shape[place] != 3:
            raise errors.ShapeError(
                f"cross: vectors have three components; got shape {tuple(x.shape)}, whose axis {place} has "
                f"{x.shape[place]}. In the plane, write a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]"
            )
    if a.dtype.kind == b.dtype.kind == "b":
        raise TypeError("cross: truth values have no difference; convert them first: a.astype(tg.float32)")
    u, v = moveaxis(a, places[0], -1), moveaxis(b, places[1], -1)
    _common_shape("cross", [u, v])
    product = roll(u * roll(v, -1, -1) - roll(u, -1, -1) * v, -1, -1)
    return moveaxis(product, -1, normalize_axis("cross", axisc, len(product.shape), "axisc"))


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Vandermonde matrix: the powers of each element in a row, the highest first; floats keep their dtype.

    Parameters
    ----------
    x : vector
    N : int, optional
        The number of powers; as many as there are elements where nothing is said.
    increasing : bool
        The lowest first.

    Examples
    --------
    >>> tg.vander(tg.tensor([2.0, 3.0]), 3)
    tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    x = operand("vander", x)
    if len(x.shape) != 1:
        raise errors.ShapeError(f"vander: a vector is needed; got shape {tuple(x.shape)}")
    count = x.size if N is None else as_integer("vander", "N", N)
    if count < 0:
        raise ValueError(f"vander: N must not be negative; got {count}")
    holdable("vander", (x.size, count))
    if x.dtype.kind in "biu":
        x = astype(x, int64)  # powers of small integers are soon too large for them
    array = getattr(x, "_array", x)
    with backend.beside(array):
        powers = backend.namespace(array).arange(count).astype(x.dtype)
    return _reshape(x, shape=(x.size, 1)) ** (powers if increasing else powers[::-1])
