"""A model as a function of its parameters: any order, any mode, and afterwards as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn.utils import frozen_stats, functional_call


class Net(nn.Module):
    """Parameters in parts, lists, tuples and dicts, one of them shared."""

    def __init__(self, device: str = "cpu", dtype: Any = tg.float64) -> None:
        tg.manual_seed(0)
        self.stem = nn.Linear(2, 3, device=device, dtype=dtype)
        self.blocks = [
            nn.Linear(3, 3, device=device, dtype=dtype),
            {"thin": nn.Linear(3, 2, device=device, dtype=dtype)},
        ]
        self.scales = (nn.Parameter(tg.full((3,), 1.5, device=device, dtype=dtype)),)
        self.norm = nn.BatchNorm1d(3, device=device, dtype=dtype)
        self.tied = self.blocks[0]

    def forward(self, x: Any) -> Any:
        x = tg.tanh(self.norm(self.stem(x))) * self.scales[0]
        return self.blocks[1]["thin"](tg.tanh(self.tied(tg.tanh(self.blocks[0](x)))))


def data(device: str = "cpu", rows: int = 4) -> Any:
    return tg.tensor(np.random.default_rng(0).standard_normal((rows, 2)), device=device)


def others(net: nn.Module, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        name: tg.tensor(rng.standard_normal(p.shape) * 0.5, dtype=p.dtype, device=p.device)
        for name, p in net.named_parameters()
    }


def host(x: Any) -> np.ndarray:
    return x.detach().cpu().numpy()


def held(net: nn.Module) -> dict[str, Any]:
    return {name: (id(p), id(p._array), id(p._node), p.name, host(p).tobytes()) for name, p in net.named_parameters()}


def test_the_call_sees_the_given_values_and_leaves_the_module_as_it_was(device: str) -> None:
    net, x = Net(device).eval(), data(device)
    values, before = others(net), held(net)
    result = host(functional_call(net, values, x))
    assert held(net) == before
    twin = Net(device).eval()
    twin.load_state_dict(values, strict=False)
    np.testing.assert_array_equal(result, host(twin(x)))
    assert not np.array_equal(result, host(net(x)))


def test_arguments_keywords_and_several_dicts() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Parameter(tg.ones(1)), nn.Parameter(tg.ones(1))

        def forward(self, x: Any, y: Any = 0.0) -> Any:
            return self.a * x + self.b * y

    a, b = {"a": tg.tensor([2.0])}, {"b": [3.0]}
    net = Two()
    assert functional_call(net, a, 5.0).tolist() == [10.0]
    assert functional_call(net, a, (5.0, 1.0)).tolist() == [11.0]
    assert functional_call(net, (a, b), (5.0,), {"y": 1.0}).tolist() == [13.0]
    assert functional_call(net, [a, b], kwargs={"x": 5.0, "y": 1.0}).tolist() == [13.0]
    with pytest.raises(ValueError, match="'a' is given twice"):
        functional_call(net, (a, a), 1.0)


def test_what_was_held_comes_back_after_an_error() -> None:
    net = Net()
    before = held(net)
    with pytest.raises(tg.errors.ShapeError):
        functional_call(net, others(net), tg.ones(3, 7))
    assert held(net) == before


def test_only_the_given_parameters_are_exchanged() -> None:
    net, x = Net().eval(), data()
    bias = tg.tensor([10.0, 20.0], dtype=tg.float64)
    moved = functional_call(net, {"blocks.1.thin.bias": bias}, x) - net(x)
    expected = np.broadcast_to(host(bias) - host(net.blocks[1]["thin"].bias), (4, 2))
    np.testing.assert_allclose(host(moved), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["blocks.0.bias", "tied.bias"])
def test_a_shared_parameter_has_the_value_under_all_its_names(name: str) -> None:
    net, x = Net().eval(), data()
    value = tg.tensor([0.5, 0.5, 0.5], dtype=tg.float64)
    result = host(functional_call(net, {name: value}, x))
    net.tied.bias.data = host(value)
    np.testing.assert_array_equal(result, host(net(x)))
    functional_call(net, {"blocks.0.bias": value, "tied.bias": value}, x)
    with pytest.raises(ValueError, match=r"'blocks.0.bias' and 'tied.bias' are one tensor; give one value"):
        functional_call(net, {"blocks.0.bias": value, "tied.bias": value + 1.0}, x)


def test_bad_names_shapes_and_arguments_are_refused() -> None:
    net, x = Net(), data()
    with pytest.raises(KeyError, match=r"Net has no parameter or buffer 'stem.weigth'; did you mean 'stem.weight'"):
        functional_call(net, {"stem.weigth": tg.ones(3, 2)}, x)
    with pytest.raises(tg.errors.ShapeError, match=r"functional_call: 'stem.weight' has shape \(3, 2\); got \(2, 3\)"):
        functional_call(net, {"stem.weight": tg.ones(2, 3)}, x)
    with pytest.raises(TypeError, match=r"functional_call: 'stem\.weight': tensors hold bool, integer or floating"):
        functional_call(net, {"stem.weight": None}, x)
    with pytest.raises(KeyError, match=r"strict=True, and these are not given: stem.bias, .*norm.running_mean"):
        functional_call(net, {"stem.weight": tg.ones(3, 2)}, x, strict=True)
    with pytest.raises(
        TypeError, match="expected a dict from names to tensors, or a sequence of such dicts; got Tensor"
    ):
        functional_call(net, x, x)
    with pytest.raises(TypeError, match="expected a Module first; got function"):
        functional_call(lambda x: x, {}, x)  # type: ignore[arg-type]
    everything = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    assert functional_call(net, everything, x, strict=True).shape == (4, 2)


def test_running_statistics_move_in_the_given_buffers() -> None:
    net, x = Net(), data()
    mean, count = tg.zeros(3, dtype=tg.float64), tg.zeros((), dtype=tg.int64)
    before = {name: host(b).copy() for name, b in net.named_buffers()}
    functional_call(net, {"norm.running_mean": mean, "norm.num_batches_tracked": count}, x)
    twin = Net()
    twin(x)
    np.testing.assert_array_equal(host(mean), host(twin.norm.running_mean))
    assert count.item() == 1
    assert host(net.norm.running_mean).tolist() == before["norm.running_mean"].tolist()
    assert net.norm.num_batches_tracked.item() == 0
    np.testing.assert_array_equal(host(net.norm.running_var), host(twin.norm.running_var))  # not given: its own moves
    with frozen_stats(net):
        functional_call(net, {"norm.running_mean": mean}, x)
    np.testing.assert_array_equal(host(mean), host(twin.norm.running_mean))


def loss_of(net: nn.Module, x: Any) -> Callable[[dict[str, Any]], Any]:
    def loss(parameters: dict[str, Any]) -> Any:
        with frozen_stats(net):
            y = functional_call(net, parameters, x)
        return (y**2).mean() + (y * y * y).sum() * 0.1

    return loss


@pytest.mark.parametrize("training", [True, False])
def test_the_gradient_is_that_of_the_module_itself(training: bool, device: str) -> None:
    net, x = Net(device).train(training), data(device)
    values = {name: p.detach().clone() for name, p in net.named_parameters()}
    gradients = tg.grad(loss_of(net, x))(values)
    assert gradients.keys() == values.keys()
    loss_of(net, x)({}).backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(host(gradients[name]), host(p.grad), rtol=1e-10, atol=1e-12, err_msg=name)


def test_second_derivatives_agree_by_all_routes(device: str) -> None:
    net, x = Net(device), data(device)
    values, direction = others(net), others(net, 2)
    loss, h = loss_of(net, x), 1e-5
    before = held(net)
    ahead, behind = (
        tg.grad(loss)({name: v + sign * h * direction[name] for name, v in values.items()}) for sign in (1, -1)
    )
    for mode in ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward"):
        product = tg.hvp(loss, values, direction, mode=mode)
        for name in values:
            numeric = (host(ahead[name]) - host(behind[name])) / (2 * h)
            np.testing.assert_allclose(host(product[name]), numeric, rtol=1e-5, atol=1e-7, err_msg=name)
    assert held(net) == before


def test_the_hessian_by_a_dict_of_parameters() -> None:
    net, x = Net().eval(), data()
    names = ["stem.weight", "blocks.1.thin.bias"]
    values = {name: others(net)[name] for name in names}
    hessian = tg.hessian(loss_of(net, x))(values)
    direction = {name: others(net, 2)[name] for name in names}
    product = tg.hvp(loss_of(net, x), values, direction)
    for row in names:
        total = sum(
            np.tensordot(host(hessian[row][column]), host(direction[column]), values[column].ndim) for column in names
        )
        np.testing.assert_allclose(total, host(product[row]), rtol=1e-10, atol=1e-12)
        for column in names:
            block, other = host(hessian[row][column]), host(hessian[column][row])
            axes = (*range(values[row].ndim, block.ndim), *range(values[row].ndim))
            np.testing.assert_allclose(block.transpose(axes), other, rtol=1e-10, atol=1e-12)


def test_gauss_newton_products() -> None:
    net, x = Net().eval(), data()
    values, direction = others(net), others(net, 2)
    target = tg.tensor(np.random.default_rng(3).standard_normal((4, 2)))
    product = tg.ggnvp(
        lambda parameters: functional_call(net, parameters, x), lambda y: ((y - target) ** 2).sum(), values, direction
    )
    _, along = tg.jvp(lambda parameters: functional_call(net, parameters, x), (values,), (direction,))
    _, pull = tg.vjp(lambda parameters: functional_call(net, parameters, x), values)
    expected = pull(2.0 * along)
    expected = expected[0] if isinstance(expected, tuple) else expected
    for name in values:
        np.testing.assert_allclose(host(product[name]), host(expected[name]), rtol=1e-10, atol=1e-12)


def test_derivatives_by_inputs_and_by_ordinary_leaves() -> None:
    net, x = Net().eval(), data()
    weight = others(net)["stem.weight"].requires_grad_()
    functional_call(net, {"stem.weight": weight}, x).sum().backward()
    assert weight.grad is not None
    assert net.stem.weight.grad is None
    assert net.stem.bias.grad is not None
    step = weight - 0.1 * weight.grad  # a result of a computation as a parameter: a step that is differentiated
    (gradient,) = tg.gradients(functional_call(net, {"stem.weight": step}, x).sum(), [weight])
    assert gradient.shape == weight.shape


def test_a_call_inside_a_call_and_inside_a_recomputation() -> None:
    net, x = Net().eval(), data()
    values, inner = others(net), others(net, 2)

    class Outer(nn.Module):
        def __init__(self) -> None:
            self.net = net

        def forward(self, x: Any) -> Any:
            return functional_call(self.net, inner, x) + self.net(x)

    result = functional_call(Outer(), {f"net.{name}": value for name, value in values.items()}, x)
    expected = functional_call(net, inner, x) + functional_call(net, values, x)
    np.testing.assert_array_equal(host(result), host(expected))

    def loss(parameters: dict[str, Any]) -> Any:
        return (tg.checkpoint(lambda p: functional_call(net, p, x), parameters) ** 2).sum()

    plain = tg.grad(lambda parameters: (functional_call(net, parameters, x) ** 2).sum())(values)
    for name, gradient in tg.grad(loss)(values).items():
        np.testing.assert_allclose(host(gradient), host(plain[name]), rtol=1e-12)


def test_the_optimizer_s_memory_is_where_it_was() -> None:
    net, x = Net(), data()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    memory = {name: p.data for name, p in net.named_parameters()}
    tg.grad(loss_of(net, x))(others(net))
    assert all(p.data is memory[name] for name, p in net.named_parameters())
    net(x).sum().backward()
    optimizer.step()
    assert all(p.data is memory[name] for name, p in net.named_parameters())


@pytest.mark.oracle
def test_beside_pytorch() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("sympy")  # PyTorch imports it in the middle of a call, and it changes the warnings filters
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 1)).double()
    theirs = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Tanh(), torch.nn.Linear(3, 1)
    ).double()
    theirs.load_state_dict({name: torch.tensor(t.numpy()) for name, t in net.state_dict().items()})
    net.eval(), theirs.eval()  # PyTorch's transforms refuse statistics that move
    values = others(net)
    x = data().numpy()

    def our_loss(parameters: Any) -> Any:
        return (functional_call(net, parameters, tg.tensor(x)) ** 3).sum()

    def their_loss(parameters: Any) -> Any:
        return (torch.func.functional_call(theirs, parameters, torch.tensor(x)) ** 3).sum()

    gradients = tg.grad(our_loss)(values)
    expected = torch.func.grad(their_loss)({name: torch.tensor(v.numpy()) for name, v in values.items()})
    for name, gradient in gradients.items():
        np.testing.assert_allclose(host(gradient), expected[name].numpy(), rtol=1e-8, atol=1e-10)
