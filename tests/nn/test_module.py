"""A module finds whatever hangs on its attributes, under names that are the paths to it."""

from __future__ import annotations

import collections
import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


class Net(nn.Module):
    """Parts in every place where a module may keep them."""

    def __init__(self, device: str = "cpu") -> None:
        self.stem = nn.Linear(2, 3, device=device)
        self.blocks = [nn.Linear(3, 3, device=device), {"thin": nn.Linear(3, 3, bias=False, device=device)}]
        self.scales = {"in": nn.Parameter(tg.ones(3, device=device)), 1: (nn.Parameter(tg.zeros(3, device=device)),)}
        self.norm = nn.BatchNorm1d(3, device=device)
        self.width, self.title, self.head = 3, "net", None

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = self.norm(self.stem(x) * self.scales["in"] + self.scales[1][0])
        return self.blocks[1]["thin"](tg.tanh(self.blocks[0](x)))


class Tied(nn.Module):
    """One parameter under two names."""

    def __init__(self) -> None:
        self.encode = nn.Parameter(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        self.decode = self.encode

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x @ self.encode @ self.decode.T


class Registered(nn.Module):
    """As it is written for PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("w", nn.Parameter(tg.ones(1)))
        self.register_parameter("none", None)
        self.register_buffer("kept", tg.ones(1))
        self.register_buffer("lost", tg.ones(1), persistent=False)
        self.register_module("part", nn.Linear(1, 1))
        self.add_module("other", None)


PARAMETERS = [
    "stem.weight", "stem.bias", "blocks.0.weight", "blocks.0.bias", "blocks.1.thin.weight", "scales.in", "scales.1.0",
    "norm.weight", "norm.bias",
]  # fmt: skip
BUFFERS = ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]


def data(device: str = "cpu", rows: int = 5) -> tg.Tensor:
    values = np.random.default_rng(0).standard_normal((rows, 2)).astype("float32")
    return tg.tensor(values, device=device)


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def deepcopied(x: object) -> object:
    return copy.deepcopy(x)


def pickled(x: object) -> object:
    return pickle.loads(pickle.dumps(x))


copies = pytest.mark.parametrize("twin_of", [deepcopied, pickled])


# What there is.


def test_parameters_and_buffers_are_found_in_lists_tuples_dicts_and_parts() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == PARAMETERS
    assert [name for name, _ in net.named_buffers()] == BUFFERS
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    assert [id(b) for b in net.buffers()] == [id(b) for _, b in net.named_buffers()]
    assert all(isinstance(p, nn.Parameter) for p in net.parameters())


def test_modules_and_children() -> None:
    net = Net()
    assert [name for name, _ in net.named_modules()] == ["", "stem", "blocks.0", "blocks.1.thin", "norm"]
    assert next(iter(net.modules())) is net
    outer = nn.Sequential(net, nn.Tanh())
    assert [name for name, _ in outer.named_children()] == ["0", "1"]
    assert [name for name, _ in net.named_children()] == ["stem", "blocks.0", "blocks.1.thin", "norm"]


def test_what_is_added_replaced_and_deleted_later_is_seen() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    net.extra = [nn.Linear(2, 1)]
    net.extra.append(nn.Linear(1, 1, bias=False))
    assert [name for name, _ in net.named_parameters()] == [
        "0.weight", "0.bias", "extra.0.weight", "extra.0.bias", "extra.1.weight",
    ]  # fmt: skip
    net.extra = None
    del net[1]
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert len(net) == 1


def test_a_parameter_is_named_by_its_path_from_the_outermost_module_that_holds_it() -> None:
    net = Net()
    assert {p.name for p in net.parameters()} == set(PARAMETERS)
    outer = nn.Sequential(net)
    assert net.stem.weight.name == "0.stem.weight"
    loss = (outer(data()) ** 2).sum()
    net.blocks[0].weight.data *= 2
    with pytest.raises(tg.errors.InPlaceError, match=r"'0\.blocks\.0\.weight' was changed in place"):
        loss.backward()


def test_a_shared_parameter_is_listed_once_and_stands_under_both_names_in_the_state() -> None:
    model = Tied()
    assert [name for name, _ in model.named_parameters()] == ["encode"]
    state = model.state_dict()
    assert list(state) == ["encode", "decode"]
    assert state["encode"].data is state["decode"].data
    assert "4 parameters" in repr(model)


def test_a_shared_parameter_collects_the_gradients_of_both_uses() -> None:
    model, x = Tied(), tg.tensor([[1.0, -1.0]])
    model(x).sum().backward()
    w, row, ones = host(model.encode), host(x)[0], np.ones(2, "float32")
    # y = Σⱼ (x W Wᵀ)ⱼ = xᵀ W Wᵀ 1, so ∂y/∂W = x (Wᵀ1)ᵀ + 1 (Wᵀx)ᵀ.
    np.testing.assert_allclose(host(model.encode.grad), np.outer(row, ones @ w) + np.outer(ones, row @ w))


def test_a_shared_module_is_listed_once_and_stands_under_both_names_in_the_state() -> None:
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    assert [name for name, _ in model.named_modules()] == ["", "0", "1"]
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    model.load_state_dict(nn.Sequential(layer, nn.Tanh(), layer).state_dict())


def test_a_part_that_knows_its_holder_makes_no_endless_walk() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    model[0].holder = model
    model[0].siblings = [model, {"again": model[0]}]
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert [name for name, _ in model.named_modules()] == ["", "0"]
    assert list(model.state_dict()) == ["0.weight", "0.bias"]
    assert model.eval().training is False
    assert "..." in repr(model)


def test_a_module_without_forward_says_so() -> None:
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty must define forward\(\), .*: def forward\(self, x\): return"):
        Empty()(1)
    assert list(Empty().parameters()) == []
    assert repr(Empty()) == "Empty()"


def test_a_list_that_grows_after_it_was_assigned_is_walked_as_it_is_now() -> None:
    class Grown(nn.Module):
        def __init__(self) -> None:
            self.layers: list[nn.Module] = []
            for _ in range(2):
                self.layers.append(nn.Linear(2, 2))

    net = nn.Sequential(Grown())
    assert [name for name, _ in net.named_parameters()][::2] == ["0.layers.0.weight", "0.layers.1.weight"]
    assert [p.name for p in net.parameters()][::2] == ["0.layers.0.weight", "0.layers.1.weight"]
    net[0].layers.insert(0, nn.Linear(2, 2, bias=False))
    assert list(net.state_dict()) == [
        "0.layers.0.weight", "0.layers.1.weight", "0.layers.1.bias", "0.layers.2.weight", "0.layers.2.bias",
    ]  # fmt: skip
    assert not any(part.training for part in net.eval().modules())
    assert [p.name for p in net[0].layers[1].parameters()] == [
        "0.layers.0.weight",
        "0.layers.0.bias",
    ]  # the longest path


def test_parts_are_found_by_their_names() -> None:
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("blocks.1.thin") is net.blocks[1]["thin"]
    assert net.get_parameter("scales.1.0") is net.scales[1][0]
    assert net.get_buffer("norm.running_mean") is net.norm.running_mean
    assert list(net.children()) == [net.stem, net.blocks[0], net.blocks[1]["thin"], net.norm]
    tied = nn.Sequential(net.stem, net.stem)
    assert tied.get_submodule("1") is net.stem
    assert list(tied.children()) == [net.stem]
    for bad in (lambda: net.get_submodule("blocks"), lambda: net.get_submodule("scales.in")):
        with pytest.raises(AttributeError, match=r"Net has no Module '.*'; it has '', 'stem', 'blocks.0'"):
            bad()
    with pytest.raises(AttributeError, match=r"Net has no Parameter 'stem'; it has 'stem.weight'"):
        net.get_parameter("stem")


def test_without_recursion_only_what_a_module_holds_itself() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scales.in", "scales.1.0"]
    assert list(net.parameters(recurse=False)) == [net.scales["in"], net.scales[1][0]]
    assert list(net.buffers(recurse=False)) == []
    assert [name for name, _ in net.norm.named_buffers(recurse=False)] == [name[5:] for name in BUFFERS]


def test_names_with_a_prefix_and_of_what_is_shared() -> None:
    layer = nn.Linear(1, 1, bias=False)
    net = nn.Sequential(layer, layer, nn.BatchNorm1d(1, affine=False))
    assert [name for name, _ in net.named_parameters("model")] == ["model.0.weight"]
    assert [name for name, _ in net.named_parameters(remove_duplicate=False)] == ["0.weight", "1.weight"]
    assert next(iter(net.named_buffers("model")))[0] == "model.2.running_mean"
    assert [name for name, _ in net.named_modules(prefix="m", remove_duplicate=False)] == ["m", "m.0", "m.1", "m.2"]


def test_registering_is_assigning_and_a_buffer_may_stay_out_of_the_state() -> None:
    net = Registered()
    assert net.w.name == "w"
    assert (net.none, net.other) == (None, None)
    assert list(nn.Sequential(net).state_dict()) == ["0.w", "0.kept", "0.part.weight", "0.part.bias"]
    assert [name for name, _ in net.named_buffers()] == ["kept", "lost"]
    net.double()
    assert net.lost.dtype == tg.float64
    for twin in (deepcopied(net), pickled(net)):
        assert list(twin.state_dict()) == ["w", "kept", "part.weight", "part.bias"]
        assert twin.load_state_dict(net.state_dict()) == ([], [])
    net.register_buffer("lost", tg.ones(1))
    assert "lost" in net.state_dict()
    with pytest.raises(TypeError, match=r"register_parameter: 'w' must be a Parameter or None; got Tensor"):
        net.register_parameter("w", tg.ones(1))
    with pytest.raises(TypeError, match="register_buffer: 'b' must be a Tensor or None; got Parameter"):
        net.register_buffer("b", nn.Parameter(tg.ones(1)))
    with pytest.raises(TypeError, match="register_module: 'm' must be a Module or None; got function"):
        net.register_module("m", lambda x: x)
    for name in ("", "a.b", "forward", "training"):
        with pytest.raises(KeyError, match="cannot name an attribute: it is empty, dotted or taken"):
            net.register_buffer(name, tg.ones(1))


def test_a_result_that_hangs_on_its_graph_is_no_buffer() -> None:
    class Keeps(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter(tg.ones(2))

        def forward(self, x: tg.Tensor) -> tg.Tensor:
            self.last = x * self.w
            return self.last

    net = Keeps()
    loss = net(tg.ones(2)).sum()
    assert list(net.state_dict()) == ["w"]
    assert list(net.buffers()) == []
    net.double()
    loss.backward()
    assert net.last.dtype == tg.float32


# Slips.


def test_parts_in_a_set_are_refused() -> None:
    net = nn.Module()
    layer = nn.Linear(1, 1)
    for lost in (
        {layer},
        frozenset([layer.weight]),
        [{"a": {layer}}],
        collections.deque([layer]),
        {"a": layer}.values(),
    ):
        with pytest.raises(
            TypeError, match=r"Module.parts: modules and parameters in a \w+ have no names .* self.parts ="
        ):
            net.parts = lost
        assert not hasattr(net, "parts")
    net.names, net.queue = {"a", "b"}, collections.deque([1])


def test_a_tensor_that_requires_gradients_and_is_no_parameter_is_refused() -> None:
    net = nn.Module()
    w = tg.ones(2, requires_grad=True)
    for lost in (w, [w], {"a": (w,)}):
        with pytest.raises(
            TypeError, match=r"Module.scale: a tensor that requires gradients but is no Parameter would"
        ):
            net.scale = lost
    net.scale, net.result = w.detach(), w * 2.0
    assert [name for name, _ in net.named_buffers()] == ["scale"]
    assert tg.grad(lambda v: setattr(net, "scale", v) or (net.scale**2).sum())(tg.ones(2)).tolist() == [2.0, 2.0]


def test_parameters_are_good_for_one_use_and_the_second_says_so() -> None:
    parameters = nn.Linear(2, 2).parameters()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    with pytest.raises(ValueError, match="runs out after one use"):
        tg.optim.SGD(parameters, lr=0.1)


def test_two_tensors_of_one_name_are_refused_when_a_state_is_taken() -> None:
    net = nn.Module()
    net.parts = {1: nn.Linear(1, 1), "1": nn.Linear(1, 1)}
    with pytest.raises(ValueError, match=r"Module: two tensors are called 'parts\.1\.weight'"):
        net.state_dict()
    net.parts["1"] = net.parts[1]
    assert list(net.state_dict()) == ["parts.1.weight", "parts.1.bias"]


# Switches.


def test_train_and_eval_reach_every_part_and_return_the_module() -> None:
    net = Net()
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.train() is net
    assert all(module.training for module in net.modules())
    with pytest.raises(ValueError, match="train: mode is True or False; got 'eval'"):
        net.train("eval")
    net.norm.eval()
    assert (net.training, net.norm.training) == (True, False)
    assert "training" not in net.state_dict()


def test_frozen_parameters_get_no_gradient_and_keep_their_names() -> None:
    net = Net()
    assert net.stem.requires_grad_(False) is net.stem
    assert not any(p.requires_grad for p in net.stem.parameters())
    (net(data()) ** 2).sum().backward()
    assert net.stem.weight.grad is None
    assert net.blocks[0].weight.grad is not None
    net.requires_grad_(True)
    assert all(p.requires_grad for p in net.parameters())
    assert {p.name for p in net.parameters()} == set(PARAMETERS)
    net.requires_grad_(False)
    assert not net(data()).requires_grad


def test_zero_grad_forgets_every_gradient() -> None:
    net = Net()
    (net(data()) ** 2).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_apply_calls_once_for_each_module() -> None:
    layer = nn.Linear(1, 1)
    model = nn.Sequential(layer, nn.Sequential(layer, nn.Tanh()))
    seen: list[nn.Module] = []
    assert model.apply(seen.append) is model
    with pytest.raises(TypeError, match="apply: expected a function of a module; got int"):
        model.apply(3)  # type: ignore[arg-type]
    assert [type(m).__name__ for m in seen] == ["Sequential", "Linear", "Sequential", "Tanh"]


# Moves.


@pytest.mark.parametrize("target", [tg.float64, "float64", "float16"])
def test_a_change_of_dtype_keeps_the_objects_and_leaves_integers_alone(target: object) -> None:
    net, wanted = Net(), np.dtype(target)
    net(data())
    before = {name: (id(t), host(t).copy()) for name, t in net.state_dict().items()}
    identities = {name: id(p) for name, p in net.named_parameters()}
    assert net.to(target) is net
    assert {name: id(p) for name, p in net.named_parameters()} == identities
    for name, tensor in net.state_dict().items():
        expected = "int64" if name == "norm.num_batches_tracked" else wanted
        assert tensor.dtype == expected
        np.testing.assert_array_equal(host(tensor), before[name][1].astype(expected))
    assert net.norm.num_batches_tracked.item() == 1
    assert {p.name for p in net.parameters()} == set(PARAMETERS)
    assert net(data().to(target)).dtype == wanted


def test_a_change_of_dtype_keeps_frozen_parameters_frozen() -> None:
    net = Net()
    net.stem.requires_grad_(False)
    net.to(tg.float64)
    assert [name for name, p in net.named_parameters() if not p.requires_grad] == ["stem.weight", "stem.bias"]


def test_a_dtype_that_is_not_floating_is_refused_and_nothing_is_touched() -> None:
    net = Net()
    with pytest.raises(TypeError, match=r"'stem.weight' is floating and cannot become int64; write model.to\(tg.float"):
        net.to(tg.int64)
    assert all(p.dtype == tg.float32 and p.requires_grad for p in net.parameters())


def test_moves_by_name() -> None:
    net = Net()
    for move, dtype in ((net.double, "float64"), (net.half, "float16"), (net.float, "float32")):
        assert move() is net
        assert {p.dtype for p in net.parameters()} == {np.dtype(dtype)}
        assert net.norm.num_batches_tracked.dtype == tg.int64
    assert net.cpu() is net
    if not tg.cuda.is_available():
        with pytest.raises(tg.errors.DeviceUnavailableError):
            net.cuda()
    for moved in (
        net.to("double:0", "float64"), net.to(device="cpu", dtype=tg.float32), net.to(tg.ones(1, device="double:0")),
        net.to(tg.float64).to("cpu"),
    ):  # fmt: skip
        assert moved is net
    assert {(p.dtype, p.device) for p in net.parameters()} == {(np.dtype("float64"), "cpu")}
    with pytest.raises(TypeError, match="cannot become int64"):
        net.to("double:0", "int64")
    assert {(p.dtype, p.device) for p in net.parameters()} == {(np.dtype("float64"), "cpu")}


def test_what_is_shared_stays_shared_when_it_moves() -> None:
    model = Tied().to("double:0", tg.float64)
    assert model.encode is model.decode
    assert model.state_dict()["decode"].device == "double:0"
    assert [name for name, _ in model.named_parameters()] == ["encode"]


@pytest.mark.parametrize("target", ["cpu", tg.float32])
def test_a_move_that_changes_nothing_keeps_gradients_and_recorded_graphs(target: object) -> None:
    net = Net()
    net(data()).sum().backward()
    gradient, memory = net.stem.weight.grad, net.stem.weight.data
    loss = (net(data()) ** 2).sum()
    net.to(target)
    assert net.stem.weight.grad is gradient
    assert net.stem.weight.data is memory
    loss.backward()
    assert net.stem.weight.grad is not None


def test_a_change_of_device_there_and_back(device: str) -> None:
    net = Net()
    identities = [id(p) for p in net.parameters()]
    values = {name: host(t).copy() for name, t in net.state_dict().items()}
    expected = host(net.eval()(data()))
    net.to(device)
    assert {t.device for t in net.state_dict().values()} == {device}
    assert [id(p) for p in net.parameters()] == identities
    np.testing.assert_allclose(host(net(data(device))), expected, rtol=1e-5, atol=1e-6)
    net.to("cpu")
    assert {t.device for t in net.state_dict().values()} == {"cpu"}
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(host(tensor), values[name])


def test_a_model_on_another_device_than_its_input_says_what_is_where() -> None:
    layer = nn.Linear(2, 2, device="double:0")
    with pytest.raises(tg.errors.DeviceError, match=r"argument 0 is on cpu, 'weight' is on double:0"):
        layer(data())


# Copies.


@copies
def test_a_copy_has_the_same_values_in_memory_of_its_own(twin_of: Callable[[nn.Module], nn.Module]) -> None:
    net = Net()
    net(data()).sum().backward()
    net.eval()
    net.stem.bias.requires_grad_(False)
    twin = twin_of(net)
    assert type(twin) is Net
    assert (twin.training, twin.norm.training, twin.title) == (False, False, "net")
    pairs = zip(net.named_parameters(), twin.named_parameters(), strict=True)
    for (name, p), (other, q) in pairs:
        assert (other, q.name, q.requires_grad, type(q)) == (name, p.name, p.requires_grad, nn.Parameter)
        assert not np.shares_memory(p.data, q.data)
        np.testing.assert_array_equal(host(p), host(q))
        if p.grad is not None:
            assert not np.shares_memory(p.grad.data, q.grad.data)
            np.testing.assert_array_equal(host(p.grad), host(q.grad))
    before = host(net(data()))
    for q in twin.parameters():
        q.data += 1
    np.testing.assert_array_equal(host(net(data())), before)


@copies
def test_what_a_model_shares_is_shared_in_its_copy(twin_of: Callable[[nn.Module], nn.Module]) -> None:
    twin = twin_of(Tied())
    assert twin.encode is twin.decode
    layer = nn.Linear(2, 2)
    twin = twin_of(nn.Sequential(layer, nn.Tanh(), layer))
    assert twin[0] is twin[2]
    assert twin[0].weight is not layer.weight


def test_a_copy_stays_on_its_device(device: str) -> None:
    net = Net(device)
    twin = copy.deepcopy(net)
    assert {t.device for t in twin.state_dict().values()} == {device}
    np.testing.assert_array_equal(host(twin.stem.weight), host(net.stem.weight))


# What it shows.


def test_repr_is_the_tree_with_parameter_counts() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            self.parts = [nn.Linear(2, 3), nn.ReLU()]
            self.norm = nn.BatchNorm1d(3)

    assert repr(Pair()) == (
        "Pair(  # 15 parameters\n"
        "  (parts.0): Linear(2, 3, init=fan_in_uniform_)  # 9 parameters\n"
        "  (parts.1): ReLU()\n"
        "  (norm): BatchNorm1d(3, eps=1e-05, momentum=0.1)  # 6 parameters\n"
        ")"
    )
    attention = repr(nn.Sequential(nn.MultiheadAttention(4, 2)))
    assert attention.splitlines()[1:] == [
        "  (0): MultiheadAttention(  # 80 parameters",
        "    4, 2, init=xavier_uniform_",
        "    (out_proj): Linear(4, 4, init=fan_in_uniform_)  # 20 parameters",
        "  )",
        ")",
    ]
    nested = repr(nn.Sequential(nn.Sequential(nn.Linear(1000, 1000, bias=False))))
    assert (
        nested.splitlines()[2]
        == "    (0): Linear(1000, 1000, bias=False, init=fan_in_uniform_)  # 1,000,000 parameters"
    )
