"""Activations that are neither a plain function of the library nor one of NumPy's names; `nn.functional` shows them.

Each is one primitive, so that a layer costs one node and keeps one array. The smooth ones come in threes: the function,
its slope (a primitive as well, so that the first derivative is one pass), and the slope's own derivative, composed of
primitives, from which all higher orders follow. Far out, where the exponentials have long been 0 or 1, arguments are
bounded inside the kernels: nothing overflows, and infinity has the limits.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

from .. import backend
from ..core.dtypes import float32
from ..core.kinds import Elementwise
from .arguments import wide
from .arithmetic import absolute, square
from .blend import blend
from .choice import where
from .exponential import _sigmoid_slope, exp
from .precision import widened
from .special import _erfc_kernel, _gaussian, _in_blocks, _polynomial
from .trigonometric import tanh

__all__: list[str] = []  # for nn.functional

_FAR = 1000.0  # beyond, every exponential of a float64 is 0 or infinite
_ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)


def _smooth(name: str, kernel: Any, slope: Any, curvature: Callable[[Any], Any], reach: float, doc: str) -> Elementwise:
    """An activation, with kernels for itself and its slope; the curvature is 0 beyond `reach` on either side."""

    def rule(g: Any, _y: Any, x: Any) -> Any:
        x = wide(x)  # powers leave the range of float16
        far = absolute(x) >= reach
        return g * where(far, 0.0, curvature(where(far, 0.0, x)))

    by_x = Elementwise(f"{name}_slope", rule, kernel=widened(slope))
    return Elementwise(name, lambda g, _y, x: g * by_x(x), kernel=widened(kernel), doc=doc)


def _one_and_exp(xp: Any, x: Any) -> Any:
    """``1 + eˣ``; infinite, without a word, where that is too large: something is divided by it, which then is 0."""
    with xp.errstate(over="ignore") if backend.of(x) is backend.HOST else contextlib.nullcontext():
        e = xp.exp(x)
    e += 1
    return e


# x times the logistic function.


def _silu_kernel(xp: Any, x: Any) -> Any:
    y = xp.clip(x, -_FAR, math.inf)
    y /= _one_and_exp(xp, -x)
    return y


def _silu_slope_kernel(xp: Any, x: Any) -> Any:
    """``s (1 + x (1 - s))``."""
    share = xp.reciprocal(_one_and_exp(xp, -x))
    slope = 1 - share
    slope *= xp.clip(x, -_FAR, _FAR)
    slope += 1
    slope *= share
    return slope


silu: Elementwise = _smooth(
    "silu",
    _silu_kernel,
    _silu_slope_kernel,
    lambda x: _sigmoid_slope(x) * (2.0 - x * tanh(0.5 * x)),
    _FAR,
    """Sigmoid linear unit (*swish*), elementwise: ``y = x / (1 + e⁻ˣ)``, without overflow; -0 at minus infinity.

    References
    ----------
    S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning", Neural Networks 107 (2018).

    Examples
    --------
    >>> tg.nn.functional.silu(tg.tensor([0.0, 1.0]))
    tensor([0.       , 0.7310...])
    """,
)

# x times the normal distribution function Φ, which is Q(-x) = erfc(-x/√2)/2 on the left and 1 - Q(x) on the right.

# M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, 7.1.26 (after Hastings): 1 - erf to 1.5e-7, which is
# what a float32 holds. With t = 1/(1 + p z) it is exp(-z²) times a polynomial in t, highest power first.
_HASTINGS = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
_HASTINGS_P = 0.3275911


def _upper_tail(xp: Any, size: Any) -> tuple[Any, Any]:
    """Q(size), and ``exp(-size²/2)``, for sizes from 0 on; digits that a float32 does not hold are not computed."""
    gauss = xp.exp(size * size * -0.5)
    if size.dtype != float32:
        return _erfc_kernel(xp, size * _ROOT_HALF) * 0.5, gauss
    t = size * (_HASTINGS_P * _ROOT_HALF)
    t += 1
    t = xp.reciprocal(t)
    tail = _polynomial(t, _HASTINGS)
    tail *= t
    tail *= gauss
    tail *= 0.5
    return tail, gauss


def _gelu_kernel(xp: Any, x: Any) -> Any:
    """``max(x, 0) - |x| Q(|x|)``: no digits are lost on the left."""
    size = xp.abs(xp.clip(x, -40.0, 40.0))  # the tail is 0 further out
    tail, _ = _upper_tail(xp, size)
    tail *= size
    return xp.clip(x, 0.0, math.inf) - tail


def _gelu_slope_kernel(xp: Any, x: Any) -> Any:
    near = xp.clip(x, -40.0, 40.0)
    tail, gauss = _upper_tail(xp, xp.abs(near))
    near *= gauss
    near *= _DENSITY
    near += blend(xp, xp.greater(x, 0), 1 - tail, tail)
    return near


gelu: Elementwise = _smooth(
    "gelu",
    _in_blocks(_gelu_kernel),
    _in_blocks(_gelu_slope_kernel),
    lambda x: _DENSITY * _gaussian(_ROOT_HALF * x) * (2.0 - x * x),
    40.0,
    """Gaussian error linear unit, elementwise: ``y = x Φ(x)`` with the normal distribution function Φ.""",
)

_INNER, _CUBIC = math.sqrt(2 / math.pi), 0.044715


def _twice_inner(x: Any) -> Any:
    return x * (x * x * (2 * _INNER * _CUBIC) + 2 * _INNER)


def _gelu_tanh_kernel(xp: Any, x: Any) -> Any:
    y = xp.clip(x, -_FAR, math.inf)
    y /= _one_and_exp(xp, -_twice_inner(xp.clip(x, -30.0, 30.0)))
    return y


def _gelu_tanh_slope_kernel(xp: Any, x: Any) -> Any:
    """``s (1 + x p' (1 - s))`` with the logistic function s of p, twice the argument of the tanh."""
    near = xp.clip(x, -30.0, 30.0)
    share = xp.reciprocal(_one_and_exp(xp, -_twice_inner(near)))
    slope = near * near * (6 * _INNER * _CUBIC)
    slope += 2 * _INNER
    slope *= near
    slope *= 1 - share
    slope += 1
    slope *= share
    return slope


def _gelu_tanh_curvature(x: Any) -> Any:
    """``y'' = s' (2 p' + x (p'' - p'² tanh(p/2)))`` for ``y = x s(p)``, since ``s'' = -s' tanh(p/2)``."""
    p, a = _twice_inner(x), 2 * _INNER * _CUBIC
    first, second = 3 * a * square(x) + 2 * _INNER, 6 * a * x
    return _sigmoid_slope(p) * (2.0 * first + x * (second - square(first) * tanh(0.5 * p)))


gelu_tanh: Elementwise = _smooth(
    "gelu_tanh",
    _gelu_tanh_kernel,
    _gelu_tanh_slope_kernel,
    _gelu_tanh_curvature,
    30.0,
    """`gelu` with Φ(x) replaced by ``(1 + tanh(√(2/π) (x + 0.044715 x³))) / 2``, elementwise.""",
)

# x tanh(softplus(x)). With e = eˣ the tanh is n / (n + 2), n = e (e + 2).


def _parts(xp: Any, x: Any) -> tuple[Any, Any]:
    e = xp.exp(xp.clip(x, -math.inf, 40.0))
    return e, e * (e + 2)


def _mish_kernel(xp: Any, x: Any) -> Any:
    _, n = _parts(xp, x)
    y = n / (n + 2)
    y *= xp.clip(x, -_FAR, math.inf)
    return y


def _mish_slope_kernel(xp: Any, x: Any) -> Any:
    e, n = _parts(xp, x)
    whole = n + 2
    return n / whole + xp.clip(x, -_FAR, _FAR) * (4 * (e / whole) * ((e + 1) / whole))


def _mish_curvature(x: Any) -> Any:
    """``2 w' + x w''`` for ``w = n / (n + 2)``: ``w' = 4 e (e + 1) / (n + 2)²``."""
    e = exp(x)
    whole = e * (e + 2.0) + 2.0
    first = 4.0 * (e / whole) * ((e + 1.0) / whole)
    return first * (2.0 + x * ((2.0 * e + 1.0) / (e + 1.0) - 4.0 * e * ((e + 1.0) / whole)))


mish: Elementwise = _smooth(
    "mish",
    _mish_kernel,
    _mish_slope_kernel,
    _mish_curvature,
    40.0,
    """``y = x tanh(softplus(x)) = x tanh(ln(1 + eˣ))``, elementwise, without overflow.

    References
    ----------
    D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    Examples
    --------
    >>> tg.nn.functional.mish(tg.tensor([0.0, 1.0]))
    tensor([0.       , 0.8650...])
    """,
)

# Exponential on the left, a straight line on the right: ELU, SELU and CELU differ in three factors.


def _elu_kernel(xp: Any, x: Any, *, alpha: float, scale: float, steepness: float) -> Any:
    y = xp.expm1(xp.clip(x, -math.inf, 0.0) * steepness)
    y *= alpha * scale
    y += xp.clip(x, 0.0, math.inf) * scale
    return y


def _elu_slope_kernel(xp: Any, x: Any, *, alpha: float, scale: float, steepness: float) -> Any:
    left = xp.exp(xp.clip(x, -math.inf, 0.0) * steepness)
    left *= alpha * scale * steepness
    return blend(xp, xp.greater(x, 0), scale, left)


_elu_slope: Elementwise = Elementwise(
    "elu_slope",
    lambda g, y, x, *, alpha, scale, steepness: where(x > 0, 0.0, g * (steepness * y)),
    kernel=widened(_elu_slope_kernel),
)
elu_like: Elementwise = Elementwise(
    "elu",
    lambda g, _y, x, *, alpha, scale, steepness: g * _elu_slope(x, alpha=alpha, scale=scale, steepness=steepness),
    kernel=widened(_elu_kernel),
)

# Two straight lines. The slope on the left, also at 0, is a number or an array, which gets derivatives too.


def _leaky_kernel(xp: Any, x: Any, slope: Any) -> Any:
    if isinstance(slope, float) and 0 < slope <= 1:  # the line that counts is the upper one on both sides
        return xp.maximum(x, x * slope)
    return blend(xp, xp.greater(x, 0), x, x * slope)


leaky: Elementwise = Elementwise(
    "prelu",
    lambda g, _y, x, slope: where(x > 0, g, slope * g),
    lambda g, _y, x, _slope: where(x > 0, 0.0, x * g),
    kernel=_leaky_kernel,
)

# Three straight lines.

hardtanh_between: Elementwise = Elementwise(
    "hardtanh",
    lambda g, y, _x, *, low, high: where((y <= low) | (y >= high), 0.0, g),
    kernel=lambda xp, x, *, low, high: xp.clip(x, low, high),
)


def _hardswish_kernel(xp: Any, x: Any) -> Any:
    y = xp.clip(x, -3.0, 3.0) + 3.0
    y /= 6.0
    y *= xp.clip(x, -3.0, math.inf)
    return y


hardswish: Elementwise = Elementwise(
    "hardswish",
    lambda g, _y, x: where(x >= 3, g, where(x <= -3, 0.0, g * (x * (1 / 3) + 0.5))),
    kernel=_hardswish_kernel,
    doc="""``y = x · clip(x + 3, 0, 6) / 6``, elementwise: three pieces that resemble `silu`.

    The slope is 0 at -3 and 1 at 3.

    References
    ----------
    A. Howard et al., "Searching for MobileNetV3", ICCV 2019.

    Examples
    --------
    >>> tg.nn.functional.hardswish(tg.tensor([-4.0, 0.0, 1.0, 4.0]))
    tensor([-0.       ,  0.       ,  0.6666667,  4.       ])
    """,
)


def _softsign_kernel(xp: Any, x: Any) -> Any:
    x = xp.asarray(x)
    largest = float(xp.finfo(x.dtype).max) if x.dtype.kind == "f" else math.inf
    x = xp.clip(x, -largest, largest)  # for infinity, which has the limit
    return x / (xp.abs(x) + 1)


def _softsign_rule(g: Any, _y: Any, x: Any) -> Any:
    whole = absolute(x) + 1.0
    return g / whole / whole


softsign: Elementwise = Elementwise(
    "softsign",
    _softsign_rule,
    kernel=_softsign_kernel,
    doc="""``y = x / (1 + |x|)``, elementwise; ±1 at infinity.

    References
    ----------
    J. Turian, J. Bergstra, Y. Bengio, "Quadratic features and deep architectures for chunking", NAACL 2009.

    Examples
    --------
    >>> tg.nn.functional.softsign(tg.tensor([-1.0, 3.0]))
    tensor([-0.5 ,  0.75])
    """,
)
