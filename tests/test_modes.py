"""Modes belong to one thread or async task, end in any order, and survive exceptions, generators and coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.modes import current


def records() -> bool:
    """Whether an operation really is recorded now, and whether the package says the same."""
    x = tg.ones(2, requires_grad=True)
    recorded = (x * 2).requires_grad
    assert recorded == tg.is_grad_enabled()
    return recorded


def in_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_blocks_nest() -> None:
    seen = [records()]
    with tg.no_grad():
        seen.append(records())
        with tg.enable_grad():
            seen.append(records())
            with tg.no_grad():
                seen.append(records())
            seen.append(records())
        seen.append(records())
    seen.append(records())
    assert seen == [True, False, True, False, True, False, True]


def test_an_exception_closes_its_block() -> None:
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert records()


def test_blocks_may_end_in_any_order() -> None:
    off, on = tg.no_grad(), tg.enable_grad()
    off.__enter__()
    on.__enter__()
    assert records()
    off.__exit__(None, None, None)
    assert records()  # the later block is still open
    on.__exit__(None, None, None)
    off.__enter__()
    on.__enter__()
    on.__exit__(None, None, None)
    assert not records()
    off.__exit__(None, None, None)


def test_interleaved_generators_with_blocks_of_their_own() -> None:
    def body(block: Any) -> Generator[bool, None, None]:
        with block:
            yield records()

    first, second = body(tg.no_grad()), body(tg.enable_grad())
    assert next(first) is False
    assert next(second) is True
    with contextlib.suppress(StopIteration):
        next(first)  # leaves the outer block while the inner one is open
    assert records()
    second.close()


def test_one_block_object_serves_many_times() -> None:
    block = tg.no_grad()
    with block:
        with block:
            assert not records()
        assert not records()
    assert records()
    with block, tg.enable_grad(), block:
        assert not records()
    assert records()


def test_settings_of_different_kinds_are_independent() -> None:
    with tg.detect_anomaly(), tg.no_grad():
        assert current.get().inspecting
        assert not records()
        with tg.enable_grad():
            assert current.get().inspecting
            assert records()
    assert not current.get().inspecting


# Threads.


def test_a_block_does_not_reach_other_threads() -> None:
    with tg.no_grad():
        assert in_thread(records) is True
        assert not records()


def test_a_block_in_a_thread_does_not_reach_this_one() -> None:
    opened, seen = threading.Event(), threading.Event()

    def work() -> bool:
        with tg.no_grad():
            opened.set()
            seen.wait(10)
            return records()

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        assert opened.wait(10)
        assert records()
        seen.set()
        assert result.result() is False


def test_threads_sweep_graphs_of_their_own_at_the_same_time() -> None:
    def work(scale: float) -> float:
        x = tg.tensor(scale, dtype=tg.float64, requires_grad=True)
        for _ in range(30):
            x.zero_grad()
            y = x
            for _ in range(30):
                y = y * 1.0 + x
            with tg.no_grad():
                assert not (y * 2).requires_grad
            (y * y).backward()
        return x.grad.item()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, [1.0, 2.0, 3.0, 4.0]))
    assert found == [2 * 31.0**2 * scale for scale in (1.0, 2.0, 3.0, 4.0)]


def test_a_copied_context_takes_the_mode_along() -> None:
    with tg.no_grad():
        context = contextvars.copy_context()
    assert context.run(records) is False
    assert records()


# Async tasks.


def test_tasks_do_not_see_each_other() -> None:
    log: list[tuple[str, bool]] = []

    async def quiet() -> None:
        with tg.no_grad():
            for _ in range(3):
                log.append(("quiet", records()))
                await asyncio.sleep(0)

    async def recording() -> None:
        for _ in range(3):
            log.append(("recording", records()))
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(quiet(), recording())
        assert records()

    asyncio.run(both())
    assert [name for name, _ in log] == ["quiet", "recording"] * 3
    assert all(recorded == (name == "recording") for name, recorded in log)


def test_a_task_keeps_the_mode_of_its_start() -> None:
    async def started_inside() -> bool:
        await asyncio.sleep(0)
        return records()

    async def outer() -> tuple[bool, bool]:
        with tg.no_grad():
            task = asyncio.create_task(started_inside())
        return records(), await task

    assert asyncio.run(outer()) == (True, False)


# Decorators.


def test_a_decorated_function_keeps_its_face() -> None:
    @tg.no_grad()
    def evaluate(a: int, *, b: int = 2) -> tuple[int, int, bool]:
        """Say what came."""
        return a, b, records()

    assert evaluate(1, b=3) == (1, 3, False)
    assert evaluate.__name__ == "evaluate"
    assert evaluate.__doc__ == "Say what came."
    assert records()


def test_a_decorated_function_may_recurse_and_fail() -> None:
    @tg.no_grad()
    def countdown(n: int) -> bool:
        if n == 0:
            raise LookupError
        with contextlib.suppress(LookupError):
            countdown(n - 1)
        return records()

    assert countdown(3) is False
    with pytest.raises(LookupError):
        countdown(0)


def test_a_decorated_method() -> None:
    class Model:
        @tg.no_grad()
        def predict(self) -> bool:
            return records()

    assert Model().predict() is False


def test_a_decorated_generator_is_quiet_inside_and_only_inside() -> None:
    @tg.no_grad()
    def batches() -> Generator[bool, str, str]:
        received = yield records()
        assert received == "hello"
        try:
            yield records()
        except KeyError:
            yield records()
        return "the end"

    def around() -> Generator[bool, Any, str]:
        return (yield from batches())

    running = around()
    seen = [next(running), records(), running.send("hello"), records(), running.throw(KeyError()), records()]
    assert seen == [False, True, False, True, False, True]
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "the end"


def test_a_decorated_generator_can_be_closed() -> None:
    closed = []

    @tg.no_grad()
    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            closed.append(records())

    running = endless()
    next(running)
    running.close()
    assert closed == [False]  # what runs on closing is part of the body


def test_a_decorated_generator_passes_its_errors_on() -> None:
    @tg.no_grad()
    def broken() -> Generator[int, None, None]:
        yield 1
        raise LookupError("inside")

    running = broken()
    next(running)
    with pytest.raises(LookupError, match="inside"):
        next(running)


def test_decorated_generators_interleave() -> None:
    @tg.no_grad()
    def quiet() -> Generator[bool, None, None]:
        yield records()
        yield records()

    @tg.enable_grad()
    def recording() -> Generator[bool, None, None]:
        yield records()
        yield records()

    with tg.no_grad():
        assert list(zip(quiet(), recording(), strict=True)) == [(False, True), (False, True)]
    assert list(zip(quiet(), recording(), strict=True)) == [(False, True), (False, True)]


def test_a_decorated_coroutine() -> None:
    @tg.no_grad()
    async def evaluate() -> bool:
        await asyncio.sleep(0)
        return records()

    async def main() -> tuple[bool, bool]:
        task = asyncio.create_task(evaluate())
        await asyncio.sleep(0)
        return records(), await task

    assert asyncio.run(main()) == (True, False)


# What the mode means for tensors.


def test_results_made_inside_no_grad_are_constants() -> None:
    x = tg.ones(2, requires_grad=True)
    with tg.no_grad():
        y = x * 3
        z = tg.ones(2, requires_grad=True)
    assert y.is_leaf
    assert not y.requires_grad
    assert z.requires_grad
    (g,) = tg.gradients((x * y).sum(), [x])
    assert g.tolist() == [3, 3]


def test_backward_works_inside_no_grad() -> None:
    x = tg.tensor(2.0, requires_grad=True)
    y = x * x
    with tg.no_grad():
        y.backward()
    assert x.grad.item() == 4.0
    assert not x.grad.requires_grad


def test_create_graph_records_inside_no_grad() -> None:
    x = tg.tensor(2.0, requires_grad=True)
    y = x**3
    with tg.no_grad():
        (g,) = tg.gradients(y, [x], create_graph=True)
        (h,) = tg.gradients(g, [x])
    assert h.item() == 12.0


def test_the_parentheses_of_a_decorator_may_be_left_out() -> None:
    @tg.no_grad
    def recording() -> bool:
        return tg.is_grad_enabled()

    assert not recording()
    assert tg.is_grad_enabled()


def test_an_asynchronous_generator_is_refused_with_the_way_out() -> None:
    async def numbers():
        yield 1

    with pytest.raises(TypeError, match=r"with tg\.no_grad\(\):"):
        tg.no_grad()(numbers)
