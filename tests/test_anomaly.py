"""detect_anomaly: the first value or gradient that is not finite is named, with the line of the user's code."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core import anomaly
from tinygrad_opt.errors import AnomalyError, InPlaceError


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

    for name in ("inspect_value", "inspect_gradient", "compare", "Origin"):
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
