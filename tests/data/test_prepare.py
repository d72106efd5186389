"""Preparation: measured on the training data, applied to all, in the data's own dtype."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.data import standardize
from tinygrad_opt.errors import ShapeError


def _raw(rows: int) -> np.ndarray:
    return (np.random.default_rng(rows).normal(size=(rows, 3)) * [1, 10, 0.1] + [5, -3, 0]).astype(np.float32)


def test_mean_0_and_deviation_1_on_the_training_data(device):
    train, test = _raw(60), _raw(40)
    a, b = standardize(tg.tensor(train, device=device), tg.tensor(test, device=device))
    assert (a.dtype, b.dtype, a.device) == (tg.float32, tg.float32, device)
    a, b = np.array(a.tolist()), np.array(b.tolist())
    np.testing.assert_allclose(a.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(a.std(axis=0), 1, rtol=1e-5)
    exact = train.astype(np.float64)
    np.testing.assert_allclose(b, (test - exact.mean(axis=0)) / exact.std(axis=0), rtol=1e-4, atol=1e-5)


def test_one_argument_gives_one_tensor_and_features_of_any_shape():
    images = np.random.default_rng(0).normal(size=(20, 1, 2, 2))
    scaled = standardize(images)
    assert isinstance(scaled, tg.Tensor)
    assert (scaled.shape, scaled.dtype) == ((20, 1, 2, 2), tg.float64)
    np.testing.assert_allclose(scaled.numpy().std(axis=0), 1)


def test_the_data_is_not_mutated():
    train, test = _raw(10), _raw(5)
    before = train.copy(), test.copy()
    standardize(tg.asarray(train), tg.asarray(test))
    assert (train == before[0]).all()
    assert (test == before[1]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_feature_is_shifted_only(device, dtype):
    # The mean of a thousand times 0.1 is not exactly 0.1: the deviation comes out as rounding noise, not as 0.
    column = np.full((1000, 1), 0.1, dtype=dtype)
    train, test = standardize(tg.tensor(column, device=device), tg.tensor(column[:2] + 1, device=device))
    assert float(abs(train).max()) < 1e-6
    assert test.tolist() == pytest.approx(np.ones((2, 1)), abs=1e-6)


def test_many_rows_do_not_blur_the_mean():
    rows = np.full((200_000, 2), 1000.0, dtype=np.float32)
    rows[::2] += 1
    scaled = standardize(rows).numpy()
    assert np.unique(scaled).tolist() == [-1.0, 1.0]


def test_whole_numbers_become_floating():
    scaled = standardize(np.array([[0], [2]], dtype=np.uint8))
    assert (scaled.tolist(), scaled.dtype) == ([[-1.0], [1.0]], tg.float32)


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match="n > 0"):
        standardize(np.zeros((0, 3)))
    with pytest.raises(ShapeError, match=r"argument 2 has shape \(4, 2\)"):
        standardize(np.zeros((5, 3)), np.zeros((4, 3)), np.zeros((4, 2)))


def test_one_hot_is_the_function_of_the_package():
    assert tg.data.one_hot is tg.one_hot


def test_on_a_device_that_is_not_the_current_one():
    train, test = standardize(tg.tensor([[0.0], [2.0]], device="double:1"), tg.tensor([[3.0]], device="double:1"))
    assert (train.tolist(), test.tolist(), test.device) == ([[-1.0], [1.0]], [[2.0]], "double:1")
