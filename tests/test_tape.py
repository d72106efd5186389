"""The tape: each rule runs once, graphs of any depth live and die quietly, and nothing is kept that no rule reads."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import errors
from tinygrad_opt.core import primitive
from tinygrad_opt.core.kinds import Elementwise
from tinygrad_opt.core.primitive import UNREAD
from tinygrad_opt.core.tape import reachable


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch the cycle collector off, so that only reference counts free memory."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def shallow_stack() -> Iterator[None]:
    """Leave room for 150 nested calls and no more: whatever recurses along a graph fails at once."""
    depth, frame, before = 0, sys._getframe(), sys.getrecursionlimit()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + 150)
    yield
    sys.setrecursionlimit(before)


@pytest.fixture
def pulls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the elementwise operations whose rules run in reverse, one entry for each run."""
    log: list[str] = []
    pull = Elementwise.pull

    def logged(self: Elementwise, *args: Any) -> Any:
        log.append(self.name)
        return pull(self, *args)

    monkeypatch.setattr(Elementwise, "pull", logged)
    return log


def scalar(value: float = 1.0) -> tg.Tensor:
    return tg.tensor(value, dtype=tg.float64, requires_grad=True)


def traced_megabytes() -> float:
    return tracemalloc.get_traced_memory()[0] / 1e6


# Values used more than once.


def test_a_value_used_twice_by_one_operation() -> None:
    a = scalar(3.0)
    b = a + a
    (b + b).backward()
    assert a.grad.item() == 4.0


def test_a_diamond() -> None:
    x = scalar(2.0)
    y = x * x
    (y * 3 + y * y).backward()  # 3x² + x⁴
    assert x.grad.item() == 6 * 2 + 4 * 8


def test_a_shared_weight() -> None:
    w = tg.tensor([[2.0, 0.0], [1.0, 1.0]], dtype=tg.float64, requires_grad=True)
    x = tg.tensor([1.0, 2.0], dtype=tg.float64)
    (w @ (w @ x)).sum().backward()  # Σ W(Wx): by the first factor 1 (Wx)ᵀ, by the second Wᵀ1 xᵀ
    assert w.grad.tolist() == [[2 + 3, 3 + 6], [2 + 1, 3 + 2]]


def test_a_matrix_shared_by_a_batch() -> None:
    w, batch = tg.ones(2, 3, requires_grad=True), tg.ones(5, 3, 4)
    (w @ batch).sum().backward()
    assert w.grad.tolist() == [[20, 20, 20], [20, 20, 20]]  # 5 products, 4 columns each


def test_each_rule_runs_once_however_many_paths_there_are(pulls: list[str]) -> None:
    x = scalar()
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60
    assert len(pulls) == 2 * 60  # once for each of the two inputs


@pytest.mark.parametrize("length", [10, 1000])
def test_the_work_is_proportional_to_the_length(length: int, pulls: list[str]) -> None:
    x = scalar()
    y = x
    for _ in range(length):
        y = y * 1.5
    y.backward()
    assert len(pulls) == length


def test_only_what_leads_to_a_wanted_input_runs(pulls: list[str]) -> None:
    a, b = scalar(), scalar()
    tg.gradients(tg.exp(a) * tg.tanh(b), [a])
    assert pulls == ["multiply", "exp"]


def test_sixty_doublings_forward_and_second_order() -> None:
    def doubled(x: tg.Tensor) -> tg.Tensor:
        y = x * x
        for _ in range(60):
            y = y + y
        return y

    x, one = tg.tensor(3.0, dtype=tg.float64), tg.tensor(1.0, dtype=tg.float64)
    assert tg.jvp(doubled, x, one)[1].item() == 6 * 2.0**60
    assert tg.grad(tg.grad(doubled))(x).item() == 2 * 2.0**60


# Depth.


@pytest.mark.slow
@pytest.mark.usefixtures("no_collector", "shallow_stack")
def test_a_million_operations() -> None:
    x = scalar()
    y = x
    for _ in range(1_000_000):
        y = y * 1.0000001
    assert repr(y).endswith("grad_fn='multiply')")
    last = weakref.ref(y._node)
    y.backward()
    assert x.grad.item() == pytest.approx(1.0000001**1_000_000, rel=1e-9)
    del y
    assert last() is None


@pytest.mark.slow
@pytest.mark.usefixtures("no_collector", "shallow_stack")
def test_a_hundred_thousand_operations_to_second_order() -> None:
    n = 100_000
    x = scalar()
    y = x
    for _ in range(n // 2):
        y = y + x * 2.0  # y = (n + 1) x
    (g,) = tg.gradients(y * y, [x], create_graph=True)
    (h,) = tg.gradients(g, [x])
    assert h.item() == 2.0 * (n + 1) ** 2
    assert repr(g).endswith("grad_fn='add')")
    deep = weakref.ref(g._node)
    del y, g
    assert deep() is None


@pytest.mark.slow
@pytest.mark.usefixtures("no_collector", "shallow_stack")
def test_a_hundred_thousand_operations_linearized() -> None:
    def power(x: tg.Tensor) -> tg.Tensor:
        y = x
        for _ in range(100_000):
            y = y * 1.00001
        return y * y

    x = tg.tensor(1.0, dtype=tg.float64)
    slope, pushforward = tg.linearize(tg.grad(power), x)
    assert slope.item() == pytest.approx(2 * 1.00001**200_000, rel=1e-9)
    assert pushforward(x).item() == pytest.approx(2 * 1.00001**200_000, rel=1e-9)


def test_a_deep_graph_dies_on_a_small_stack() -> None:
    """The C stack of a thread is small here: freeing node after node by nested calls would end the process."""
    died = []

    def live_and_die() -> None:
        x = scalar()
        y = x
        for _ in range(50_000):
            y = y + 1.0
        first = weakref.ref(y._node)
        del y
        died.append(first() is None)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=live_and_die)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert died == [True]


# Death: no reference cycles, so that nothing waits for the collector.


def small_loss(x: Any) -> Any:
    return (tg.exp(x) * x).sum() / (1 + x @ x)


def first_order(x: tg.Tensor) -> None:
    small_loss(x).backward()
    x.zero_grad()


def second_order(x: tg.Tensor) -> None:
    (g,) = tg.gradients(small_loss(x), [x], create_graph=True)
    tg.gradients(g.sum(), [x])


def third_order_by_nesting(x: tg.Tensor) -> None:
    line = lambda s: small_loss(x * s)  # noqa: E731
    tg.grad(tg.grad(tg.grad(line)))(tg.tensor(1.0, dtype=tg.float64))


def three_products(x: tg.Tensor) -> None:
    for mode in ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward"):
        tg.hvp(small_loss, x, tg.ones_like(x), mode=mode)


def linearized(x: tg.Tensor) -> None:
    _, pushforward = tg.linearize(tg.grad(small_loss), x)
    pushforward(tg.ones_like(x))
    pushforward(tg.ones_like(x))


def pulled(x: tg.Tensor) -> None:
    _, pullback = tg.vjp(lambda z: z * tg.tanh(z), x)
    pullback(tg.ones_like(x))


def with_auxiliary_value(x: tg.Tensor) -> None:
    tg.value_and_grad(lambda z: (small_loss(z), z), has_aux=True)(x)


def inspected(x: tg.Tensor) -> None:
    with tg.detect_anomaly():
        first_order(x)


def never_swept(x: tg.Tensor) -> None:
    small_loss(x)


def failing(x: tg.Tensor, what: Callable[[], Any]) -> None:
    try:
        what()
    except (errors.GraphError, ValueError, TypeError, IndexError, FloatingPointError):
        x.zero_grad()
    else:
        raise AssertionError("this was to fail")


def swept_twice(x: tg.Tensor) -> None:
    loss = small_loss(x)
    loss.backward()
    failing(x, loss.backward)


def overwritten(x: tg.Tensor) -> None:
    loss = small_loss(x)
    x.data += 0.0
    failing(x, loss.backward)


def anomalous(x: tg.Tensor) -> None:
    with tg.detect_anomaly(), np.errstate(all="ignore"):
        failing(x, lambda: tg.log(x - x))


STEPS: list[Callable[[tg.Tensor], None]] = [
    first_order, second_order, third_order_by_nesting, three_products, linearized, pulled, with_auxiliary_value,
    inspected, never_swept, swept_twice, overwritten, anomalous,
    lambda x: failing(x, (x * x).backward),
    lambda x: failing(x, lambda: tg.gradients(x * x, [x])),
    lambda x: failing(x, lambda: tg.gradients(small_loss(x), [x, tg.ones(2, requires_grad=True)])),
    lambda x: failing(x, lambda: tg.grad(lambda z: z * z)(x)),
    lambda x: failing(x, lambda: x * tg.ones(7)),
    lambda x: failing(x, lambda: x[9]),
    lambda x: failing(x, lambda: (x * x).backward(tg.ones(7))),
]  # fmt: skip


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_leaves_nothing_behind(step: Callable[[tg.Tensor], None]) -> None:
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    for _ in range(3):  # caches fill
        step(x)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(5):
        step(x)
    assert len(gc.get_objects()) - before == 0
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("swept", [False, True])
def test_with_the_loss_die_all_its_nodes_and_arrays(swept: bool) -> None:
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    loss = small_loss(x)
    (g,) = tg.gradients(loss, [x], create_graph=True)
    nodes = [node for node in reachable([loss._node, g._node]) if node.parents]
    arrays = [a for node in nodes for a in node.saved if isinstance(a, np.ndarray) and a is not x.data]
    watched = [weakref.ref(thing) for thing in (*nodes, *arrays)]
    assert len(watched) > 30
    if swept:
        loss.backward(retain_graph=True)
    del nodes, arrays, loss, g
    assert [ref() for ref in watched if ref() is not None] == []


@pytest.mark.usefixtures("no_collector")
def test_a_graph_does_not_keep_tensors_alive() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    middle = tg.exp(x)
    loss = (middle * middle).sum()
    watched = weakref.ref(middle)
    del middle
    assert watched() is None
    loss.backward()
    np.testing.assert_allclose(x.grad.data, 2 * np.exp([2.0, 4.0]), rtol=1e-6)


# Memory.


@pytest.fixture
def tracing() -> Iterator[None]:
    """NumPy reports its memory to tracemalloc, which counts it to the byte."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("tracing", "no_collector")
def test_chained_additions_keep_no_arrays() -> None:
    x = tg.ones(500, 500, requires_grad=True)
    before = traced_megabytes()
    y = x
    for _ in range(100):
        y = y + 1.0  # 1 MB each
    assert traced_megabytes() - before < 10
    y.sum().backward()
    assert x.grad.tolist()[0][0] == 1.0


@pytest.mark.usefixtures("tracing", "no_collector")
@pytest.mark.parametrize("retain_graph", [False, True])
def test_backward_frees_what_was_saved_unless_told_otherwise(retain_graph: bool) -> None:
    x = tg.ones(500, 500, requires_grad=True)
    before = traced_megabytes()
    y = x
    for _ in range(20):
        y = tg.tanh(y)  # keeps its output, 1 MB each
    loss = y.sum()
    del y
    assert traced_megabytes() - before > 19
    loss.backward(retain_graph=retain_graph)
    held = traced_megabytes() - before - 1  # one for the gradient itself
    assert held > 19 if retain_graph else held < 1


def test_what_no_rule_reads_is_not_saved() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert [s is UNREAD for s in tg.exp(x)._node.saved] == [False, True]
    assert [s is UNREAD for s in tg.log(x)._node.saved] == [True, False]
    assert [s is UNREAD for s in (x + 1.0)._node.saved] == [True, True, True]
    assert [s is UNREAD for s in (x * tg.ones(2))._node.saved] == [True, True, False]  # the constant, for x's rule


def test_reading_what_was_declared_unread_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primitive, "REGISTRY", {})
    wrong = Elementwise("wrong", lambda g, _y, _x: g * _x, kernel=lambda xp, x: x * x)
    x = scalar()
    with pytest.raises(TypeError, match="declared as unread: drop the leading underscore"):
        wrong(x).backward()


# Sweeping again, and what it adds to.


def test_two_sweeps_are_bitwise_equal() -> None:
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.normal(size=(30, 30)), requires_grad=True)
    x = tg.tensor(rng.normal(size=(8, 30)))
    loss = tg.logsumexp(tg.tanh(x @ w) @ w + w.sum(axis=0))
    loss.backward(retain_graph=True)
    first = w.grad.data.tobytes()
    w.zero_grad()
    loss.backward()
    assert w.grad.data.tobytes() == first


def test_leaves_accumulate_and_results_do_not() -> None:
    x = scalar(3.0)
    middle = x * x
    middle.retain_grad()
    loss = middle * middle  # x⁴
    loss.backward(retain_graph=True)
    assert (x.grad.item(), middle.grad.item()) == (108.0, 18.0)
    middle.zero_grad()
    loss.backward()
    assert (x.grad.item(), middle.grad.item()) == (216.0, 18.0)


def test_zero_grad_starts_anew() -> None:
    x = scalar(3.0)
    (x * x).backward()
    x.zero_grad()
    assert x.grad is None
    (x * 2).backward()
    assert x.grad.item() == 2.0


def test_a_leaf_is_its_own_derivative() -> None:
    x = scalar()
    x.backward()
    seed = tg.tensor(2.0, dtype=tg.float64)
    x.backward(seed)
    assert x.grad.item() == 3.0
    assert seed.item() == 2.0


def test_gradients_share_no_memory() -> None:
    a, b = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
    seed = tg.ones(3)
    (a + b).backward(seed)
    arrays = [a.grad.data, b.grad.data, seed.data]
    assert not any(np.shares_memory(p, q) for i, p in enumerate(arrays) for q in arrays[:i])
    a.grad.data += 1
    assert b.grad.tolist() == seed.tolist() == [1, 1, 1]


def test_gradients_of_a_result_do_not_need_what_made_it() -> None:
    """Only what lies between output and input is read: the input may itself be freed, or overwritten."""
    x = tg.ones(2, requires_grad=True)
    middle = tg.exp(x)
    middle.sum().backward()
    assert tg.gradients((middle * 3.0).sum(), [middle])[0].tolist() == [3, 3]
    middle = tg.exp(x)
    loss = (middle + 1.0).sum()
    middle.data *= 2.0
    assert tg.gradients(loss, [middle])[0].tolist() == [1, 1]
    with pytest.raises(errors.InPlaceError):
        tg.gradients(loss, [x])


def test_several_outputs_are_summed() -> None:
    x = scalar(2.0)
    (g,) = tg.gradients([x * x, x * 3], [x])
    assert g.item() == 7.0
    (g,) = tg.gradients([x * x, x * x], [x], [np.float64(2.0), tg.tensor(10.0)])
    assert g.item() == 48.0


def test_a_gradient_has_the_dtype_of_its_input() -> None:
    low = tg.ones(2, dtype=tg.float32, requires_grad=True)
    high = tg.ones(2, dtype=tg.float64, requires_grad=True)
    y = (low * high).sum()
    assert y.dtype == tg.float64
    y.backward()
    assert (low.grad.dtype, high.grad.dtype) == (tg.float32, tg.float64)
