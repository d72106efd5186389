"""Hooks: called when PyTorch calls them, with what it hands over; without one a call stays what it was."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


class Bare(nn.Module):
    """No ``super().__init__()``, two arguments, two results."""

    def __init__(self) -> None:
        self.scale = nn.Parameter(tg.tensor([2.0, -1.0]))

    def forward(self, x: Any, y: Any = 1.0, *, shift: float = 0.0) -> Any:
        return x * y * self.scale + shift, tg.sin(x)


def doubled(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x * 2.0 for x in args)


def test_hooks_run_around_forward_in_the_order_of_registration() -> None:
    layer, seen = nn.Tanh(), []
    layer.register_forward_pre_hook(lambda module, args: seen.append(("before", module is layer, len(args))))
    layer.register_forward_hook(lambda module, args, out: seen.append(("after", module is layer, out.shape)))
    layer.register_forward_hook(lambda *_: seen.append(("first",)), prepend=True)
    layer(tg.ones(3))
    assert seen == [("before", True, 1), ("first",), ("after", True, (3,))]


def test_what_a_hook_returns_replaces_arguments_and_results() -> None:
    layer, x = Bare(), tg.tensor([1.0, 3.0])
    layer.register_forward_pre_hook(doubled)
    layer.register_forward_pre_hook(lambda module, args: args[0] + 1.0)  # one that is no tuple is one argument
    layer.register_forward_hook(lambda module, args, out: out[0])
    layer.register_forward_hook(lambda module, args, out: out * 10.0)
    assert layer(x).tolist() == [60.0, -70.0]


def test_hooks_with_kwargs_see_and_replace_them() -> None:
    layer, seen = Bare(), []
    layer.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {**kwargs, "shift": kwargs["shift"] + 1.0}), with_kwargs=True
    )
    layer.register_forward_hook(lambda module, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    assert layer(tg.ones(2), shift=1.0)[0].tolist() == [4.0, 1.0]
    assert seen == [{"shift": 2.0}]
    layer.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(TypeError, match=r"Bare: a forward pre-hook with_kwargs=True returns None or a pair"):
        layer(tg.ones(2), shift=1.0)


def test_a_handle_removes_its_hook_once_and_is_a_context_manager() -> None:
    layer, x = nn.Identity(), tg.ones(1)
    handle = layer.register_forward_pre_hook(doubled)
    other = layer.register_forward_pre_hook(doubled)
    assert layer(x).item() == 4.0
    handle.remove()
    handle.remove()
    assert layer(x).item() == 2.0
    with pytest.raises(KeyError), other:
        raise KeyError
    assert layer(x).item() == 1.0
    with layer.register_forward_hook(lambda module, args, out: out * 3.0) as handle:
        assert layer(x).item() == 3.0
    assert layer(x).item() == 1.0


def test_a_hook_may_remove_itself_while_it_runs() -> None:
    layer, seen = nn.Identity(), []

    def once(module: nn.Module, args: Any) -> None:
        seen.append(1)
        handle.remove()

    handle = layer.register_forward_pre_hook(once)
    layer.register_forward_pre_hook(lambda module, args: seen.append(2))
    layer(1)
    layer(1)
    assert seen == [1, 2, 2]


def test_a_module_without_hooks_has_nothing_of_them_and_records_nothing_more() -> None:
    layer, x = nn.Tanh(), tg.ones(2, requires_grad=True)
    assert vars(layer) == {}
    plain = layer(x)._node
    layer.register_forward_hook(lambda *_: None)
    assert [node.primitive.name for node in (plain, layer(x)._node)] == ["tanh", "tanh"]


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="a hook is a function; got int"):
        nn.Tanh().register_forward_hook(3)  # type: ignore[arg-type]


def test_forward_itself_runs_no_hooks() -> None:
    layer = nn.Identity()
    layer.register_forward_hook(lambda *_: 5)
    assert (layer.forward(1), layer(1)) == (1, 5)


def test_copies_have_the_hooks_and_handles_stay_with_their_module() -> None:
    layer = nn.Identity()
    handle = layer.register_forward_pre_hook(doubled)
    twins = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    handle.remove()
    assert layer(tg.ones(1)).item() == 1.0
    assert [twin(tg.ones(1)).item() for twin in twins] == [2.0, 2.0]


def test_hooks_are_no_part_of_the_state_nor_of_what_is_shown() -> None:
    layer = nn.Linear(2, 2)
    text, names = repr(layer), list(layer.state_dict())
    layer.register_forward_hook(lambda *_: None)
    assert (repr(layer), list(layer.state_dict())) == (text, names)
    assert [name for name, _ in layer.named_modules()] == [""]


# Backward hooks.


def test_a_backward_hook_sees_all_gradients_at_once_and_may_replace_them(device: str) -> None:
    layer, seen = Bare().to(device), []

    def hook(module: nn.Module, grad_input: Any, grad_output: Any) -> Any:
        assert module is layer
        seen.append(([g.tolist() for g in grad_input], [g.tolist() for g in grad_output]))
        return tuple(g * 10.0 for g in grad_input)

    layer.register_full_backward_hook(hook)
    x, y = (tg.tensor(values, device=device, requires_grad=True) for values in ([0.0, 1.0], [3.0, 4.0]))
    a, b = layer(x, y)
    (a * tg.tensor([1.0, 2.0], device=device) + b * 4.0).sum().backward()
    dx = [1 * 3 * 2 + 4, 2 * 4 * -1 + 4 * float(np.cos(np.float32(1)))]
    dy = [0.0, 2 * 1 * -1]
    ((grad_input, grad_output),) = seen
    assert grad_output == [[1.0, 2.0], [4.0, 4.0]]
    assert grad_input[0] == pytest.approx(dx)
    assert grad_input[1] == dy
    assert x.grad.tolist() == pytest.approx([10 * g for g in dx])
    assert y.grad.tolist() == [10 * g for g in dy]
    assert layer.scale.grad.tolist() == [0.0, 8.0]  # parameters lie inside: the hook does not touch them


def test_a_backward_pre_hook_replaces_what_goes_in() -> None:
    layer, x = Bare(), tg.tensor([0.0, 1.0], requires_grad=True)
    layer.register_full_backward_pre_hook(lambda module, grad: (grad[0] * 5.0, grad[1]))
    layer(x)[0].sum().backward()
    assert x.grad.tolist() == [10.0, -5.0]
    assert layer.scale.grad.tolist() == [0.0, 5.0]


def test_without_a_gradient_there_is_none(device: str) -> None:
    layer, seen = Bare().to(device), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    x = tg.ones(2, device=device, requires_grad=True)
    layer(x, 2.0)[1].sum().backward()
    ((grad_input, grad_output),) = seen
    assert (grad_input[1], grad_output[0]) == (None, None)
    seen.clear()
    layer(tg.ones(2, device=device))[0].sum().backward()  # only the parameter learns
    ((grad_input, grad_output),) = seen
    assert grad_input == (None,)
    assert grad_output[0].tolist() == [1.0, 1.0]
    assert grad_output[1] is None
    seen.clear()
    with tg.no_grad():
        layer(x)
    assert seen == []


def test_replacing_what_is_not_there_or_does_not_fit_is_an_error() -> None:
    layer, x = Bare(), tg.ones(2, requires_grad=True)
    handle = layer.register_full_backward_hook(lambda module, gi, go: (tg.ones(3),))
    with pytest.raises(tg.errors.ShapeError, match=r"Bare: a backward hook returns None, or a grad_input with tensors"):
        layer(x)[0].sum().backward()
    with pytest.raises(tg.errors.GraphError, match="Bare: no input requires gradients"):
        layer(tg.ones(2))[0].sum().backward()
    handle.remove()
    layer.register_full_backward_hook(lambda module, gi, go: None)
    layer(x)[0].sum().backward()
    assert x.grad.tolist() == [2.0, -1.0]


def test_two_walks_over_one_graph_call_twice() -> None:
    layer, x, seen = Bare(), tg.ones(2, requires_grad=True), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append(go[0].tolist()))
    a, _ = layer(x)
    a.sum().backward(retain_graph=True)
    (a * 3.0).sum().backward()
    assert seen == [[1.0, 1.0], [3.0, 3.0]]


def test_a_hook_that_raises_does_not_spoil_the_next_walk() -> None:
    layer, x, seen = Bare(), tg.ones(2, requires_grad=True), []

    def hook(module: nn.Module, grad_input: Any, grad_output: Any) -> None:
        seen.append(grad_output[0].tolist())
        if len(seen) == 1:
            raise KeyError

    layer.register_full_backward_hook(hook)
    a, _ = layer(x)
    with pytest.raises(KeyError):
        a.sum().backward(retain_graph=True)
    (a * 3.0).sum().backward()
    assert seen == [[1.0, 1.0], [3.0, 3.0]]


def test_derivatives_of_every_order_pass_through_a_hook(device: str) -> None:
    layer = Bare().to(device).double()
    layer.register_full_backward_hook(lambda module, gi, go: tuple(g * 1.0 for g in gi))
    plain = copy.deepcopy(layer)
    plain._hooks = None
    rng = np.random.default_rng(0)
    x, v = (tg.tensor(rng.standard_normal(2), device=device) for _ in range(2))

    def loss(model: nn.Module) -> Any:
        return lambda x: (model(x, x)[0] ** 2).sum() + (model(x)[1] ** 3).sum()

    for mode in ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward"):
        ours, expected = (tg.hvp(loss(model), x, v, mode=mode) for model in (layer, plain))
        np.testing.assert_allclose(ours.detach().cpu().numpy(), expected.detach().cpu().numpy(), rtol=1e-12)
    assert tg.testing.gradcheck(loss(layer), (x,), order=2)


def test_a_hook_that_scales_gradients_scales_their_derivative() -> None:
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0] * 3.0,))
    x = tg.tensor(0.5, requires_grad=True)
    (g,) = tg.gradients(layer(x), [x], create_graph=True)
    y = float(np.tanh(0.5))
    assert g.item() == pytest.approx(3 * (1 - y * y))
    # g = 3 (1 - tanh²x); its derivative goes through the hook again, where x entered
    (h,) = tg.gradients(g, [x])
    assert h.item() == pytest.approx(3 * 3 * -2 * y * (1 - y * y))


def test_hooks_and_recomputation() -> None:
    layer, x, seen = Bare(), tg.ones(2, requires_grad=True), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append(go[0].tolist()))
    tg.checkpoint(lambda x: layer(x)[0], x).sum().backward()
    assert seen == [[1.0, 1.0]]
    assert x.grad.tolist() == [2.0, -1.0]


def test_a_graph_with_hooks_dies_with_its_tensors() -> None:
    layer, x = Bare(), tg.ones(2, requires_grad=True)
    layer.register_full_backward_hook(lambda module, gi, go: tuple(gi))
    gc.collect()
    gc.disable()
    try:
        a, _ = layer(x)
        node = weakref.ref(a._node)
        (g,) = tg.gradients((a**2).sum(), [x], create_graph=True)
        g.sum().backward()
        del a, g
        assert node() is None
    finally:
        gc.enable()


class Pair:
    """The same module with the same hooks, here and in PyTorch."""

    @staticmethod
    def of(library: Any, sin: Any, log: list[Any]) -> Any:
        class Both(library.nn.Module):  # type: ignore[misc, name-defined]
            def forward(self, x: Any, y: Any) -> Any:
                return x * y, sin(x)

        model = Both()
        numbers = lambda gs: [None if g is None else g.tolist() for g in gs]  # noqa: E731
        model.register_full_backward_pre_hook(lambda m, go: tuple(None if g is None else g * 3 for g in go))
        model.register_full_backward_hook(
            lambda m, gi, go: log.append((numbers(gi), numbers(go))) or tuple(None if g is None else g * 2 for g in gi)
        )
        return model


@pytest.mark.oracle
@pytest.mark.parametrize("requires", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("used", [(0, 1), (0,), (1,)])
def test_backward_hooks_beside_pytorch(used: tuple[int, ...], requires: tuple[bool, bool]) -> None:
    torch = pytest.importorskip("torch")
    results = []
    for library in (torch, tg):
        log: list[Any] = []
        model = Pair.of(library, library.sin, log)
        x, y = (library.tensor(v, requires_grad=r) for v, r in zip(([0.5, 1.5], [2.0, 3.0]), requires, strict=True))
        outputs = model(x, y)
        loss = sum((outputs[i] ** 2).sum() for i in used)
        if not loss.requires_grad:
            return
        loss.backward()
        results.append((log, [None if t.grad is None else t.grad.tolist() for t in (x, y)]))
    (their_log, theirs), (our_log, ours) = results
    assert len(their_log) == len(our_log) == 1
    for other, mine in zip((*their_log[0], theirs), (*our_log[0], ours), strict=True):
        for a, b in zip(other, mine, strict=True):
            # What has no gradient is None here; PyTorch fills some of it with zeros.
            assert (a or [0.0, 0.0]) == pytest.approx(b or [0.0, 0.0], rel=1e-6)
