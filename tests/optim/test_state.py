"""Saved states: a training goes on bit for bit, and a state that does not fit is refused as a whole."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import Maker, every, leaf
from tinygrad_opt import nn


def model(device: str = "cpu", dtype: Any = tg.float64, seed: int = 0) -> nn.Sequential:
    tg.manual_seed(seed)
    layers = nn.Linear(3, 4, device=device), nn.BatchNorm1d(4, device=device), nn.Tanh(), nn.Linear(4, 2, device=device)
    return nn.Sequential(*layers).to(dtype)


def train(net: nn.Module, optimizer: tg.optim.Optimizer, steps: int, first: int = 0) -> None:
    """Steps number `first` and later of one training; each has data of its own."""
    weight = next(net.parameters())
    for step in range(first, first + steps):
        rng = np.random.default_rng(step)
        x = tg.tensor(rng.standard_normal((5, 3)).astype(weight.dtype), device=weight.device)
        labels = tg.tensor(rng.integers(0, 2, 5), device=weight.device)
        optimizer.step(lambda x=x, labels=labels: nn.CrossEntropyLoss()(net(x), labels))


def snapshot(net: nn.Module) -> list[np.ndarray]:
    return [t.cpu().numpy().copy() for t in net.state_dict().values()]


def assert_equal(xs: list[np.ndarray], ys: list[np.ndarray]) -> None:
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_array_equal(x, y)


@every
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_a_training_continues_bit_for_bit(make: Maker, dtype: Any, device: str) -> None:
    net = model(device, dtype)
    optimizer = make(net.parameters(), lr=0.05, weight_decay=0.01)
    train(net, optimizer, 3)
    saved = copy.deepcopy((snapshot(net), optimizer.state_dict()))
    train(net, optimizer, 4, first=3)

    again = model(device, dtype, seed=1)
    other = make(again.parameters(), lr=0.5)
    train(again, other, 2)
    again.load_state_dict(dict(zip(again.state_dict(), saved[0], strict=True)))
    other.load_state_dict(saved[1])
    assert other.param_groups[0]["lr"] == 0.05
    train(again, other, 4, first=3)
    assert_equal(snapshot(again), snapshot(net))


@every
def test_a_state_is_a_copy(make: Maker) -> None:
    net = model()
    optimizer = make(net.parameters(), lr=0.1)
    train(net, optimizer, 2)
    state = optimizer.state_dict()
    kept = copy.deepcopy(state)
    train(net, optimizer, 2)
    optimizer.param_groups[0]["lr"] = 7.0
    vectors = [s["groups"][0]["vectors"][0] for s in (state, kept)]
    assert state["groups"][0]["hyper"] == kept["groups"][0]["hyper"]
    assert vectors[0]["steps"] == vectors[1]["steps"] == [2] * 6
    assert_equal(*(list(v["state"].values()) for v in vectors))

    optimizer.load_state_dict(state)
    train(net, optimizer, 1)
    assert_equal(*(list(v["state"].values()) for v in vectors))


@every
def test_a_state_moves_to_another_device(make: Maker, device: str) -> None:
    nets = model(), model(device)
    first, second = (make(net.parameters(), lr=0.1) for net in nets)
    train(nets[0], first, 2)
    nets[1].load_state_dict(nets[0].state_dict())
    second.load_state_dict(first.state_dict())
    train(nets[1], second, 1, first=2)
    train(nets[0], first, 1, first=2)
    for x, y in zip(*map(snapshot, nets), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12)


def test_everything_but_the_vectors_survives_json() -> None:
    net = model()
    optimizer = tg.optim.Adam(net.parameters(), lr=0.1)
    train(net, optimizer, 2)
    state = optimizer.state_dict()
    vectors = state["groups"][0]["vectors"][0].pop("state")
    restored = json.loads(json.dumps(state))
    restored["groups"][0]["vectors"][0]["state"] = vectors
    other = tg.optim.Adam(net.parameters(), lr=0.5)
    other.load_state_dict(restored)
    assert repr(other) == repr(optimizer)


def states_that_do_not_fit() -> dict[str, tuple[Any, str]]:
    """Ways to spoil the state of an Adam with two parameters, and what is said about them."""

    def other_parameters(*shapes: tuple[int, ...], dtype: Any = tg.float64) -> Any:
        params = [tg.zeros(shape, dtype=dtype, requires_grad=True) for shape in shapes]
        return lambda _: tg.optim.Adam(params).state_dict()

    def changed(change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> Any:
        def spoil(state: dict[str, Any]) -> dict[str, Any]:
            state = copy.deepcopy(state)
            change(state["groups"][0], state["groups"][0]["vectors"][0])
            return state

        return spoil

    return {
        "method": (lambda _: tg.optim.SGD([leaf(1.0)]).state_dict(), r"this is the state of SGD, not of Adam"),
        "nothing": (lambda _: {}, r"this is the state of None, not of Adam"),
        "shapes": (other_parameters((4,), (3,)), r"belongs to other parameters; expected .*\[\[3\], \[2, 2\]\].*got"),
        "count": (other_parameters((7,)), r"belongs to other parameters"),
        "dtype": (other_parameters((3,), (2, 2), dtype=tg.float32), r"expected .*'float64'.*, got .*'float32'"),
        "groups": (lambda state: {**state, "groups": state["groups"] * 2}, r"has 2 groups of \[1, 1\] vectors; exp"),
        "length": (changed(lambda _, v: v["state"].update(s=np.zeros(3))), r"'s' is \(3,\) float64; expected"),
        "width": (changed(lambda _, v: v["state"].update(r=np.zeros(7, "f4"))), r"'r' is \(7,\) float32; expected"),
        "steps": (changed(lambda _, v: v.update(steps=[1])), r"1 step counts for 2 parameters"),
        "step": (changed(lambda _, v: v.update(steps=[1, -1])), r"whole numbers from 0 on; got \[1, -1\]"),
        "missing": (changed(lambda _, v: v.pop("steps")), r"this is no state of an optimizer \(KeyError\('steps'\)\)"),
        "list": (changed(lambda _, v: v["state"].update(s=[0.0] * 7)), r"this is no state of an optimizer"),
        "range": (changed(lambda g, _: g["hyper"].update(lr=-1.0)), r"lr must be a number at least 0; got -1.0"),
    }  # fmt: skip


@pytest.mark.parametrize("case", states_that_do_not_fit())
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_changed(case: str) -> None:
    spoil, message = states_that_do_not_fit()[case]
    a, b = leaf(1.0, 2.0, 3.0), tg.ones(2, 2, dtype=tg.float64, requires_grad=True)
    optimizer = tg.optim.Adam([a, b], lr=0.1)
    optimizer.step(lambda: (a**2).sum() + (b**2).sum())
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(spoil(before))
    after = optimizer.state_dict()
    assert after["groups"][0]["hyper"] == before["groups"][0]["hyper"]
    kept, now = (state["groups"][0]["vectors"][0] for state in (before, after))
    assert now["steps"] == kept["steps"]
    assert_equal(list(now["state"].values()), list(kept["state"].values()))


def test_an_unknown_hyper_parameter_in_a_state_is_refused() -> None:
    optimizer = tg.optim.SGD([leaf(1.0)], lr=0.1)
    state = optimizer.state_dict()
    state["groups"][0]["hyper"]["warmup"] = 3
    with pytest.raises(TypeError, match=r"SGD: unknown argument 'warmup'"):
        optimizer.load_state_dict(state)
    assert "warmup" not in optimizer.param_groups[0]
