"""Activations that are neither a plain function of the library nor one of NumPy's names; `nn.functional` shows them.

Each is one primitive, so that a layer costs one node and keeps one array. The smooth ones come in threes: the function,
its slope (a primitive as well, so that the first derivative is one pass), and the slope's own derivative, composed of
primitives, from which all higher orders follow. Far out, where the exponentials have long been 0 or 1, arguments are
bounded inside the kernels: nothing overflows, and infinity has the limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.dtypes import float32
from ..core.kinds import Elementwise
from .arithmetic import absolute, square
from .blend import blend
from .choice import where
from .exponential import _exp_below, _sigmoid_kernel, _sigmoid_slope, exp
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
        far = absolute(x) >= reach
        return g * where(far, 0.0, curvature(where(far, 0.0, x)))

    by_x = Elementwise(f"{name}_slope", rule, kernel=widened(_in_blocks(slope)))
    return Elementwise(name, lambda g, _y, x: g * by_x(x), kernel=widened(_in_blocks(kernel)), doc=doc)


# x times the logistic function.


def _silu_kernel(xp: Any, x: Any) -> Any:
    y = _sigmoid_kernel(xp, x)
    y *= xp.maximum(x, -_FAR)
    return y


def _silu_slope_kernel(xp: Any, x: Any) -> Any:
    small = _exp_below(xp, x)
    whole = small + 1
    slope = small / whole  # of the two exponentials' shares the smaller; the other one is 1 / whole
    slope *= xp.clip(x, -_FAR, _FAR)
    slope += blend(xp, xp.less(x, 0), small, 1.0)
    slope /= whole
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
    tensor([0.        , 0.7310...])
    """,
)

# x times the normal distribution function Φ(x) = erfc(-x/√2)/2.

# W. H. Press et al., Numerical Recipes, section 6.2: erfc to a relative error below 1.2e-7, highest power first.
_CHEBYSHEV = (
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
)  # fmt: skip


def _cumulative(xp: Any, x: Any) -> Any:
    """Φ(x), to the precision of the dtype: digits that a float32 does not hold are not computed for it."""
    if x.dtype != float32:
        return _erfc_kernel(xp, x * -_ROOT_HALF) * 0.5
    size = xp.minimum(xp.abs(x), 30.0) * _ROOT_HALF
    share = xp.reciprocal(size * 0.5 + 1)
    power = _polynomial(share, _CHEBYSHEV)
    size *= size
    power -= size
    tail = xp.exp(power)
    tail *= share * 0.5
    return blend(xp, xp.greater(x, 0), 1 - tail, tail)


def _gelu_kernel(xp: Any, x: Any) -> Any:
    return _cumulative(xp, x) * xp.maximum(x, -_FAR)


def _gelu_slope_kernel(xp: Any, x: Any) -> Any:
    near = xp.clip(x, -40.0, 40.0)  # the density is 0 further out
    return _cumulative(xp, x) + near * xp.exp(-0.5 * near * near) * _DENSITY


gelu: Elementwise = _smooth(
    "gelu",
    _gelu_kernel,
    _gelu_slope_kernel,
    lambda x: _DENSITY * _gaussian(_ROOT_HALF * x) * (2.0 - x * x),
    40.0,
    """Gaussian error linear unit, elementwise: ``y = x Φ(x)`` with the normal distribution function Φ.""",
)

_INNER, _CUBIC = math.sqrt(2 / math.pi), 0.044715


def _twice_inner(x: Any) -> Any:
    return x * (x * x * (2 * _INNER * _CUBIC) + 2 * _INNER)


def _gelu_tanh_kernel(xp: Any, x: Any) -> Any:
    return _sigmoid_kernel(xp, _twice_inner(xp.clip(x, -_FAR, _FAR))) * xp.maximum(x, -_FAR)


def _gelu_tanh_slope_kernel(xp: Any, x: Any) -> Any:
    near = xp.clip(x, -_FAR, _FAR)
    inner = _twice_inner(near)
    small = _exp_below(xp, inner)
    whole = small + 1
    near *= near * near * (6 * _INNER * _CUBIC) + 2 * _INNER
    near *= small / whole
    return (near + blend(xp, xp.less(x, 0), small, 1.0)) / whole


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
    e = xp.exp(xp.minimum(x, 40.0))
    return e, e * (e + 2)


def _mish_kernel(xp: Any, x: Any) -> Any:
    _, n = _parts(xp, x)
    return n / (n + 2) * xp.maximum(x, -_FAR)


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
    tensor([0.        , 0.8650...])
    """,
)

# Exponential on the left, a straight line on the right: ELU, SELU and CELU differ in three factors.


def _elu_kernel(xp: Any, x: Any, *, alpha: float, scale: float, steepness: float) -> Any:
    y = xp.expm1(xp.minimum(x, 0) * steepness)
    y *= alpha * scale
    y += xp.maximum(x, 0) * scale
    return y


def _elu_slope_kernel(xp: Any, x: Any, *, alpha: float, scale: float, steepness: float) -> Any:
    left = xp.exp(xp.minimum(x, 0) * steepness)
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

leaky: Elementwise = Elementwise(
    "prelu",
    lambda g, _y, x, slope: where(x > 0, g, slope * g),
    lambda g, _y, x, _slope: where(x > 0, 0.0, x * g),
    kernel=lambda xp, x, slope: blend(xp, xp.greater(x, 0), x, x * slope),
)

# Three straight lines.

hardtanh_between: Elementwise = Elementwise(
    "hardtanh",
    lambda g, y, _x, *, low, high: where((y <= low) | (y >= high), 0.0, g),
    kernel=lambda xp, x, *, low, high: xp.minimum(xp.maximum(x, low), high),
)


def _hardswish_kernel(xp: Any, x: Any) -> Any:
    y = xp.clip(x, -3.0, 3.0) + 3.0
    y /= 6.0
    y *= xp.maximum(x, -3.0)
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
