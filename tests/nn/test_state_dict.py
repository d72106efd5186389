"""States: values by name, loaded as a whole or not at all."""

from __future__ import annotations

import copy
import pickle
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
    assert target.load_state_dict(source.state_dict()) == ([], [])
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
        "  '3.bias': expected (2,) float32, got (2,) float64, which could lose digits: pass cast=True to allow "
        "that, or write model.to('float64') first",
    ]
    assert_same(net, before)


def test_without_strict_only_the_names_may_differ() -> None:
    net, source = model(), trained()
    state: dict[str, Any] = {"3.bias": source.state_dict()["3.bias"], "elsewhere": tg.ones(1)}
    expected = {**snapshot(net), "3.bias": snapshot(source)["3.bias"]}
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == [name for name in net.state_dict() if name != "3.bias"]
    assert result.unexpected_keys == ["elsewhere"]
    assert_same(net, expected)
    with pytest.raises(tg.errors.ShapeError, match=r"'0.bias': expected \(4,\) float32, got \(3,\) float32"):
        net.load_state_dict({"3.bias": tg.zeros(2), "0.bias": tg.zeros(3)}, strict=False)
    assert_same(net, expected)


def test_a_frozen_model_loads_and_stays_frozen() -> None:
    net = model().requires_grad_(False)
    net.load_state_dict(trained().state_dict())
    assert_same(net, snapshot(trained()))
    assert not any(p.requires_grad for p in net.parameters())


# A state follows its model.


def train(net: nn.Module, device: str) -> None:
    """One step that changes every parameter and every buffer, by an optimizer made here."""
    optimizer = tg.optim.SGD(net.parameters(), lr=0.5)
    x = tg.tensor(np.random.default_rng(1).standard_normal((6, 3)).astype("float32"), device=device)
    tg.nn.functional.cross_entropy(net(x), tg.tensor([0, 1, 1, 0, 1, 0], device=device)).backward()
    optimizer.step()


def test_a_state_follows_the_training(device: str) -> None:
    net = model(device)
    state, before = net.state_dict(), snapshot(net)
    train(net, device)
    for name, tensor in state.items():
        values = tensor.cpu().numpy()
        np.testing.assert_array_equal(values, snapshot(net)[name], err_msg=name)
        if name != "0.bias":  # which batch normalization takes out again
            assert not np.array_equal(values, before[name]), name


def test_a_copied_state_does_not(device: str) -> None:
    net = model(device)
    before = snapshot(net)
    copies = [
        copy.deepcopy(net.state_dict()),
        pickle.loads(pickle.dumps(net.state_dict())),
        {name: tensor.clone() for name, tensor in net.state_dict().items()},
    ]
    train(net, device)
    for state in copies:
        assert {type(tensor) for tensor in state.values()} == {tg.Tensor}
        assert {name: tensor.cpu().numpy().tobytes() for name, tensor in state.items()} == {
            name: values.tobytes() for name, values in before.items()
        }
    net.load_state_dict(copies[0])
    assert_same(net, before)


def test_writing_into_a_state_is_writing_into_the_model_and_is_noticed() -> None:
    net = nn.Linear(2, 2)
    state = net.state_dict()
    loss = (net(tg.ones(1, 2)) ** 2).sum()
    tg.optim.SGD(net.parameters(), lr=0.1)
    state["weight"].data = np.zeros((2, 2), np.float32)
    assert net.weight.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    state["bias"].data += 1.0
    assert net.bias.tolist() == state["bias"].tolist()
    x = tg.ones(1, 2, requires_grad=True)
    loss = (net(x) ** 2).sum()
    state["weight"].data *= 2.0
    with pytest.raises(tg.errors.InPlaceError):
        loss.backward()


def test_a_state_is_made_of_tensors_like_any_other() -> None:
    net = nn.Linear(2, 2)
    weight = net.state_dict()["weight"]
    assert isinstance(weight, tg.Tensor)
    assert not isinstance(weight, nn.Parameter)
    assert (weight.is_leaf, weight.requires_grad, weight.name) == (True, False, None)
    assert (weight + 1.0).tolist() == (net.weight.detach() + 1.0).tolist()
    assert repr(weight) == repr(net.weight.detach())
    assert np.array_equal(np.asarray(weight), net.weight.data)
    weight.requires_grad_()
    (weight * 3.0).sum().backward()
    assert weight.grad.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert net.weight.grad is None


def test_a_buffer_that_is_taken_from_another_s_state_goes_its_own_way() -> None:
    one, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    one.running_mean = other.state_dict()["running_mean"]
    one(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert one.running_mean.tolist() == pytest.approx([0.2, 0.3])
    assert other.running_mean.tolist() == [0.0, 0.0]
