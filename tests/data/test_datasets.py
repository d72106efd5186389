"""Datasets answer for one index and for many; batches are stacked part by part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.data import Subset, TensorDataset, collate
from tinygrad_opt.errors import ShapeError


def test_tensor_dataset_picks_rows_of_every_tensor(device):
    dataset = TensorDataset(tg.arange(6, device=device).reshape(3, 2), tg.tensor([0.5, 1.5, 2.5], device=device))
    x, y = dataset[2]
    assert (len(dataset), x.tolist(), y.item()) == (3, [4, 5], 2.5)
    x, y = dataset.batch(np.array([2, 0, 2]))
    assert x.tolist() == [[4, 5], [0, 1], [4, 5]]
    assert y.tolist() == [2.5, 0.5, 2.5]
    assert (x.device, y.dtype) == (dataset.tensors[0].device, tg.float32)


def test_tensors_may_lie_on_different_devices(device):
    x, y = TensorDataset(tg.zeros(3, 2, device=device), tg.arange(3)).batch(np.array([1]))
    assert (x.device, y.device) == (device, "cpu")


def test_batches_of_a_device_that_is_not_the_current_one():
    x, y = TensorDataset(tg.arange(3, device="double:1"), tg.arange(3, device="double:0")).batch(np.array([2, 0]))
    assert (x.tolist(), y.tolist(), x.device, y.device) == ([2, 0], [2, 0], "double:1", "double:0")


def test_a_batch_is_a_copy_and_the_dataset_shares_memory():
    values = np.zeros((3, 2), dtype=np.float32)
    dataset = TensorDataset(values)
    (batch,) = dataset.batch(np.arange(3))
    batch.data += 1
    assert not values.any()
    values[1] = 7
    assert dataset[1][0].tolist() == [7, 7]


@pytest.mark.parametrize("index", [3, -4])
def test_indices_outside_are_refused_on_every_device(device, index):
    dataset = TensorDataset(tg.zeros(3, device=device))
    with pytest.raises(IndexError, match="3 examples"):
        dataset.batch(np.array([0, index]))
    with pytest.raises(IndexError):
        dataset[index]


def test_tensor_dataset_refuses_what_is_no_table():
    with pytest.raises(ShapeError, match=r"\(3, 2\), \(2,\)"):
        TensorDataset(tg.zeros(3, 2), tg.zeros(2))
    with pytest.raises(ShapeError, match="first axis"):
        TensorDataset(tg.tensor(1.0))
    with pytest.raises(TypeError, match="at least one"):
        TensorDataset()
    with pytest.raises(TypeError, match=r"tensor 1 requires gradients.*detach"):
        TensorDataset(tg.zeros(2), tg.zeros(2, requires_grad=True))


def test_a_subset_of_a_subset_reaches_the_same_rows():
    dataset = TensorDataset(tg.arange(10))
    inner = Subset(Subset(dataset, [9, 7, 5, 3]), [3, 1])
    assert [inner[i][0].item() for i in range(2)] == [3, 7]
    assert inner.batch(np.array([1, 0]))[0].tolist() == [7, 3]


def test_subset_copies_its_indices_and_checks_them():
    indices = np.array([2, 0])
    subset = Subset(["a", "b", "c"], indices)
    indices[0] = 1
    assert (subset[0], list(subset)) == ("c", ["c", "a"])
    for wrong, error in (([3], IndexError), ([0.5], TypeError), ([True, False, True], TypeError), ([[0]], TypeError)):
        with pytest.raises(error, match="Subset"):
            Subset(["a", "b", "c"], wrong)


class Point(NamedTuple):
    x: float
    label: int


def test_collate_keeps_the_structure_of_an_example():
    batch = collate([Point(1.0, 3), Point(2.0, 4)])
    assert isinstance(batch, Point)
    assert (batch.x.tolist(), batch.label.dtype) == ([1.0, 2.0], tg.int64)
    batch = collate([{"x": np.zeros(2), "rest": [i, (tg.ones(1),)]} for i in range(3)])
    assert (batch["x"].shape, batch["x"].dtype) == ((3, 2), tg.float64)
    assert (batch["rest"][0].tolist(), batch["rest"][1][0].shape) == ([0, 1, 2], (3, 1))


def test_collate_stays_on_the_device_and_in_float32(device):
    batch = collate([(tg.ones(2, device=device), 0.5)] * 3)
    assert (batch[0].device, batch[0].dtype) == (device, tg.float32)
    assert batch[1].dtype == tg.float32


def test_collate_says_which_example_does_not_fit():
    with pytest.raises(ShapeError, match=r"part \[1\] has shape \(2,\) in example 0 and \(3,\) in example 1"):
        collate([(0, tg.zeros(2)), (1, tg.zeros(3))])
    with pytest.raises(ShapeError, match="example 1 is not built like example 0"):
        collate([(0, 1), (0,)])
    with pytest.raises(ShapeError, match="example 1 is not built like example 0"):
        collate([{"x": 1}, {"y": 1}])
    with pytest.raises(ValueError, match="at least one example"):
        collate([])
