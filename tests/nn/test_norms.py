"""Normalization layers: derivatives of both orders, extreme values, dtypes, statistics, shapes that are refused."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn import functional as F

Array = np.ndarray


def host(x: tg.Tensor) -> Array:
    return x.detach().cpu().numpy()


def normal(*shape: int, seed: int = 0, dtype: str = "float64") -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# Each layer, and a shape of its input.
LAYERS: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...]]] = {
    "BatchNorm1d": (lambda **o: nn.BatchNorm1d(3, **o), (5, 3)),
    "BatchNorm1d of sequences": (lambda **o: nn.BatchNorm1d(3, **o), (3, 3, 2)),
    "BatchNorm2d": (lambda **o: nn.BatchNorm2d(2, **o), (3, 2, 2, 2)),
    "InstanceNorm1d": (lambda **o: nn.InstanceNorm1d(2, affine=True, track_running_stats=True, **o), (2, 2, 4)),
    "InstanceNorm1d of one": (lambda **o: nn.InstanceNorm1d(2, **o), (2, 4)),
    "InstanceNorm2d": (lambda **o: nn.InstanceNorm2d(2, affine=True, **o), (2, 2, 2, 3)),
    "LayerNorm": (lambda **o: nn.LayerNorm(4, **o), (3, 4)),
    "LayerNorm over two axes": (lambda **o: nn.LayerNorm((2, 3), **o), (2, 2, 3)),
    "RMSNorm": (lambda **o: nn.RMSNorm(4, eps=1e-3, **o), (3, 4)),
    "GroupNorm": (lambda **o: nn.GroupNorm(2, 4, **o), (2, 4, 3)),
    "GroupNorm without places": (lambda **o: nn.GroupNorm(2, 8, **o), (2, 8)),
}
layers = pytest.mark.parametrize("name", LAYERS)


def made(name: str, **options: Any) -> nn.Module:
    """The layer, with parameters and running averages that are not the starting ones."""
    layer = LAYERS[name][0](**options)
    for position, tensor in enumerate(t for t in layer.state_dict().values() if t.dtype.kind == "f"):
        values = np.random.default_rng(position).uniform(0.5, 1.5, tensor.shape)
        tensor.data = tg.tensor(values.astype(tensor.dtype), device=tensor.device).data
    return layer


def through(layer: nn.Module, values: list[Any]) -> Any:
    """The layer as a function of its input and its parameters."""
    x, *parameters = values
    kept = [getattr(layer, name, None) for name in ("weight", "bias")]
    given = iter(parameters)
    for name, parameter in zip(("weight", "bias"), kept, strict=True):
        if parameter is not None:
            setattr(layer, name, next(given))
    y = layer(x)
    for name, parameter in zip(("weight", "bias"), kept, strict=True):
        setattr(layer, name, parameter)
    return y


@layers
@pytest.mark.parametrize("training", [True, False])
def test_derivatives_of_both_orders_by_three_routes(name: str, training: bool) -> None:
    layer, x = made(name, dtype=tg.float64).train(training), normal(*LAYERS[name][1])
    slopes = tg.tensor(normal(*x.shape, seed=1))

    def loss(*values: Any) -> Any:
        return (tg.tanh(through(layer, list(values))) * slopes).sum()

    assert tg.testing.gradcheck(loss, (tg.tensor(x), *(p.detach() for p in layer.parameters())), order=2)


@layers
def test_float32_stays(name: str, device: str) -> None:
    layer = made(name, device=device)
    x = tg.tensor(normal(*LAYERS[name][1], dtype="float32"), device=device, requires_grad=True)
    y = layer(x)
    (gradient,) = tg.gradients((y * y * y).sum(), [x], create_graph=True)
    (second,) = tg.gradients((gradient * gradient).sum(), [x])
    (y * y).sum().backward()
    tensors = [y, gradient, second, x.grad, *(p.grad for p in layer.parameters()), *layer.parameters()]
    assert {t.dtype for t in tensors} == {np.dtype("float32")}
    assert {t.device for t in tensors} == {device}


@layers
def test_float16_neither_overflows_nor_stops_adding_up(name: str) -> None:
    x = (normal(*LAYERS[name][1]) * 300).astype("float16")
    layer = made(name, dtype=tg.float16)
    exact = made(name, dtype=tg.float64)
    exact.load_state_dict({key: value.detach().to("float64") if value.dtype.kind == "f" else value
                           for key, value in layer.state_dict().items()})  # fmt: skip
    x16, x64 = tg.tensor(x, requires_grad=True), tg.tensor(x.astype("float64"), requires_grad=True)
    for layer_of, of in ((layer, x16), (exact, x64)):
        (layer_of(of) * tg.tensor(normal(*x.shape, seed=1).astype(of.dtype))).sum().backward()
    assert x16.grad.dtype == np.dtype("float16")
    np.testing.assert_allclose(host(layer(x16)), host(exact(x64)), rtol=3e-3, atol=3e-3)
    np.testing.assert_allclose(host(x16.grad), host(x64.grad), rtol=2e-2, atol=1e-4)
    for mine, other in zip(layer.parameters(), exact.parameters(), strict=True):
        np.testing.assert_allclose(host(mine.grad), host(other.grad), rtol=2e-2, atol=5e-3)


def reference(name: str, x: Array) -> tuple[Array, Array]:
    """Output and gradient in float64."""
    layer, wide = LAYERS[name][0](dtype=tg.float64), tg.tensor(x.astype("float64"), requires_grad=True)
    y = layer(wide)
    (y * tg.tensor(normal(*x.shape, seed=1))).sum().backward()
    return host(y), host(wide.grad)


@layers
def test_a_large_mean_costs_no_digits(name: str) -> None:
    """float32 has about 1e-3 at 1e4, and σ is 1e-2: what the numbers say is computed to rounding all the same."""
    if "RMS" in name:
        pytest.skip("subtracts no mean")
    x = (1e4 + 1e-2 * normal(*LAYERS[name][1])).astype("float32")
    tensor = tg.tensor(x, requires_grad=True)
    y = LAYERS[name][0]()(tensor)
    (y * tg.tensor(normal(*x.shape, seed=1, dtype="float32"))).sum().backward()
    expected, slope = reference(name, x)
    np.testing.assert_allclose(host(y), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(host(tensor.grad), slope, rtol=1e-4, atol=1e-4 * np.abs(slope).max())


def test_a_large_mean_over_many_rows() -> None:
    x = (1e4 + 1e-2 * normal(4096, 20)).astype("float32")
    for layer in (nn.BatchNorm1d(20), nn.LayerNorm(20)):
        wide = type(layer)(20, dtype=tg.float64)
        np.testing.assert_allclose(host(layer(tg.tensor(x))), host(wide(tg.tensor(x.astype("float64")))), atol=1e-4)
    norm = nn.BatchNorm1d(20, momentum=1.0)
    norm(tg.tensor(x))
    np.testing.assert_allclose(host(norm.running_mean), x.astype("float64").mean(0), rtol=1e-7)
    np.testing.assert_allclose(host(norm.running_var), x.astype("float64").var(0, ddof=1), rtol=1e-4)


@layers
@pytest.mark.parametrize("scale", [1e4, 1e30])
def test_extreme_values_are_normalized_and_have_finite_gradients(name: str, scale: float) -> None:
    x = (normal(*LAYERS[name][1]) * scale).astype("float32")
    tensor = tg.tensor(x, requires_grad=True)
    y = LAYERS[name][0]()(tensor)
    (gradient,) = tg.gradients((y * tg.tensor(normal(*x.shape, seed=1, dtype="float32"))).sum(), [tensor])
    expected, slope = reference(name, x)
    np.testing.assert_allclose(host(y), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(host(gradient), slope, rtol=1e-3, atol=1e-4 * np.abs(slope).max())


@layers
def test_on_other_devices_extreme_gradients_are_finite(name: str) -> None:
    x = tg.tensor((normal(*LAYERS[name][1]) * 1e30).astype("float32"), device="double:0", requires_grad=True)
    with np.errstate(over="ignore"):
        y = LAYERS[name][0](device="double:0")(x)
        (gradient,) = tg.gradients((y * y).sum(), [x])
    assert np.isfinite(host(y)).all()
    assert np.isfinite(host(gradient)).all()


@layers
def test_equal_values_have_finite_gradients_of_both_orders(name: str) -> None:
    x = tg.tensor(np.full(LAYERS[name][1], 3.0), requires_grad=True)
    y = LAYERS[name][0](dtype=tg.float64)(x)
    slopes = tg.tensor(normal(*x.shape, seed=1))
    (gradient,) = tg.gradients((y * slopes).sum() + (y * y).sum(), [x], create_graph=True)
    (second,) = tg.gradients((gradient * gradient).sum(), [x])
    if "RMS" not in name:
        np.testing.assert_array_equal(host(y), 0)
    assert np.isfinite(host(gradient)).all()
    assert np.isfinite(host(second)).all()


@layers
def test_nan_comes_through_and_stays_in_its_group(name: str) -> None:
    x = normal(*LAYERS[name][1])
    x[(0,) * x.ndim] = np.nan
    tensor = tg.tensor(x, requires_grad=True)
    y = LAYERS[name][0](dtype=tg.float64)(tensor)
    (gradient,) = tg.gradients((y * tg.tensor(normal(*x.shape, seed=1))).sum(), [tensor])
    assert np.isnan(host(y)[(0,) * x.ndim])
    np.testing.assert_array_equal(np.isnan(host(gradient)), np.isnan(host(y)))
    assert not np.isnan(host(y)).all()


@layers
def test_no_examples_are_fine_where_nothing_is_shared_among_them(name: str) -> None:
    shape = (0, *LAYERS[name][1][1:])
    if "Norm1d of one" in name or "Batch" in name:
        pytest.skip("one example, or statistics of the batch")
    layer = LAYERS[name][0]()
    if "Instance" in name:
        layer.eval()
        if layer.running_mean is None:
            return
    x = tg.zeros(shape, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == shape


@layers
def test_layouts_and_lists(name: str) -> None:
    x, layer = normal(*LAYERS[name][1]), LAYERS[name][0](dtype=tg.float64)
    expected = host(layer(tg.tensor(x)))
    turned = np.asfortranarray(x)
    np.testing.assert_allclose(host(layer(tg.Tensor(turned))), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(host(layer(tg.Tensor(x[::-1]))[::-1] if "Instance" not in name else
                                    layer(tg.Tensor(x))), expected, rtol=1e-12, atol=1e-14)  # fmt: skip
    np.testing.assert_allclose(host(layer(x.tolist())), expected, rtol=1e-5, atol=1e-5)


def test_many_elements_are_summed_alike() -> None:
    """Sums over many elements are products with ones; the suite of small arrays never gets there."""
    for shape, layer, wide in (
        ((256, 96), nn.BatchNorm1d(96), nn.BatchNorm1d(96, dtype=tg.float64)),
        ((40, 6, 90), nn.BatchNorm1d(6), nn.BatchNorm1d(6, dtype=tg.float64)),
        ((3, 2, 80, 90), nn.InstanceNorm2d(2), nn.InstanceNorm2d(2, dtype=tg.float64)),
        ((256, 96), nn.LayerNorm(96), nn.LayerNorm(96, dtype=tg.float64)),
        ((20, 12, 90), nn.GroupNorm(3, 12), nn.GroupNorm(3, 12, dtype=tg.float64)),
    ):
        x, slopes = normal(*shape), normal(*shape, seed=1)
        results = []
        for module, dtype in ((layer, "float32"), (wide, "float64")):
            tensor = tg.tensor(x.astype(dtype), requires_grad=True)
            y = module(tensor)
            (y * tg.tensor(slopes.astype(dtype))).sum().backward()
            results.append([y, tensor.grad, *(p.grad for p in module.parameters())])
        for mine, exact in zip(*results, strict=True):
            np.testing.assert_allclose(host(mine), host(exact), rtol=1e-4, atol=2e-5 * (1 + np.abs(host(exact)).max()))


# Running averages.


def test_instance_averages_are_the_means_over_the_batch() -> None:
    layer, x = nn.InstanceNorm1d(2, track_running_stats=True, momentum=0.3, dtype=tg.float64), normal(4, 2, 5)
    layer(tg.tensor(x))
    np.testing.assert_allclose(host(layer.running_mean), 0.3 * x.mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(host(layer.running_var), 0.7 + 0.3 * x.var(2, ddof=1).mean(0), rtol=1e-12)


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.InstanceNorm1d])
def test_frozen_statistics_stand_still(kind: Any) -> None:
    layer, x = kind(3, track_running_stats=True, dtype=tg.float64), tg.tensor(normal(4, 3, 5))
    before = [host(b).copy() for b in layer.buffers()]
    with nn.utils.frozen_stats():
        frozen = host(layer(x))
    for now, then in zip(layer.buffers(), before, strict=True):
        np.testing.assert_array_equal(host(now), then)
    np.testing.assert_array_equal(host(layer(x)), frozen)  # training mode normalizes by the batch all the same
    assert not np.array_equal(host(layer.running_mean), before[0])


def test_curvature_products_and_line_searches_move_nothing_in_a_frozen_block() -> None:
    model = nn.Sequential(nn.Linear(3, 4, dtype=tg.float64), nn.BatchNorm1d(4, dtype=tg.float64), nn.Tanh())
    x, before = tg.tensor(normal(6, 3)), [host(b).copy() for b in model[1].buffers()]
    weight = model[0].weight

    def loss(w: Any) -> Any:
        model[0].weight = w
        return (model(x) ** 2).sum()

    with nn.utils.frozen_stats(model):
        products = [tg.hvp(loss, weight.detach(), tg.ones_like(weight)) for _ in range(3)]
        values = [loss(weight.detach() * step).item() for step in (0.5, 1.0, 0.5)]
    for now, then in zip(model[1].buffers(), before, strict=True):
        np.testing.assert_array_equal(host(now), then)
    np.testing.assert_array_equal(host(products[0]), host(products[2]))
    assert values[0] == values[2]


def test_reset_forgets_the_batches() -> None:
    layer = nn.BatchNorm1d(3)
    layer(tg.tensor(normal(4, 3, dtype="float32")))
    layer.reset_running_stats()
    assert [host(b).tolist() for b in layer.buffers()] == [[0.0] * 3, [1.0] * 3, 0]
    layer(tg.full((4, 3), np.nan))
    layer.reset_running_stats()
    assert [host(b).tolist() for b in layer.buffers()] == [[0.0] * 3, [1.0] * 3, 0]


def test_functional_batch_norm_moves_what_it_is_given() -> None:
    x = normal(6, 3)
    mean, variance = tg.zeros(3, dtype=tg.float64), tg.ones(3, dtype=tg.float64)
    held = variance.data
    loss = F.batch_norm(tg.tensor(x, requires_grad=True), mean, variance).sum()
    F.batch_norm(tg.tensor(x), mean, variance, training=True, momentum=0.5)
    np.testing.assert_allclose(host(mean), 0.5 * x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(host(variance), 0.5 + 0.5 * x.var(0, ddof=1), rtol=1e-12)
    np.testing.assert_array_equal(held, np.ones(3))  # what a graph has saved stays valid
    loss.backward()
    arrays = np.zeros(3), np.ones(3)
    F.batch_norm(tg.tensor(x), *arrays, training=True, momentum=0.5)
    np.testing.assert_allclose(arrays[0], host(mean), rtol=1e-15)
    np.testing.assert_allclose(arrays[1], host(variance), rtol=1e-15)


def test_functions_take_raw_arrays() -> None:
    x = normal(4, 6)
    for y in (
        F.batch_norm(x, None, None, training=True), F.layer_norm(x, 6), F.group_norm(x, 2), F.rms_norm(x, (6,)),
        F.instance_norm(x.reshape(2, 2, 6)), tg.normalize(x, 1, 1e-5, np.ones(6), np.zeros(6)),
    ):  # fmt: skip
        assert type(y) is np.ndarray


def test_scales_and_shifts_may_be_lists() -> None:
    x, weight, bias = normal(4, 3, dtype="float32"), [1, 2, 3], [0.5, 0.0, 0.0]
    for function in (
        lambda w, b: F.batch_norm(tg.tensor(x), None, None, w, b, True),
        lambda w, b: F.layer_norm(tg.tensor(x), 3, w, b),
        lambda w, b: F.group_norm(tg.tensor(x), 1, w, b),
        lambda w, b: tg.normalize(tg.tensor(x), 1, 1e-5, w, b),
    ):  # fmt: skip
        listed = function(weight, bias)
        assert listed.dtype == np.dtype("float32")
        np.testing.assert_array_equal(host(listed), host(function(np.float32(weight), np.float32(bias))))


# Memory.


@layers
def test_a_layer_keeps_its_centred_input_and_little_else(name: str) -> None:
    layer = LAYERS[name][0](dtype=tg.float64)
    x = tg.tensor(normal(*LAYERS[name][1]), requires_grad=True)
    y = layer(x)
    kept: dict[int, int] = {}
    stack, seen = [y._node], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        stack.extend(node.parents)
        for array in node.saved:
            if isinstance(array, np.ndarray) and array.shape != () and array.size >= x.size:
                base = array if array.base is None else array.base
                kept[id(base)] = base.nbytes
    assert sum(kept.values()) == x.data.nbytes


def test_no_cycles() -> None:
    layer, x = nn.BatchNorm1d(3), tg.tensor(normal(6, 3, dtype="float32"), requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            (layer(x) ** 2).sum().backward()
        before = len(gc.get_objects())
        for _ in range(20):
            (layer(x) ** 2).sum().backward()
        assert len(gc.get_objects()) - before < 20
    finally:
        gc.enable()
    assert sys.getrefcount(layer) < 10


# What is refused.


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.BatchNorm1d(3, eps=-1.0), ValueError, "BatchNorm1d: eps is added to a variance"),
        (lambda: nn.LayerNorm(3, eps="small"), TypeError, "LayerNorm: eps must be a number"),
        (lambda: nn.BatchNorm2d(3, momentum="fast"), TypeError, "BatchNorm2d: momentum must be a number"),
        (lambda: nn.InstanceNorm2d(0), ValueError, "InstanceNorm2d: num_features must be a positive integer"),
        (lambda: nn.GroupNorm(2, 5), ValueError, "GroupNorm: num_groups=2 does not divide num_channels=5"),
        (lambda: nn.GroupNorm(2.0, 4), ValueError, "GroupNorm: num_groups must be a positive integer"),
        (lambda: nn.LayerNorm(()), tg.errors.ShapeError, "LayerNorm: normalized_shape must be"),
        (lambda: nn.RMSNorm((3, 0)), tg.errors.ShapeError, "RMSNorm: normalized_shape must be"),
        (lambda: nn.LayerNorm(2.5), TypeError, "LayerNorm: normalized_shape"),
        (lambda: nn.BatchNorm1d(3, init="zero"), ValueError, "BatchNorm1d: init must be"),
        (lambda: nn.BatchNorm2d(3)(tg.ones(2, 3, 4)), tg.errors.ShapeError,
         r"BatchNorm2d: expected shape \(batch, 3, height, width\); got \(2, 3, 4\)"),
        (lambda: nn.BatchNorm2d(3)(tg.ones(1, 3, 1, 1)), tg.errors.ShapeError, r"BatchNorm2d: .*drop_last=True.*eval"),
        (lambda: nn.InstanceNorm1d(3)(tg.ones(2, 4, 3)), tg.errors.ShapeError,
         r"InstanceNorm1d: expected shape \(3, length\) or \(batch, 3, length\); got \(2, 4, 3\)"),
        (lambda: nn.InstanceNorm1d(3)(tg.ones(2, 3, 1)), tg.errors.ShapeError, "InstanceNorm1d: .* one value"),
        (lambda: nn.LayerNorm(3)(tg.ones(3, 4)), tg.errors.ShapeError, r"layer_norm: expected shape \(\.\.\., 3\)"),
        (lambda: nn.GroupNorm(2, 4)(tg.ones(4)), tg.errors.ShapeError, r"GroupNorm: expected shape \(batch, 4, \.\.\."),
        (lambda: nn.GroupNorm(2, 2)(tg.ones(1, 2)), tg.errors.ShapeError, "group_norm: .* one value per group"),
        (lambda: F.group_norm(tg.ones(2, 4), 3), tg.errors.ShapeError, "num_groups=3 does not divide the 4 channels"),
        (lambda: F.batch_norm(tg.ones(2, 3), None, None), ValueError, "without running_mean and running_var"),
        (lambda: F.batch_norm(tg.ones(2, 3), tg.ones(2), tg.ones(3)), tg.errors.ShapeError,
         r"running_mean must have shape \(3,\)"),
        (lambda: F.batch_norm(tg.ones(2, 3), None, None, "γ", training=True), TypeError, "batch_norm: .*weight"),
        (lambda: F.batch_norm(tg.ones(2, 3), None, None, [1.0], training=True), tg.errors.ShapeError,
         "weight must have"),
        (lambda: F.batch_norm(tg.ones(2, 3), [0.0] * 3, [1.0] * 3), tg.errors.ShapeError,
         "running_mean must .* got list"),
        (lambda: F.batch_norm(tg.ones(3), None, None, training=True), tg.errors.ShapeError, "expected shape"),
        (lambda: F.instance_norm(tg.ones(2, 3)), tg.errors.ShapeError, r"expected shape \(batch, channels, length"),
        (lambda: F.layer_norm(tg.ones(2, 3), 3, tg.ones(2)), tg.errors.ShapeError, "weight must have shape"),
        (lambda: F.rms_norm("x", 3), TypeError, "rms_norm"),
        (lambda: F.layer_norm(np.ones((2, 3), complex), 3), TypeError, "layer_norm"),
        (lambda: tg.normalize(tg.ones(2, 3), 1, 0.1, tg.ones(2)), tg.errors.ShapeError, "weight .* does not broadcast"),
        (lambda: nn.LayerNorm(3)(None), TypeError, "layer_norm"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_running_averages_elsewhere_are_refused() -> None:
    layer = nn.BatchNorm1d(3, affine=False, device="double:0")
    with pytest.raises(tg.errors.DeviceError, match="batch_norm"):
        layer(tg.tensor(normal(4, 3)))


def test_what_the_layers_show() -> None:
    assert (
        repr(nn.InstanceNorm1d(3, affine=True))
        == "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=True)  # 6 parameters"
    )
    assert repr(nn.BatchNorm1d(3, bias=False)) == "BatchNorm1d(3, eps=1e-05, momentum=0.1, bias=False)  # 3 parameters"
    assert repr(nn.GroupNorm(1, 3, affine=False, bias=False)) == "GroupNorm(1, 3, eps=1e-05, affine=False)"
    assert repr(nn.RMSNorm(3, init=2.0)) == "RMSNorm((3,), eps=None, init=2.0)  # 3 parameters"
    assert repr(nn.LayerNorm(3, bias=False)) == "LayerNorm((3,), eps=1e-05, bias=False)  # 3 parameters"
    assert repr(nn.GroupNorm(2, 4, affine=False)) == "GroupNorm(2, 4, eps=1e-05, affine=False)"
    assert repr(nn.RMSNorm((2, 3))) == "RMSNorm((2, 3), eps=None)  # 6 parameters"
    assert repr(nn.BatchNorm2d(2, init=0.5)) == "BatchNorm2d(2, eps=1e-05, momentum=0.1, init=0.5)  # 4 parameters"
    assert host(nn.BatchNorm2d(2, init=0.5, bias_init=0.25).weight).tolist() == [0.5, 0.5]
