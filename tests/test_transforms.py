"""Derivatives inside derivatives: nested in every order, and never confused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

from .derivatives import ROUTES, number, vector


@pytest.mark.parametrize("outer", ROUTES)
@pytest.mark.parametrize("inner", ROUTES)
def test_perturbations_are_not_confused(outer: Any, inner: Any) -> None:
    """d/dx [x · d/dy (x + y)] = 1: an engine that takes the inner x for a y says 2."""
    assert outer(lambda x: x * inner(lambda y: x + y)(number(1.0)))(number(3.0)).item() == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(x))(number(3.0)).item() == 6.0  # x · x
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(number(3.0)).item() == 12.0  # 2 x²


@pytest.mark.parametrize("first", ROUTES)
@pytest.mark.parametrize("second", ROUTES)
@pytest.mark.parametrize("third", ROUTES)
def test_every_route_to_a_third_derivative(first: Any, second: Any, third: Any) -> None:
    x = number(0.7)
    found = third(second(first(lambda x: tg.exp(2 * x) * x)))(x)
    assert found.item() == pytest.approx(math.exp(1.4) * (12 + 8 * 0.7), rel=1e-13)


def test_a_function_that_differentiates_inside() -> None:
    def inner_step(w: tg.Tensor, lr: tg.Tensor) -> tg.Tensor:
        """One step of gradient descent on (w - 3)²."""
        return w - lr * tg.grad(lambda v: (v - 3) ** 2)(w)

    # The loss after the step is (1 - 2 lr)² (w - 3)²; by lr: -4 (1 - 2 lr) (w - 3)².
    by_rate = tg.grad(lambda lr: (inner_step(number(5.0), lr) - 3) ** 2)(number(0.25))
    assert by_rate.item() == pytest.approx(-4 * 0.5 * 4)


def test_the_jvp_of_a_vjp_is_a_hessian_product() -> None:
    def f(x: Any) -> Any:
        return (tg.exp(x) * x[::-1]).sum()

    x, t = vector(0.5, -1.0), vector(1.0, 2.0)
    expected = tg.hvp(f, x, t)
    pulled = tg.jvp(lambda z: tg.vjp(f, z)[1](number(1.0))[0], x, t)[1]
    _, pushforward = tg.linearize(tg.grad(f), x)
    np.testing.assert_allclose(pulled.data, expected.data, rtol=1e-14)
    np.testing.assert_allclose(pushforward(t).data, expected.data, rtol=1e-14)


def test_the_vjp_of_a_jvp_by_the_tangent_is_the_vjp() -> None:
    """A jvp is linear in its tangent; transposing it that way gives reverse mode."""

    def f(x: Any) -> Any:
        return tg.tanh(x) * x[0]

    x, v = vector(0.5, -1.0), vector(1.0, 2.0)
    _, pullback = tg.vjp(lambda t: tg.jvp(f, x, t)[1], tg.zeros_like(x))
    np.testing.assert_allclose(pullback(v)[0].data, tg.vjp(f, x)[1](v)[0].data, rtol=1e-14)


def test_the_second_derivative_of_a_linear_function_is_zero_in_the_right_shape() -> None:
    def second(fn: Any) -> Any:
        return tg.grad(lambda x: tg.grad(fn)(x).sum())

    for linear in (lambda x: (3 * x).sum(), lambda x: x[0, 1], lambda x: (x @ tg.ones(3)).sum(), lambda x: number(1.0)):
        found = second(linear)(tg.ones(2, 3))
        assert found.tolist() == [[0, 0, 0], [0, 0, 0]]
        assert found.dtype == tg.float32


def test_the_derivative_along_an_argument_that_is_not_used_is_zero() -> None:
    f = lambda x, y: (y * y).sum()  # noqa: E731
    assert tg.grad(f)(vector(1.0, 2.0), vector(3.0)).tolist() == [0, 0]
    assert tg.vjp(f, vector(1.0, 2.0), vector(3.0))[1](number(1.0))[0].tolist() == [0, 0]
    assert tg.jvp(lambda x: vector(1.0), vector(2.0), vector(1.0))[1].tolist() == [0]


def test_inside_no_grad_transforms_differentiate_and_cut_off() -> None:
    w = number(3.0, requires_grad=True)
    with tg.no_grad():
        assert not tg.is_grad_enabled()
        gradient = tg.grad(lambda x: w * x * x)(number(2.0))
        assert gradient.item() == 12
        assert not gradient.requires_grad
        assert tg.grad(tg.grad(lambda x: w * x * x))(number(2.0)).item() == 6
        assert tg.hvp(lambda x: w * x * x, number(2.0), number(1.0)).item() == 6
        assert not (w * 2).requires_grad


def test_no_grad_inside_a_function_makes_a_constant() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            frozen = x * x
        return frozen * x

    assert tg.grad(f)(number(3.0)).item() == 9
    assert tg.jvp(f, number(3.0), number(1.0))[1].item() == 9


def test_detach_inside_a_function_makes_a_constant() -> None:
    assert tg.grad(lambda x: (x * x).detach() * x)(number(3.0)).item() == 9
    assert tg.grad(tg.grad(lambda x: (x * x).detach() * x))(number(3.0)).item() == 0


def test_backward_inside_a_differentiated_function() -> None:
    """The inner sweep is one of its own, over leaves of its own."""

    def f(x: Any) -> Any:
        inner = number(2.0, requires_grad=True)
        (inner * inner).backward()
        return x * inner.grad

    assert tg.grad(f)(number(3.0)).item() == 4
