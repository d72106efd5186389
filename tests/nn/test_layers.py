"""Layers without a state that moves: Linear, activations, Sequential."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def same_layer(bias: bool = True, dtype: object = tg.float64, device: str = "cpu") -> nn.Linear:
    """Three inputs, two outputs, known weights."""
    layer = nn.Linear(3, 2, bias=bias, dtype=dtype, device=device)
    layer.weight.data = normal(2, 3, seed=1).astype(dtype)
    if bias:
        layer.bias.data = normal(2, seed=2).astype(dtype)
    return layer


# Linear.


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (4,), (0,), (2, 5), (2, 0, 3)])
def test_linear_is_the_affine_map_over_the_last_axis(lead: tuple[int, ...], bias: bool, device: str) -> None:
    layer, x = same_layer(bias, device=device), normal(*lead, 3)
    y = layer(tg.tensor(x, device=device))
    assert (y.shape, y.dtype, y.device) == ((*lead, 2), tg.float64, device)
    expected = x @ normal(2, 3, seed=1).T + (normal(2, seed=2) if bias else 0.0)
    np.testing.assert_allclose(host(y), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (4,), (2, 2)])
def test_linear_has_right_derivatives_of_both_orders(lead: tuple[int, ...], bias: bool) -> None:
    def loss(x: tg.Tensor, weight: tg.Tensor, *rest: tg.Tensor) -> tg.Tensor:
        return tg.tanh(nn.functional.linear(x, weight, *rest)).sum()

    arguments = [normal(*lead, 3), normal(2, 3, seed=1), *([normal(2, seed=2)] if bias else [])]
    assert tg.testing.gradcheck(loss, tuple(tg.tensor(a) for a in arguments), order=2)


def test_linear_keeps_float32(device: str) -> None:
    layer = same_layer(dtype=tg.float32, device=device)
    x = tg.tensor(normal(4, 3).astype("float32"), device=device, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert {t.dtype for t in (y, x.grad, layer.weight.grad, layer.bias.grad)} == {np.dtype("float32")}


def test_linear_reshapes_nothing_and_leaves_its_input_alone() -> None:
    layer, values = same_layer(), normal(4, 3)
    x = tg.tensor(values)
    layer(x)
    np.testing.assert_array_equal(host(x), values)
    assert layer.weight.shape == (2, 3)
    assert same_layer(bias=False).bias is None


def test_linear_takes_lists() -> None:
    layer = same_layer(dtype=tg.float32)
    np.testing.assert_array_equal(host(layer([[1.0, 2.0, 3.0]])), host(layer(tg.tensor([[1.0, 2.0, 3.0]]))))


@pytest.mark.parametrize("shape", [(), (2,), (4, 2), (3, 4)])
def test_linear_refuses_other_numbers_of_features(shape: tuple[int, ...]) -> None:
    for layer in (same_layer(), same_layer(bias=False)):
        with pytest.raises(
            tg.errors.ShapeError, match=r"affine: shapes .*expected x \(\.\.\., n\)|linear: x .* do not fit"
        ):
            layer(tg.tensor(normal(*shape)))


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", True, None])
def test_sizes_are_positive_integers(size: object) -> None:
    with pytest.raises(ValueError, match=r"Linear: in_features must be a positive integer; got"):
        nn.Linear(size, 2)
    with pytest.raises(ValueError, match=r"Linear: out_features must be a positive integer; got"):
        nn.Linear(2, size)
    with pytest.raises(ValueError, match=r"BatchNorm1d: num_features must be a positive integer; got"):
        nn.BatchNorm1d(size)


def test_reset_parameters_draws_anew_in_place() -> None:
    layer = nn.Linear(3, 2)
    before, memory = host(layer.weight).copy(), layer.weight.data
    layer.reset_parameters()
    assert layer.weight.data is memory
    assert not np.array_equal(host(layer.weight), before)
    assert not np.array_equal(host(layer.bias), np.zeros(2))


# Activations.


@pytest.mark.parametrize(("layer", "function"), [(nn.ReLU(), lambda x: np.maximum(x, 0)), (nn.Tanh(), np.tanh)])
def test_activations(layer: nn.Module, function: object, device: str) -> None:
    x = normal(4, 3)
    np.testing.assert_allclose(host(layer(tg.tensor(x, device=device))), function(x), rtol=1e-15)
    assert list(layer.parameters()) == []
    assert tg.testing.gradcheck(layer, tg.tensor(x), order=2)


# Sequential.


def test_sequential_applies_its_parts_in_turn() -> None:
    first, second = same_layer(), nn.Linear(2, 5, dtype=tg.float64)
    model, x = nn.Sequential(first, nn.Tanh(), second), tg.tensor(normal(4, 3))
    np.testing.assert_array_equal(host(model(x)), host(second(tg.tanh(first(x)))))
    assert nn.Sequential()(x) is x


def test_sequential_is_a_sequence() -> None:
    parts = [nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)]
    model = nn.Sequential(*parts)
    assert len(model) == 3
    assert list(model) == parts
    assert (model[0], model[-1]) == (parts[0], parts[2])
    assert list(model[:2]) == parts[:2]
    assert isinstance(model[1:], nn.Sequential)
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(IndexError):
        model[3]


def test_sequential_takes_functions_among_its_parts() -> None:
    model, x = nn.Sequential(same_layer(), tg.tanh, lambda h: h * 2), tg.tensor(normal(4, 3))
    np.testing.assert_array_equal(host(model(x)), host(tg.tanh(model[0](x)) * 2))
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]


@pytest.mark.parametrize("part", [3, "relu", [nn.ReLU()], None])
def test_sequential_refuses_what_cannot_be_called(part: object) -> None:
    with pytest.raises(TypeError, match=r"Sequential: argument 1 is not a module; got"):
        nn.Sequential(nn.Tanh(), part)


BOTH = np.ones(2)


@pytest.mark.parametrize("value", [BOTH, "no", None, 0.5])
@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda v: nn.Linear(2, 3, v), "bias"),
        (lambda v: nn.Bilinear(2, 3, 4, v), "bias"),
        (lambda v: nn.Maxout(2, 3, bias=v), "bias"),
        (lambda v: nn.Conv1d(2, 3, 3, bias=v), "bias"),
        (lambda v: nn.ConvTranspose2d(2, 3, 3, bias=v), "bias"),
        (lambda v: nn.MultiheadAttention(4, 2, bias=v), "bias"),
        (lambda v: nn.MultiheadAttention(4, 2, add_bias_kv=v), "add_bias_kv"),
        (lambda v: nn.MultiheadAttention(4, 2, add_zero_attn=v), "add_zero_attn"),
        (lambda v: nn.MultiheadAttention(4, 2, batch_first=v), "batch_first"),
        (lambda v: nn.Embedding(3, 4, scale_grad_by_freq=v), "scale_grad_by_freq"),
        (lambda v: nn.BatchNorm1d(3, affine=v), "affine"),
        (lambda v: nn.InstanceNorm2d(3, track_running_stats=v), "track_running_stats"),
        (lambda v: nn.GroupNorm(1, 3, affine=v), "affine"),
        (lambda v: nn.GroupNorm(1, 3, bias=v), "bias"),
        (lambda v: nn.BatchNorm2d(3, bias=v), "bias"),
        (lambda v: nn.LayerNorm(3, elementwise_affine=v), "elementwise_affine"),
        (lambda v: nn.LayerNorm(3, bias=v), "bias"),
        (lambda v: nn.RMSNorm(3, None, v), "elementwise_affine"),
        (lambda v: nn.MaxPool2d(2, ceil_mode=v), "ceil_mode"),
        (lambda v: nn.AdaptiveMaxPool2d(2, return_indices=v), "return_indices"),
        (lambda v: nn.AvgPool1d(2, count_include_pad=v), "count_include_pad"),
    ],
)
def test_a_switch_is_true_or_false(make: Any, argument: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^\w+: {argument} must be True or False; got"):
        make(value)
    make(np.False_)


@pytest.mark.parametrize(
    "make",
    [
        lambda v: nn.Bilinear(2, 3, 4, init=v),
        lambda v: nn.Bilinear(2, 3, 4, bias_init=v),
        lambda v: nn.LSTM(2, 3, init=v),
        lambda v: nn.GRUCell(2, 3, bias_init=v),
        lambda v: nn.Conv2d(2, 3, 3, padding_mode=v),
        lambda v: nn.ConvTranspose1d(2, 3, 3, padding_mode=v),
    ],
)
def test_an_array_is_no_name(make: Any) -> None:
    with pytest.raises(ValueError, match=r"^\w+: (init|padding_mode) must be"):
        make(BOTH)
