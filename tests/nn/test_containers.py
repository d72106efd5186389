"""Chains, lists and dicts of modules and parameters: what lists and dicts do, and PyTorch's names."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


def linear(n: int = 2, m: int = 2) -> nn.Linear:
    return nn.Linear(n, m)


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def copies(module: nn.Module) -> list[nn.Module]:
    return [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]


# Sequential.


def test_a_chain_is_applied_in_order_and_may_hold_functions() -> None:
    chain = nn.Sequential(linear(2, 3), tg.tanh, nn.Sequential(linear(3, 1)))
    x = tg.ones(4, 2)
    assert chain(x).tolist() == chain[2][0](tg.tanh(chain[0](x))).tolist()
    assert names(chain) == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
    assert nn.Sequential()(x) is x


def test_parts_have_names_from_a_dict() -> None:
    chain = nn.Sequential(OrderedDict([("inside", linear(2, 3)), ("act", nn.ReLU()), ("forward_", linear(3, 1))]))
    assert names(chain) == ["inside.weight", "inside.bias", "forward_.weight", "forward_.bias"]
    assert chain.inside is chain[0]
    assert chain(tg.ones(1, 2)).shape == (1, 1)
    with pytest.raises(KeyError, match="'forward' cannot name an attribute: it is empty, dotted or taken"):
        nn.Sequential({"forward": linear()})


def test_modules_assigned_as_attributes_belong_to_the_chain_without_a_constructor() -> None:
    class Block(nn.Sequential):
        def __init__(self) -> None:
            self.norm = nn.BatchNorm1d(2)
            self.act = nn.ReLU()
            self.last = linear(2, 1)
            self.width = 2

    block = Block()
    assert list(block) == [block.norm, block.act, block.last]
    assert block(tg.ones(3, 2)).shape == (3, 1)


def test_a_chain_changes_like_a_list() -> None:
    a, b, c, d = (linear() for _ in range(4))
    chain = nn.Sequential(a, b)
    assert chain.append(c) is chain
    assert chain.extend([d]) is chain
    assert list(chain) == [a, b, c, d]
    chain.insert(1, nn.ReLU())
    assert [type(part).__name__ for part in chain] == ["Linear", "ReLU", "Linear", "Linear", "Linear"]
    assert names(chain)[2:4] == ["2.weight", "2.bias"]
    assert chain.pop(1).__class__ is nn.ReLU
    assert list(chain) == [a, b, c, d]
    del chain[0]
    del chain[-1]
    assert list(chain) == [b, c]
    assert names(chain) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [p.name for p in chain.parameters()] == names(chain)
    chain[0] = d
    assert list(chain) == [d, c]
    assert list(nn.Sequential(a) + [b]) == [a, b]
    chain += [a]
    assert list(chain) == [d, c, a]
    assert a in chain
    assert b not in chain


def test_deleting_and_inserting_keep_given_names() -> None:
    a, b, c = (linear() for _ in range(3))
    chain = nn.Sequential({"one": a, "two": b})
    chain.insert(0, c)
    assert names(chain)[::2] == ["0.weight", "one.weight", "two.weight"]
    del chain[1]
    assert names(chain)[::2] == ["0.weight", "two.weight"]


def test_a_slice_shares_its_parts_and_their_names() -> None:
    chain = nn.Sequential(linear(), nn.ReLU(), linear(), nn.Tanh())
    tail = chain[2:]
    assert isinstance(tail, nn.Sequential)
    assert list(tail) == [chain[2], chain[3]]
    assert names(tail) == ["2.weight", "2.bias"]
    outer = nn.Sequential(chain)
    _ = outer[0][2:]
    assert chain[2].weight.name == "0.2.weight"
    tail.append(linear())
    assert len(tail) == 3
    assert len(chain) == 4


def test_slices_name_their_parts_as_pytorch_does() -> None:
    torch = pytest.importorskip("torch")
    ours = nn.Sequential(linear(), nn.ReLU(), linear())[1:]
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))[1:]
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_what_is_no_module_is_refused_by_position() -> None:
    with pytest.raises(TypeError, match=r"Sequential: argument 1 is a class; write ReLU\(\) for a layer of it"):
        nn.Sequential(linear(), nn.ReLU)
    with pytest.raises(TypeError, match=r"the modules are arguments of their own; write Sequential\(\*modules\)"):
        nn.Sequential([linear(), linear()])
    with pytest.raises(TypeError, match=r"Sequential: argument 0 is not a module; got 3"):
        nn.Sequential(3)
    with pytest.raises(TypeError, match=r"ModuleList: item 1 is not a module; got <elementwise primitive 'tanh'>"):
        nn.ModuleList([linear(), tg.tanh])
    with pytest.raises(TypeError, match=r"ModuleList: expected a list of items; got one Linear"):
        nn.ModuleList(linear())
    with pytest.raises(TypeError, match=r"ModuleDict: 'a' is not a module; got Parameter"):
        nn.ModuleDict({"a": nn.Parameter(tg.ones(1))})
    with pytest.raises(TypeError, match=r"ParameterList: item 0 is not a parameter; got 'w'"):
        nn.ParameterList(["w"])
    with pytest.raises(TypeError, match=r"only floating tensors can require gradients"):
        nn.ParameterList([tg.arange(3)])


def test_a_refused_item_changes_nothing() -> None:
    chain = nn.Sequential(linear())
    for bad in (lambda: chain.append(3), lambda: chain.extend([linear(), 3]), lambda: chain.insert(0, 3)):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(TypeError):
        chain[0] = 3
    assert names(chain) == ["0.weight", "0.bias"]


@pytest.mark.parametrize("index", [2, -3, 10])
def test_an_index_out_of_range_says_how_many_there_are(index: int) -> None:
    for container in (nn.Sequential(linear(), linear()), nn.ModuleList([linear(), linear()])):
        with pytest.raises(IndexError, match=f"there are 2 items, and none at {index}"):
            container[index]
        with pytest.raises(IndexError):
            del container[index]
        with pytest.raises(TypeError, match="an index is an integer or a slice; got 'a'"):
            container["a"]


# Lists.


def test_a_list_of_modules() -> None:
    parts = [linear() for _ in range(3)]
    layers = nn.ModuleList(parts)
    assert list(layers) == parts
    assert layers[-1] is parts[2]
    assert isinstance(layers[1:], nn.ModuleList)
    assert names(layers[1:])[::2] == ["0.weight", "1.weight"]
    layers.append(linear(2, 1))
    layers.insert(0, nn.ReLU())
    assert names(layers)[::2] == ["1.weight", "2.weight", "3.weight", "4.weight"]
    layers += nn.ModuleList([nn.Tanh()])
    assert len(layers) == 6
    with pytest.raises(NotImplementedError, match="ModuleList holds its items and computes nothing"):
        layers(tg.ones(1, 2))
    for twin in copies(layers):
        assert names(twin) == names(layers)
        assert len(twin) == 6


def test_a_list_of_parameters() -> None:
    w = nn.Parameter(tg.ones(2))
    scales = nn.ParameterList([w, tg.zeros(3, requires_grad=True)])
    assert scales[0] is w
    assert isinstance(scales[1], nn.Parameter)
    assert repr(scales) == "ParameterList((2,), (3,))  # 5 parameters"
    scales.append(tg.ones(1))
    assert names(scales) == ["0", "1", "2"]
    assert w in scales
    (sum((p**2).sum() for p in scales)).backward()
    assert scales[2].grad.tolist() == [2.0]


# Dicts.


def test_a_dict_of_modules_takes_any_name() -> None:
    parts = nn.ModuleDict({"keys": linear(), "forward": nn.ReLU(), "train": linear(2, 1)})
    parts["update"] = nn.Tanh()
    assert list(parts) == ["keys", "forward", "train", "update"] == list(parts.keys())
    assert names(parts) == ["keys.weight", "keys.bias", "train.weight", "train.bias"]
    assert [p.name for p in parts.parameters()] == names(parts)
    assert parts["forward"](tg.tensor(-1.0)).item() == 0.0
    assert "forward" in parts
    assert "backward" not in parts
    assert parts.get("backward") is None
    assert [name for name, _ in parts.named_children()] == ["keys", "forward", "train", "update"]
    parts.eval()
    assert not any(part.training for part in parts.values())
    assert parts.pop("keys").__class__ is nn.Linear
    del parts["train"]
    parts.update({"forward": nn.Tanh(), "more": linear()})
    parts.update([("last", nn.Tanh())])
    assert list(parts) == ["forward", "update", "more", "last"]
    for twin in copies(parts):
        assert list(twin.items()) != []
        assert names(twin) == names(parts)
    assert "(more): Linear" in repr(parts)
    parts.clear()
    assert len(parts) == 0


def test_a_dict_of_modules_inside_a_module() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.heads = nn.ModuleDict({"a": linear(), "b": linear()})
            self.scales = nn.ParameterDict({"a": tg.ones(1)})

    net = Net()
    assert names(net) == ["heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias", "scales.a"]
    assert net.heads.a is net.heads["a"]
    assert [name for name, _ in net.named_modules()] == ["", "heads", "heads.a", "heads.b", "scales"]
    state = {name: tensor + 1.0 for name, tensor in net.state_dict().items()}
    net.load_state_dict(state)
    assert net.scales["a"].item() == 2.0
    net.double()
    assert net.heads["a"].weight.dtype == tg.float64
    with pytest.raises(AttributeError, match="ModuleDict has neither an attribute nor an item 'c'"):
        _ = net.heads.c


@pytest.mark.parametrize("key", ["", "a.b", 1, None])
def test_keys_are_names(key: Any) -> None:
    with pytest.raises(KeyError, match="a key is a text without dots"):
        nn.ModuleDict()[key] = linear()


def test_what_is_not_there_or_no_dict_is_told() -> None:
    parts = nn.ModuleDict({"a": linear()})
    for bad in (lambda: parts["b"], lambda: parts.pop("b"), lambda: parts.__delitem__("b")):
        with pytest.raises(KeyError, match="ModuleDict: there is no item 'b'; there are a"):
            bad()
    for bad in (3, None, "ab", ["a"], [linear()]):
        with pytest.raises(TypeError, match="ModuleDict: expected a dict, or pairs of names and items; got"):
            nn.ModuleDict(bad)
    for bad in (3, None):
        with pytest.raises(TypeError, match="ModuleList: expected a list of items; got one"):
            nn.ModuleList(bad)


def test_a_dict_of_parameters() -> None:
    weights = nn.ParameterDict({"in": tg.ones(2)})
    weights["out"] = nn.Parameter(tg.zeros(3))
    assert repr(weights) == "ParameterDict(in: (2,), out: (3,))  # 5 parameters"
    assert names(weights) == ["in", "out"]
    for twin in copies(weights):
        assert names(twin) == ["in", "out"]


@pytest.mark.oracle
def test_states_have_pytorch_s_names() -> None:
    torch = pytest.importorskip("torch")

    def build(library: Any) -> Any:
        nn, ones = library.nn, library.ones

        class Net(nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.chain = nn.Sequential(OrderedDict([("a", nn.Linear(2, 2)), ("b", nn.BatchNorm1d(2))]))
                self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 1))])
                self.heads = nn.ModuleDict({"x": nn.Linear(1, 1), "y": nn.Identity()})
                self.list = nn.ParameterList([nn.Parameter(ones(2)), nn.Parameter(ones(1))])
                self.dict = nn.ParameterDict({"p": nn.Parameter(ones(2)), "q": nn.Parameter(ones(1))})
                self.chain.append(nn.Linear(2, 2))
                self.layers.insert(0, nn.Linear(3, 3))
                self.register_buffer("kept", ones(1))
                self.register_buffer("lost", ones(1), persistent=False)
                self.register_parameter("none", None)

        return Net()

    ours, theirs = build(tg), build(torch)
    state = theirs.state_dict()
    assert set(ours.state_dict()) == set(state)
    assert ours.load_state_dict(state) == ([], [])
    assert {name: t.tolist() for name, t in ours.state_dict().items()} == {
        name: t.tolist() for name, t in state.items()
    }
    assert {name for name, _ in ours.named_parameters()} == {name for name, _ in theirs.named_parameters()}
    assert {name for name, _ in ours.named_modules()} == {name for name, _ in theirs.named_modules()}
    assert [name for name, _ in ours.named_children()] == [name for name, _ in theirs.named_children()]
    assert {name for name, _ in ours.named_buffers()} == {name for name, _ in theirs.named_buffers()}
