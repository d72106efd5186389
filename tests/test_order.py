"""Sorting and order statistics at ties, with nan, and in large; what NumPy leaves open and what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.errors import ShapeError

TIED = st.lists(st.sampled_from([-1.0, 0.0, 1.0, 2.0]), min_size=1, max_size=12)


def both_modes(function: Any, x: tg.Tensor) -> np.ndarray:
    """The Jacobian, one row for each output; by columns in forward mode it is the same."""
    y, pullback = tg.vjp(function, x)
    rows = [host(pullback(e.reshape(y.shape))[0]) for e in tg.eye(y.size, dtype=y.dtype)]
    columns = [host(tg.jvp(function, x, e)[1]).ravel() for e in tg.eye(x.size, dtype=x.dtype)]
    np.testing.assert_allclose(np.array(rows), np.array(columns).T, rtol=0, atol=1e-15)
    return np.array(rows)


@given(values=TIED)
def test_a_place_of_a_sorted_row_comes_from_one_element_of_its_value(values: list[float]) -> None:
    """Membership in the generalized derivative: the hull of the elements that could have stood there."""
    x = tg.tensor(values, dtype=tg.float64)
    jacobian = both_modes(tg.sort, x)
    order = np.argsort(values, kind="stable")
    assert np.array_equal(jacobian, np.eye(len(values))[order])
    assert np.array_equal(host(tg.argsort(x)), order)


@given(values=TIED, q=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]))
def test_tied_elements_share_a_quantile_equally(values: list[float], q: float) -> None:
    x = tg.tensor(values, dtype=tg.float64)
    (row,) = both_modes(lambda x: tg.quantile(x, q), x)
    position = q * (len(values) - 1)
    low, part = int(position), position - int(position)
    expected = np.zeros(len(values))
    for place, weight in ((low, 1 - part), (min(low + 1, len(values) - 1), part)):
        tied = np.array(values) == np.sort(values)[place]
        expected += weight * tied / tied.sum()
    np.testing.assert_allclose(row, expected, rtol=0, atol=1e-14)
    if q == 0.5:
        np.testing.assert_allclose(both_modes(tg.median, x)[0], expected, rtol=0, atol=1e-14)


def test_the_median_of_all_but_one_axis_is_the_extreme_by_another_name(device: str) -> None:
    x = tg.tensor(np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(float), device=device)
    for q, extreme in ((0.0, tg.min), (1.0, tg.max)):
        for axis in (None, 0, (2, 0)):
            found = tg.vjp(lambda x, axis=axis, q=q: tg.quantile(x, q, axis), x)
            expected = tg.vjp(lambda x, axis=axis, extreme=extreme: extreme(x, axis), x)
            cotangent = tg.ones_like(found[0])
            assert np.array_equal(host(found[1](cotangent)[0]), host(expected[1](cotangent)[0]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [40, 1000])
def test_large_rows_with_and_without_ties(dtype: str, size: int, device: str) -> None:
    """NumPy's fast sort is not stable; ours is."""
    rng = np.random.default_rng(size)
    for values in (rng.permutation(size), rng.integers(0, 5, size), rng.choice([0.0, 1.0, np.nan], size)):
        x = tg.tensor(values.astype(dtype), device=device)
        assert np.array_equal(host(x.argsort()), np.argsort(values, kind="stable"))
        weights = tg.tensor(rng.permutation(size).astype(dtype), device=device)
        (gradient,) = tg.vjp(tg.sort, x)[1](weights)
        assert np.array_equal(host(gradient)[np.argsort(values, kind="stable")], host(weights))
        np.testing.assert_array_equal(host(x.median()), np.median(values.astype(dtype)))


def test_nan_is_last_and_spoils_a_median(device: str) -> None:
    x = tg.tensor([[3.0, np.nan, 1.0], [np.nan, 2.0, np.nan], [3.0, 2.0, 1.0]], device=device)
    np.testing.assert_array_equal(host(tg.sort(x)), np.sort(host(x)))
    np.testing.assert_array_equal(host(tg.argsort(x)), np.argsort(host(x), kind="stable"))
    for function in (tg.median, lambda x, axis: tg.quantile(x, 0.25, axis), lambda x, axis: tg.percentile(x, 9, axis)):
        assert np.isnan(host(function(x, axis=1))).tolist() == [True, True, False]
    with np.errstate(invalid="ignore"):
        gradient = host(tg.grad(lambda x: tg.median(x, axis=1).sum())(x))
    assert np.isnan(gradient).all(axis=1).tolist() == [True, True, False]
    assert gradient[2].tolist() == [0.0, 1.0, 0.0]


def test_infinite_elements_are_ordered(device: str) -> None:
    x = tg.tensor([np.inf, 1.0, -np.inf, 2.0, 5.0], device=device)
    assert tg.sort(x).tolist() == [-np.inf, 1.0, 2.0, 5.0, np.inf]
    assert tg.median(x).item() == 2.0
    assert tg.median(x[:1]).item() == np.inf
    assert tg.grad(tg.median)(x).tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]


def test_a_median_of_two_does_not_leave_float16(device: str) -> None:
    x = tg.tensor([60000.0, 60000.0], dtype=tg.float16, device=device)
    assert tg.median(x).item() == 60000.0
    assert tg.grad(tg.median)(x).tolist() == [0.5, 0.5]


def test_integers_are_ordered_as_integers_and_averaged_as_floats(device: str) -> None:
    x = tg.tensor([3, 1, 2, 2], device=device)
    assert (tg.sort(x).dtype, tg.sort(x).tolist()) == (tg.int64, [1, 2, 2, 3])
    assert (tg.median(x).dtype, tg.median(x).item()) == (tg.float64, 2.0)
    assert tg.sort(x > 1).tolist() == [False, True, True, True]


@pytest.mark.parametrize("kth", [0, 3, -1, [1, 5], np.array([2, 4]), np.int64(6)])
def test_partitions_hold_their_promise(kth: Any, device: str) -> None:
    values = np.random.default_rng(1).integers(0, 9, 40).astype(float)
    x = tg.tensor(values, device=device)
    found, index = host(tg.partition(x, kth)), host(tg.argpartition(x, kth))
    assert sorted(found) == sorted(values)
    assert np.array_equal(found, values[index])
    for k in np.atleast_1d(kth) % 40:
        assert found[k] == np.sort(values)[k]
        assert (found[:k] <= found[k]).all()
        assert (found[k:] >= found[k]).all()


REFUSED = [
    (lambda x: tg.median(x[:0]), ShapeError, "median: no elements along axis (0, 1) of shape (0, 3)"),
    (lambda x: tg.median(x, axis=2), ShapeError, "median: axis 2 is out of bounds for a tensor of 2 axes"),
    (lambda x: tg.sort(x, axis=(0, 1)), TypeError, "sort: axis must be an integer; got (0, 1)"),
    (lambda x: tg.sort(x, kind="bubble"), ValueError, "sort: kind is one of"),
    (lambda x: tg.argsort(x, order="name"), TypeError, "argsort: order= names fields of records"),
    (lambda x: tg.partition(x, 3), ValueError, "partition: kth=3 is out of bounds for axis 1 of length 3"),
    (lambda x: tg.partition(x, 0.5), TypeError, "partition: kth is an integer, or several; got 0.5"),
    (lambda x: tg.quantile(x, 1.5), ValueError, "quantile: q lies between 0 and 1; got 1.5"),
    (lambda x: tg.percentile(x, -1), ValueError, "percentile: q lies between 0 and 100; got -1"),
    (lambda x: tg.quantile(x, "half"), ValueError, "quantile: q lies between 0 and 1; got 'half'"),
    (lambda x: tg.quantile(x, 0.5, method="middle"), ValueError, "quantile: method must be "),
    (lambda x: tg.quantile(x, 0.5, weights=x), TypeError, "quantile: weights= is not supported"),
    (lambda x: tg.median(x, out=x), TypeError, "median: out= is not supported"),
    (lambda x: tg.sort("abc"), TypeError, "sort: argument 0 is a str"),
    (lambda x: tg.sort(None), TypeError, "sort: argument 0 is a NoneType"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "said"), REFUSED, ids=[said[:50] for _, _, said in REFUSED])
def test_what_is_refused(call: Any, kind: type[Exception], said: str, device: str) -> None:
    with pytest.raises(kind, match=re.escape(said)):
        call(tg.ones(2, 3, device=device))
