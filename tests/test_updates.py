"""``t.at[index].set(value)`` and its relatives: NumPy's semantics, one order on every device, clear refusals."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.errors import ShapeError

INDICES: list[Any] = [
    0, -1, np.int64(1), slice(None, None, -1), slice(1, 3), Ellipsis, None, (), True, False, np.bool_(True), [],
    [0, 0, 2], [True, False, True], np.array([[0, 1], [1, 0]]), (0, 1), (slice(None), [0, 0]), ([0, 0], slice(None)),
    ([0, 2], [1, 1]), ([[0], [2]], [0, 0, 1]), (Ellipsis, -1), (None, [1, 1], None), (0, slice(None), None),
    (np.array([True, False, True]), 0), np.arange(12).reshape(3, 4) % 5 == 0,
]  # fmt: skip
UFUNCS = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "min": np.minimum,
    "max": np.maximum, "power": np.power,
}  # fmt: skip


def table(device: str, dtype: str = "float64") -> tg.Tensor:
    return tg.tensor(np.arange(1, 13, dtype=dtype).reshape(3, 4), device=device)


@pytest.mark.parametrize("index", INDICES)
def test_values_are_numpys(index: Any, device: str) -> None:
    t, before = table(device), host(table(device)).copy()
    there = before[index].shape
    for value in (2.5, np.random.default_rng(0).uniform(0.5, 2, there)):
        given = tg.tensor(value, dtype=tg.float64, device=device)
        expected = before.copy()
        expected[index] = value
        assert np.array_equal(host(t.at[index].set(given)), expected)
        for name, ufunc in UFUNCS.items():
            expected = before.copy()
            ufunc.at(expected, index, value)
            np.testing.assert_allclose(host(getattr(t.at[index], name)(given)), expected, rtol=1e-14)
    assert np.array_equal(host(t.at[index].get()), before[index])
    assert np.array_equal(host(t), before), "the tensor itself stays as it is"


def test_the_last_of_several_values_stays_and_has_the_derivative(device: str) -> None:
    rng = np.random.default_rng(0)
    places, values = rng.integers(0, 20, 300), rng.normal(size=300)
    t, v = tg.zeros(20, dtype=tg.float64, device=device), tg.tensor(values, device=device)
    index = tg.tensor(places, device=device)
    expected = np.zeros(20)
    expected[places] = values  # NumPy keeps the last one
    assert np.array_equal(host(t.at[index].set(v)), expected)
    to_t, to_v = tg.grad(lambda t, v: t.at[index].set(v).sum(), argnums=(0, 1))(t, v)
    assert host(to_t).tolist() == [0.0] * 20
    last = [max(np.flatnonzero(places == place)) for place in range(20)]
    assert np.flatnonzero(host(to_v)).tolist() == sorted(last)


def test_one_value_that_is_infinite_does_not_spoil_the_others(device: str) -> None:
    t = tg.ones(3, dtype=tg.float64, device=device)
    v = tg.tensor([np.inf, 2.0, 3.0, np.nan], dtype=tg.float64, device=device)
    np.testing.assert_array_equal(host(t.at[[0, 1, 1, 2]].multiply(v)), [np.inf, 6.0, np.nan])
    np.testing.assert_array_equal(host(t.at[[0, 1, 1, 2]].set(v)), [np.inf, 3.0, np.nan])
    to_v = tg.grad(lambda v: t.at[[0, 1, 1, 2]].multiply(v).sum())(v)
    np.testing.assert_array_equal(host(to_v), [1.0, 3.0, 2.0, 1.0])


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32", "int64", "int8"])
def test_the_dtype_stays(dtype: str, device: str) -> None:
    t = tg.tensor(np.arange(4).astype(dtype), device=device)
    for method in ("set", "add", "multiply", "min", "max"):
        y = getattr(t.at[[1, 1, 2]], method)(tg.tensor(np.array([2, 1, 3], dtype), device=device))
        assert (y.dtype, y.device) == (t.dtype, t.device)
    assert t.at[1].set(3).tolist() == [0, 3, 2, 3]
    assert t.at[::2].add(1).dtype == t.dtype


def test_a_value_broadcasts_and_gets_its_own_shape_of_gradient(device: str) -> None:
    t = table(device)
    for shape in ((), (1,), (2,), (3, 1), (3, 2)):
        v = tg.ones(shape, dtype=tg.float64, device=device)
        to_v = tg.grad(lambda v: (t.at[:, [0, 2]].set(v) * t).sum())(v)
        assert to_v.shape == shape
        assert host(to_v).sum() == host(t)[:, [0, 2]].sum()


def test_updates_of_tensors_without_elements_or_without_axes(device: str) -> None:
    assert tg.zeros((0, 3), device=device).at[:, [0, 0, 1]].set(1.0).shape == (0, 3)
    assert tg.tensor(2.0, device=device).at[()].multiply(3.0).item() == 6.0
    assert tg.tensor(2.0, device=device).at[None].set([5.0]).item() == 5.0
    for method in ("set", "add", "multiply", "max"):
        assert getattr(tg.ones(3, device=device).at[[]], method)(2.0).tolist() == [1.0, 1.0, 1.0]
        assert getattr(tg.ones((3, 2), device=device).at[[0, 0], :0], method)(2.0).tolist() == [[1.0, 1.0]] * 3


REFUSED = [
    (lambda t: t.at[0].set([1.0, 2.0]), ShapeError, "at[...].set: a value of shape (2,) does not broadcast to"),
    (lambda t: t.at[5].set(1.0), IndexError, "getitem: "),
    (lambda t: t.at[[0, 7]].add(1.0), IndexError, "getitem: "),
    (lambda t: t.at[0.5].set(1.0), IndexError, "an index is made of integers"),
    (lambda t: t.at[0].set("a"), TypeError, "at[...].set: argument 0 is a str"),
    (lambda t: t.at[0].set(None), TypeError, "at[...].set: argument 0 is a NoneType"),
    (lambda t: t.astype(tg.int64).at[0].set(0.5), TypeError, "at[...].set: values of float32 do not fit into"),
    (lambda t: t.astype(tg.int64).at[0].divide(2), TypeError, "at[...].divide: quotients do not fit into a tensor of"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "said"), REFUSED, ids=[said[:50] for _, _, said in REFUSED])
def test_what_is_refused(call: Any, kind: type[Exception], said: str, device: str) -> None:
    with pytest.raises(kind, match=re.escape(said)):
        call(table(device, "float32"))
