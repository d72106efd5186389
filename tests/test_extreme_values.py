"""Functions of elements where digits are easily lost: near 0, in the tails, at the ends of the range of a dtype.

The oracles are Python's `math`, exact fractions, quadrature, and the same function in a wider dtype.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host

EVERYWHERE = np.concatenate([np.linspace(-7, 7, 20_001), np.linspace(-0.5, 0.5, 2_001), 10.0 ** np.arange(-300, 3)])


def ulps(found: Any, expected: Any) -> float:
    """The largest error, in units of the last place of what is expected."""
    expected = np.asarray(expected)
    distance = np.abs(host(found).astype(np.float64) - expected.astype(np.float64))
    return float(np.max(distance / np.spacing(np.abs(expected)).astype(np.float64), initial=0.0))


def of_numbers(function: Any, x: Any) -> Any:
    return np.array([function(float(value)) for value in x])


def slope(function: Any, x: Any, order: int = 1) -> Any:
    """The derivative of some order, element by element; of order 0, the value."""
    for _ in range(order):
        function = tg.grad(lambda x, function=function: function(x).sum())
    return host(function(x))


@pytest.mark.parametrize(("dtype", "few"), [(np.float64, 5), (np.float32, 6), (np.float16, 1)])
def test_erf(device: str, dtype: Any, few: int) -> None:
    x = EVERYWHERE.astype(dtype)
    with np.errstate(under="ignore"):
        expected = of_numbers(math.erf, x).astype(dtype)
    y = tg.erf(tg.tensor(x, device=device))
    assert y.dtype == dtype
    assert ulps(y, expected) <= few
    assert np.array_equal(host(tg.erf(tg.tensor(-x, device=device))), -host(y))


@pytest.mark.parametrize(("dtype", "few"), [(np.float64, 8), (np.float32, 9), (np.float16, 1)])
def test_erfc_keeps_its_digits_in_the_tail(device: str, dtype: Any, few: int) -> None:
    x = np.append(EVERYWHERE, np.linspace(7, 26, 401)).astype(dtype)
    with np.errstate(under="ignore"):
        expected = of_numbers(math.erfc, x).astype(dtype)
        y = host(tg.erfc(tg.tensor(x, device=device)))
    normal = expected >= np.finfo(dtype).tiny
    assert ulps(y[normal], expected[normal]) <= few
    assert np.allclose(y[~normal], 0, atol=float(np.finfo(dtype).tiny))


@pytest.mark.parametrize("function", [tg.erf, tg.erfc])
def test_error_functions_of_many_elements(device: str, function: Any) -> None:
    """Large arrays are worked on in pieces, which come together in the right order, whatever the layout."""
    x = np.linspace(-6, 6, 3 * 40_001).reshape(3, 40_001).astype(np.float32)
    rows = np.stack([function(row) for row in x])
    for turned, expected in ((x, rows), (x.T, rows.T), (x[:, ::-1], rows[:, ::-1])):
        y = function(tg.tensor(turned, device=device))
        assert y.dtype == np.float32
        assert ulps(y, expected) <= 1  # vector and scalar loops may round differently


@pytest.mark.parametrize("function", [tg.erf, tg.erfc])
def test_error_functions_at_the_ends(function: Any) -> None:
    y = function(tg.tensor([0.0, -0.0, math.inf, -math.inf, math.nan, 1e300], dtype=tg.float64)).numpy()
    expected = of_numbers(
        math.erf if function is tg.erf else math.erfc, [0.0, -0.0, math.inf, -math.inf, math.nan, 1e300]
    )
    assert np.array_equal(y, expected, equal_nan=True)
    assert np.array_equal(np.copysign(1, y[y == y]), np.copysign(1, expected[y == y]))
    assert slope(function, tg.tensor([-1e300, -100.0, 100.0, 1e300], dtype=tg.float64)).tolist() == [0.0] * 4
    assert slope(function, tg.tensor([-6e4, 6e4], dtype=tg.float16), 2).tolist() == [0.0, 0.0]


def test_the_slope_of_erf_is_the_bell_curve() -> None:
    x = np.linspace(-26, 26, 1001)
    expected = 2 / math.sqrt(math.pi) * of_numbers(lambda value: math.exp(-value * value), x)
    assert np.allclose(slope(tg.erf, tg.tensor(x)), expected, rtol=1e-12, atol=0)
    assert np.allclose(slope(tg.erf, tg.tensor(x), 2), -2 * x * expected, rtol=1e-12, atol=0)


# Near 0.


@pytest.mark.parametrize("name", ["expm1", "log1p", "sinh", "tanh", "arcsin", "arctan", "arcsinh", "arctanh", "erf"])
def test_what_is_nearly_x_near_0(name: str) -> None:
    """y = x (1 + c x + ...) loses nothing for the smallest x, and the slope stays 1 to rounding."""
    x = np.array([1e-300, 1e-30, 1e-17, -1e-17, 1e-9])
    scale = 2 / math.sqrt(math.pi) if name == "erf" else 1.0
    function = getattr(tg, name)
    assert np.allclose(host(function(x)), scale * x, rtol=1e-9 if name in ("expm1", "log1p") else 1e-15, atol=0)
    assert np.allclose(slope(function, tg.tensor(x)), scale, rtol=3e-9, atol=0)


@pytest.mark.parametrize("order", range(7))
def test_derivatives_of_sinc_of_every_order(order: int) -> None:
    """The derivative of order n is πⁿ ∫ tⁿ cos(πxt + nπ/2) dt from 0 to 1; Gauss's rule gives it to rounding."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    t, weights = (nodes + 1) / 2, weights / 2
    x = np.concatenate(
        [np.linspace(-4, 4, 161), 10.0 ** np.arange(-12, 0), (order + 1) / math.pi * np.array([0.999, 1.001])]
    )
    expected = (weights * t**order * np.cos(math.pi * x[:, None] * t + order * math.pi / 2)).sum(1) * math.pi**order
    assert np.allclose(slope(tg.sinc, tg.tensor(x), order), expected, rtol=0, atol=1e-14 * math.pi**order)


def test_sinc_of_whole_numbers_is_0() -> None:
    assert tg.sinc(tg.arange(1, 1000) * 1.0).numpy().any() == 0
    assert np.allclose(slope(tg.sinc, tg.tensor([1e6, 1e6 + 1], dtype=tg.float64)), [1e-6, -1e-6], rtol=1e-5)
    assert tg.sinc(tg.tensor([0.0, 1e-5], dtype=tg.float16)).tolist() == [1.0, 1.0]


# Tails.


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sigmoid_and_softplus_in_the_tails(device: str, dtype: Any) -> None:
    reach = {2: 15, 4: 80, 8: 700}[np.dtype(dtype).itemsize]
    x = np.linspace(-reach, reach, 201).astype(dtype)
    wide = x.astype(np.float64)
    here = tg.tensor(x, device=device)
    close = {"rtol": 8 * float(np.finfo(dtype).eps), "atol": float(np.finfo(dtype).smallest_subnormal)}
    small = np.exp(-np.abs(wide))
    assert np.allclose(host(tg.sigmoid(here)), np.where(x < 0, small, 1) / (1 + small), **close)
    assert np.allclose(host(tg.softplus(here)), np.maximum(wide, 0) + np.log1p(small), **close)
    assert np.allclose(slope(tg.sigmoid, here), small / (1 + small) ** 2, **close)
    assert np.allclose(slope(tg.softplus, here), np.where(x < 0, small, 1) / (1 + small), **close)
    second = -np.tanh(wide / 2) * small / (1 + small) ** 2
    close["rtol"] *= 3
    assert np.allclose(slope(tg.sigmoid, here, 2), second, **close)
    beyond = tg.tensor(np.array([-1e4, 1e4, -np.inf, np.inf], dtype), device=device)
    assert host(tg.sigmoid(beyond)).tolist() == [0.0, 1.0, 0.0, 1.0]
    assert slope(tg.sigmoid, beyond).tolist() == [0.0] * 4
    assert slope(tg.softplus, beyond).tolist() == [0.0, 1.0, 0.0, 1.0]


def test_logaddexp_far_apart(device: str) -> None:
    a, b = (tg.tensor(np.array(x), device=device) for x in ([1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -40.0]))
    assert np.allclose(host(tg.logaddexp(a, b)), [1000.0, -1000.0 + math.log(2), math.log1p(math.exp(-40))], rtol=1e-15)
    gradients = tg.grad(lambda a, b: tg.logaddexp(a, b).sum(), argnums=(0, 1))(a, b)
    assert np.allclose([host(g) for g in gradients], [[1.0, 0.5, 1.0], [0.0, 0.5, math.exp(-40)]], rtol=1e-14, atol=0)


@pytest.mark.parametrize("function", [tg.logaddexp, tg.logaddexp2])
def test_masked_terms_of_a_sum_of_exponentials_are_silent(function: Any, device: str) -> None:
    """-inf is how a term is left out: no warning, and no nan in any derivative."""
    left_out = tg.tensor(np.array([-np.inf, -np.inf, 1.0], "float32"), device=device)
    other = tg.tensor(np.array([-np.inf, 1.0, -np.inf], "float32"), device=device)
    for order in (1, 2):
        for b in (other, -math.inf, 1.0):
            y = slope(lambda a, b=b: function(a, b), left_out, order)
            assert y.dtype == np.float32
            assert np.isfinite(y).all()


@pytest.mark.parametrize("x", [1e-8, 1e-12, 1e-15])
def test_slopes_of_inverse_functions_close_to_their_ends(x: float) -> None:
    """At 1 - d the slope of arcsin is 1/√(d (2 - d)); 1 - x² would have cost the digits of d."""
    d = 1 - (1 - x)  # as it is stored
    expected = 1 / math.sqrt(d * (2 - d))
    here = tg.tensor(1 - x, dtype=tg.float64)
    assert math.isclose(tg.grad(tg.arcsin)(here).item(), expected, rel_tol=1e-15)
    assert math.isclose(tg.grad(tg.arccos)(here).item(), -expected, rel_tol=1e-15)
    assert math.isclose(tg.grad(tg.arctanh)(here).item(), 1 / (d * (2 - d)), rel_tol=1e-15)
    assert math.isclose(tg.grad(tg.grad(tg.arcsin))(here).item(), (1 - d) * expected**3, rel_tol=2e-15)
    d = (1 + x) - 1
    above = tg.tensor(1 + x, dtype=tg.float64)
    assert math.isclose(tg.grad(tg.arccosh)(above).item(), 1 / math.sqrt(d * (2 + d)), rel_tol=1e-15)


def test_expm1_and_its_slope_far_below_0() -> None:
    x = tg.tensor([-40.0, -700.0], dtype=tg.float64)
    assert tg.expm1(x).tolist() == [-1.0, -1.0]
    assert np.allclose(slope(tg.expm1, x), np.exp([-40.0, -700.0]), rtol=1e-15, atol=0)


# The ends of the range: nothing on the way leaves it, where the result does not.


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150, 1e300])
def test_lengths_and_angles_of_any_size(device: str, scale: float) -> None:
    a, b = (tg.tensor(scale * np.array(x), device=device) for x in ([3.0, -3.0], [4.0, 4.0]))
    assert np.allclose(host(tg.hypot(a, b)) / scale, 5.0)
    both = tg.grad(lambda a, b: tg.hypot(a, b).sum(), argnums=(0, 1))(a, b)
    assert np.allclose([host(g) for g in both], [[0.6, -0.6], [0.8, 0.8]])
    turned = tg.grad(lambda a, b: tg.arctan2(a, b).sum(), argnums=(0, 1))(a, b)
    assert np.allclose([host(g) * scale for g in turned], [[0.16, 0.16], [-0.12, 0.12]])


@pytest.mark.parametrize(
    "name",
    "sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sigmoid softplus sin cos arctan arcsinh arccosh sinh cosh deg2rad "
    "rad2deg erf erfc absolute relu reciprocal".split(),
)
def test_float16_does_what_its_range_allows(name: str, device: str) -> None:
    """Values, slopes and second derivatives are those of float64, where float16 has such numbers."""
    size = np.concatenate([np.linspace(0.01, 8, 200), np.geomspace(8, 6e4, 100)])
    x = np.concatenate([-size, size]).astype(np.float16)
    function = getattr(tg, name)
    with np.errstate(all="ignore"):
        value = function(x.astype(np.float64))
        x = x[np.abs(value) < 6e4]  # neither infinite nor nan
        for order in range(3):
            expected = slope(function, tg.tensor(x.astype(np.float64)), order)
            found = slope(function, tg.tensor(x, device=device), order)
            assert found.dtype == np.float16
            fits = np.abs(expected) < 6e4
            assert np.allclose(found[fits], expected[fits], rtol=0.03, atol=2e-6)
