"""What all optimizers share: what they take, what they refuse, closures, hyper-parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import Maker, every, every_elementwise, every_stepping, leaf
from tinygrad_opt import nn

# What it takes.


def test_parameters_may_come_from_a_list_a_tuple_or_a_generator() -> None:
    net = nn.Linear(3, 2)
    for params in (list(net.parameters()), tuple(net.parameters()), net.parameters(), (p for p in net.parameters())):
        optimizer = tg.optim.SGD(params, lr=0.1)
        assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for p in net.parameters()]
    before = net.weight.tolist()
    optimizer.step(lambda: net(tg.ones(1, 3)).sum())
    assert net.weight.tolist() != before


def test_groups_have_hyper_parameters_of_their_own() -> None:
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    optimizer = tg.optim.SGD([{"params": [a]}, {"params": (p for p in [b]), "lr": 10.0}], lr=1.0)
    optimizer.add_param_group({"params": c, "lr": 100.0})
    (a + b + c).sum().backward()
    optimizer.step()
    assert (a.tolist(), b.tolist(), c.tolist()) == ([0.0], [-9.0], [-99.0])
    assert repr(optimizer).startswith("SGD(1 parameters, lr=1.0, momentum=0.0, dampening=0.0, weight_decay=0.0")
    assert repr(optimizer).count("; ") == 2


def test_hyper_parameters_may_change_between_steps() -> None:
    p = leaf(0.0)
    optimizer = tg.optim.SGD([p], lr=1.0)
    for lr in (1.0, 0.5, np.float64(0.25), np.float32(0.125), tg.tensor(0.0625)):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        p.sum().backward()
        optimizer.step()
    assert p.tolist() == [-1.9375]


def test_hyper_parameters_become_python_s_own_numbers() -> None:
    optimizer = tg.optim.Adam([leaf(1.0)], lr=np.float32(0.5), betas=[np.float64(0.5), np.float32(0.25)], eps=0)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"]) == (0.5, (0.5, 0.25))
    assert [type(x) for x in (group["lr"], *group["betas"])] == [float] * 3


# What it refuses.


@every
def test_no_parameters(make: Maker) -> None:
    net = nn.Linear(3, 2)
    used_up = net.parameters()
    list(used_up)
    for params in ([], (), used_up, [{"params": []}]):
        with pytest.raises(ValueError, match=r"[A-Za-z]+: the list of parameters is empty. model.parameters\(\) runs"):
            make(params, lr=0.1)


@every
def test_one_parameter_twice(make: Maker) -> None:
    p, q = leaf(1.0), leaf(2.0)
    q.name = "head"
    with pytest.raises(ValueError, match=r"parameter 1 is given twice"):
        make([p, p], lr=0.1)
    optimizer = make([{"params": [p, q]}], lr=0.1)
    with pytest.raises(ValueError, match=r"parameter head is given twice"):
        optimizer.add_param_group({"params": [q]})
    assert len(optimizer.param_groups) == 1


@every
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda: leaf(1.0) * 2, r"parameter 1 must be a floating leaf tensor; got tensor\(.*detach\(\) it first"),
        (lambda: tg.tensor([1, 2]), r"parameter 1 must be a floating leaf tensor; got tensor\(\[1, 2\]\)\.$"),
        (lambda: np.ones(2), r"parameter 1 must be a floating leaf tensor; got array"),
        (lambda: ("name", leaf(1.0)), r"parameter 1 must be a floating leaf tensor; got \('name'"),
        (lambda: 3.0, r"parameter 1 must be a floating leaf tensor; got 3.0"),
    ],
    ids=["result", "integers", "array", "pair", "number"],
)
def test_what_is_no_parameter(make: Maker, bad: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make([leaf(1.0), bad()], lr=0.1)


@every
def test_a_tensor_or_a_model_in_place_of_a_list(make: Maker) -> None:
    with pytest.raises(TypeError, match=r"params must be a list of tensors; write \[w\]"):
        make(leaf(1.0), lr=0.1)
    for net in (nn.Sequential(nn.Tanh()), nn.Linear(1, 1)):
        with pytest.raises(TypeError, match=r"params must be a list of tensors; write model.parameters\(\)"):
            make(net, lr=0.1)


@every
def test_groups_that_are_none(make: Maker) -> None:
    p = leaf(1.0)
    for params in ([{"lr": 0.1}], [{"params": [p]}, p], [p, {"params": [leaf(1.0)]}]):
        with pytest.raises(TypeError, match=re.escape("a group is a dict such as {'params': [w], 'lr': 0.1}; got")):
            make(params, lr=0.1)


@every
def test_arguments_that_it_does_not_know(make: Maker) -> None:
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'learning_rate'"):
        make([leaf(1.0)], learning_rate=0.1)
    with pytest.raises(
        TypeError, match=r"[A-Za-z]+: unknown argument 'learning_rate'; it takes params, .*lr, .*maximize"
    ):
        make([{"params": [leaf(1.0)], "learning_rate": 0.1}], lr=0.1)


@every
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1", None, True, np.array([0.1, 0.2])])
@pytest.mark.parametrize("name", ["lr", "weight_decay"])
def test_numbers_outside_their_range(make: Maker, name: str, value: Any) -> None:
    if name in make.unused:
        pytest.skip("it does not take that")
    message = rf"[A-Za-z]+: {name} must be a number at least 0; got"
    with pytest.raises(ValueError, match=message):
        make([leaf(1.0)], **{name: value})
    with pytest.raises(ValueError, match=message):
        make([{"params": [leaf(1.0)], name: value}])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 1.0}, r"SGD: momentum must be a number in \[0, 1\); got 1.0"),
        ({"momentum": -0.5}, r"SGD: momentum must be a number in \[0, 1\)"),
        ({"momentum": 0.5, "dampening": "much"}, r"SGD: dampening must be a number at least 0; got 'much'"),
        ({"nesterov": True}, r"SGD: nesterov=True needs momentum > 0 and dampening = 0"),
        ({"nesterov": True, "momentum": 0.5, "dampening": 0.1}, r"SGD: nesterov=True needs momentum > 0 and damp"),
    ],
)
def test_numbers_that_sgd_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tg.optim.SGD([leaf(1.0)], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"betas": (0.9, 1.0)}, r"Adam: betas\[1\] must be a number in \[0, 1\); got 1.0"),
        ({"betas": (-0.1, 0.9)}, r"Adam: betas\[0\] must be a number in \[0, 1\)"),
        ({"betas": (0.9,)}, r"Adam: betas must be a pair such as \(0.9, 0.999\); got \(0.9,\)"),
        ({"betas": 0.9}, r"Adam: betas must be a pair such as \(0.9, 0.999\); got 0.9"),
        ({"eps": -1e-8}, r"Adam: eps must be a number at least 0; got -1e-08"),
    ],
)
def test_numbers_that_adam_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tg.optim.Adam([leaf(1.0)], **options)


def test_a_refused_group_leaves_no_trace() -> None:
    a, b = leaf(1.0), leaf(1.0)
    optimizer = tg.optim.SGD([a], lr=1.0)
    memory = b.data
    for bad in ({"params": [b], "lr": -1.0}, {"params": [b], "rate": 1.0}, {"params": [b, b]}):
        with pytest.raises((ValueError, TypeError)):
            optimizer.add_param_group(bad)
    assert b.data is memory
    (a + b).sum().backward()
    optimizer.step()
    assert (a.tolist(), b.tolist()) == ([0.0], [1.0])


# Closures.


@every_stepping
def test_a_closure_returns_the_loss_and_does_nothing_else(make: Maker) -> None:
    (p, q), results = (leaf(1.0, 2.0) for _ in range(2)), []
    optimizer, other = make([p], lr=0.1), make([q], lr=0.1)
    for _ in range(3):
        results.append(optimizer.step(lambda: (p**2).sum()).item())
        other.zero_grad()
        loss = (q**2).sum()
        loss.backward()
        assert other.step() is None
        assert results[-1] == loss.item()
    assert p.tolist() == q.tolist()


def test_a_closure_works_inside_no_grad() -> None:
    p = leaf(1.0)
    optimizer = tg.optim.SGD([p], lr=0.5)
    with tg.no_grad():
        optimizer.step(lambda: (p**2).sum())
    assert p.tolist() == [0.0]


def test_a_closure_that_forgets_to_return() -> None:
    p = leaf(1.0)
    optimizer = tg.optim.SGD([p], lr=0.1)
    with pytest.raises(TypeError, match=r"SGD.step: the closure must return the loss, a tensor; got NoneType"):
        optimizer.step(lambda: None)
    with pytest.raises(tg.errors.ShapeError, match=r"backward\(\) needs a scalar"):
        optimizer.step(lambda: tg.stack([p, p]))
    assert p.tolist() == [1.0]


def test_a_closure_that_calls_backward_itself() -> None:
    p = leaf(1.0)

    def closure() -> tg.Tensor:
        loss = (p**2).sum()
        loss.backward()
        return loss

    with pytest.raises(tg.errors.FreedGraphError, match=r"backward\(\) called twice on one loss"):
        tg.optim.SGD([p], lr=0.1).step(closure)
    assert p.tolist() == [1.0]


# Numbers that are none.


@every_elementwise
def test_a_gradient_that_is_not_finite_spoils_its_own_element_only(make: Maker) -> None:
    p = leaf(1.0, 2.0, 3.0)
    optimizer = make([p], lr=0.1)
    for gradient in ([np.nan, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]):
        optimizer.step(lambda gradient=gradient: (p * tg.tensor(gradient, dtype=tg.float64)).sum())
    assert np.isnan(p.tolist()).tolist() == [True, False, False]
    assert p.tolist()[1] < 2.0
    assert p.tolist()[2] == pytest.approx(3.0, rel=1e-2)  # but for weight decay
    state = optimizer.state_of(p)
    assert all(np.isfinite(s.tolist()[1:]).all() for s in state.values())


# Methods that users write.


def test_a_method_is_a_constructor_and_a_rule() -> None:
    class SignDescent(tg.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, lr=lr)

        def rule(self, theta: Any, g: Any, *, t: int, lr: float) -> Any:
            return (theta - lr / t * g / abs(g),)

    p = leaf(1.0, -2.0)
    optimizer = SignDescent([p], lr=0.5)
    for _ in range(2):
        optimizer.step(lambda: (p**2).sum())
    np.testing.assert_allclose(p.tolist(), [0.25, -1.25])


def test_a_method_without_a_rule_says_so() -> None:
    p = leaf(1.0)
    with pytest.raises(NotImplementedError):
        tg.optim.Optimizer([p], lr=0.1).step(lambda: p.sum())
