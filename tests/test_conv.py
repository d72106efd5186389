"""Convolution and pooling beyond the table of specifications: blocks, memory, precision, and words for mistakes."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host, joined
from tinygrad_opt import errors
from tinygrad_opt.core.primitive import UNREAD, named
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.ops import columns, conv
from tinygrad_opt.ops.windows import slide
from tinygrad_opt.testing.specs import SPECS

GEOMETRIES = [
    ((6, 7), (3, 2), 1, 0, 1),
    ((6, 7), (3, 2), 1, (1, 2), (2, 1)),
    ((6, 7), (3, 2), (2, 1), 1, 1),
    ((5, 9), (2, 4), 1, 0, 1),
    ((9,), (9,), 1, 0, 1),
    ((3,), (4,), 3, 5, 2),  # taps that see nothing but padding
    ((5, 2), (3, 3), (1, 2), (1, 3), (1, 2)),
    ((4, 3, 5), (2, 1, 3), 1, (1, 0, 1), 1),
]


@pytest.fixture
def small_blocks(monkeypatch):
    """One or two images in a block, whatever the size."""
    monkeypatch.setattr(columns, "HOST_BLOCK", 5000)
    monkeypatch.setattr(columns, "DEVICE_BLOCK", 5000)


def arrays(shapes, device, seed=0):
    rng = np.random.default_rng(seed)
    return [tg.tensor(rng.standard_normal(shape), dtype=tg.float64, device=device) for shape in shapes]


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("groups", [1, 2])
def test_blocks_do_not_show(small_blocks, device, geometry, groups):
    """A batch of seven in several blocks, the last one shorter, is what the loops say: all three contractions."""
    seen = slide("test", *geometry)
    shapes = (7, 2 * groups, *seen.size), (3 * groups, 2, *seen.kernel), (7, 3 * groups, *seen.out)
    x, w, g = arrays(shapes, device)
    meta = {"windows": seen, "groups": groups}
    for name, args in (("conv", (x, w)), ("conv_input", (g, w)), ("conv_weight", (x, g))):
        expected = SPECS[name].reference(*map(host, args), **meta)
        np.testing.assert_allclose(host(named(name)(*args, **meta)), expected, rtol=1e-12, atol=1e-12)


def test_columns_kept_or_not_is_the_same(monkeypatch, device):
    x, w, b, c = arrays([(3, 4, 6, 5), (6, 2, 3, 2), (6,), (3, 6, 4, 2)], device)

    def loss(*args):
        y = tg.conv2d(*args, stride=(1, 2), padding=(0, 0), groups=2)
        return tg.sum(c * y * y)

    found = []
    for kept in (0, 1 << 30):
        monkeypatch.setattr(conv, "KEPT", kept)
        gradients, products = tg.grad(loss, argnums=(0, 1, 2))(x, w, b), tg.hvp(loss, (x, w, b), (x, w, b))
        found.append(joined((*gradients, *products)))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_padding_is_a_copy_with_zeros_around(monkeypatch, device, dims):
    """Whether the columns are written into blocks or kept, and although their memory is used again."""
    x, w = arrays([(5, 2, *(4,) * dims), (3, 2, *(3,) * dims)], device)
    around = tg.pad(x, ((0, 0), (0, 0), *((2, 2),) * dims))
    convolve = getattr(tg, f"conv{dims}d")
    for kept, block in ((0, 5000), (1 << 30, 5000)):
        monkeypatch.setattr(conv, "KEPT", kept)
        monkeypatch.setattr(columns, "HOST_BLOCK", block)
        expected = host(convolve(around, w, stride=2))
        np.testing.assert_allclose(host(convolve(x, w, stride=2, padding=2)), expected, rtol=1e-12, atol=1e-12)


def test_columns_are_kept_only_where_they_are_small():
    """A large convolution keeps its image and its weight; the columns would take nine times the memory."""
    x, w = tg.ones(32, 16, 28, 28), tg.ones(8, 16, 3, 3)
    x.requires_grad_(), w.requires_grad_()
    y = tg.conv2d(x, w)
    kept = sum(a.nbytes for node in reachable([y._node]) for a in node.saved or () if a is not UNREAD)
    assert kept == x._array.nbytes + w._array.nbytes


def test_the_first_layer_computes_no_gradient_of_the_image(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the gradient of an image that needs none was computed")

    monkeypatch.setattr(conv, "_conv_input", refuse)
    w = tg.ones(8, 1, 3, 3).requires_grad_()
    tg.conv2d(tg.ones(2, 1, 8, 8), w, tg.zeros(8)).sum().backward()
    assert w.grad.shape == w.shape


def test_float16_sums_beyond_its_digits(device):
    """4096 products of 1: float16 would stop counting at 2048."""
    x = tg.ones(1, 1, 64, 64, dtype=tg.float16, device=device)
    w = tg.ones(1, 1, 64, 64, dtype=tg.float16, device=device)
    assert tg.conv2d(x, w).item() == 4096
    assert tg.avg_pool2d(x, 64).item() == 1
    y = tg.conv2d(
        tg.ones(1, 1, 64, 64, dtype=tg.float16, device=device), tg.ones(1, 1, 1, 1, dtype=tg.float16, device=device)
    )
    assert y.dtype == tg.float16


def test_results_depend_on_the_image_of_now():
    """Nothing is remembered between calls: no columns of an earlier image."""
    w = tg.ones(1, 1, 2, 2)
    assert tg.conv2d(tg.ones(1, 1, 2, 2), w).item() == 4
    assert tg.conv2d(tg.zeros(1, 1, 2, 2), w).item() == 0


def test_a_window_of_nan_is_nan_and_no_other():
    x = tg.tensor([[[1.0, float("nan"), 2.0, 3.0]]])
    assert np.array_equal(tg.max_pool1d(x, 2).numpy(), [[[np.nan, 3.0]]], equal_nan=True)
    assert np.array_equal(tg.avg_pool1d(x, 2).numpy(), [[[np.nan, 2.5]]], equal_nan=True)
    assert np.array_equal(tg.adaptive_avg_pool1d(x, 3).numpy(), [[[np.nan, np.nan, 2.5]]], equal_nan=True)
    assert np.array_equal(tg.conv1d(x, tg.ones(1, 1, 2), stride=2).numpy(), [[[np.nan, 5.0]]], equal_nan=True)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [np.inf, np.nan, -0.5])
def test_a_cotangent_reaches_the_largest_element_alone(device, dtype, value):
    """Neither inf nor nan spreads over the window; overlapping windows add up."""
    x = tg.tensor([[1.0, 3.0, 2.0, 0.0]], dtype=dtype, device=device, requires_grad=True)
    y = tg.max_pool1d(x, 2, stride=1)
    y.backward(tg.tensor([[value, 1.0, 2.0]], dtype=dtype, device=device))
    assert np.array_equal(host(x.grad), [[0.0, value + 1, 2.0, 0.0]], equal_nan=True)


def test_more_taps_than_a_byte_counts(device):
    x = tg.tensor(np.arange(600.0).reshape(1, 20, 30) % 307, device=device, requires_grad=True)
    tg.max_pool2d(x, (20, 30)).sum().backward()
    assert np.flatnonzero(host(x.grad)).tolist() == [306]


def test_lists_and_numpy_integers():
    y = tg.conv1d([[1.0, 2.0, 4.0]], [[[1.0, 1.0]]], stride=np.int64(1), padding=(np.int32(0),))
    assert y.tolist() == [[3.0, 6.0]]
    assert tg.max_pool1d([[1.0, 2.0, 4.0]], np.int64(2)).tolist() == [[2.0]]


def test_one_number_in_a_tuple_stands_for_every_axis(device):
    x, w = arrays([(1, 2, 7, 8), (3, 2, 2, 2)], device)
    for name, second in (("conv2d", w), ("max_pool2d", 2), ("avg_pool2d", [2])):
        function = getattr(tg, name)
        found = function(x, second, stride=(2,), padding=[1])
        np.testing.assert_array_equal(host(found), host(function(x, second, stride=(2, 2), padding=(1, 1))))


X, W = (2, 4, 5, 5), (6, 4, 3, 3)
MISTAKES = [
    ("conv2d", (4,), W, {}, errors.ShapeError, r"input must have the shape \(batch, channels, height, width\)"),
    ("conv2d", X, (6, 4, 3), {}, errors.ShapeError, "weight must have 4 axes"),
    ("conv2d", (2, 3, 5, 5), W, {}, errors.ShapeError, "has 3 channels; weight .* expects 4"),
    ("conv2d", X, (6, 2, 3, 3), {"groups": 4}, errors.ShapeError, "groups=4 must divide the 6 output"),
    ("conv2d", X, W, {"groups": 0}, ValueError, "groups must be at least 1"),
    ("conv2d", X, W, {"bias": tg.ones(1)}, errors.ShapeError, r"bias .* shape \(6,\)"),
    ("conv2d", (2, 4, 2, 5), W, {}, errors.ShapeError, "does not fit into an image"),
    ("conv2d", X, (6, 4, 0, 3), {}, ValueError, "kernel_size must be at least 1"),
    ("conv2d", X, W, {"stride": 0}, ValueError, "stride must be at least 1"),
    ("conv2d", X, W, {"stride": True}, TypeError, "stride must be made of whole numbers"),
    ("conv2d", X, W, {"stride": 1.5}, TypeError, "stride must be made of whole numbers"),
    ("conv2d", X, W, {"stride": (1, 1, 1)}, errors.ShapeError, "stride must be one number"),
    ("conv2d", X, W, {"stride": [[1], [1]]}, TypeError, "stride must be made of whole numbers"),
    ("conv2d", X, W, {"dilation": {}}, TypeError, "dilation must be made of whole numbers"),
    ("conv2d", X, W, {"padding": -1}, ValueError, "padding must be at least 0"),
    ("conv2d", X, W, {"padding": "full"}, ValueError, "padding must be 'same'"),
    ("conv2d", X, W, {"padding": "same", "stride": 2}, ValueError, "padding='same' needs stride=1"),
    ("conv2d", X, W, {"padding": None}, TypeError, "padding must be made of whole numbers"),
    ("conv2d", X, W, {"bias": tg.ones(6, dtype=tg.int64)}, TypeError, "bias must be floating; got int64"),
    ("conv2d", X, W, {"bias": "none"}, TypeError, ""),
    ("conv_transpose2d", X, (4, 6, 3, 3), {"output_padding": 1}, ValueError, "output_padding must be smaller"),
    ("conv_transpose2d", X, (4, 6, 1, 1), {"padding": 3}, errors.ShapeError, "no elements"),
    ("conv_transpose2d", X, W, {}, errors.ShapeError, "has 4 channels; weight .* expects 6"),
    ("conv_transpose2d", X, (4, 6, 3, 3), {"padding": "same"}, TypeError, "padding must be made of whole numbers"),
    ("max_pool2d", X, 2, {"padding": 2}, ValueError, "padding must be at most half"),
    ("max_pool2d", X, 6, {}, errors.ShapeError, "does not fit"),
    ("max_pool2d", X, None, {}, TypeError, "kernel_size must be made of whole numbers"),
    ("avg_pool2d", X, 2, {"divisor_override": 0}, ValueError, "divisor_override must be at least 1"),
    ("avg_pool2d", X, 2, {"padding": "same"}, TypeError, "padding must be made of whole numbers"),
    ("adaptive_avg_pool2d", X, 0, {}, ValueError, "output_size must be at least 1"),
    ("adaptive_avg_pool2d", X, (1, 2, 3), {}, errors.ShapeError, "output_size must be one number"),
    ("adaptive_avg_pool2d", (2, 4, 0, 5), 1, {}, errors.ShapeError, "no elements to pool"),
    ("unfold", X, 6, {}, errors.ShapeError, "does not fit"),
    ("fold", (2, 8, 5), (4, 4), {"kernel_size": 2}, errors.ShapeError, "input must have the shape"),
    ("fold", (2, 7, 9), (4, 4), {"kernel_size": 2}, errors.ShapeError, "a multiple of 4, 9"),
]


@pytest.mark.parametrize(("name", "shape", "second", "meta", "error", "message"), MISTAKES)
def test_mistakes_are_named(device, name, shape, second, meta, error, message):
    """The second argument is a weight of that shape, or what describes the windows."""
    x = tg.ones(shape, device=device)
    second = tg.ones(second, device=device) if name.startswith("conv") else second
    with pytest.raises(error, match=f"{name}: .*{message}"):
        getattr(tg, name)(x, second, **meta)


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_whole_numbers_have_no_windows(dtype):
    x, w = tg.ones(X, dtype=dtype), tg.ones(W, dtype=dtype)
    for call in (lambda: tg.conv2d(x, w), lambda: tg.max_pool2d(x, 2), lambda: tg.avg_pool2d(x, 2)):
        with pytest.raises(TypeError, match=f"input must be floating; got {dtype}"):
            call()
    with pytest.raises(TypeError, match=f"weight must be floating; got {dtype}"):
        tg.conv2d(tg.ones(X), w)
