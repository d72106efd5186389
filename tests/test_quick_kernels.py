"""Kernels that take another way for many elements: they give what the plain way gives.

The property suite draws small arrays; these are large enough for choosing by bits, for folding short axes, and for
powers and products that take the quick way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.ops.blend import blend

FLOATS = ("float16", "float32", "float64")
ODD = (np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-42, 60000.0)


def many(dtype: str, shape: tuple[int, ...] = (80, 60), seed: int = 0) -> Any:
    """Random numbers, and among them all that is odd."""
    x = np.random.default_rng(seed).standard_normal(shape)
    with np.errstate(over="ignore"):
        x.reshape(-1)[: len(ODD)] = ODD[: x.size]
        return x.astype(dtype)


def bits(x: Any) -> Any:
    return np.ascontiguousarray(x).view(f"uint{8 * x.dtype.itemsize}")


@pytest.mark.parametrize("dtype", FLOATS)
def test_choosing_by_bits_is_choosing(dtype: str) -> None:
    a, b = many(dtype), many(dtype, seed=1)[::-1]
    mask = b > 0.3
    for args in (
        (mask, a, b),
        (mask, a, 0.0),
        (mask, -0.0, b),
        (mask, a[:1], 2),
        (mask[:, :1] * mask, a.T.copy().T, b),
    ):
        found, expected = blend(np, *args), np.where(*args)
        assert found.dtype == expected.dtype
        assert np.array_equal(bits(found), bits(expected))
    assert blend(np, mask, a, np.float64(1)).dtype == np.result_type(a, np.float64)
    assert np.array_equal(blend(np, mask, 1, 2), np.where(mask, 1, 2))
    column = many(dtype, (3000, 1))
    assert blend(np, column > 0, column, many(dtype, (1, 8))).shape == (3000, 8)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_sums_of_exponentials_of_many_elements(dtype: str, name: str) -> None:
    values = np.concatenate([many(dtype, (50,)), np.array([-900.0, 900.0, 11.0], dtype=dtype)])
    a, b = (x.ravel() for x in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        found = host(getattr(tg, name)(tg.tensor(a), tg.tensor(b)))
        expected = getattr(np, name)(a.astype("float64"), b.astype("float64")).astype(dtype)
    assert found.dtype == dtype
    assert np.allclose(
        found, expected, rtol=2 * float(np.finfo(dtype).eps), atol=float(np.finfo(dtype).eps), equal_nan=True
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("exponent", [3, 4, 5.0, 7, -3, -4])
def test_whole_powers_of_negative_numbers(dtype: str, exponent: float) -> None:
    x = many(dtype)
    with np.errstate(all="ignore"):
        found, expected = host(tg.tensor(x) ** exponent), x**exponent
    assert found.dtype == dtype
    assert np.allclose(found, expected, rtol=2 * float(np.finfo(dtype).eps), equal_nan=True)
    assert np.array_equal(np.signbit(found)[x == x], np.signbit(expected)[x == x])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("length", [2, 4, 7])
def test_short_axes(dtype: str, name: str, length: int) -> None:
    x = many(dtype, (12, 50, length))[::-1]
    with np.errstate(all="ignore"):
        for axis in (-1, 2, (1, 2), (0, 2)) if name != "prod" else (-1,):
            for keepdims in (False, True):
                found = host(getattr(tg, name)(tg.tensor(x), axis=axis, keepdims=keepdims))
                expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
                assert found.dtype == expected.dtype
                assert found.shape == expected.shape
                assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_derivatives_of_products_by_the_quick_way_and_the_safe_one(zeros: int) -> None:
    x = np.random.default_rng(3).standard_normal((2, 6))
    x[0, :zeros] = 0  # with zeros, and without
    v = tg.tensor(np.arange(6.0))

    def by_hand(row: Any) -> Any:
        y = row[0]
        for i in range(1, 6):
            y = y * row[i]
        return y

    for row in x:
        t = tg.tensor(row)
        first = [tg.grad(f)(t) for f in (tg.prod, by_hand)]
        assert np.allclose(host(first[0]), host(first[1]), rtol=1e-12, atol=1e-12)
        second = [tg.hvp(f, t, v) for f in (tg.prod, by_hand)]
        assert np.allclose(host(second[0]), host(second[1]), rtol=1e-11, atol=1e-11)
        third = [
            tg.grad(lambda t, f=f: (tg.grad(lambda t: (tg.grad(f)(t) * v).sum())(t) * v).sum())(t)
            for f in (tg.prod, by_hand)
        ]
        assert np.allclose(host(third[0]), host(third[1]), rtol=1e-11, atol=1e-11)


def test_the_slope_of_a_product_that_passes_beyond_the_range() -> None:
    with np.errstate(over="ignore", under="ignore"):
        slope = tg.grad(tg.prod)(tg.tensor(np.array([1e-200, 1e-200, 1e300, 1e-3])))
    assert np.allclose(host(slope), [1e97, 1e97, 0.0, 0.0], rtol=1e-9, atol=0)


def test_the_slope_of_a_power_of_a_tiny_base() -> None:
    with np.errstate(over="ignore", under="ignore"):
        x, p = tg.tensor(np.array([1e-310])), tg.tensor(np.array([0.0]))
        assert host(tg.grad(lambda x: tg.power(x, p).sum())(x)) == 0
        assert host(tg.grad(lambda x: tg.grad(lambda x: tg.power(x, p + 1).sum())(x).sum())(x)) == 0


class TestFloat16:
    """A sum of many in float16 comes to a halt at 2048, where the next 1 is less than its last digit."""

    def test_what_was_broadcast(self) -> None:
        b = tg.ones(3, dtype=tg.float16)
        g = tg.grad(lambda b: (tg.zeros((5000, 3), dtype=tg.float16) + b).astype(tg.float32).sum())(b)
        assert g.dtype == tg.float16
        assert np.array_equal(host(g), [5000] * 3)

    def test_what_was_picked_often(self) -> None:
        x = tg.ones((2, 3), dtype=tg.float16)
        rows = np.zeros(5000, dtype=int)
        g = tg.grad(lambda x: x[rows].astype(tg.float32).sum())(x)
        assert g.dtype == tg.float16
        assert np.array_equal(host(g), [[5000] * 3, [0] * 3])

    def test_means_of_windows(self) -> None:
        x = tg.full((1, 1, 8), 30000.0, dtype=tg.float16)
        assert np.array_equal(host(tg.avg_pool1d(x, 4)), [[[30000, 30000]]])
        assert np.array_equal(host(tg.adaptive_avg_pool1d(x, 2)), [[[30000, 30000]]])

    def test_covariances(self) -> None:
        x = np.random.default_rng(0).standard_normal((2, 400)).astype("float16") * np.float16(100)
        found = host(tg.cov(tg.tensor(x)))
        assert found.dtype == np.float16
        assert np.allclose(found, np.cov(x.astype("float64")), rtol=2e-3, atol=1)
        assert np.allclose(host(tg.corrcoef(tg.tensor(x))), np.corrcoef(x.astype("float64")), atol=1e-3)
