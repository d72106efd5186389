"""Dropout: what is left out, what the rest is multiplied by, seeds, recomputation, both ends of the probability."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

F = nn.functional
ALL = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)
FUNCTIONS = (F.dropout, F.dropout1d, F.dropout2d, F.alpha_dropout)


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def ones(*shape: int, device: str = "cpu", dtype: str = "float32") -> tg.Tensor:
    return tg.tensor(np.ones(shape, dtype), device=device, requires_grad=True)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_share_that_is_left_out(p: float, dtype: str, device: str) -> None:
    tg.manual_seed(1)
    x = ones(200, 200, device=device, dtype=dtype)
    y = F.dropout(x, p)
    values = host(y)
    assert (y.dtype, y.device) == (dtype, device)
    assert (values == 0).mean() == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / x.size))
    np.testing.assert_allclose(values[values != 0], 1 / (1 - p), rtol=1e-3 if dtype == "float16" else 1e-6)
    np.testing.assert_array_equal(host(tg.gradients(y.sum(), x)), values)


@pytest.mark.parametrize(
    ("function", "shape", "leading"),
    [(F.dropout1d, (40, 30, 5), 2), (F.dropout1d, (40, 5), 1), (F.dropout2d, (40, 30, 2, 3), 2),
     (F.dropout2d, (40, 30, 5), 2)],
)  # fmt: skip
def test_whole_channels_are_left_out(function: Callable[..., Any], shape: Any, leading: int, device: str) -> None:
    tg.manual_seed(1)
    values = host(function(ones(*shape, device=device), 0.5))
    channels = values.reshape(math.prod(shape[:leading]), -1)
    np.testing.assert_array_equal(channels, np.broadcast_to(channels[:, :1], channels.shape))
    assert set(np.unique(channels)) == {0.0, 2.0}
    assert 0.2 < (channels[:, 0] == 0).mean() < 0.8


def test_alpha_dropout_keeps_mean_and_variance(device: str) -> None:
    tg.manual_seed(1)
    x = tg.tensor(np.random.default_rng(0).standard_normal(40_000), device=device, requires_grad=True)
    y = F.alpha_dropout(x, 0.3, training=True)
    assert host(y).mean() == pytest.approx(0, abs=0.02)
    assert host(y).std() == pytest.approx(1, abs=0.02)
    slopes = host(tg.gradients(y.sum(), x))
    lost = slopes == 0
    assert lost.mean() == pytest.approx(0.3, abs=0.02)
    limit = host(F.selu(tg.tensor([-100.0], dtype=tg.float64)))[0]
    a = slopes[~lost][0]
    b = host(y)[~lost][0] - a * host(x)[~lost][0]
    np.testing.assert_allclose(host(y)[lost], a * limit + b, rtol=1e-6)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_at_probability_one_everything_is_zero(function: Callable[..., Any], device: str) -> None:
    x = tg.tensor(np.full((2, 3, 4), np.inf, "float32"), device=device, requires_grad=True)
    y = function(x, 1.0, training=True)
    gradient = tg.gradients((y * y + y).sum(), x, create_graph=True)
    for value in (y, gradient, tg.gradients(gradient.sum(), x, unused="zero")):
        np.testing.assert_array_equal(host(value), np.zeros((2, 3, 4)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_done_in_evaluation_or_at_probability_zero(function: Callable[..., Any]) -> None:
    x = ones(2, 3, 4)
    assert function(x, 0.5, training=False) is x
    assert function(x, 0.0, training=True) is x
    assert F.alpha_dropout(x, 0.5) is x
    assert F.dropout(x, 0.5) is not x


@pytest.mark.parametrize("kind", ALL)
def test_layers(kind: type[nn.Module], device: str) -> None:
    layer, x = kind(0.5), ones(20, 30, 4, device=device)
    tg.manual_seed(7)
    first, second = host(layer(x)), host(layer(x))
    tg.manual_seed(7)
    np.testing.assert_array_equal(host(layer(x)), first)
    assert not np.array_equal(first, second)
    assert layer.eval()(x) is x
    assert repr(layer) == f"{kind.__name__}(p=0.5)"
    assert not layer.state_dict()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_recomputation_draws_the_same_mask(function: Callable[..., Any], device: str) -> None:
    """The slopes come from the second run: where they are 0 is where the first one left something out."""
    x = tg.tensor(np.random.default_rng(0).standard_normal((4, 5, 6)), device=device, requires_grad=True)
    y = tg.checkpoint(lambda x: function(x, 0.4, training=True), x)
    slopes = host(tg.gradients(y.sum(), x))
    lost, kept = host(y)[slopes == 0], (host(y) - slopes * host(x))[slopes != 0]
    assert 0 < lost.size < slopes.size
    np.testing.assert_allclose(lost, lost[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kept, kept[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_on_the_host_a_recomputed_step_is_the_plain_one(function: Callable[..., Any]) -> None:
    values = np.random.default_rng(0).standard_normal((4, 5, 6))
    results = []
    for run in (lambda f, x: f(x), tg.checkpoint):
        tg.manual_seed(3)
        x = tg.tensor(values, requires_grad=True)
        y = run(lambda x: (function(x, 0.4, training=True) ** 3).sum(), x)
        gradient = tg.gradients(y, x, create_graph=True)
        results.append((host(y), host(gradient), host(tg.gradients(gradient.sum(), x)), host(tg.rand(2))))
    for ours, other in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, other)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_mask_is_a_constant_for_derivatives_of_both_orders(function: Callable[..., Any]) -> None:
    def same_mask(x: tg.Tensor) -> tg.Tensor:
        tg.manual_seed(5)
        return tg.sin(function(x, 0.4, training=True))

    x = tg.tensor(np.random.default_rng(0).standard_normal((2, 3, 4)))
    assert tg.testing.gradcheck(same_mask, x, order=2)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_shapes_without_axes_or_elements(shape: tuple[int, ...], device: str) -> None:
    y = F.dropout(ones(*shape, device=device), 0.5)
    assert (y.shape, y.dtype) == (shape, tg.float32)


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan, 2])
@pytest.mark.parametrize("kind", ALL)
def test_probabilities_that_are_none(kind: type[nn.Module], p: float) -> None:
    with pytest.raises(ValueError, match=f"{kind.__name__}: p is the probability of being left out, from 0 to 1; got"):
        kind(p)
    with pytest.raises(ValueError, match="dropout: p is the probability of being left out"):
        F.dropout(ones(2), p)


def test_what_else_is_refused() -> None:
    for kind in ALL:
        with pytest.raises(ValueError, match=f"{kind.__name__}: tensors are not overwritten; leave inplace=True out"):
            kind(0.5, True)
    with pytest.raises(ValueError, match="dropout: tensors are not overwritten"):
        F.dropout(ones(2), inplace=True)
    with pytest.raises(TypeError, match="Dropout: p must be a number"):
        nn.Dropout("half")
    with pytest.raises(tg.errors.ShapeError, match=r"dropout1d: expected shape .* got \(2,\)"):
        F.dropout1d(ones(2))
    with pytest.raises(tg.errors.ShapeError, match=r"dropout2d: expected shape .* got \(2, 2\)"):
        nn.Dropout2d()(ones(2, 2))
