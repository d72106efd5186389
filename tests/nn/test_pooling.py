"""Pooling and reshaping as layers, beyond the comparison with PyTorch's: mistakes, ties, extreme values, orders."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import errors, nn

IMAGE = np.random.default_rng(0).permutation(48).reshape(1, 2, 4, 6) / 8.0
POOLS = [
    nn.MaxPool2d(2), nn.MaxPool2d((3, 2), 1, (1, 0), (1, 2), ceil_mode=True), nn.AvgPool2d(2, 3, 1, ceil_mode=True),
    nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.AvgPool2d(2, divisor_override=3), nn.AdaptiveAvgPool2d((3, 4)),
    nn.AdaptiveMaxPool2d((3, None)), nn.Flatten(), nn.Unflatten(3, (2, -1)),
]  # fmt: skip


@pytest.mark.parametrize("layer", POOLS, ids=repr)
def test_derivatives_of_both_orders(layer: nn.Module) -> None:
    assert tg.testing.gradcheck(lambda x: tg.tanh(layer(x)).sum(), (tg.tensor(IMAGE, dtype=tg.float64),), order=2)


@pytest.mark.parametrize("layer", POOLS, ids=repr)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_dtype_stays(layer: nn.Module, dtype: str, device: str) -> None:
    x = tg.tensor(IMAGE, dtype=dtype, device=device, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert (str(y.dtype), str(x.grad.dtype), y.device) == (dtype, dtype, device)


@pytest.mark.parametrize("layer", [nn.MaxPool1d(2), nn.AdaptiveMaxPool1d(2)], ids=repr)
def test_the_first_of_equal_elements_gets_the_derivative(layer: nn.Module) -> None:
    x = tg.tensor([[1.0, 1.0, 0.0, 0.0]], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.tolist() == [[1.0, 0.0, 1.0, 0.0]]


def test_windows_that_overlap_share_their_maximum() -> None:
    x = tg.tensor([[0.0, 2.0, 1.0]], requires_grad=True)
    y = nn.AdaptiveMaxPool1d(2)(x)
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([[2.0, 2.0]], [[0.0, 2.0, 0.0]])


def test_padding_and_filling_are_never_the_largest(device: str) -> None:
    x = tg.tensor([[-math.inf, -5.0, -math.inf]], device=device, requires_grad=True)
    assert nn.MaxPool1d(3, 1, 1)(x).tolist() == [[-5.0, -5.0, -5.0]]
    assert nn.AdaptiveMaxPool1d(2)(x).tolist() == [[-5.0, -5.0]]
    y = nn.AdaptiveMaxPool1d(3)(x)
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([[-math.inf, -5.0, -math.inf]], [[1.0, 1.0, 1.0]])


def test_nan_comes_through(device: str) -> None:
    x = tg.tensor([[math.nan, 1.0, 2.0, 3.0]], device=device)
    for layer in (nn.MaxPool1d(2), nn.AvgPool1d(2), nn.AdaptiveMaxPool1d(2), nn.AdaptiveAvgPool1d(2)):
        first, second = layer(x).tolist()[0]
        assert math.isnan(first)
        assert not math.isnan(second)


def test_means_of_float16_leave_its_range_in_between() -> None:
    x = tg.tensor(np.full((1, 1, 64), 60000.0), dtype=tg.float16)
    assert nn.AvgPool1d(64)(x).item() == 60000
    assert nn.AdaptiveAvgPool1d(1)(x).item() == 60000


def test_empty_batches() -> None:
    x = tg.zeros(0, 2, 4, 6)
    assert nn.MaxPool2d(2)(x).shape == nn.AvgPool2d(2)(x).shape == (0, 2, 2, 3)
    assert nn.AdaptiveMaxPool2d(2)(x).shape == nn.AdaptiveAvgPool2d(2)(x).shape == (0, 2, 2, 2)
    assert nn.Flatten()(x).shape == (0, 48)


def test_what_repr_shows() -> None:
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"
    assert repr(nn.AdaptiveAvgPool2d((1, None))) == "AdaptiveAvgPool2d(output_size=(1, None))"
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Unflatten(1, (2, 3))) == "Unflatten(dim=1, unflattened_size=(2, 3))"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.MaxPool2d(0), ValueError, "MaxPool2d: kernel_size must be at least 1"),
        (lambda: nn.MaxPool2d(2, stride=0), ValueError, "MaxPool2d: stride must be at least 1"),
        (lambda: nn.MaxPool2d(2, padding=2), ValueError, "MaxPool2d: padding must be at most half of the window"),
        (lambda: nn.MaxPool2d((2, 2, 2)), errors.ShapeError, "MaxPool2d: kernel_size must be one number, or one for"),
        (lambda: nn.MaxPool2d(2, return_indices=True), NotImplementedError, "MaxPool2d: return_indices=True is not"),
        (lambda: nn.AvgPool1d(2.5), TypeError, "AvgPool1d: kernel_size must be made of whole numbers"),
        (lambda: nn.AvgPool2d(2, divisor_override=0), ValueError, "AvgPool2d: divisor_override must be at least 1"),
        (lambda: nn.AdaptiveAvgPool2d(0), ValueError, "AdaptiveAvgPool2d: output_size must be at least 1"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), errors.ShapeError, "AdaptiveAvgPool2d: output_size must be one numb"),
        (lambda: nn.AdaptiveMaxPool1d("2"), TypeError, "AdaptiveMaxPool1d: output_size must be made of whole numbers"),
        (lambda: nn.AdaptiveMaxPool1d(2, True), NotImplementedError, "AdaptiveMaxPool1d: return_indices=True is not"),
        (lambda: nn.Flatten(1.5), TypeError, "Flatten: start_dim must be an integer"),
        (lambda: nn.Unflatten(1, 4), TypeError, "Unflatten: unflattened_size must be a tuple of whole numbers"),
        (lambda: nn.Unflatten(1, ()), TypeError, "Unflatten: unflattened_size must be a tuple of whole numbers"),
        (lambda: nn.Unflatten(1, (-1, -1)), ValueError, "Unflatten: unflattened_size has sides of 0 or more, and -1"),
        (lambda: nn.Unflatten("x", (1,)), TypeError, "Unflatten: dim must be an integer"),
    ],
)
def test_mistakes_are_refused_when_the_layer_is_made(make: object, error: type, message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.MaxPool2d(2), (4, 4), "MaxPool2d: input must have the shape"),
        (nn.MaxPool2d(5), (1, 4, 4), "MaxPool2d: a kernel that reaches over"),
        (nn.AvgPool1d(2), (4,), "AvgPool1d: input must have the shape"),
        (nn.AdaptiveAvgPool2d(1), (4, 4), "AdaptiveAvgPool2d: input must have the shape"),
        (nn.AdaptiveMaxPool2d(1), (2, 0, 4), "AdaptiveMaxPool2d: input .* has no elements to pool"),
        (nn.Flatten(2), (3, 4), "Flatten: start_dim 2 is out of bounds"),
        (nn.Flatten(1, 0), (3, 4), "Flatten: start_dim=1 lies behind end_dim=0"),
        (nn.Unflatten(0, (2, 2)), (5,), "Unflatten: axis 0 of shape .* has 5 elements, which cannot be written as"),
        (nn.Unflatten(0, (2, -1)), (5,), "Unflatten: axis 0 of shape .* has 5 elements, which cannot be written as"),
        (nn.Unflatten(0, (0, -1)), (0,), "Unflatten: axis 0 of shape .* has 0 elements, which cannot be written as"),
        (nn.Unflatten(3, (2, 2)), (4,), "Unflatten: dim 3 is out of bounds"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(layer: nn.Module, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(errors.ShapeError, match=f"^{message}"):
        layer(tg.ones(shape))


def test_whole_numbers_have_no_windows() -> None:
    with pytest.raises(TypeError, match=r"^MaxPool1d: input must be floating; got int64"):
        nn.MaxPool1d(1)(tg.tensor([[1, 2]]))
