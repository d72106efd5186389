"""`total += loss`: a sum that keeps every step's graph alive is told, and nothing else is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.running_sum import TERMS, spent_terms

START: list[Callable[[], Any]] = [
    lambda: 0,
    lambda: 0.0,
    lambda: tg.tensor(0.0),
    lambda: tg.tensor(0.0, requires_grad=True),
]


def run(steps: int, add: Callable[[Any, tg.Tensor], Any], start: Any = 0.0, backward: bool = True) -> Any:
    """A training loop that sums its losses."""
    w, total = tg.ones(3, requires_grad=True), start
    for _ in range(steps):
        loss = (w * w).sum()
        total = add(total, loss)
        if backward:
            loss.backward()
    return total


def plus(total: Any, loss: Any) -> Any:
    return total + loss


@pytest.mark.parametrize("start", START)
@pytest.mark.parametrize(
    "add",
    [plus, lambda t, x: x + t, lambda t, x: t + x / 10, lambda t, x: t + 0.5 * x * 2, lambda t, x: t + x.reshape(())],
)
@pytest.mark.parametrize(
    "read", [lambda t: t.item(), float, repr, str, lambda t: f"{t / TERMS:.3f}", lambda t: (t / 7).item()]
)
def test_a_running_sum_is_told_when_it_is_read(start: Any, add: Any, read: Any) -> None:
    total = run(TERMS + 1, add, start())
    with pytest.warns(
        UserWarning, match=rf"a running sum, and its last {TERMS} terms.*total \+= loss\.item\(\)"
    ) as caught:
        read(total)
    assert {warning.filename for warning in caught} == {__file__}


def test_augmented_assignment_too() -> None:
    w, total = tg.ones(3, requires_grad=True), 0.0
    for _ in range(TERMS):
        loss = (w * w).sum()
        loss.backward()
        total += loss
    assert spent_terms(total._node) == TERMS
    assert total.explain().spent == TERMS
    assert "add loss.item()" in repr(total.explain())


@pytest.mark.parametrize(
    "total",
    [
        lambda: run(TERMS - 1, plus),
        lambda: run(TERMS + 1, lambda t, x: t + x.item()),
        lambda: run(TERMS + 1, lambda t, x: t + x.detach()),
        lambda: run(10 * TERMS, plus, backward=False),  # all one graph, to be swept as a whole
        lambda: run(10 * TERMS, lambda t, x: x),
    ],
)
def test_what_is_no_running_sum_of_swept_graphs_is_left_alone(total: Callable[[], Any]) -> None:
    found = total()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        float(found)
        repr(found)


def test_a_deep_graph_is_left_alone_before_and_after_its_sweep() -> None:
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20 * TERMS):
        y = y + x
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert y.item() == 20 * TERMS + 1
        y.backward()
        assert y.item() == 20 * TERMS + 1
        assert x.grad.item() == 20 * TERMS + 1


def test_losses_of_several_steps_that_are_swept_together() -> None:
    total = run(3 * TERMS, plus, backward=False)
    total.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        total.item()
