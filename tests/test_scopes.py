"""What a transform returns is tied to the graph as far as somebody outside can ask for a derivative, and no further."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.scopes import open_scopes

from .derivatives import ROUTES, number, vector


def test_a_leaf_argument_is_left_alone() -> None:
    x = vector(1.0, 2.0, requires_grad=True)
    x.name = "x"
    gradient = tg.grad(lambda z: (z * z).sum())(x)
    assert gradient.tolist() == [2, 4]
    assert x.grad is None
    assert x.name == "x"


def test_the_gradient_at_a_leaf_can_be_differentiated_by_the_leaf() -> None:
    x = vector(1.0, 2.0, requires_grad=True)
    tg.grad(lambda z: (z**3).sum())(x).sum().backward()
    assert x.grad.tolist() == [6, 12]


def test_a_closure_over_a_leaf() -> None:
    w = number(3.0, requires_grad=True)
    value, gradient = tg.value_and_grad(lambda x: w * x * x)(number(2.0))
    assert (value.item(), gradient.item()) == (12, 12)
    gradient.backward(retain_graph=True)  # 2 w x, by w
    assert w.grad.item() == 4
    value.backward()
    assert w.grad.item() == 4 + 4


def test_a_closure_over_a_result() -> None:
    w = number(3.0, requires_grad=True)
    scale = w * w
    gradient = tg.grad(lambda x: scale * x)(number(2.0))
    assert gradient.item() == 9
    gradient.backward()
    assert w.grad.item() == 6


def test_results_are_cut_off_and_share_no_memory() -> None:
    x = vector(1.0, 2.0)
    t = vector(1.0, 1.0)
    out, tangent = tg.jvp(lambda z: z * 1.0 + 0.0, x, t)
    same, same_tangent = tg.jvp(lambda z: z, x, t)
    _, pullback = tg.vjp(lambda z: z, x)
    (cotangent,) = pullback(t)
    assert not any(r.requires_grad for r in (out, tangent, same, same_tangent, cotangent))
    assert not np.shares_memory(tangent.data, t.data)
    assert not np.shares_memory(same_tangent.data, t.data)
    assert not np.shares_memory(cotangent.data, t.data)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("size", [1, 2])
def test_jacobians_of_a_result_that_is_returned_twice_share_no_memory(mode: str, size: int) -> None:
    def twice(x: Any) -> Any:
        y = x * x
        return y, y

    def outer(x: Any) -> Any:
        first, second = tg.jacobian(twice, mode=mode)(x)
        assert not np.shares_memory(first.detach().numpy(), second.detach().numpy())
        return (first * second).sum()  # Σ 4 x²

    x = tg.tensor(np.arange(1.0, size + 1))
    assert tg.grad(outer)(x).tolist() == (8 * x).tolist()
    outer(x)


def test_what_comes_beside_the_value_is_attached_no_more_than_the_value() -> None:
    def f(x: tg.Tensor) -> tuple[tg.Tensor, dict[str, Any]]:
        return (x * x).sum(), {"twice": 2 * x, "x": x, "note": "kept as it is"}

    _, aux = tg.grad(f, has_aux=True)(tg.ones(2))
    assert not aux["twice"].requires_grad
    assert not aux["x"].requires_grad
    assert aux["note"] == "kept as it is"
    w = tg.ones(2, requires_grad=True)
    _, aux = tg.grad(f, has_aux=True)(w)
    aux["twice"].sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]


# Closures that were made on one side of a derivative and are used on the other.


def test_a_pullback_made_outside_and_used_inside() -> None:
    """It is linear in its cotangent, and knows nothing else to differentiate by."""
    _, pullback = tg.vjp(lambda x: x**3, number(2.0))
    found = tg.grad(lambda v: pullback(v * v)[0])(number(5.0))
    assert found.item() == 12 * 10
    assert not found.requires_grad
    assert tg.hessian(lambda v: pullback(v * v)[0])(number(5.0)).item() == 24
    assert tg.grad(lambda v: v * pullback(number(1.0))[0])(number(5.0)).item() == 12
    assert not pullback(number(1.0))[0].requires_grad


def test_a_pushforward_made_outside_and_used_inside() -> None:
    _, pushforward = tg.linearize(lambda x: x**3, number(2.0))
    found = tg.grad(lambda t: pushforward(t * t))(number(5.0))
    assert found.item() == 12 * 10
    assert not found.requires_grad
    assert tg.jvp(pushforward, number(5.0), number(1.0))[1].item() == 12


def test_closures_made_inside_and_used_inside_depend_on_what_is_outside() -> None:
    def by_pullback(x: Any) -> Any:
        _, pullback = tg.vjp(lambda z: z * z * x, x)
        return pullback(number(1.0))[0]  # 2 x²

    def by_pushforward(x: Any) -> Any:
        _, pushforward = tg.linearize(lambda z: z * z * x, x)
        return pushforward(x)  # 2 x³

    for route in ROUTES:
        assert route(by_pullback)(number(3.0)).item() == 12
        assert route(by_pushforward)(number(3.0)).item() == 54


def test_closures_made_inside_and_used_outside_are_constants_there() -> None:
    """The argument by which the outer derivative was taken is gone; the closure goes on as at that point."""
    kept: dict[str, Any] = {}

    def f(x: Any) -> Any:
        _, kept["pullback"] = tg.vjp(lambda z: z * z * x, x)
        _, kept["pushforward"] = tg.linearize(lambda z: z * z * x, x)
        return x * x

    for route in ROUTES:
        route(f)(number(3.0))
        for found in (kept["pullback"](number(1.0))[0], kept["pushforward"](number(1.0))):
            assert found.item() == 18
            assert not found.requires_grad
        assert tg.grad(lambda v: v * kept["pullback"](v)[0])(number(2.0)).item() == 2 * 18 * 2


def test_a_closure_over_a_leaf_stays_tied_to_it_wherever_it_was_made() -> None:
    w = number(5.0, requires_grad=True)
    kept: dict[str, Any] = {}

    def f(x: Any) -> Any:
        _, kept["pullback"] = tg.vjp(lambda z: w * z * z, x)
        return x

    tg.grad(f)(number(3.0))
    (found,) = kept["pullback"](number(1.0))  # 2 w x
    found.backward(retain_graph=True)
    assert w.grad.item() == 6
    with tg.no_grad():
        assert not kept["pullback"](number(1.0))[0].requires_grad


def test_each_result_is_tied_as_far_as_it_depends() -> None:
    w = number(5.0, requires_grad=True)
    f = lambda x: (x * x, w * x)  # noqa: E731
    for first, second in (
        tg.vjp(f, number(2.0))[0],
        tg.jvp(f, number(2.0), number(1.0))[0],
        tg.jacobian(f)(number(2.0)),
        tg.jvp(f, number(2.0), number(1.0))[1],
    ):
        assert not first.requires_grad
        assert second.requires_grad
    value, gradient = tg.value_and_grad(lambda x: x * x + w)(number(2.0))
    assert (value.requires_grad, gradient.requires_grad) == (True, False)
    (_, aux), _ = tg.value_and_grad(lambda x: (x * x, [w * x, x]), has_aux=True)(number(2.0))
    assert [a.requires_grad for a in aux] == [True, False]


def test_what_leaks_out_of_a_derivative_is_a_constant_to_later_ones() -> None:
    leaked = []
    tg.grad(lambda x: (leaked.append(x * x), x)[1])(number(3.0))
    assert tg.grad(lambda y: y * leaked[0])(number(2.0)).item() == 9
    assert not tg.grad(lambda y: y * leaked[0])(number(2.0)).requires_grad


def test_a_function_that_raises_leaves_nothing_open() -> None:
    kept = []

    def f(x: Any) -> Any:
        kept.append(x)
        raise KeyError("inside")

    with pytest.raises(KeyError):
        tg.grad(f)(number(1.0))
    assert open_scopes.get() == ()
    assert not tg.grad(lambda y: y * kept[0])(number(2.0)).requires_grad


def test_learning_to_learn() -> None:
    """The gradient by the start of three inner steps, against a complex step through the same arithmetic."""

    def adapted(w: Any, slope: Any) -> Any:
        for _ in range(3):
            w = w - 0.1 * slope(w)
        return w**3

    start = 0.7
    expected = np.imag(adapted(start + 1e-30j, lambda v: np.exp(v) + 3 * v**2)) / 1e-30
    inner = tg.grad(lambda v: tg.exp(v) + v**3)
    for route in ROUTES:
        assert route(lambda w: adapted(w, inner))(number(start)).item() == pytest.approx(expected, rel=1e-14)
    leaf = number(start, requires_grad=True)
    adapted(leaf, inner).backward()
    assert leaf.grad.item() == pytest.approx(expected, rel=1e-14)
