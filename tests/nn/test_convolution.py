"""Convolutions as layers, beyond the comparison with PyTorch's: mistakes, extreme values, orders, how they start."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import errors, nn

LAYERS = {
    "Conv1d": (1, nn.Conv1d), "Conv2d": (2, nn.Conv2d), "Conv3d": (3, nn.Conv3d),
    "ConvTranspose1d": (1, nn.ConvTranspose1d), "ConvTranspose2d": (2, nn.ConvTranspose2d),
    "ConvTranspose3d": (3, nn.ConvTranspose3d),
}  # fmt: skip
MODES = ("zeros", "reflect", "replicate", "circular")


def normal(*shape: int, seed: int = 0, dtype: object = tg.float64, device: str = "cpu") -> tg.Tensor:
    values = np.random.default_rng(seed).standard_normal(shape)
    return tg.tensor(values, dtype=dtype, device=device)


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [(2, 1), "same"])
def test_every_padding_mode_has_right_derivatives_of_both_orders(mode: str, padding: object) -> None:
    layer = nn.Conv2d(1, 2, (3, 2), padding=padding, padding_mode=mode, dtype=tg.float64)

    def loss(x: tg.Tensor, weight: tg.Tensor, bias: tg.Tensor) -> tg.Tensor:
        layer.weight, layer.bias = weight, bias
        return tg.tanh(layer(x)).sum()

    arguments = normal(1, 1, 4, 3), normal(2, 1, 3, 2, seed=1), normal(2, seed=2)
    assert tg.testing.gradcheck(loss, arguments, order=2)


def test_a_transposed_layer_has_right_derivatives_of_both_orders() -> None:
    layer = nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1, output_padding=1, groups=2, dtype=tg.float64)

    def loss(x: tg.Tensor, weight: tg.Tensor, bias: tg.Tensor) -> tg.Tensor:
        layer.weight, layer.bias = weight, bias
        return tg.tanh(layer(x)).sum()

    assert tg.testing.gradcheck(loss, (normal(1, 2, 3, 2), normal(2, 1, 3, 3, seed=1), normal(2, seed=2)), order=2)


@pytest.mark.parametrize("mode", MODES[1:])
def test_padding_modes_are_those_of_numpy(mode: str, device: str) -> None:
    layer = nn.Conv1d(1, 1, 1, padding=2, padding_mode=mode, bias=False, init=1, dtype=tg.float64, device=device)
    named = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    x = normal(1, 1, 5, device=device)
    assert np.array_equal(host(layer(x)), np.pad(host(x), ((0, 0), (0, 0), (2, 2)), named))


def test_a_transposed_layer_is_the_transpose_of_the_layer(device: str) -> None:
    """``⟨y, conv(x)⟩ = ⟨conv_transpose(y), x⟩``, with one weight for both."""
    made = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "bias": False, "dtype": tg.float64}
    down, up = nn.Conv2d(4, 6, 3, groups=2, **made), nn.ConvTranspose2d(6, 4, 3, groups=2, **made)
    up.load_state_dict(down.state_dict())
    down.to(device), up.to(device)
    x = normal(2, 4, 6, 7, device=device)
    y = down(x)
    z = normal(*y.shape, seed=1, device=device)
    assert (y * z).sum().item() == pytest.approx((up(z, output_size=(6, 7)) * x).sum().item(), rel=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_starting_values_are_uniform_within_the_bound(name: str) -> None:
    dims, make = LAYERS[name]
    tg.manual_seed(0)
    layer = make(6, 40, 3, groups=2)
    bound = 1 / math.sqrt((20 if "Transpose" in name else 3) * 3**dims)
    assert bound * 0.8 < np.abs(host(layer.weight)).max() <= bound
    assert bound * 0.6 < np.abs(host(layer.bias)).max() <= bound


def test_the_initializer_is_ours_to_choose_and_shown() -> None:
    layer = nn.Conv2d(1, 2, 3, init=0.5, bias_init="zeros_")
    assert set(host(layer.weight).ravel()) == {0.5}
    assert not host(layer.bias).any()
    assert repr(layer) == "Conv2d(1, 2, kernel_size=3, init=0.5)  # 20 parameters"
    made = nn.ConvTranspose1d(4, 2, 3, stride=2, output_padding=1, groups=2, bias=False, init="ones_")
    assert repr(made) == (
        "ConvTranspose1d(4, 2, kernel_size=3, stride=2, output_padding=1, groups=2, bias=False, init=ones_)"
        "  # 12 parameters"
    )
    shown = repr(nn.Conv2d(1, 2, (3, 2), padding="same", padding_mode="reflect", dilation=(1, 2)))
    assert "kernel_size=(3, 2), padding='same', dilation=(1, 2), padding_mode='reflect'" in shown
    with pytest.raises(ValueError, match=r"^Conv1d: init must be"):
        nn.Conv1d(1, 1, 1, init="nothing")


@pytest.mark.parametrize("name", LAYERS)
def test_dtypes_and_devices(name: str, device: str) -> None:
    dims, make = LAYERS[name]
    layer = make(2, 2, 2, dtype=tg.float16, device=device)
    x = tg.ones(1, 2, *(3,) * dims, dtype=tg.float16, device=device).requires_grad_()
    y = layer(x)
    y.sum().backward()
    found = (y, x.grad, layer.weight.grad, layer.bias.grad)
    assert {str(t.dtype) for t in found} == {"float16"}
    assert {t.device for t in found} == {device}


def test_float16_sums_beyond_its_range() -> None:
    """Terms of 30000, of both signs, whose partial sums float16 cannot hold."""
    layer = nn.Conv1d(4, 1, 1, bias=False, init=1, dtype=tg.float16)
    x = tg.tensor(np.array([30000, 30000, 30000, -60000]).reshape(1, 4, 1), dtype=tg.float16)
    assert layer(x).item() == 30000


@pytest.mark.parametrize("name", LAYERS)
def test_empty_batches(name: str, device: str) -> None:
    dims, make = LAYERS[name]
    layer = make(2, 3, 2, device=device)
    y = layer(tg.zeros(0, 2, *(3,) * dims, device=device))
    assert y.shape == (0, 3, *((2 if name.startswith("Conv") and "Transpose" not in name else 4),) * dims)
    y.sum().backward()
    assert not host(layer.weight.grad).any()


def test_nan_stays_in_its_windows(device: str) -> None:
    layer = nn.Conv1d(1, 1, 2, bias=False, init=1, device=device)
    x = tg.tensor([[[1.0, math.nan, 1.0, math.inf, 1.0, 1.0]]], device=device)
    assert np.array_equal(host(layer(x)), [[[math.nan, math.nan, math.inf, math.inf, 2.0]]], equal_nan=True)


def test_layers_take_arrays_of_the_state_and_lists() -> None:
    assert nn.Conv1d(1, 1, 1, init=2, bias=False)([[1.0, 2.0]]).tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Conv2d(0, 1, 3), ValueError, "Conv2d: in_channels must be a positive integer"),
        (lambda: nn.Conv2d(1, 2.0, 3), ValueError, "Conv2d: out_channels must be a positive integer"),
        (lambda: nn.Conv2d(1, 1, 0), ValueError, "Conv2d: kernel_size must be at least 1"),
        (lambda: nn.Conv2d(1, 1, (3, 3, 3)), errors.ShapeError, "Conv2d: kernel_size must be one number, or one for"),
        (lambda: nn.Conv2d(1, 1, "3"), TypeError, "Conv2d: kernel_size must be made of whole numbers"),
        (lambda: nn.Conv2d(1, 1, None), TypeError, "Conv2d: kernel_size must be made of whole numbers"),
        (lambda: nn.Conv1d(1, 1, 3, stride=0), ValueError, "Conv1d: stride must be at least 1"),
        (lambda: nn.Conv1d(1, 1, 3, dilation=1.5), TypeError, "Conv1d: dilation must be made of whole numbers"),
        (lambda: nn.Conv1d(1, 1, 3, padding=-1), ValueError, "Conv1d: padding must be at least 0"),
        (lambda: nn.Conv1d(1, 1, 3, padding="full"), ValueError, "Conv1d: padding must be 'same', 'valid' or whole"),
        (lambda: nn.Conv1d(1, 1, 3, 2, "same"), ValueError, "Conv1d: padding='same' needs stride=1; got stride=2"),
        (lambda: nn.Conv3d(4, 6, 1, groups=4), ValueError, "Conv3d: groups=4 must divide in_channels=4 and out_chan"),
        (lambda: nn.Conv3d(4, 6, 1, groups=0), ValueError, "Conv3d: groups must be a positive integer"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="edge"), ValueError, "Conv2d: padding_mode must be one of zeros, ref"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode=None), ValueError, "Conv2d: padding_mode must be one of"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding="same"), TypeError, "ConvTranspose2d: padding must be made of"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, 2, 0, 2), ValueError, "ConvTranspose2d: output_padding must be smaller"),
        (lambda: nn.ConvTranspose1d(1, 1, 3, padding_mode="reflect"), ValueError, "padding_mode must be 'zeros'"),
    ],
)
def test_mistakes_are_refused_when_the_layer_is_made(make: object, error: type, message: str) -> None:
    with pytest.raises(error, match=f"^(ConvTranspose1d: )?{message.replace('(', '.')}"):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "call", "message"),
    [
        (nn.Conv2d(3, 1, 2), (1, 2, 4, 4), {}, r"Conv2d: input \(1, 2, 4, 4\) has 2 channels; weight .* expects 3"),
        (nn.Conv2d(3, 1, 2), (4, 4), {}, r"Conv2d: input must have the shape \(batch, channels, height, width\)"),
        (nn.Conv2d(3, 1, 2), (1, 1, 3, 4, 4), {}, r"Conv2d: input must have the shape"),
        (nn.Conv2d(3, 1, 5), (1, 3, 4, 4), {}, r"Conv2d: a kernel that reaches over \(5, 5\) elements does not fit"),
        (nn.Conv1d(1, 1, 2, padding=3, padding_mode="reflect"), (1, 1, 3), {}, "Conv1d: with mode='reflect', axis 2"),
        (nn.Conv1d(1, 1, 2, padding=4, padding_mode="circular"), (1, 3), {}, "Conv1d: with mode='circular', axis 1"),
        (nn.Conv1d(1, 1, 2, padding=1, padding_mode="circular"), (3,), {}, "Conv1d: input must have the shape"),
        (nn.ConvTranspose1d(3, 1, 2), (1, 2, 4), {}, r"ConvTranspose1d: input \(1, 2, 4\) has 2 channels"),
        (
            nn.ConvTranspose1d(1, 1, 3, stride=2), (1, 1, 4), {"output_size": 11},
            r"ConvTranspose1d: an input of shape \(1, 1, 4\) can become an image of sides from \(9,\) to \(10,\)",
        ),
        (
            nn.ConvTranspose1d(1, 1, 3, stride=2), (1, 1, 4), {"output_size": (9, 9)},
            "ConvTranspose1d: output_size must be one number, or one for each of the 1 spatial axes",
        ),
    ],
)  # fmt: skip
def test_images_that_do_not_fit_are_refused(layer: nn.Module, shape: tuple[int, ...], call: dict, message: str) -> None:
    with pytest.raises(errors.ShapeError, match=f"^{message}"):
        layer(tg.ones(shape), **call)


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^Conv1d: input must be floating; got int64"):
        nn.Conv1d(1, 1, 1)(tg.tensor([[1, 2]]))


# nn.functional.pad


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("widths", [(1, 2), (0, 1, 2, 0), (-1, 1), (2, -1, -1, 1)])
def test_pad_is_pytorchs(mode: str, widths: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    x = normal(2, 3, 4, 5)
    value = {"value": 2.5} if mode == "constant" else {}
    given = widths if mode == "constant" or len(widths) == 4 else (*widths, 0, 0)
    expected = torch.nn.functional.pad(torch.tensor(host(x)), given, mode, **value)
    assert np.array_equal(host(nn.functional.pad(x, widths, mode, **value)), expected.numpy())


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (((1, 2, 3),), errors.ShapeError, r"pad: pad must be pairs \(before, behind\), the last axis first"),
        (((1, 1, 1, 1),), errors.ShapeError, "pad: pad must be pairs"),
        ((2,), errors.ShapeError, "pad: pad must be pairs"),
        (((1.5, 1),), TypeError, "pad: pad must be an integer"),
        (((1, 1), "edge"), ValueError, "pad: mode must be one of constant, reflect, replicate, circular; got 'edge'"),
        (((1, 1), "reflect", 1.0), ValueError, "pad: value=1.0 goes with mode='constant'"),
        (((3, 0), "reflect"), errors.ShapeError, "pad: with mode='reflect', axis 0 of length 3"),
        (((0, 4), "circular"), errors.ShapeError, "pad: with mode='circular', axis 0 of length 3"),
        (((-4, 0),), errors.ShapeError, "takes more away than axis 0 of length 3 has"),
        (((-2, -2),), errors.ShapeError, "takes more away than axis 0 of length 3 has"),
    ],
)
def test_what_cannot_be_padded_is_refused(args: tuple, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        nn.functional.pad(tg.ones(3), *args)
