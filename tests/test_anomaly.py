"""detect_anomaly: the first value or gradient that is not finite is named, with the line of the user's code."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.core import anomaly
from tinygrad_opt.core.kinds import General
from tinygrad_opt.core.primitive import REGISTRY
from tinygrad_opt.errors import AnomalyError, FreedGraphError, GraphError, InPlaceError, RuleError


@pytest.fixture(autouse=True)
def silent_numpy() -> Iterator[None]:
    """NumPy warns of what these tests provoke."""
    with np.errstate(all="ignore"):
        yield


def test_the_first_bad_value() -> None:
    x = tg.tensor([1.0, 0.0, -1.0])
    with tg.detect_anomaly(), pytest.raises(AnomalyError) as caught:
        tg.exp(tg.log(x) * 2)  # the line to blame
    said = str(caught.value)
    assert "the value of 'log' is the first that is not finite (1 nan, 1 inf of 3; inputs (3,) float32)" in said
    assert __file__ in said
    assert "in test_the_first_bad_value: tg.exp(tg.log(x) * 2)  # the line to blame" in said


def test_a_bad_input_is_not_blamed_on_the_operation() -> None:
    a, b = tg.ones(2), tg.tensor([1.0, np.nan])
    with tg.detect_anomaly(), pytest.raises(AnomalyError, match=r"the value of 'add'.*input 1 was not finite already"):
        a + b


def test_the_first_bad_gradient_names_the_line_of_the_forward_pass() -> None:
    x = tg.tensor([4.0, 0.0], requires_grad=True)
    with tg.detect_anomaly():
        root = tg.sqrt(x)  # its slope at 0 is infinite
        loss = root.sum()
        with pytest.raises(AnomalyError) as caught:
            loss.backward()
    said = str(caught.value)
    assert "the gradient for input 0 of 'sqrt' is the first that is not finite (0 nan, 1 inf of 2" in said
    assert "root = tg.sqrt(x)  # its slope at 0 is infinite" in said
    assert x.grad is None


def test_a_backward_pass_alone_says_how_to_see_the_line() -> None:
    x = tg.tensor(0.0, requires_grad=True)
    y = tg.sqrt(x)
    with tg.detect_anomaly(), pytest.raises(AnomalyError, match=r"run the forward pass inside detect_anomaly\(\)"):
        y.backward()


def test_a_forward_pass_alone() -> None:
    x = tg.tensor(0.0, requires_grad=True)
    with tg.detect_anomaly():
        y = tg.sqrt(x)
    y.backward()
    assert x.grad.item() == np.inf


def test_a_write_past_the_eyes_of_the_package_is_found() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    x.name = "x"
    with tg.detect_anomaly():
        loss = (x * x).sum()
        x.data[0] = 7.0
        with pytest.raises(InPlaceError, match=r"'x' was changed in place \(by a write past the package's eyes\)"):
            loss.backward()


def _second_derivative() -> None:
    x = tg.tensor(0.0, requires_grad=True)
    (g,) = tg.gradients(x**1.5, [x], create_graph=True)  # 1.5 √x, whose slope at 0 is infinite
    tg.gradients(g, [x])


def _gradient_of_a_function() -> None:
    tg.grad(lambda x: tg.sqrt(x).sum())(tg.zeros(2))


@pytest.mark.parametrize("work", [_second_derivative, _gradient_of_a_function])
def test_transforms_are_inspected_too(work: Callable[[], None]) -> None:
    work()
    with tg.detect_anomaly(), pytest.raises(AnomalyError):
        work()


@pytest.mark.parametrize("fine", [tg.tensor([1, 2]), tg.tensor([True, False]), tg.zeros(0), tg.ones(2)])
def test_whole_numbers_booleans_and_nothing_at_all_are_finite(fine: tg.Tensor) -> None:
    with tg.detect_anomaly():
        assert (fine * 1 == fine).all()


def test_finite_work_is_not_disturbed() -> None:
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)

    def work() -> bytes:
        x.zero_grad()
        (tg.exp(x) * x[::-1]).sum().backward()
        return x.grad.data.tobytes()

    plain = work()
    with tg.detect_anomaly():
        assert work() == plain


def test_outside_the_block_nothing_is_inspected(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: Any) -> None:
        raise AssertionError("this was to stay asleep")

    for name in ("inspect_value", "inspect_seed", "inspect_sum", "inspect_update", "inspected", "compare", "Origin"):
        monkeypatch.setattr(anomaly, name, unexpected)
    x = tg.tensor([1.0, 0.0], requires_grad=True)
    y = tg.log(x).sum()
    assert not hasattr(y._node, "origin")
    y.backward()
    assert x.grad.tolist() == [1.0, np.inf]


def test_warnings_of_the_array_library_are_left_to_it() -> None:
    with np.errstate(divide="warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with tg.detect_anomaly(), pytest.raises(AnomalyError):
            tg.log(tg.zeros(1))
    assert [w.category for w in caught] == [RuntimeWarning]


# Wherever the fault happens: forward mode, second order, modules, optimizers, seeds, sums.


def blamed(work: Callable[[], Any]) -> str:
    """What is said of a piece of work inside the block."""
    with tg.detect_anomaly(), pytest.raises(AnomalyError) as caught:
        work()
    return str(caught.value)


def root(x: tg.Tensor) -> tg.Tensor:
    """√x, whose slope at 0 is infinite."""
    return tg.sqrt(x)  # this line


def nested(x: tg.Tensor) -> tg.Tensor:
    return (lambda y: root(y) * 2)(x).sum()


@pytest.mark.parametrize(
    ("work", "what"),
    [
        (lambda: tg.jvp(nested, tg.zeros(2), tg.ones(2)), "the tangent of 'sqrt'"),
        (lambda: tg.vjp(nested, tg.zeros(2))[1](tg.tensor(1.0)), "the gradient for input 0 of 'sqrt'"),
        (lambda: tg.linearize(nested, tg.zeros(2))[1](tg.ones(2)), "the tangent of 'sqrt'"),
        (lambda: tg.grad(nested)(tg.zeros(2)), "the gradient for input 0 of 'sqrt'"),
        (lambda: tg.grad(tg.grad(nested))(tg.tensor(0.0)), "the gradient for input 0 of 'sqrt'"),
        *(
            (lambda route=route: tg.hvp(nested, tg.zeros(2), tg.ones(2), mode=route), "of 'sqrt'")
            for route in ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward")
        ),
    ],
)
def test_every_transform_names_the_line_of_the_forward_pass(work: Callable[[], Any], what: str) -> None:
    said = blamed(work)
    assert f"{what} is the first" in said or said.partition(" is the first")[0].endswith(what)
    assert "in root: return tg.sqrt(x)  # this line" in said


def test_a_fault_of_the_second_derivative_alone() -> None:
    x = tg.tensor(0.0, requires_grad=True)
    with tg.detect_anomaly():
        (g,) = tg.gradients(x**1.5, [x], create_graph=True)  # 1.5 √x
        with pytest.raises(AnomalyError) as caught:
            tg.gradients(g, [x])  # whose slope at 0 is infinite
    assert "tg.gradients(x**1.5, [x], create_graph=True)  # 1.5 √x" in str(caught.value)


def test_in_a_module_the_parameters_are_named() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            return self.second(self.first(x))  # the layers

    net = Net()
    net.second.weight.data = np.full((2, 2), np.inf, np.float32)
    said = blamed(lambda: net(tg.ones(1, 2)))
    assert "the value of 'affine' is the first" in said
    assert "'second.weight' (2, 2) float32, 'second.bias' (2,) float32; input 1 was not finite already" in said
    assert "in forward: return self.second(self.first(x))  # the layers" in said


@pytest.mark.parametrize("optimizer", [tg.optim.SGD, tg.optim.Adam])
def test_an_update_that_leaves_a_parameter_not_finite(optimizer: Any) -> None:
    fine, w = tg.tensor([1.0], requires_grad=True), tg.tensor([1.0, 2.0], requires_grad=True)
    w.name = "w"
    steps = optimizer([fine, w], lr=0.1)
    w.grad = tg.tensor([1.0, np.nan])
    fine.grad = tg.ones(1)
    said = blamed(lambda: steps.step())  # the step
    assert f"the value of 'w' after {optimizer.__name__}.step is the first" in said
    assert "(1 nan, 0 inf of 2; shape (2,); its gradient was not finite already)" in said
    assert "steps.step())  # the step" in said


def test_an_update_that_overflows() -> None:
    w = tg.tensor([3e38], requires_grad=True)
    steps = tg.optim.SGD([w], lr=1e30)
    w.grad = tg.tensor([-3e38])
    said = blamed(steps.step)
    assert "the value of parameter 0 after SGD.step" in said
    assert "already" not in said


@pytest.mark.parametrize(
    ("work", "what"),
    [
        (lambda x: (x * x).backward(tg.tensor([1.0, np.nan])), "the gradient given for the output of 'multiply'"),
        (lambda x: tg.gradients(x * x, x, tg.tensor([np.inf, 1.0])), "the gradient given for"),
        (lambda x: tg.jvp(lambda y: y * y, x.detach(), tg.tensor([1.0, np.nan])), "the tangent given for"),
    ],
)
def test_a_seed_that_is_not_finite_is_told_as_such(work: Callable[[Any], Any], what: str) -> None:
    assert blamed(lambda: work(tg.tensor([1.0, 2.0], requires_grad=True))).startswith(what)


def test_finite_gradients_whose_sum_is_not() -> None:
    x = tg.tensor([1.0], requires_grad=True)
    x.name = "x"
    said = blamed(lambda: (x * 2e38 + (x - 1.0) * 2e38).backward(tg.ones(1)))
    assert said.startswith(
        "the gradient of 'x', summed over all its uses, is the first that is not finite (0 nan, 1 inf"
    )


# Exceptions inside rules.


@pytest.fixture
def faulty() -> Iterator[Any]:
    """The exponential, with rules that raise."""

    def push(t: Any, _y: Any, _x: Any) -> Any:
        raise KeyError("lost")

    yield General("faulty", [push], [lambda g, y, _x: g @ y], kernel="exp")
    del REGISTRY["faulty"]


def test_an_exception_inside_a_rule_names_the_forward_call(faulty: Any) -> None:
    x = tg.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    x.name = "x"
    with tg.detect_anomaly():
        y = faulty(x)  # the forward call
        with pytest.raises(RuleError) as caught:
            y.backward(tg.ones(1, 3))
    said = str(caught.value)
    assert said.startswith("the reverse-mode rule of 'faulty' raised ValueError: ")
    assert "(inputs 'x' (1, 3), output shape (1, 3))" in said
    assert "y = faulty(x)  # the forward call" in said
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_leaf_without_a_name_is_described_by_its_shape_once(faulty: Any) -> None:
    with tg.detect_anomaly(), pytest.raises(RuleError, match=r"\(inputs a leaf tensor of shape \(1, 3\), output shape"):
        faulty(tg.ones(1, 3, requires_grad=True)).backward(tg.ones(1, 3))


@pytest.mark.parametrize("create_graph", [False, True])
def test_outside_the_block_it_is_the_exception_itself(faulty: Any, create_graph: bool) -> None:
    x = tg.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    with pytest.raises(ValueError, match="matmul") as caught:
        tg.gradients(faulty(x), x, tg.ones(1, 3), create_graph=create_graph)
    assert not isinstance(caught.value, GraphError)


def test_an_exception_in_forward_mode(faulty: Any) -> None:
    with tg.detect_anomaly(), pytest.raises(RuleError, match=r"forward-mode rule of 'faulty' raised KeyError: 'lost'"):
        tg.jvp(faulty, tg.ones(2), tg.ones(2))


def test_a_forward_pass_outside_the_block_says_how_to_see_the_line(faulty: Any) -> None:
    y = faulty(tg.ones(1, 3, requires_grad=True))
    with tg.detect_anomaly(), pytest.raises(RuleError, match=r"run the forward pass inside detect_anomaly\(\)"):
        y.backward(tg.ones(1, 3))


def test_errors_of_the_walk_itself_are_not_disguised() -> None:
    x = tg.tensor(2.0, requires_grad=True)
    y = x * x
    y.backward()
    with tg.detect_anomaly(), pytest.raises(FreedGraphError):
        y.backward()
