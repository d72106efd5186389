"""Functions that need a series or a rational approximation: `erf` and `erfc`, `sinc`.

The error functions follow W. J. Cody's rational Chebyshev approximations, evaluated for whole arrays: each piece is
computed for all elements, on arguments moved into its interval, and then chosen from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import backend
from ..core.kinds import Elementwise
from .blend import blend
from .choice import where
from .precision import widened

__all__ = ["erf", "erfc", "sinc"]

_SLOPE = 2 / math.sqrt(math.pi)
_BLOCK = 1 << 15  # elements

# W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969), with
# the coefficients of his program CALERF. Highest powers first; the denominators begin with 1.
_INNER = 0.46875
_ERF = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
_ERFC = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
_TAIL = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y *= x
        y += c
    return y


def _ratio(x: Any, pair: tuple[Sequence[float], Sequence[float]]) -> Any:
    y = _polynomial(x, pair[0])
    y /= _polynomial(x, pair[1])
    return y


def _in_blocks(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of many steps, run over pieces of a large array that stay in the cache of the host."""

    def run(xp: Any, x: Any) -> Any:
        if getattr(x, "size", 1) <= _BLOCK or backend.of(x) is not backend.HOST:
            return kernel(xp, x)
        flat = x.reshape(-1)
        pieces = [kernel(xp, flat[start : start + _BLOCK]) for start in range(0, flat.size, _BLOCK)]
        return xp.concatenate(pieces).reshape(x.shape)

    return run


def _near_zero(xp: Any, x: Any, size: Any) -> Any:
    """``erf(x)`` for ``|x| = size`` up to 0.46875."""
    return x * _ratio(xp.square(xp.minimum(size, _INNER)), _ERF)


def _erf_kernel(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    far = xp.minimum(xp.maximum(size, _INNER), 6.0)  # further out, erf is 1
    far = 1 - xp.exp(-far * far) * _ratio(far, _ERFC)
    return blend(xp, size <= _INNER, _near_zero(xp, x, size), xp.copysign(far, x))


def _erfc_kernel(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    middle = _ratio(xp.minimum(xp.maximum(size, _INNER), 4.0), _ERFC)
    outer = xp.minimum(xp.maximum(size, 4.0), 30.0)  # further out, erfc is 0
    inverse = xp.reciprocal(outer * outer)
    tail = (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, _TAIL)) / outer
    # exp(-s²) in two factors, the first one of them exact: the rounding of s² would be multiplied by s².
    size = xp.minimum(size, 30.0)
    coarse = xp.trunc(size * 16) / 16
    weight = xp.exp(-coarse * coarse) * xp.exp((coarse - size) * (coarse + size))
    far = weight * blend(xp, size <= 4, middle, tail)
    far = blend(xp, xp.less(x, 0), 2 - far, far)
    return blend(xp, size <= _INNER, 1 - _near_zero(xp, x, size), far)


def _gaussian_kernel(xp: Any, x: Any) -> Any:
    size = xp.minimum(xp.abs(x), 30.0)  # further out, the result is 0
    return xp.exp(-size * size)


_gaussian: Elementwise = Elementwise(
    "gaussian",
    lambda g, y, x: g * (-2 * (where(y == 0, 0.0, x) * y)),  # flat far out, at infinity too
    kernel=widened(_gaussian_kernel),
)

erf: Elementwise = Elementwise(
    "erf",
    lambda g, _y, x: g * (_SLOPE * _gaussian(x)),
    kernel=widened(_in_blocks(_erf_kernel)),
    doc="""Error function, elementwise: ``y = 2/√π ∫₀ˣ exp(-t²) dt``.

    References
    ----------
    W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969).

    Examples
    --------
    >>> tg.erf(tg.tensor([1.0]))
    tensor([0.8427...])
    """,
)

erfc: Elementwise = Elementwise(
    "erfc",
    lambda g, _y, x: g * (-_SLOPE * _gaussian(x)),
    kernel=widened(_in_blocks(_erfc_kernel)),
    doc="""What the error function lacks to 1, elementwise: ``y = 1 - erf(x)``, to full precision where that is small.

    References
    ----------
    W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969).

    Examples
    --------
    >>> tg.erfc(tg.tensor([5.0]))
    tensor([1.5374...e-12])
    """,
)


def _sinc_kernel(xp: Any, x: Any, *, order: int = 0) -> Any:
    """The derivative of that order: by the power series near 0, by recurrence elsewhere.

    For s(z) = sin(z)/z, differentiating z s = sin z n times gives z s⁽ⁿ⁾ + n s⁽ⁿ⁻¹⁾ = sin⁽ⁿ⁾ z. Each step from s⁽ⁿ⁻¹⁾
    to s⁽ⁿ⁾ multiplies rounding errors by n/z, so it is taken only where z > n.
    """
    near = order + 1.0 if order else 0.0
    z = math.pi * x
    in_series = xp.abs(z) <= near
    half_turns = xp.rint(x)  # taken off without an error, so that whole numbers give 0
    sign = 1 - 2 * (half_turns - 2 * xp.floor(0.5 * half_turns))
    sine, cosine = (sign * f(math.pi * (x - half_turns)) for f in (xp.sin, xp.cos))
    far = blend(xp, in_series, 1.0, z)
    value = sine / far
    for n in range(1, order + 1):
        value = ((cosine, -sine, -cosine, sine)[(n - 1) % 4] - n * value) / far
    z = blend(xp, in_series, z, 0.0)
    series = _polynomial(z * z, _sinc_series(order, near))
    return blend(xp, in_series, z * series if order % 2 else series, value) * math.pi**order


def _sinc_series(order: int, reach: float) -> list[float]:
    """The power series of the derivative of sin(z)/z, in z² (and one factor z for odd orders), highest power first.

    It is the sum of (-1)^((j + n)/2) zʲ / (j! (j + n + 1)) over the j ≥ 0 with the parity of n.
    """
    coefficients: list[float] = []
    j = order % 2
    while len(coefficients) < 2 or reach**j > 1e-18 * math.factorial(j):
        coefficients.append((-1.0) ** ((j + order) // 2) / (math.factorial(j) * (j + order + 1)))
        j += 2
    return coefficients[::-1]


sinc: Elementwise = Elementwise(
    "sinc",
    lambda g, _y, x, *, order=0: g * sinc(x, order=order + 1),
    kernel=widened(_sinc_kernel),
    doc="""``y = sin(πx) / (πx)``, elementwise, and 1 at 0.

    Parameters
    ----------
    x : tensor or array
    order : int, keyword only
        The derivative of that order instead, which is exact near 0 too.

    Examples
    --------
    >>> tg.sinc(tg.tensor([0.5]))
    tensor([0.6366...])
    """,
)
