"""Everything that NumPy indexes with: values, gradients and refusals, on every device; `take` and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host

TABLE = np.arange(24.0).reshape(2, 3, 4)
INDICES: list[Any] = [
    True, False, np.bool_(False), [], [[]], (), ..., None, np.int8(1), np.uint64(1), np.array(1), [True, False],
    np.array([1], "uint8"), slice(None, None, -2), (0, slice(None), [1, 2]), ([0, 1], slice(None), [1, 2]),
    ([0, 1], None, [1, 2]), (..., [0, 1], None), TABLE > 5, (np.array([True, False]), slice(None), 0), (True, 0),
    (0, True), (None, True, None), ([True, False], [2]), slice(np.int64(0), np.int32(2)), ((0, 1), (1, 2)),
    np.zeros(0, int), (slice(None), np.zeros((0, 2), int)), slice(5, 100), slice(-100, -1), ([0], [[1], [2]], ...),
    (slice(None), slice(None), TABLE[0, 0] > 1), [1, 0, -1], np.array(True), (1, 1, 1), ([[0], [1]], [0, 2]),
]  # fmt: skip
NO_INDICES: list[Any] = [
    1.5, "a", b"x", 1j, object(), {}, {0}, len, [0.5], [1j], ["a"], [None], [slice(0, 1)], [[0], [0, 1]],
    np.array([1.5]), np.array(["a"]), np.array([None]), np.float32(1), np.array(1.0), float("nan"), (0, 0, 0, 0),
    (..., ...), 9, -9, [9], 10**30, np.ones((2, 2), bool),
    [True, False, True], np.ones((2, 3, 5), bool), ([0, 1], [0, 1, 2]),
]  # fmt: skip


def as_tensors(item: Any, device: str) -> Any:
    """Arrays as tensors, and lists of integers as lists of tensors."""
    if isinstance(item, tuple):
        return tuple(as_tensors(part, device) for part in item)
    if isinstance(item, list) and item and all(type(i) is int for i in item):
        return [tg.tensor(i, device=device) for i in item]
    return tg.tensor(item, device=device) if isinstance(item, np.ndarray) else item


@pytest.mark.parametrize("index", INDICES)
def test_values_and_gradients_are_numpys(index: Any, device: str) -> None:
    expected, gradient = TABLE[index], np.zeros_like(TABLE)
    np.add.at(gradient, index, expected + 1)
    for given in (index, as_tensors(index, device)):
        x = tg.tensor(TABLE, device=device, requires_grad=True)
        y = x[given]
        assert y.shape == expected.shape
        assert np.array_equal(host(y), expected)
        y.backward(y.detach() + 1)
        assert np.array_equal(host(x.grad), gradient)


@pytest.mark.parametrize("index", NO_INDICES)
def test_what_is_no_index_says_so(index: Any, device: str) -> None:
    with pytest.raises(IndexError, match=r"^getitem: "):
        tg.tensor(TABLE, device=device)[index]


@pytest.mark.parametrize("bound", [0.5, "a", [1]])
def test_bounds_of_slices_are_integers(bound: Any, device: str) -> None:
    with pytest.raises(TypeError, match="getitem: the bounds and the step of a slice are integers or None; got"):
        tg.tensor(TABLE, device=device)[:bound]
    assert tg.tensor(TABLE, device=device)[tg.tensor(1, device=device) :].shape == (1, 3, 4)


@pytest.mark.parametrize("shape", [(40,), (7, 300), (3, 5, 100)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_many_rows_picked_repeatedly_are_summed_in_order(shape: tuple[int, ...], dtype: str, device: str) -> None:
    """Long rows take a way of their own; the additions are the same, in the same order."""
    rng = np.random.default_rng(0)
    picked = rng.integers(-3, 3, 500)
    for index in ((picked,), (slice(None), picked[:20])[: len(shape)], (..., picked[:90])):
        x = tg.tensor(rng.normal(size=shape).astype(dtype), device=device, requires_grad=True)
        y = x[index]
        cotangent = rng.normal(size=y.shape).astype(dtype)
        y.backward(tg.tensor(cotangent, device=device))
        expected = np.zeros(shape, dtype)
        np.add.at(expected, index, cotangent)
        assert np.array_equal(host(x.grad), expected)


@pytest.mark.parametrize("indices", [1, -1, True, [0, 2, 2], [[1], [0]], [], np.int64(2), np.array([[0, 1]], "uint8")])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_take(indices: Any, axis: Any, device: str) -> None:
    x = tg.tensor(TABLE[:, 0, :3], device=device)
    given = as_tensors(indices, device)
    for mode in ("raise", "wrap", "clip"):
        if axis == 0 and mode == "raise" and np.max(indices, initial=0) > 1:
            continue
        expected = np.take(host(x), np.asarray(indices, dtype=int), axis, mode=mode)
        for form in (indices, given):
            found = tg.take(x, form, axis, mode=mode)
            assert found.shape == expected.shape
            assert np.array_equal(host(found), expected)


def test_indices_may_be_changed_afterwards() -> None:
    indices = np.array([[0, 1], [1, 0]])
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = tg.take_along_axis(x, indices, 1)[:, 0] + tg.take(x, indices[0], 1)[:, 0]
    indices[:] = 0
    y.sum().backward()
    assert x.grad.tolist() == [[2, 0], [1, 1]]


def test_one_argument_of_where_gives_indices(device: str) -> None:
    x = tg.tensor(TABLE - 5, device=device)
    for found in (tg.where(x > 0), tg.nonzero(x > 0), (x > 0).nonzero()):
        assert [host(i).tolist() for i in found] == [i.tolist() for i in np.nonzero(TABLE > 5)]
        assert np.array_equal(host(x[found]), (TABLE - 5)[TABLE > 5])
    raw = tg.where((x > 0)._array)
    assert all(type(i) is type(x._array) for i in raw)


def test_select_takes_the_first_that_is_true(device: str) -> None:
    x = tg.tensor(TABLE, device=device)
    found = tg.select([x < 3, x < 9, x < 9], [x, -x, 0.0], default=7)
    assert np.array_equal(host(found), np.select([TABLE < 3, TABLE < 9, TABLE < 9], [TABLE, -TABLE, 0.0], default=7))
    gradient = tg.grad(lambda x: tg.select([x < 3, x < 9], [x * x, -x]).sum())(x)
    assert np.array_equal(host(gradient), np.where(TABLE < 3, 2 * TABLE, np.where(TABLE < 9, -1, 0)))
    assert tg.select([x.astype(tg.float32) < 3], [x.astype(tg.float32)]).dtype == tg.float32
