"""Norms of vectors and matrices. The Euclidean one and its relatives are one primitive, the others compositions."""

from __future__ import annotations

import math
from typing import Any

from .. import backend, errors
from ..core.dtypes import as_dtype
from ..core.kinds import General
from ..core.primitive import operand
from .arguments import count, kept, nonempty
from .arithmetic import absolute, astype
from .choice import where
from .comparison import not_equal, sign
from .precision import widened
from .reduce import max, min, sum
from .shape import _reshape, moveaxis, normalize_axes, normalize_axis
from .spectra import svdvals

__all__ = ["norm"]


def _kernel(xp: Any, x: Any, *, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    shape = kept(x.shape, axis)
    if count(x.shape, axis) == 0:
        y = xp.zeros(shape, dtype=x.dtype)
    else:
        y = _plain(xp, x, shape, axis) if p == 2 else None
        y = _scaled(xp, x, p, axis) if y is None else y
    return y if keepdims else y.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axis))


def _plain(xp: Any, x: Any, shape: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """The root of the sum of squares, where it is known at once that none was too large or too small: on the host."""
    if backend.of(x) is not backend.HOST:
        return None
    with xp.errstate(over="ignore", under="ignore"):
        if len(axis) == x.ndim:
            flat = x.reshape(-1)
            total = xp.dot(flat, flat).reshape(shape)
        else:
            total = (x * x).sum(axis=axis, keepdims=True)
    limits = xp.finfo(x.dtype)
    return xp.sqrt(total) if bool(((total > limits.tiny / limits.eps) & (total < limits.max)).all()) else None


def _scaled(xp: Any, x: Any, p: float, axis: tuple[int, ...]) -> Any:
    """The largest element (the smallest for p < 0) is taken out first, so that no power overflows."""
    size = xp.abs(x)
    top = (size.max if p > 0 else size.min)(axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top) & (top > 0), top, xp.ones_like(top))
    size = size / top
    total = (size * size if p == 2 else size**p).sum(axis=axis, keepdims=True)
    return (xp.sqrt(total) if p == 2 else total ** (1 / p)) * top


def _slope(y: Any, x: Any, p: float, axis: tuple[int, ...]) -> Any:
    """``sign(x) (|x| / y)^(p - 1)``; 0 where y is 0, and for p other than 2 also where x is."""
    y = y.reshape(kept(x.shape, axis))
    ratio = x / where(y == 0, math.inf, y)
    if p == 2:
        return ratio
    moved = (y != 0) * (x != 0)
    return where(moved, sign(x) * absolute(where(moved, ratio, 1.0)) ** (p - 1), 0.0)


def _push(t: Any, y: Any, x: Any, *, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    return (t * _slope(y, x, p, axis)).sum(axis, keepdims=keepdims)


def _pull(g: Any, y: Any, x: Any, *, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    return g.reshape(kept(x.shape, axis)) * _slope(y, x, p, axis)


_norm: General = General("norm", [_push], [_pull], kernel=widened(_kernel))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors or matrices, as in NumPy.

    Parameters
    ----------
    x : tensor or array
        Integers are computed with as float64.
    ord : None, number, inf, -inf, "fro" or "nuc"
        For vectors: None or 2 is the root of the sum of squares, a number p the p-th root of the sum of ``|x|^p``, inf
        and -inf the largest and smallest magnitude, 0 the number of elements that are not 0. For matrices: None or
        "fro" is the root of the sum of squares, "nuc" the sum of the singular values, 2 and -2 the largest and the
        smallest of them, 1 and -1 the largest and smallest sum of magnitudes of a column, inf and -inf of a row.
    axis : int or pair of int, optional
        One axis holds vectors, two hold matrices. By default the whole tensor is one vector or matrix, and for
        ``ord=None`` any number of axes will do.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Returns
    -------
    tensor
        For a vector of zeros the gradient is 0, one of the subgradients. Nothing overflows for large elements.

    Raises
    ------
    ShapeError
        For a bad axis, and for more than two.
    ValueError
        For an `ord` that does not exist.

    Examples
    --------
    >>> tg.linalg.norm(tg.tensor([3.0, 4.0]))
    tensor(5.)
    >>> tg.linalg.norm(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0, ord=1)
    tensor([4., 6.])
    """
    x = operand("norm", x)
    if as_dtype(x.dtype).kind in "biu":
        x = astype(x, "float64")
    if getattr(ord, "shape", ()):
        raise ValueError(f"norm: ord must be one number or name; got an array of shape {tuple(ord.shape)}")
    ndim = len(x.shape)
    if axis is None and ord is None:
        return _norm(x, p=2.0, axis=tuple(range(ndim)), keepdims=keepdims)
    if axis is None and ndim not in (1, 2):
        raise errors.ShapeError(f"norm: ord={ord!r} needs a vector or a matrix; got shape {tuple(x.shape)}: pass axis=")
    given = tuple(range(ndim)) if axis is None else tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normalize_axis("norm", a, ndim) for a in given)
    normalize_axes("norm", given, ndim)  # refuses an axis named twice
    if len(axes) not in (1, 2):
        raise errors.ShapeError(f"norm: axis is one axis (of vectors) or two (of matrices); got axis={axis!r}")
    return (_of_vectors if len(axes) == 1 else _of_matrices)(x, ord, axes, keepdims)


def _of_vectors(x: Any, ord: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if ord is None:
        ord = 2
    if isinstance(ord, str) or not hasattr(ord, "__float__"):
        raise ValueError(f"norm: ord={ord!r} is no norm of vectors; expected a number, inf, -inf or None")
    p = float(ord)
    if p == math.inf:
        return _largest(absolute(x), axis, keepdims)
    if p == -math.inf:
        nonempty("norm", x, axis)
        return min(absolute(x), axis=axis, keepdims=keepdims)
    if p == 0:
        return sum(astype(not_equal(x, 0), x.dtype), axis=axis, keepdims=keepdims)
    if p == 1:
        return sum(absolute(x), axis=axis, keepdims=keepdims)
    if p < 0 and x.shape[axis[0]] == 0:
        return sum(x, axis=axis, keepdims=keepdims) + math.inf  # the smallest of no magnitudes
    return _norm(x, p=p, axis=axis, keepdims=keepdims)


def _of_matrices(x: Any, ord: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if ord in (None, "fro", "f"):
        return _norm(x, p=2.0, axis=tuple(sorted(axis)), keepdims=keepdims)
    shape = kept(x.shape, axis)
    x = moveaxis(x, axis, (-2, -1))
    if ord == "nuc":
        y = svdvals(x).sum(-1)
    elif ord in (2, -2):
        y = _extreme(svdvals(x), ord)
    elif ord in (1, -1):
        y = _extreme(absolute(x).sum(-2), ord)
    elif ord in (math.inf, -math.inf):
        y = _extreme(absolute(x).sum(-1), ord)
    else:
        raise ValueError(
            f"norm: ord={ord!r} is no norm of matrices; expected None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        )
    return _reshape(y, shape=shape) if keepdims else y


def _extreme(values: Any, ord: float) -> Any:
    if ord > 0:
        return _largest(values, (-1,), False)
    nonempty("norm", values, -1)
    return min(values, axis=-1)


def _largest(values: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """The largest of magnitudes; of none it is 0."""
    none = any(values.shape[a] == 0 for a in axis)
    return (sum if none else max)(values, axis=axis, keepdims=keepdims)
