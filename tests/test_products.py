"""Products of second-derivative matrices with vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

from .derivatives import MODES, number, vector


@pytest.mark.parametrize("mode", MODES)
def test_three_routes_to_a_hessian_product(mode: str) -> None:
    product = tg.hvp(lambda x: (x**3).sum() + x[0] * x[1], vector(1.0, 2.0), vector(1.0, -1.0), mode=mode)
    assert product.tolist() == [6 * 1 - 1, -12 + 1]
    assert not product.requires_grad


@pytest.mark.parametrize("mode", MODES)
def test_a_hessian_product_of_several_arguments(mode: str) -> None:
    products = tg.hvp(
        lambda x, y: (x * x * y).sum(), (vector(1.0), vector(2.0)), (vector(1.0), vector(10.0)), mode=mode
    )
    assert [p.tolist() for p in products] == [[2 * 2 * 1 + 2 * 1 * 10], [2 * 1 * 1]]


@pytest.mark.parametrize("mode", MODES)
def test_the_hessian_of_a_linear_function_is_zero_in_the_right_shape(mode: str) -> None:
    product = tg.hvp(lambda x: (3 * x).sum(), tg.ones(2, 3), tg.ones(2, 3), mode=mode)
    assert product.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert product.dtype == tg.float32


# Gauss-Newton.


def test_a_gauss_newton_product_is_its_definition() -> None:
    """Jᵀ H J v with J and H as matrices, for a model of two outputs and a loss that is not quadratic."""
    model = lambda w: tg.stack([tg.tanh(w[0] * w[1]), w[1] * w[2], tg.exp(w[0])])  # noqa: E731
    loss = lambda z: tg.logsumexp(z) + z[0] * z[1]  # noqa: E731
    w, v = vector(0.5, -1.0, 2.0), vector(1.0, 3.0, -2.0)
    jacobian, curvature = tg.jacobian(model)(w).numpy(), tg.hessian(loss)(model(w)).numpy()
    found = tg.ggnvp(model, loss, w, v)
    np.testing.assert_allclose(found.numpy(), jacobian.T @ curvature @ jacobian @ v.numpy(), rtol=1e-13)
    full = tg.hvp(lambda w: loss(model(w)), w, v).numpy()
    assert not np.allclose(found.numpy(), full)  # the part with second derivatives of the model is left out
    assert not found.requires_grad


def test_a_gauss_newton_product_is_the_hessian_product_of_a_linear_model() -> None:
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.normal(size=(5, 3)))
    labels = tg.tensor([0, 1, 1, 0, 1])
    loss = lambda z: tg.nn.functional.cross_entropy(z, labels)  # noqa: E731
    w, v = tg.tensor(rng.normal(size=(3, 2))), tg.tensor(rng.normal(size=(3, 2)))
    found = tg.ggnvp(lambda w: x @ w, loss, w, v)
    np.testing.assert_allclose(found.numpy(), tg.hvp(lambda w: loss(x @ w), w, v).numpy(), rtol=1e-12)


def test_gauss_newton_products_of_structures() -> None:
    def model(w: Any, p: Any) -> Any:
        return {"z": (w * p["b"],), "unused": w}

    (by_w, by_p) = tg.ggnvp(
        model, lambda out: (out["z"][0] ** 2).sum(), (vector(2.0), {"b": vector(3.0)}),
        (vector(1.0), {"b": vector(10.0)}),
    )  # fmt: skip
    moved = 3 * 1 + 2 * 10  # J v; H = 2
    assert by_w.tolist() == [2 * moved * 3]
    assert by_p["b"].tolist() == [2 * moved * 2]
    pair = tg.ggnvp(lambda w: (w, w * w), lambda out: (out[0] * out[1]).sum(), vector(3.0), vector(1.0))
    assert pair.tolist() == [2 * 6]  # J = (1, 6), H = [[0, 1], [1, 0]]


def test_a_gauss_newton_product_can_be_differentiated() -> None:
    """For z = w² and the loss z³, Jᵀ H J v = 4 w² · 6 w² · v = 24 w⁴ v."""
    product = lambda w, v: tg.ggnvp(lambda w: w * w, lambda z: z**3, w, v)  # noqa: E731
    assert product(number(2.0), number(3.0)).item() == 24 * 16 * 3
    by_w, by_v = tg.grad(product, argnums=(0, 1))(number(2.0), number(3.0))
    assert (by_w.item(), by_v.item()) == (96 * 8 * 3, 24 * 16)
    scale = number(1.0, requires_grad=True)
    tg.ggnvp(lambda w: scale * w * w, lambda z: z**3, number(2.0), number(3.0)).backward()  # 24 s³ w⁴ v
    assert scale.grad.item() == 3 * 24 * 16 * 3


def test_messages_of_products() -> None:
    x = vector(1.0, 2.0)
    with pytest.raises(TypeError, match="ggnvp: expected a function; got Tensor"):
        tg.ggnvp(x, lambda z: z.sum(), x, x)
    with pytest.raises(TypeError, match="ggnvp: expected a function; got Tensor"):
        tg.ggnvp(lambda z: z, x, x, x)
    with pytest.raises(TypeError, match=r"two tuples of equal length.*ggnvp\(f, \(x, y\), \(dx, dy\)\)"):
        tg.ggnvp(lambda z: z, lambda z: z.sum(), (x,), x)
    with pytest.raises(tg.errors.ShapeError, match=r"ggnvp: tangents\[0\] must have the shape.*\(2,\); got \(\)"):
        tg.ggnvp(lambda z: z, lambda z: z.sum(), x, number(1.0))
    with pytest.raises(tg.errors.ShapeError, match=r"the function must return one scalar; it returned \(2,\)"):
        tg.ggnvp(lambda z: z, lambda z: z, x, x)
    with pytest.raises(TypeError, match="hvp: expected a function; got float"):
        tg.hvp(1.0, x, x)
