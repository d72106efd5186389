"""What a transform returns is tied to the graph as far as somebody outside can ask for a derivative, and no further."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_opt as tg

from .derivatives import number, vector


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
