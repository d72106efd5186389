"""Batch normalization: which statistics are used when, how they move, and derivatives through all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from tinygrad_opt import nn

SHAPES = [(6, 3), (4, 3, 5)]
ALONG = {2: (0,), 3: (0, 2)}
Array = np.ndarray


def batch(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Features with means and scales of their own."""
    rng = np.random.default_rng(seed)
    spread = (1, shape[1], *[1] * (len(shape) - 2))
    return rng.standard_normal(shape) * rng.uniform(0.5, 3, spread) + rng.uniform(-2, 2, spread)


def host(x: tg.Tensor) -> Array:
    return x.detach().cpu().numpy()


def per_feature(v: Array, ndim: int) -> Array:
    return v.reshape(1, -1, *[1] * (ndim - 2))


def layer_of(device: str = "cpu", dtype: Any = tg.float64, **options: Any) -> nn.BatchNorm1d:
    layer = nn.BatchNorm1d(3, dtype=dtype, device=device, **options)
    if layer.weight is not None:
        layer.weight.data = np.array([0.5, 2.0, -1.0], dtype)
        layer.bias.data = np.array([1.0, 0.0, -3.0], dtype)
    return layer


@pytest.mark.parametrize("shape", SHAPES)
def test_training_normalizes_by_the_biased_variance_of_the_batch(shape: tuple[int, ...], device: str) -> None:
    x, layer = batch(shape), layer_of(device)
    mean, var = x.mean(ALONG[x.ndim], keepdims=True), x.var(ALONG[x.ndim], keepdims=True)
    expected = (x - mean) / np.sqrt(var + 1e-5)
    expected = expected * per_feature(np.array([0.5, 2, -1]), x.ndim) + per_feature(np.array([1, 0, -3.0]), x.ndim)
    y = layer(tg.tensor(x, device=device))
    assert y.device == device
    np.testing.assert_allclose(host(y), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_running_averages_move_towards_the_mean_and_the_unbiased_variance(shape: tuple[int, ...], device: str) -> None:
    layer, mean, var = layer_of(device, momentum=0.3), np.zeros(3), np.ones(3)
    for seed in range(4):
        x = batch(shape, seed)
        layer(tg.tensor(x, device=device))
        mean = 0.7 * mean + 0.3 * x.mean(ALONG[x.ndim])
        var = 0.7 * var + 0.3 * x.var(ALONG[x.ndim], ddof=1)
    np.testing.assert_allclose(host(layer.running_mean), mean, rtol=1e-12)
    np.testing.assert_allclose(host(layer.running_var), var, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 4
    assert {t.device for t in layer.buffers()} == {device}


@pytest.mark.parametrize("shape", SHAPES)
def test_without_momentum_all_batches_count_alike(shape: tuple[int, ...]) -> None:
    layer, batches = layer_of(momentum=None), [batch(shape, seed) for seed in range(5)]
    for x in batches:
        layer(tg.tensor(x))
    means = [x.mean(ALONG[x.ndim]) for x in batches]
    variances = [x.var(ALONG[x.ndim], ddof=1) for x in batches]
    np.testing.assert_allclose(host(layer.running_mean), np.mean(means, 0), rtol=1e-12)
    np.testing.assert_allclose(host(layer.running_var), np.mean(variances, 0), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_evaluation_uses_the_running_averages_and_leaves_them(shape: tuple[int, ...], device: str) -> None:
    layer, x = layer_of(device), batch(shape)
    layer(tg.tensor(x, device=device))
    before = [host(b).copy() for b in layer.buffers()]
    y = layer.eval()(tg.tensor(batch(shape, 1), device=device))
    for now, then in zip(layer.buffers(), before, strict=True):
        np.testing.assert_array_equal(host(now), then)
    mean, var = (per_feature(v, x.ndim) for v in before[:2])
    gamma, beta = (per_feature(host(p), x.ndim) for p in (layer.weight, layer.bias))
    np.testing.assert_allclose(host(y), (batch(shape, 1) - mean) / np.sqrt(var + 1e-5) * gamma + beta, rtol=1e-12)


def test_evaluation_treats_every_row_alone() -> None:
    layer, x = layer_of().eval(), batch((6, 3))
    rows = [host(layer(tg.tensor(x[i : i + 1]))) for i in range(6)]
    np.testing.assert_allclose(np.concatenate(rows), host(layer(tg.tensor(x))), rtol=1e-14)
    assert layer(tg.zeros(0, 3, dtype=tg.float64)).shape == (0, 3)


def test_no_affine_map() -> None:
    layer, x = layer_of(affine=False), batch((6, 3))
    assert list(layer.parameters()) == []
    assert list(layer.state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    y = host(layer(tg.tensor(x)))
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(0), x.var(0) / (x.var(0) + 1e-5), rtol=1e-12)


def test_no_running_averages() -> None:
    layer, x = layer_of(track_running_stats=False), tg.tensor(batch((6, 3)))
    assert list(layer.state_dict()) == ["weight", "bias"]
    trained = host(layer(x))
    np.testing.assert_array_equal(host(layer.eval()(x)), trained)
    with pytest.raises(tg.errors.ShapeError, match=r"track_running_stats=True"):
        layer(x[:1])


@pytest.mark.parametrize("shape", [(1, 3), (0, 3), (1, 3, 1), (4, 3, 0)])
def test_one_value_per_feature_cannot_be_normalized(shape: tuple[int, ...]) -> None:
    layer = layer_of()
    with pytest.raises(tg.errors.ShapeError, match=r"drop_last=True.* model\.eval\(\)"):
        layer(tg.zeros(shape, dtype=tg.float64))
    assert layer.num_batches_tracked.item() == 0
    np.testing.assert_array_equal(host(layer.running_mean), np.zeros(3))


def test_two_values_per_feature_are_enough() -> None:
    assert layer_of()(tg.tensor(batch((1, 3, 2)))).shape == (1, 3, 2)
    assert layer_of()(tg.tensor(batch((2, 3)))).shape == (2, 3)


@pytest.mark.parametrize("shape", [(3,), (6, 2), (2, 6, 3), (2, 3, 4, 5), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    for layer in (layer_of(), layer_of().eval()):
        with pytest.raises(tg.errors.ShapeError, match=r"expected shape \(batch, 3\) or \(batch, 3, length\); got"):
            layer(tg.zeros(shape, dtype=tg.float64))


def test_the_running_averages_keep_their_dtype() -> None:
    layer = layer_of(dtype=tg.float32)
    layer(tg.tensor(batch((6, 3))))
    assert {b.dtype for b in layer.buffers()} == {np.dtype("float32"), np.dtype("int64")}
    y = layer(tg.tensor(batch((6, 3)).astype("float32")))
    assert y.dtype == tg.float32


def test_the_running_averages_are_outside_every_graph() -> None:
    layer, x = layer_of(), tg.tensor(batch((6, 3)), requires_grad=True)
    layer(x)
    assert not any(b.requires_grad for b in layer.buffers())


def test_training_does_not_wait_for_the_device() -> None:
    layer, x = layer_of("double:0"), tg.tensor(batch((6, 3)), device="double:0", requires_grad=True)
    with strict_double.synchronizations() as waits:
        layer(x).sum().backward()
        layer.eval()(x)
    assert waits == []


def test_a_graph_recorded_in_evaluation_mode_outlives_later_training() -> None:
    layer, x = layer_of().eval(), tg.tensor(batch((6, 3)), requires_grad=True)
    layer.running_var.data = np.array([4.0, 9.0, 16.0])
    loss = (layer(x) * tg.tensor(batch((6, 3), 1))).sum()
    layer.train()(tg.tensor(batch((6, 3), 2)))
    loss.backward()
    scale = np.array([0.5, 2.0, -1.0]) / np.sqrt(np.array([4.0, 9.0, 16.0]) + 1e-5)
    np.testing.assert_allclose(host(x.grad), batch((6, 3), 1) * scale, rtol=1e-12)


def test_a_constant_feature_is_finite() -> None:
    x = tg.tensor(np.full((4, 3), 7.0), requires_grad=True)
    y = layer_of()(x)
    np.testing.assert_allclose(host(y), np.tile([1.0, 0.0, -3.0], (4, 1)))
    (y * tg.tensor(batch((4, 3)))).sum().backward()
    assert np.isfinite(host(x.grad)).all()


def test_the_mean_of_a_batch_takes_no_part_in_the_gradient() -> None:
    layer, x = layer_of(), tg.tensor(batch((6, 3)), requires_grad=True)
    (layer(x) * tg.tensor(batch((6, 3), 1))).sum().backward()
    np.testing.assert_allclose(host(x.grad).sum(0), 0, atol=1e-12)


# Derivatives of first and second order, by all routes, of everything that batch normalization reads.


def loss_of(layer: nn.BatchNorm1d) -> Callable[..., tg.Tensor]:
    def loss(x: tg.Tensor, *affine: tg.Tensor) -> tg.Tensor:
        if affine:
            layer.weight, layer.bias = affine
        y = layer(x)
        return (tg.tanh(y) * (y + 2.0)).sum()

    return loss


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 2)])
def test_derivatives_of_both_orders(shape: tuple[int, ...], affine: bool, training: bool) -> None:
    layer = layer_of(affine=affine).train(training)
    layer.running_mean.data, layer.running_var.data = np.array([0.1, -0.2, 0.3]), np.array([0.5, 1.5, 2.5])
    arguments = [tg.tensor(batch(shape))] + ([layer.weight.detach(), layer.bias.detach()] if affine else [])
    assert tg.testing.gradcheck(loss_of(layer), tuple(arguments), order=2)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("mode", ["reverse-over-reverse", "forward-over-reverse", "reverse-over-forward"])
def test_hessian_products_agree_with_differences_of_the_gradient(mode: str, training: bool, device: str) -> None:
    layer = layer_of(device).train(training)
    x = tg.tensor(batch((5, 3)), device=device)
    arguments = (x, layer.weight.detach().clone(), layer.bias.detach().clone())
    rng = np.random.default_rng(3)
    direction = tuple(tg.tensor(rng.standard_normal(a.shape), device=device) for a in arguments)
    loss, h = loss_of(layer), 1e-5
    gradient = tg.grad(loss, argnums=(0, 1, 2))
    ahead = gradient(*(a + h * v for a, v in zip(arguments, direction, strict=True)))
    behind = gradient(*(a - h * v for a, v in zip(arguments, direction, strict=True)))
    product = tg.hvp(loss, arguments, direction, mode=mode)
    for got, a, b in zip(product, ahead, behind, strict=True):
        np.testing.assert_allclose(host(got), host((a - b) / (2 * h)), rtol=1e-6, atol=1e-7)
