"""Normalization: mean 0 and variance 1 along some axes, then a scale and a shift.

Three maps in a row, ``c = x - μ``, ``v = mean c²`` and ``y = γ c / √(v + eps) + β``, each with the derivatives of its
own arguments: that mean and variance depend on `x` needs no formula of its own. Layers take their running averages
from what is computed anyway.

Two things keep it sound and quick. The mean is taken of what is left when the first element is subtracted, so that
large values lose no digits. Sums are products with ones, and the gradients by v and γ come from one product ``g c``.
"""

from __future__ import annotations

import contextlib
import functools
import math
from typing import Any, NamedTuple

from .. import backend, errors
from ..core.dtypes import float32, float64
from ..core.kinds import General, Linear, broadcast_to
from ..core.primitive import operand
from .arguments import as_type, count, floating, kept
from .checks import as_number
from .exponential import sqrt
from .precision import wider
from .shape import broadcasts, normalize_axes

__all__ = ["normalize"]

Array = Any
Axes = tuple[int, ...]
Shapes = tuple[tuple[int, ...], tuple[int, ...]]
_MANY = 1 << 14  # elements, from which on a product with ones is quicker than a sum
_LONG = 1 << 12  # elements in one stretch, from which on NumPy's pairwise one is more exact


class Normalized(NamedTuple):
    """The result of a normalization, and what it was computed from."""

    y: Any
    x: Any
    centred: Any
    variance: Any
    axis: Axes

    def statistics(self) -> tuple[Array, Array]:
        """Mean and biased variance, as arrays that keep the axes; the mean is read off the first element."""
        x, centred, variance = (getattr(t, "_array", t) for t in (self.x, self.centred, self.variance))
        first = _first(self.axis, x.ndim)
        with backend.beside(x):
            return x[first] - centred[first], variance


@functools.lru_cache
def _first(axis: Axes, ndim: int) -> tuple[slice, ...]:
    """The index of the first element along `axis`, and of all along the other axes."""
    return tuple(slice(0, 1) if i in axis else slice(None) for i in range(ndim))


# Sums that keep their axes.


@functools.lru_cache
def _stretches(axis: Axes) -> tuple[tuple[int, int], ...]:
    """The stretches of neighbouring axes, as ``start, stop``, from the last to the first."""
    found: list[tuple[int, int]] = []
    for i in sorted(axis, reverse=True):
        if found and found[-1][0] == i + 1:
            found[-1] = i, found[-1][1]
        else:
            found.append((i, i + 1))
    return tuple(found)


def _total_kernel(xp: Any, x: Array, *, axis: Axes) -> Array:
    """Each stretch of axes is summed by one product with ones, where there is much to sum."""
    stretches = _stretches(axis)
    if x.size < _MANY or not x.flags.c_contiguous or max(math.prod(x.shape[a:b]) for a, b in stretches) > _LONG:
        return x.sum(axis=axis, keepdims=True)
    for start, stop in stretches:
        shape = x.shape
        n, inner = math.prod(shape[start:stop]), math.prod(shape[stop:])
        ones = xp.ones(n, dtype=x.dtype)
        total = x.reshape(-1, n) @ ones if inner == 1 else ones @ x.reshape(-1, n, inner)
        x = total.reshape(*shape[:start], *(1,) * (stop - start), *shape[stop:])
    return x


_total: Linear = Linear("sum_kept", lambda g, like, *, axis: broadcast_to(g, shape=like.shape), kernel=_total_kernel)


def _summed(x: Any, axis: Axes) -> Any:
    """`x` summed along `axis`, which stays; itself where these axes have length 1."""
    for i in axis:
        if x.shape[i] != 1:
            return _total(x, axis=axis)
    return x


def _weighted_sum(x: Any, w: Any, axis: Axes) -> Any:
    """``Σ x w`` along `axis`: elements with one weight are summed before they are multiplied."""
    ndim, shape = len(x.shape), getattr(w, "shape", ())
    x = _summed(x, _shared(axis, shape, ndim))
    rest = tuple(i for i in axis if x.shape[i] != 1)
    if not rest:
        return x * w
    if ndim == 2 and len(rest) == 1 and 1 - rest[0] in _repeated(shape, ndim):  # a matrix and a vector
        vector = w.reshape((-1,))
        return (x @ vector if rest == (1,) else vector @ x).reshape(kept(x.shape, rest))
    return _total(x * w, axis=rest)


# The three maps.


def _centre_kernel(xp: Any, x: Array, *, axis: Axes) -> Array:
    if x.size == 0:
        return x.copy()
    c = x - x[_first(axis, x.ndim)]
    c -= _total_kernel(xp, c, axis=axis) / count(x.shape, axis)
    return c


def _quiet(xp: Any, x: Array) -> contextlib.AbstractContextManager[Any]:
    """No warnings of squares that leave the range, of which NumPy alone has any."""
    return xp.errstate(over="ignore", under="ignore") if backend.of(x) is backend.HOST else contextlib.nullcontext()


def _mean_square_kernel(xp: Any, c: Array, *, axis: Axes) -> Array:
    with _quiet(xp, c):
        return _total_kernel(xp, c * c, axis=axis) / count(c.shape, axis)


_centre: Linear = Linear(
    "centre",
    lambda g, like, *, axis: g - _total(g, axis=axis) / count(like.shape, axis),
    kernel=_centre_kernel,
)
_mean_square: General = General(
    "mean_square",
    [lambda t, _y, c, *, axis: _total(c * t, axis=axis) * (2 / count(c.shape, axis))],
    [lambda g, _y, c, *, axis: c * (g * (2 / count(c.shape, axis)))],
    kernel=_mean_square_kernel,
)


@functools.lru_cache
def _repeated(shape: tuple[int, ...], ndim: int) -> Axes:
    """The axes along which a parameter of that shape is repeated; a number is, along all."""
    lead = ndim - len(shape)
    return tuple(i for i in range(ndim) if i < lead or shape[i - lead] == 1)


@functools.lru_cache
def _shared(axis: Axes, shape: tuple[int, ...], ndim: int) -> Axes:
    """The axes among `axis` along which a parameter of that shape is repeated."""
    return tuple(i for i in axis if i in _repeated(shape, ndim))


def _scaled(c: Any, scale: Any, weight: Any, axis: Axes) -> Any:
    """``c · scale · γ``, multiplying first what is small: both are repeated along an axis, if there is one."""
    if type(weight) is float or _shared(axis, weight.shape, len(c.shape)):
        return c * (scale * weight)
    y = c * scale
    y *= weight
    return y


# The shapes of γ and β are metadata: the gradients by them read nothing else of them.


def _normalize_kernel(
    xp: Any, c: Array, v: Array, weight: Array, bias: Array, *, axis: Axes, eps: float, shapes: Shapes
) -> Array:
    y = _scaled(c, 1 / xp.sqrt(v + eps), weight, axis)
    if not isinstance(bias, float):
        y += bias
    return y


def _common(g: Any, _y: Any, c: Any, v: Any, _w: Any, _b: Any, *, axis: Axes, eps: float, shapes: Shapes) -> Any:
    """``1/σ``, and the products ``g c``, summed along the axes over which the gradients by v and by γ both sum."""
    return 1 / sqrt(v + eps), _summed(g * c, _shared(axis, shapes[0], len(c.shape)))


def _pull_variance(
    g: Any, _y: Any, _c: Any, _v: Any, w: Any, _b: Any, common: Any, *, axis: Axes, eps: float, shapes: Shapes
) -> Any:
    scale, products = common
    return _weighted_sum(products, w, axis) * (scale * scale * scale * -0.5)


def _pull_weight(
    g: Any, _y: Any, _c: Any, _v: Any, _w: Any, _b: Any, common: Any, *, axis: Axes, eps: float, shapes: Shapes
) -> Any:
    scale, products = common
    return _weighted_sum(products, scale, _repeated(shapes[0], len(g.shape))).reshape(shapes[0])


def _pull_bias(
    g: Any, _y: Any, _c: Any, _v: Any, _w: Any, _b: Any, _common: Any, *, axis: Axes, eps: float, shapes: Shapes
) -> Any:
    return _summed(g, _repeated(shapes[1], len(g.shape))).reshape(shapes[1])


_normalize: General = General(
    "normalize",
    [
        lambda t, _y, _c, v, w, _b, *, axis, eps, shapes: _scaled(t, 1 / sqrt(v + eps), w, axis),
        lambda t, _y, c, v, w, _b, *, axis, eps, shapes: _scaled(c, t * (v + eps) ** -1.5 * -0.5, w, axis),
        lambda t, _y, c, v, _w, _b, *, axis, eps, shapes: c * (1 / sqrt(v + eps)) * t,
        lambda t, _y, _c, _v, _w, _b, *, axis, eps, shapes: t,
    ],
    [
        lambda g, _y, _c, _v, w, _b, common, *, axis, eps, shapes: _scaled(g, common[0], w, axis),
        _pull_variance,
        _pull_weight,
        _pull_bias,
    ],
    common=_common,
    kernel=_normalize_kernel,
)


# For layers and users.


def normalized(
    x: Any, axis: Axes, eps: float, weight: Any = 1.0, bias: Any = 0.0, *, centred: bool = True
) -> Normalized:
    """``γ (x - μ) / √(σ² + eps) + β``, and what was found on the way; without μ where it is not to be `centred`.

    `x` is floating, the axes are counted from the front, and γ and β are numbers, or broadcast to the shape of `x`.
    """
    dtype = x.dtype
    for parameter in (weight, bias):
        if type(parameter) is not float and parameter.dtype.itemsize > dtype.itemsize:
            dtype = parameter.dtype
    work = wider(dtype)
    if x.dtype != work:
        x = as_type(x, work)
    weight, bias = (p if type(p) is float or p.dtype == work else as_type(p, work) for p in (weight, bias))
    c = _centre(x, axis=axis) if centred else x
    variance = _mean_square(c, axis=axis)
    if c.dtype == float32 and _overflowed(variance):
        found = normalized(as_type(x, float64), axis, eps, weight, bias, centred=centred)
        return Normalized(as_type(found.y, dtype), x, c, variance, axis)
    shapes = getattr(weight, "shape", ()), getattr(bias, "shape", ())
    y = _normalize(c, variance, weight, bias, axis=axis, eps=eps, shapes=shapes)
    return Normalized(y if dtype == work else as_type(y, dtype), x, c, variance, axis)


def _overflowed(variance: Any) -> bool:
    """Whether squares have left the range of their dtype. A GPU is not waited for: there they count as infinite."""
    array = getattr(variance, "_array", variance)
    if backend.of(array) is not backend.HOST:
        return False
    flat = array.reshape(-1)
    return not math.isfinite(flat.dot(flat))


def normalize(
    x: Any, axis: int | tuple[int, ...] | None = None, eps: float = 1e-5, weight: Any = None, bias: Any = None
) -> Any:
    """Shift and scale to mean 0 and variance 1 along `axis`: ``y = γ (x - μ) / √(σ² + eps) + β``.

    μ and σ² (the biased variance) are functions of `x`, and the derivative goes through them.

    Parameters
    ----------
    x : tensor or array
    axis : int or tuple of int, optional
        All axes by default.
    eps : float
        Added to the variance.
    weight, bias : tensor or array, optional
        γ and β; they broadcast to the shape of `x`.

    Raises
    ------
    ShapeError
        For a bad axis, for no elements, and for a weight or a bias that does not fit.

    Examples
    --------
    >>> tg.normalize(tg.tensor([1.0, 3.0]), eps=0.0)
    tensor([-1.,  1.])
    """
    x = floating(operand("normalize", x))
    axes = normalize_axes("normalize", axis, len(x.shape))
    if x.size == 0 and count(x.shape, axes) == 0:
        raise errors.ShapeError(f"normalize: no elements along axis {axes} of shape {tuple(x.shape)}")
    eps = float(as_number("normalize", "eps", eps))
    scale = 1.0 if weight is None else _beside("weight", weight, x)
    shift = 0.0 if bias is None else _beside("bias", bias, x)
    return normalized(x, axes, eps, scale, shift).y


def _beside(argument: str, values: Any, x: Any) -> Any:
    """A weight or a bias that broadcasts to the shape of `x`."""
    values = floating(operand("normalize", values, x, argument))
    if not broadcasts(tuple(values.shape), tuple(x.shape)):
        raise errors.ShapeError(
            f"normalize: {argument} {tuple(values.shape)} does not broadcast to the shape {tuple(x.shape)} of x"
        )
    return values
