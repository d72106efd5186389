"""Splits: parts without overlap, that together are the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_opt as tg
from tinygrad_opt.data import random_split, train_test_split
from tinygrad_opt.errors import ShapeError


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([7, 3], [7, 3]),
        ([0, 10], [0, 10]),
        ([0.7, 0.2, 0.1], [7, 2, 1]),
        ([0.5, 0.25, 0.25], [6, 2, 2]),
        ([1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        ([1.0], [10]),
    ],
)
def test_lengths_of_the_parts(lengths, sizes):
    parts = random_split(range(10), lengths, seed=0)
    assert [len(part) for part in parts] == sizes
    assert sorted(i for part in parts for i in part) == list(range(10))


def test_a_fraction_is_not_lost_to_rounding():
    assert [len(part) for part in random_split(range(100), [0.29, 0.71], seed=0)] == [29, 71]


def test_random_split_is_random_and_repeatable():
    def first(seed: int | None) -> list[int]:
        return list(random_split(range(50), [25, 25], seed)[0])

    assert first(1) == first(1) != first(2)
    tg.manual_seed(3)
    drawn = first(None)
    assert drawn != first(None)
    tg.manual_seed(3)
    assert drawn == first(None)
    assert drawn != sorted(drawn)


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, 6], "add up to 11, but the dataset has 10"),
        ([0.5, 0.6], "add up to 1.1, not to 1"),
        ([11, -1], "none of them negative"),
        ([], "expected lengths"),
    ],
)
def test_random_split_refuses_lengths_that_do_not_add_up(lengths, words):
    with pytest.raises(ValueError, match=words):
        random_split(range(10), lengths)


@pytest.mark.parametrize(("test_size", "held_out"), [(0.25, 3), (0.5, 5), (0.07, 1), (4, 4), (np.float64(0.3), 3)])
def test_train_test_split_divides_all_arrays_alike(device, test_size, held_out):
    x, y = tg.arange(20, device=device).reshape(10, 2), tg.arange(10, device=device)
    parts = train_test_split(x, y, test_size=test_size, seed=0)
    x_train, x_test, y_train, y_test = parts
    assert (len(x_train), len(x_test)) == (10 - held_out, held_out)
    assert sorted(y_train.tolist() + y_test.tolist()) == list(range(10))
    for x_part, y_part in ((x_train, y_train), (x_test, y_test)):
        assert [row[0] for row in x_part.tolist()] == [2 * i for i in y_part.tolist()]
    assert {part.device for part in parts} == {x.device}


def test_a_share_of_the_rows_is_not_lost_to_rounding():
    assert len(train_test_split(np.zeros(100), test_size=0.07, seed=0)[1]) == 7


def test_train_test_split_copies_and_keeps_dtypes():
    values = np.zeros((8, 2), dtype=np.float32)
    train, test = train_test_split(values, seed=0)
    train.data += 1
    test.data += 1
    assert not values.any()
    assert (train.dtype, test.dtype) == (tg.float32, tg.float32)


def test_one_seed_gives_one_split_on_every_device(device):
    for stratify in (None, np.arange(40) % 4):
        on_host = train_test_split(tg.arange(40), stratify=stratify, seed=5)
        moved = None if stratify is None else tg.tensor(stratify, device=device)
        on_device = train_test_split(tg.arange(40, device=device), stratify=moved, seed=5)
        assert [part.tolist() for part in on_host] == [part.tolist() for part in on_device]
        other = train_test_split(tg.arange(40), stratify=stratify, seed=6)
        assert on_host[1].tolist() != other[1].tolist()


@given(data=st.data())
def test_stratified_parts_have_every_class_in_proportion(data):
    sizes = data.draw(st.lists(st.integers(2, 40), min_size=1, max_size=5))
    total, classes = sum(sizes), len(sizes)
    held_out = data.draw(st.integers(classes, total - classes))
    labels = np.repeat(np.arange(classes), sizes)
    train, test = train_test_split(labels, test_size=held_out, stratify=labels, seed=0)
    counts = np.bincount(test.numpy(), minlength=classes)
    assert (counts + np.bincount(train.numpy(), minlength=classes)).tolist() == sizes
    assert len(test) == held_out
    assert counts.min() >= 1
    assert (np.array(sizes) - counts).min() >= 1
    exact = np.array(sizes) * held_out / total
    if exact.min() >= 1 and (np.array(sizes) - exact).min() >= 1:  # otherwise a class had to be helped
        assert abs(counts - exact).max() < 1


def test_stratify_takes_labels_of_any_kind():
    labels = np.array([-3, 7] * 10)
    _, test = train_test_split(labels, test_size=0.5, stratify=labels, seed=0)
    assert sorted(test.tolist()) == [-3] * 5 + [7] * 5


@pytest.mark.parametrize("test_size", [0.0, 1.0, -0.1, 0, 10, 11, float("nan")])
def test_sizes_that_leave_a_part_empty(test_size):
    with pytest.raises(ValueError, match="train_test_split"):
        train_test_split(np.zeros(10), test_size=test_size)


def test_train_test_split_refuses_what_cannot_be_divided():
    with pytest.raises(TypeError, match="test_size must be a whole number"):
        train_test_split(np.zeros(10), test_size="half")
    with pytest.raises(ShapeError, match="same length"):
        train_test_split(np.zeros(10), np.zeros(9))
    with pytest.raises(ShapeError, match=r"one label per row, \(4,\); got \(3,\)"):
        train_test_split(np.zeros(4), stratify=np.zeros(3))
    with pytest.raises(ValueError, match="at least 2 rows"):
        train_test_split(np.zeros(4), stratify=np.array([0, 0, 0, 1]))
    with pytest.raises(ValueError, match="cannot both contain all 2 classes"):
        train_test_split(np.zeros(8), test_size=1, stratify=np.array([0, 1] * 4))
