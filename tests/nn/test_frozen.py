"""Running statistics stand still inside a block: of the layers that it holds, in this thread or task, until it ends."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn.frozen import statistics_frozen
from tinygrad_opt.nn.utils import frozen_stats


def moves(layer: nn.BatchNorm1d) -> bool:
    """Whether a batch moves the running averages now, and whether the package says the same."""
    before, count = layer.running_mean.tolist(), layer.num_batches_tracked.item()
    layer(tg.tensor([[1.0], [4.0]]) + layer.running_mean)
    moved = layer.running_mean.tolist() != before
    assert moved == (layer.num_batches_tracked.item() == count + 1) == (not statistics_frozen(layer))
    return moved


def test_the_batch_still_normalizes() -> None:
    layer, x = nn.BatchNorm1d(1), tg.tensor([[1.0], [4.0]])
    with frozen_stats():
        inside = layer(x)
        assert not moves(layer)
    assert inside.tolist() == layer(x).tolist()
    assert moves(layer)


def test_only_the_layers_of_the_model() -> None:
    model, other = nn.Sequential(nn.BatchNorm1d(1), nn.Sequential(nn.BatchNorm1d(1))), nn.BatchNorm1d(1)
    with frozen_stats(model):
        assert not moves(model[0])
        assert not moves(model[1][0])
        assert moves(other)
    assert moves(model[1][0])


def test_blocks_nest_are_used_again_and_end_in_any_order() -> None:
    first, second = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    block, other = frozen_stats(first), frozen_stats(second)
    with block, block:
        pass
    assert moves(first)
    block.__enter__()
    block.__enter__()
    other.__enter__()
    block.__exit__()
    assert not moves(first)
    block.__exit__()
    assert moves(first)
    assert not moves(second)
    other.__exit__()
    assert moves(second)


def test_an_error_ends_the_block() -> None:
    with pytest.raises(KeyError), frozen_stats():
        raise KeyError
    assert moves(nn.BatchNorm1d(1))


def test_other_threads_and_tasks_are_not_affected() -> None:
    layer = nn.BatchNorm1d(1)
    with frozen_stats(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(moves, layer).result()

    async def holder(entered: asyncio.Event, leave: asyncio.Event) -> bool:
        with frozen_stats():
            entered.set()
            await leave.wait()
            return moves(layer)

    async def both() -> tuple[bool, bool]:
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(holder(entered, leave))
        await entered.wait()
        outside = moves(layer)
        leave.set()
        return outside, await task

    assert asyncio.run(both()) == (True, False)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(TypeError, match="frozen_stats: model must be a Module, or None for all; got list"):
        frozen_stats([nn.BatchNorm1d(1)])  # type: ignore[arg-type]
