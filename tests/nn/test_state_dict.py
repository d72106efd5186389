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


# Dtypes.


@pytest.mark.parametrize(
    ("own", "given"), [("float32", "float16"), ("float64", "float32"), ("float64", "float16"), ("float64", "int64")]
)
def test_a_cast_that_keeps_every_value_is_made(own: str, given: str) -> None:
    values = np.array([[3, -0.09375 if given != "int64" else -5]], given)
    for state in (values, tg.tensor(values, device="double:0")):
        layer = nn.Linear(2, 1, bias=False).to(own)
        layer.load_state_dict({"weight": state})
        assert layer.weight.dtype == own
        assert layer.weight.tolist() == values.tolist()


def test_a_cast_that_may_lose_digits_is_made_only_when_asked_for(device: str) -> None:
    layer = nn.Linear(2, 1, bias=False, device=device)
    before = layer.weight.tolist()
    values = np.array([[0.1, 1e-50]])
    with pytest.raises(tg.errors.ShapeError, match=r"got \(1, 2\) float64, which could lose digits: pass cast=True"):
        layer.load_state_dict({"weight": values})
    assert layer.weight.tolist() == before
    layer.load_state_dict({"weight": values}, cast=True)
    assert layer.weight.tolist() == values.astype("float32").tolist()
    layer.load_state_dict({"weight": tg.tensor([[np.inf, np.nan]], dtype=tg.float64, device=device)}, cast=True)
    assert np.array_equal(layer.weight.tolist(), [[np.inf, np.nan]], equal_nan=True)


def test_a_cast_never_makes_another_number(device: str) -> None:
    layer = nn.BatchNorm1d(2, device=device).half()
    before = snapshot(layer)
    for name, bad in (
        ("weight", np.array([1.0, 1e5])), ("bias", np.array([70000, 1])), ("num_batches_tracked", np.array(2.5)),
        ("num_batches_tracked", np.array(2**63, "uint64")), ("weight", np.array([1j, 2])), ("weight", None),
        ("weight", np.array(["a", "b"])), ("weight", [[1.0], [1.0, 2.0]]),
    ):  # fmt: skip
        with pytest.raises(tg.errors.ShapeError, match=f"nothing was loaded:\n  '{name}': "):
            layer.load_state_dict({name: bad}, strict=False, cast=True)
    assert_same(layer, before)
    layer.load_state_dict({"num_batches_tracked": np.array(7, "int8")}, strict=False)
    assert layer.num_batches_tracked.item() == 7
    assert layer.num_batches_tracked.dtype == tg.int64


def test_assign_takes_over_the_arrays_their_dtype_and_their_device(device: str) -> None:
    layer, source = nn.BatchNorm1d(2), nn.BatchNorm1d(2, device=device).double()
    weight, arrays = layer.weight, {name: t.data for name, t in source.state_dict().items()}
    layer.weight.requires_grad_(False)
    assert layer.load_state_dict(arrays, assign=True) == ([], [])
    assert all(t.data is arrays[name] for name, t in layer.state_dict().items())
    assert layer.weight is weight
    assert (layer.weight.requires_grad, layer.bias.requires_grad, layer.weight.name) == (False, True, "weight")
    for bad in (np.zeros(3), np.array(["a", "b"])):
        with pytest.raises(tg.errors.ShapeError):
            layer.load_state_dict({"weight": bad}, strict=False, assign=True)
    layer.load_state_dict({"num_batches_tracked": np.array(3, "int32")}, strict=False, assign=True)
    assert layer.num_batches_tracked.dtype == "int32"


# Names.


class Tied(nn.Module):
    def __init__(self) -> None:
        self.encode = nn.Parameter(tg.zeros(2))
        self.decode = self.encode


def test_a_shared_tensor_may_come_under_one_of_its_names() -> None:
    model = Tied()
    assert model.load_state_dict({"decode": np.array([1.0, 2.0], "float32")}) == ([], [])
    assert model.encode.tolist() == [1.0, 2.0]
    nan = np.array([np.nan, 1.0], "float32")
    model.load_state_dict({"encode": nan, "decode": nan.copy()})
    with pytest.raises(
        tg.errors.ShapeError, match=r"'encode' and 'decode' are one tensor here, and the state has diff"
    ):
        model.load_state_dict({"encode": nan, "decode": np.zeros(2, "float32")})
    with pytest.raises(tg.errors.ShapeError, match="missing: 'encode'\n  missing: 'decode'"):
        model.load_state_dict({})


def test_names_that_are_almost_right_are_told() -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    with pytest.raises(tg.errors.ShapeError, match=r"unexpected: 'module.0.weight' \(for '0.weight'\?\)"):
        net.load_state_dict(state)


def test_a_state_may_hold_the_module_s_own_arrays_under_other_names() -> None:
    net = nn.Module()
    net.a, net.b = nn.Parameter(tg.zeros(2)), nn.Parameter(tg.ones(2))
    state = net.state_dict()
    net.load_state_dict({"a": state["b"], "b": state["a"]})
    assert (net.a.tolist(), net.b.tolist()) == ([1.0, 1.0], [0.0, 0.0])


@pytest.mark.parametrize("bad", [None, [], "weights.safetensors", 3])
def test_what_is_no_mapping_is_refused(bad: Any) -> None:
    with pytest.raises(
        TypeError, match=r"load_state_dict: expected a mapping from names to tensors; got .*tg.train.load_weights"
    ):
        model().load_state_dict(bad)


@pytest.mark.oracle
def test_tensors_of_pytorch_load_as_they_are() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    net = model()
    for state in (theirs.state_dict(), theirs.state_dict(keep_vars=True)):
        net.load_state_dict(state)
        assert_same(net, {name: t.detach().numpy() for name, t in state.items()})
    assert not np.shares_memory(net[0].weight.data, theirs[0].weight.detach().numpy())
    net.load_state_dict(theirs.bfloat16().state_dict())
    state = theirs.state_dict()
    assert_same(net, {name: (t.float() if t.is_floating_point() else t).numpy() for name, t in state.items()})
