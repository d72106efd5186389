"""States: values by name, loaded as a whole or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


def model(device: str = "cpu", seed: int = 0) -> nn.Sequential:
    tg.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(3, 4, device=device), nn.BatchNorm1d(4, device=device), nn.Tanh(), nn.Linear(4, 2, device=device)
    )


def trained(device: str = "cpu") -> nn.Sequential:
    """A model whose buffers have moved too."""
    net = model(device, seed=1)
    net(tg.tensor(np.random.default_rng(0).standard_normal((6, 3)).astype("float32"), device=device))
    return net


def snapshot(net: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().numpy().copy() for name, tensor in net.state_dict().items()}


def assert_same(net: nn.Module, values: dict[str, np.ndarray]) -> None:
    assert list(net.state_dict()) == list(values)
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.cpu().numpy(), values[name], err_msg=name)


def test_a_state_shares_the_memory_of_the_model_and_no_graph() -> None:
    net = model()
    state = net.state_dict()
    assert state["0.weight"].data is net[0].weight.data
    assert not any(tensor.requires_grad for tensor in state.values())
    assert (state["1.num_batches_tracked"].shape, state["1.num_batches_tracked"].dtype) == ((), tg.int64)


def test_a_state_loads_into_another_model_bit_for_bit(device: str) -> None:
    source, target = trained(device), model(device)
    assert not np.array_equal(snapshot(source)["0.weight"], snapshot(target)["0.weight"])
    assert target.load_state_dict(source.state_dict()) is None
    assert_same(target, snapshot(source))
    x = tg.ones(2, 3, device=device)
    outputs = [net.eval()(x).detach().cpu().numpy() for net in (source, target)]
    np.testing.assert_array_equal(*outputs)


def test_arrays_load_too_and_move_to_the_device_of_the_model(device: str) -> None:
    values, target = snapshot(trained()), model(device)
    target.load_state_dict(values)
    assert_same(target, values)
    assert {tensor.device for tensor in target.state_dict().values()} == {device}
    on_host = model()
    on_host.load_state_dict(target.state_dict())
    assert_same(on_host, values)


def test_loading_writes_into_the_memory_that_is_there() -> None:
    net = model()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    memory = [p.data for p in net.parameters()]
    net.load_state_dict(trained().state_dict())
    assert all(p.data is m for p, m in zip(net.parameters(), memory, strict=True))
    before = snapshot(net)
    net(tg.ones(2, 3) * tg.tensor([[1.0], [2.0]])).sum().backward()
    optimizer.step()
    assert not np.array_equal(snapshot(net)["3.bias"], before["3.bias"])


def test_loading_a_model_s_own_state_changes_nothing() -> None:
    net = trained()
    values = snapshot(net)
    net.load_state_dict(net.state_dict())
    assert_same(net, values)


def test_loading_is_noticed_by_graphs_that_saved_the_old_values() -> None:
    net = model().eval()
    loss = (net(tg.ones(2, 3)) ** 2).sum()
    net.load_state_dict(trained().state_dict())
    with pytest.raises(tg.errors.InPlaceError, match=r"was changed in place \(by an assignment to .data\)"):
        loss.backward()


def test_every_problem_is_listed_and_nothing_is_loaded() -> None:
    net = model()
    before, state = snapshot(net), dict(snapshot(trained()))
    del state["0.bias"]
    state["extra"] = np.zeros(1, "float32")
    state["3.weight"] = state["3.weight"].T
    state["3.bias"] = state["3.bias"].astype("float64")
    with pytest.raises(tg.errors.ShapeError) as caught:
        net.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "load_state_dict: the state does not fit Sequential, nothing was loaded:",
        "  missing: '0.bias'",
        "  unexpected: 'extra'",
        "  '3.weight': expected (2, 4) float32, got (4, 2) float32",
        "  '3.bias': expected (2,) float32, got (2,) float64",
    ]
    assert_same(net, before)


def test_without_strict_only_the_names_may_differ() -> None:
    net, source = model(), trained()
    state: dict[str, Any] = {"3.bias": source.state_dict()["3.bias"], "elsewhere": tg.ones(1)}
    expected = {**snapshot(net), "3.bias": snapshot(source)["3.bias"]}
    net.load_state_dict(state, strict=False)
    assert_same(net, expected)
    with pytest.raises(tg.errors.ShapeError, match=r"'0.bias': expected \(4,\) float32, got \(3,\) float32"):
        net.load_state_dict({"3.bias": tg.zeros(2), "0.bias": tg.zeros(3)}, strict=False)
    assert_same(net, expected)


def test_a_frozen_model_loads_and_stays_frozen() -> None:
    net = model().requires_grad_(False)
    net.load_state_dict(trained().state_dict())
    assert_same(net, snapshot(trained()))
    assert not any(p.requires_grad for p in net.parameters())
