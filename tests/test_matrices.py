"""Jacobians and Hessians: entries, structures, modes, and derivatives of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import ShapeError

from .derivatives import number, vector

EVERY = ("auto", "forward", "reverse")
each_mode = pytest.mark.parametrize("mode", EVERY)


def complex_step(function: Any, x: np.ndarray) -> np.ndarray:
    """The Jacobian of a function of arrays, exact to rounding, with one column for each element."""
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = 1e-30
        columns.append(np.imag(function(x + 1j * step.reshape(x.shape))) / 1e-30)
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


def curved(x: Any) -> Any:
    """From shape (2, 3) to shape (3, 4), for arrays and for tensors."""
    matrix = np.arange(8.0).reshape(2, 4) / 8
    if isinstance(x, tg.Tensor):
        return tg.tanh(x.T @ tg.tensor(matrix)) * tg.exp(x[0, 1])
    return np.tanh(x.T @ matrix) * np.exp(x[0, 1])


@each_mode
@pytest.mark.parametrize("shape", [(2, 3)])
def test_entries(mode: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    found = tg.jacobian(curved, mode=mode)(tg.tensor(x))
    assert found.shape == (3, 4, 2, 3)
    np.testing.assert_allclose(found.numpy(), complex_step(curved, x), rtol=1e-13, atol=1e-15)


@each_mode
def test_structures_nest_as_output_by_argument(mode: str) -> None:
    def f(p: Any, y: Any) -> Any:
        return {"product": p["w"] * y, "rest": (y.sum(), [p["w"][0]])}

    w, y = vector(2.0, 3.0), vector(5.0, 7.0)
    found = tg.jacobian(f, argnums=(0, -1), mode=mode)({"w": w}, y)
    assert list(found) == ["product", "rest"]
    by_p, by_y = found["product"]
    assert by_p["w"].tolist() == [[5, 0], [0, 7]]
    assert by_y.tolist() == [[2, 0], [0, 3]]
    by_p, by_y = found["rest"][0]
    assert (by_p["w"].tolist(), by_y.tolist()) == ([0, 0], [1, 1])
    assert found["rest"][1][0][0]["w"].tolist() == [1, 0]
    (only,) = tg.jacobian(lambda a: a * a, argnums=(0,), mode=mode)(w)
    assert only.tolist() == [[4, 0], [0, 6]]


@each_mode
def test_shapes_at_the_edges(mode: str) -> None:
    for shape in ((), (0,), (2, 0), (1,)):
        found = tg.jacobian(lambda x: x * 2, mode=mode)(tg.ones(shape))
        assert found.shape == shape + shape
        assert found.dtype == tg.float32
        assert tg.jacobian(lambda x: x.sum(), mode=mode)(tg.ones(shape)).shape == shape
    assert tg.jacobian(lambda x: x[None] * tg.ones(2, 1), mode=mode)(number(3.0)).tolist() == [[1], [1]]


@each_mode
def test_what_does_not_depend_on_the_argument(mode: str) -> None:
    x = vector(1.0, 2.0)
    f = tg.jacobian(lambda x, y: (tg.ones(3), x, y * y, x), argnums=0, mode=mode)
    constant, same, other, again = f(x, number(3.0))
    assert constant.tolist() == [[0, 0], [0, 0], [0, 0]]
    assert other.tolist() == [0, 0]
    assert same.tolist() == again.tolist() == [[1, 0], [0, 1]]
    assert not np.shares_memory(same.data, again.data)
    assert not any(block.requires_grad for block in (constant, same, other, again))


@each_mode
def test_a_block_has_the_dtype_of_its_argument(mode: str) -> None:
    found = tg.jacobian(lambda x: x.astype(tg.float64) * 2, mode=mode)(tg.ones(2))
    assert found.dtype == tg.float32


def test_the_shorter_way_is_taken() -> None:
    """Counted by the basis vectors that reach a primitive: forward pushes them through it, reverse pulls."""

    def mode_of(inputs: int, outputs: int) -> str:
        reached = []
        kind = type(tg.tanh)
        with pytest.MonkeyPatch.context() as patch:
            for way in ("push", "pull"):
                rule = getattr(kind, way)
                patch.setattr(kind, way, lambda *a, rule=rule, way=way: reached.append(way) or rule(*a))
            tg.jacobian(lambda x: tg.tanh(x)[:1] + tg.zeros(outputs))(tg.ones(inputs))
        assert len(set(reached)) == 1
        assert reached.count(reached[0]) >= min(inputs, outputs)
        return reached[0]

    assert [mode_of(2, 3), mode_of(3, 2), mode_of(2, 2)] == ["push", "pull", "pull"]


@each_mode
def test_the_function_runs_once(mode: str) -> None:
    runs = []
    tg.jacobian(lambda x: (runs.append(1), tg.exp(x))[1], mode=mode)(tg.ones(5))
    assert len(runs) == 1


@each_mode
def test_keyword_arguments_and_aux(mode: str) -> None:
    f = tg.jacobian(lambda x, *, power: (x**power, {"x": x, "note": power}), mode=mode, has_aux=True)
    found, aux = f(vector(2.0), power=3)
    assert found.tolist() == [[12]]
    assert (aux["x"].tolist(), aux["note"], aux["x"].requires_grad) == ([2], 3, False)


@each_mode
def test_the_derivative_of_a_jacobian(mode: str) -> None:
    """The sum of the entries of J(x) for x ↦ (x₀²x₁, x₁³): its gradient is (2x₁ + 2x₀, 2x₀ + 6x₁)."""
    jacobian = tg.jacobian(lambda x: tg.stack([x[0] ** 2 * x[1], x[1] ** 3]), mode=mode)
    x = vector(2.0, 5.0)
    assert tg.grad(lambda x: jacobian(x).sum())(x).tolist() == [14, 34]
    assert tg.jvp(lambda x: jacobian(x).sum(), x, vector(1.0, 0.0))[1].item() == 14
    second = tg.jacobian(jacobian, mode=mode)(x)
    assert second.tolist() == [[[10, 4], [4, 0]], [[0, 0], [0, 30]]]
    w = number(3.0, requires_grad=True)
    tg.jacobian(lambda x: w * x * x, mode=mode)(x).sum().backward()  # Σ 2 w xᵢ
    assert w.grad.item() == 14


def test_the_jacobian_of_a_hessian_product_is_the_third_derivative() -> None:
    f = lambda x: (x**4).sum() + x[0] * x[1] * x[2]  # noqa: E731
    x, v = vector(1.0, 2.0, 3.0), vector(1.0, 0.0, -1.0)
    found = tg.jacobian(lambda x: tg.hvp(f, x, v))(x)
    expected = np.diag(24 * x.numpy() * v.numpy()) + [[0, -1, 0], [-1, 0, 1], [0, 1, 0]]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)
    np.testing.assert_allclose((tg.jacobian(tg.hessian(f))(x) @ v).numpy(), expected, rtol=1e-14)


# Hessians.


def network(p: dict[str, Any]) -> Any:
    hidden = tg.tanh(tg.tensor([[0.5, -1.0], [2.0, 0.25]]) @ p["w"] + p["b"])
    return (hidden * hidden[::-1] * p["scale"]).sum()


def test_a_hessian_of_structures_is_what_products_say() -> None:
    rng = np.random.default_rng(1)
    p = {"w": tg.tensor(rng.normal(size=(2, 3))), "b": tg.tensor(rng.normal(size=3)), "scale": number(2.0)}
    found = tg.hessian(network)(p)
    for column in p:
        for index in np.ndindex(p[column].shape):
            v = {key: tg.zeros_like(x) for key, x in p.items()}
            v[column].data[index] = 1.0
            product = tg.hvp(network, p, v)
            for row in p:
                block = found[row][column].numpy()
                assert block.shape == p[row].shape + p[column].shape
                np.testing.assert_allclose(block[(..., *index)], product[row].numpy(), rtol=1e-13, atol=1e-15)


def test_a_hessian_by_several_arguments() -> None:
    f = lambda x, unused, y: (x * x * y).sum()  # noqa: E731
    (xx, xy), (yx, yy) = tg.hessian(f, argnums=(0, 2))(vector(1.0, 2.0), None, vector(3.0, 4.0))
    assert (xx.tolist(), yy.tolist()) == ([[6, 0], [0, 8]], [[0, 0], [0, 0]])
    assert xy.tolist() == yx.tolist() == [[2, 0], [0, 4]]
    assert tg.hessian(f, argnums=np.int64(-1))(vector(1.0), None, vector(3.0)).tolist() == [[0]]


def test_a_hessian_of_several_results() -> None:
    found = tg.hessian(lambda x: {"cube": x**3, "square": (x * x).sum()})(vector(1.0, 2.0))
    assert found["cube"].tolist() == [[[6, 0], [0, 0]], [[0, 0], [0, 12]]]
    assert found["square"].tolist() == [[2, 0], [0, 2]]


def test_the_hessian_of_linear_and_constant_functions_is_zero() -> None:
    for f in (lambda x: (3 * x).sum(), lambda x: x[0, 1], lambda x: number(1.0), lambda x: x):
        found = tg.hessian(f)(tg.ones(1, 2))
        assert not found.numpy().any()
        assert found.dtype == tg.float32
        assert found.shape[-4:] == (1, 2, 1, 2)


def test_a_hessian_with_aux_and_keywords() -> None:
    found, aux = tg.hessian(lambda x, *, k: ((k * x**3).sum(), "beside"), has_aux=True)(vector(1.0, 2.0), k=2)
    assert (found.tolist(), aux) == ([[12, 0], [0, 24]], "beside")


def test_the_hessian_of_a_function_that_takes_gradient_steps() -> None:
    """Inside, two steps on v ↦ (v - a)⁴/4 from v = w; the Hessian by (w, a), against differences of gradients."""

    def after_steps(z: Any) -> Any:
        w, a = z
        for _ in range(2):
            w = w - 0.1 * tg.grad(lambda v, a=a: (v - a) ** 4 / 4)(w)
        return (w - 2 * a) ** 2

    z = vector(1.5, 0.25)
    found = tg.hessian(after_steps)(z).numpy()
    gradient = tg.grad(after_steps)
    for i, step in enumerate(np.eye(2) * 1e-5):
        difference = gradient(z + tg.tensor(step)) - gradient(z - tg.tensor(step))
        np.testing.assert_allclose(found[:, i], difference.numpy() / 2e-5, rtol=1e-8)
    np.testing.assert_allclose(found, found.T, rtol=1e-13)


# Messages.


def test_what_is_refused() -> None:
    x = vector(1.0, 2.0)
    with pytest.raises(ValueError, match="jacobian: mode must be 'auto', 'forward' or 'reverse'; got 'sideways'"):
        tg.jacobian(lambda x: x, mode="sideways")
    for transform in (tg.jacobian, tg.hessian):
        name = transform.__name__
        with pytest.raises(TypeError, match=f"{name}: expected a function; got Tensor. Hand over the function itself"):
            transform(x)
        with pytest.raises(TypeError, match=f"{name}: what the function returns must be tensors; got float"):
            transform(lambda x: 1.0)(x)
        with pytest.raises(TypeError, match=f"{name}: what the function returns must be floating; got int64"):
            transform(lambda x: x.argmax())(x)
        with pytest.raises(TypeError, match=rf"{name}: argument 0\['n'\]: only floating tensors"):
            transform(lambda p: p["n"])({"n": tg.tensor([1, 2])})
        with pytest.raises(TypeError, match="complex tensors are out of scope"):
            transform(lambda x: x)(np.array([1j]))
        with pytest.raises(ValueError, match=f"{name}: argnums=1 names an argument that is not there"):
            transform(lambda x: x, argnums=1)(x)
    with pytest.raises(ShapeError, match=r"tg\.jacobian"):
        tg.grad(lambda x: x)(x)


@each_mode
def test_on_every_device(device: str, mode: str) -> None:
    """Beside leaves of the user, so that sweeps are recorded, and without."""
    x, w = tg.tensor([[1.0, 2.0]], device=device), tg.tensor(3.0, device=device, requires_grad=True)
    for scale in (w, w.detach()):
        found = tg.jacobian(lambda x, scale=scale: tg.exp(x).T @ x * scale, mode=mode)(x)
        assert (found.shape, found.device, found.requires_grad) == ((2, 2, 1, 2), device, scale is w)
        e = np.exp([1.0, 2.0])
        expected = 3 * (np.einsum("i,j,ik->ijk", e, [1, 2], np.eye(2)) + np.einsum("i,jk->ijk", e, np.eye(2)))
        np.testing.assert_allclose(found.detach().cpu().numpy()[:, :, 0], expected, rtol=1e-6)
        second = tg.hessian(lambda x, scale=scale: (tg.checkpoint(tg.exp, x) * x * scale).sum())(x).detach().cpu()
        np.testing.assert_allclose(second.numpy().reshape(2, 2), np.diag(3 * e * [3, 4]), rtol=1e-6)
