"""The DataLoader: every example once per epoch, in an order that depends on seed and epoch alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.data import DataLoader, Dataset, Subset, TensorDataset


def _visited(loader: DataLoader) -> list[int]:
    """The examples of one epoch, in order."""
    return [int(i) for (batch,) in loader for i in batch.tolist()]


def _numbers(count: int, device: str | None = None) -> TensorDataset:
    return TensorDataset(tg.arange(count, device=device))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("count", "batch_size", "drop_last"),
    [(10, 3, False), (10, 3, True), (9, 3, False), (9, 3, True), (4, 4, True), (5, 1, False), (2, 7, False)],
)
def test_sizes_of_batches_and_length(count, batch_size, drop_last, shuffle):
    loader = DataLoader(_numbers(count), batch_size, shuffle, drop_last, seed=0)
    sizes = [len(batch) for (batch,) in loader]
    full, rest = divmod(count, batch_size)
    assert sizes == [batch_size] * full + ([rest] if rest and not drop_last else [])
    assert len(loader) == len(sizes)
    visited = _visited(loader)
    assert len(set(visited)) == len(visited) == sum(sizes)


def test_without_shuffling_the_order_is_that_of_the_dataset(device):
    loader = DataLoader(_numbers(7, device), batch_size=3)
    assert _visited(loader) == _visited(loader) == list(range(7))
    assert loader.seed is None


def test_a_seed_fixes_the_order_on_every_device(device):
    loader = DataLoader(_numbers(50, device), batch_size=8, shuffle=True, seed=3)
    first, second = _visited(loader), _visited(loader)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first != list(range(50))
    again = DataLoader(_numbers(50), batch_size=11, shuffle=True, seed=3)
    assert [_visited(again), _visited(again)] == [first, second]
    assert _visited(DataLoader(_numbers(50), shuffle=True, seed=4)) != first


def test_manual_seed_fixes_the_order_and_other_draws_do_not_move_it():
    orders = []
    for extra in (0, 5):
        tg.manual_seed(7)
        loader = DataLoader(_numbers(50), batch_size=8, shuffle=True)
        first = _visited(loader)
        tg.rand(extra)
        orders.append((first, _visited(loader)))
    assert orders[0] == orders[1]
    tg.manual_seed(8)
    assert _visited(DataLoader(_numbers(50), batch_size=8, shuffle=True)) != orders[0][0]


def test_two_loaders_without_a_seed_shuffle_differently():
    tg.manual_seed(0)
    first, second = (DataLoader(_numbers(50), shuffle=True) for _ in range(2))
    assert _visited(first) != _visited(second)


def test_a_given_seed_or_no_shuffling_leaves_all_generators_alone():
    tg.manual_seed(1)
    expected = tg.rand(3).tolist()
    tg.manual_seed(1)
    before = np.random.get_state()  # noqa: NPY002 - the very generator that must not be touched
    _visited(DataLoader(_numbers(20), shuffle=True, seed=0))
    _visited(DataLoader(_numbers(20)))
    assert tg.rand(3).tolist() == expected
    _visited(DataLoader(_numbers(20), shuffle=True))
    after = np.random.get_state()  # noqa: NPY002
    assert (before[1] == after[1]).all()
    assert before[2:] == after[2:]


def test_a_run_can_go_on_at_any_epoch():
    loader = DataLoader(_numbers(30), batch_size=4, shuffle=True, seed=5)
    epochs = [_visited(loader) for _ in range(4)]
    resumed = DataLoader(_numbers(30), batch_size=4, shuffle=True, seed=5)
    resumed.epoch = 2
    assert [_visited(resumed), _visited(resumed)] == epochs[2:]
    assert [resumed.order(e).tolist() for e in range(4)] == epochs


def test_an_abandoned_or_interleaved_epoch_counts_as_one():
    loader = DataLoader(_numbers(30), batch_size=4, shuffle=True, seed=5)
    next(iter(loader))
    assert loader.epoch == 1
    pairs = list(zip(loader, loader, strict=True))
    assert [int(i) for (a,), _ in pairs for i in a.tolist()] == loader.order(1).tolist()
    assert [int(i) for _, (b,) in pairs for i in b.tolist()] == loader.order(2).tolist()


def test_tensors_are_fetched_a_batch_at_a_time():
    class Counting(TensorDataset):
        calls = 0

        def batch(self, indices):
            self.calls += 1
            return super().batch(indices)

        def __getitem__(self, index):
            raise AssertionError("one example was picked alone")

    dataset = Counting(tg.arange(10))
    assert _visited(DataLoader(Subset(dataset, [8, 1, 5]), batch_size=2)) == [8, 1, 5]
    assert dataset.calls == 2


def test_any_sequence_is_a_dataset():
    batches = list(DataLoader([(0.0, 1), (0.5, 2), (1.0, 3)], batch_size=2))
    assert [(x.tolist(), y.tolist()) for x, y in batches] == [([0.0, 0.5], [1, 2]), ([1.0], [3])]
    assert [batch.tolist() for batch in DataLoader(range(3), batch_size=2)] == [[0, 1], [2]]

    class Squares(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return {"square": index**2}

    assert [batch["square"].tolist() for batch in DataLoader(Squares(), batch_size=3)] == [[0, 1, 4]]


def test_batches_are_copies_and_nothing_is_mutated(device):
    x = tg.rand(9, 2, device=device)
    before = x.tolist()
    for (batch,) in DataLoader(TensorDataset(x), batch_size=4, shuffle=True, seed=0):
        assert (batch.dtype, batch.device, batch.requires_grad) == (tg.float32, x.device, False)
        batch.data *= 2
    for (batch,) in DataLoader(TensorDataset(x), batch_size=9):
        batch.data *= 2
    assert x.tolist() == before


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1; got 0"),
        ({"batch_size": -2}, ValueError, "batch_size must be at least 1"),
        ({"batch_size": 2.0}, TypeError, "batch_size must be a whole number; got 2.0"),
        ({"batch_size": True}, TypeError, "batch_size must be a whole number"),
        ({"batch_size": None}, TypeError, "batch_size must be a whole number"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"seed": "x"}, TypeError, "seed must be a whole number"),
        ({"batch_size": 9, "drop_last": True}, ValueError, "leaves no batch"),
    ],
)
def test_arguments_that_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        DataLoader(_numbers(5), **arguments)


def test_things_that_are_no_dataset():
    with pytest.raises(ValueError, match="empty"):
        DataLoader([])
    with pytest.raises(TypeError, match=r"TensorDataset\(x, y\)"):
        DataLoader((tg.zeros(4, 2), tg.zeros(4)), batch_size=2)
    with pytest.raises(TypeError, match="length and indexing"):
        DataLoader(itertools.count())


def test_repr_tells_how_to_repeat_the_order():
    loader = DataLoader(_numbers(5), batch_size=2, shuffle=True, seed=3)
    assert repr(loader) == "DataLoader(5 examples, batch_size=2, shuffle=True, seed=3)"
    assert repr(DataLoader(_numbers(5), drop_last=True)) == "DataLoader(5 examples, batch_size=1, drop_last=True)"
