"""Activations: far out, at infinity and nan, in float16; large arrays; arguments; Maxout; Bilinear beside them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from decimal import Decimal, getcontext
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.core.primitive import Primitive

F = nn.functional
INF, NAN = math.inf, math.nan
S = 1.7580993408473766  # λα of SELU


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


# Values and slopes at -inf, -1e4, 1e4 and inf, where float16 has them.
FAR: dict[str, tuple[Callable[..., Any], list[float], list[float]]] = {
    "celu": (F.celu, [-1, -1, 1e4, INF], [0, 0, 1, 1]),
    "elu": (F.elu, [-1, -1, 1e4, INF], [0, 0, 1, 1]),
    "gelu": (F.gelu, [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "gelu_tanh": (lambda x: F.gelu(x, "tanh"), [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "hardsigmoid": (F.hardsigmoid, [0, 0, 1, 1], [0, 0, 0, 0]),
    "hardswish": (F.hardswish, [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "hardtanh": (F.hardtanh, [-1, -1, 1, 1], [0, 0, 0, 0]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.5), [-INF, -5e3, 1e4, INF], [0.5, 0.5, 1, 1]),
    "logsigmoid": (F.logsigmoid, [-INF, -1e4, 0, 0], [1, 1, 0, 0]),
    "mish": (F.mish, [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "relu": (F.relu, [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "relu6": (F.relu6, [0, 0, 6, 6], [0, 0, 0, 0]),
    "selu": (F.selu, [-S, -S, 1.0507009873554805e4, INF], [0, 0, 1.0507009873554805, 1.0507009873554805]),
    "sigmoid": (F.sigmoid, [0, 0, 1, 1], [0, 0, 0, 0]),
    "silu": (F.silu, [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "softplus": (F.softplus, [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "softplus of 10 x": (lambda x: F.softplus(x, 10.0), [0, 0, 1e4, INF], [0, 0, 1, 1]),
    "softsign": (F.softsign, [-1, -1e4 / (1e4 + 1), 1e4 / (1e4 + 1), 1], [0, (1e4 + 1) ** -2, (1e4 + 1) ** -2, 0]),
    "tanh": (F.tanh, [-1, -1, 1, 1], [0, 0, 0, 0]),
    "tanhshrink": (F.tanhshrink, [-INF, -1e4 + 1, 1e4 - 1, INF], [1, 1, 1, 1]),
    "threshold": (lambda x: F.threshold(x, 1.0, -7.0), [-7, -7, 1e4, INF], [0, 0, 1, 1]),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", FAR)
def test_far_out_and_at_infinity(name: str, dtype: str, device: str) -> None:
    function, values, slopes = FAR[name]
    tolerance = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-12}[dtype]
    x = tg.tensor(np.array([-INF, -1e4, 1e4, INF], dtype), device=device, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = function(x)
        gradient = tg.gradients(y, x, grad_outputs=tg.ones_like(y), create_graph=True)
        second = tg.gradients(gradient.sum(), x, unused="zero")
    assert (y.dtype, gradient.dtype, second.dtype) == (dtype,) * 3
    np.testing.assert_allclose(host(y), values, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(host(gradient), slopes, rtol=tolerance, atol=tolerance * 1e-2)
    np.testing.assert_allclose(host(second), 0, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", FAR)
def test_derivatives_of_both_orders_all_the_way_out(name: str, dtype: str) -> None:
    function = FAR[name][0]
    points = np.linspace(-45.0, 45.0, 181).astype(dtype) + np.float16(0.0625)
    found = []
    for kind in (dtype, "float64"):
        x = tg.tensor(points.astype(kind), requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            gradient = tg.gradients(function(x).sum(), x, create_graph=True)
            found.append((host(gradient), host(tg.gradients(gradient.sum(), x, unused="zero"))))
    for ours, exact in zip(*found, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=0, atol=4e-3 if dtype == "float16" else 2e-6)


@pytest.mark.parametrize("name", FAR)
def test_nan_comes_through(name: str, device: str) -> None:
    x = tg.tensor([NAN, 1.0], device=device)
    y = host(FAR[name][0](x))
    assert np.isnan(y[0])
    assert not np.isnan(y[1])


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "hardswish", "leaky_relu", "mish", "selu", "silu", "softplus"])
def test_many_elements_are_computed_like_few(name: str) -> None:
    """Kernels go through large arrays in pieces, and choose by bits."""
    function = FAR[name][0]
    values = np.random.default_rng(0).uniform(-6, 6, (70, 1000)).astype("float32")
    x = tg.tensor(values.T, requires_grad=True)  # not contiguous
    y = function(x)
    gradient = tg.gradients(y.sum(), x)
    few = tg.tensor(values[3, :50], requires_grad=True)
    np.testing.assert_allclose(host(y)[:50, 3], host(function(few)), rtol=1e-6)
    np.testing.assert_allclose(
        host(gradient)[:50, 3], host(tg.gradients(function(few).sum(), few)), rtol=1e-6, atol=1e-7
    )
    exact = tg.tensor(values.T.astype("float64"), requires_grad=True)
    np.testing.assert_allclose(host(y), host(function(exact)), rtol=1e-5, atol=3e-7)
    np.testing.assert_allclose(host(gradient), host(tg.gradients(function(exact).sum(), exact)), rtol=1e-5, atol=1e-6)


def normal_tail(x: float) -> float:
    """``1 - Φ(x)`` for x > 0 to 40 digits, by Lentz's continued fraction from the far end."""
    getcontext().prec = 40
    z, fraction = Decimal(x), Decimal(0)
    for k in range(4000, 0, -1):
        fraction = k / (z + fraction)
    return float((-z * z / 2).exp() / (z + fraction) / (2 * Decimal(math.pi)).sqrt())


@pytest.mark.parametrize("x", [2.0, 3.0, 5.0, 8.0])
def test_gelu_keeps_its_digits_on_the_left(x: float) -> None:
    tail = normal_tail(x)
    assert float(F.gelu(tg.tensor(-x, dtype=tg.float64))) == pytest.approx(-x * tail, rel=1e-13)
    assert float(F.gelu(tg.tensor(x, dtype=tg.float64))) == pytest.approx(x - x * tail, rel=1e-15)


@pytest.mark.parametrize("name", ["silu", "mish", "gelu", "gelu_tanh", "celu", "elu", "selu", "softplus", "softsign"])
def test_derivatives_up_to_the_third(name: str) -> None:
    function, x = FAR[name][0], tg.tensor([-2.5, -0.75, 0.25, 1.5], dtype=tg.float64)
    assert tg.testing.gradcheck(function, x, order=2)
    assert tg.testing.gradcheck(lambda x: tg.grad(lambda z: function(z).sum())(x), x, order=2)


def test_hardsigmoid_is_three_lines(device: str) -> None:
    """PyTorch's has no second derivative, so the table of layers leaves it out."""
    x = tg.tensor(np.array([-4.0, -3.0, -1.5, 0.75, 3.0, 5.0]), device=device, requires_grad=True)
    y = nn.Hardsigmoid()(x)
    np.testing.assert_allclose(host(y), [0, 0, 0.25, 0.625, 1, 1], rtol=1e-15)
    np.testing.assert_allclose(host(tg.gradients(y.sum(), x)), [0, 0, 1 / 6, 1 / 6, 0, 0], rtol=1e-15)


# Maxout.


def maxout(device: str = "cpu", **options: Any) -> nn.Maxout:
    tg.manual_seed(0)
    return nn.Maxout(3, 4, pieces=3, dtype=tg.float64, device=device, **options)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (5,), (2, 0), (2, 3)])
def test_maxout_takes_the_largest_piece(lead: tuple[int, ...], bias: bool, device: str) -> None:
    layer = maxout(device, bias=bias)
    x = np.random.default_rng(0).standard_normal((*lead, 3))
    weight = host(layer.weight).reshape(4, 3, 3)
    expected = np.einsum("...n,mpn->...mp", x, weight) + (host(layer.bias).reshape(4, 3) if bias else 0.0)
    y = layer(tg.tensor(x, device=device))
    np.testing.assert_allclose(host(y), expected.max(axis=-1), rtol=1e-12)
    assert [name for name, _ in layer.named_parameters()] == (["weight", "bias"] if bias else ["weight"])


def test_maxout_with_one_piece_is_linear_and_with_two_an_absolute_value() -> None:
    one, linear = nn.Maxout(3, 2, pieces=1), nn.Linear(3, 2)
    one.load_state_dict(linear.state_dict())
    x = tg.tensor(np.random.default_rng(0).standard_normal((5, 3)).astype("float32"))
    np.testing.assert_array_equal(host(one(x)), host(linear(x)))
    weight = tg.tensor([[1.0], [-1.0]])
    np.testing.assert_array_equal(host(F.maxout(tg.tensor([[-3.0], [2.0]]), weight)), [[3], [2]])


def test_derivatives_of_maxout() -> None:
    layer = maxout()
    x = tg.tensor(np.random.default_rng(1).standard_normal((4, 3)))

    def loss(x: tg.Tensor, weight: tg.Tensor, bias: tg.Tensor) -> tg.Tensor:
        return tg.tanh(F.maxout(x, weight, bias, 3)).sum()

    assert tg.testing.gradcheck(loss, (x, layer.weight.detach(), layer.bias.detach()), order=2)
    tied = tg.tensor([[0.0]], requires_grad=True)
    assert tg.gradients(F.maxout(tied, [[1.0], [-3.0]]).sum(), tied).tolist() == [[-1.0]]  # each piece has half


def test_maxout_shows_and_refuses() -> None:
    assert repr(maxout()) == "Maxout(3, 4, pieces=3, init=fan_in_uniform_)  # 48 parameters"
    assert np.abs(host(maxout().bias)).max() <= 1 / math.sqrt(3)
    with pytest.raises(ValueError, match="Maxout: pieces must be a positive integer; got 0"):
        nn.Maxout(3, 4, 0)
    with pytest.raises(tg.errors.ShapeError, match=r"maxout: .* a weight of shape .* 2 rows for each .*\(3, 1\)"):
        F.maxout([[1.0]], [[1.0], [2.0], [3.0]])
    with pytest.raises(tg.errors.ShapeError, match=r"maxout: expected x \(\.\.\., n\)"):
        maxout()(tg.ones(2, 4, dtype=tg.float64))


# Bilinear.


@pytest.mark.parametrize("lead", [(), (0,), (2, 5)])
def test_bilinear_is_the_sum_over_pairs(lead: tuple[int, ...], device: str) -> None:
    layer = nn.Bilinear(2, 3, 4, dtype=tg.float64, device=device)
    rng = np.random.default_rng(0)
    x1, x2 = rng.standard_normal((*lead, 2)), rng.standard_normal((*lead, 3))
    expected = np.einsum("...i,kij,...j->...k", x1, host(layer.weight), x2) + host(layer.bias)
    y = layer(tg.tensor(x1, device=device), tg.tensor(x2, device=device))
    np.testing.assert_allclose(host(y), expected, rtol=1e-12)
    assert max(np.abs(host(p)).max() for p in layer.parameters()) <= 1 / math.sqrt(2)
    assert np.abs(host(nn.Bilinear(2, 30, 40).weight)).max() > 0.9 / math.sqrt(2)


def test_derivatives_of_bilinear() -> None:
    rng = np.random.default_rng(0)
    arguments = tuple(tg.tensor(rng.standard_normal(shape)) for shape in ((2, 2), (2, 3), (4, 2, 3), (4,)))
    assert tg.testing.gradcheck(lambda *a: tg.tanh(F.bilinear(*a)), arguments, order=2)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 2), (3, 3)), ((2,), (2, 3)), ((), ())])
def test_bilinear_refuses(shapes: Any) -> None:
    with pytest.raises(tg.errors.ShapeError, match=r"bilinear: expected x1 \(\.\.\., n\), x2 \(\.\.\., m\)"):
        nn.Bilinear(2, 3, 4)(*(tg.ones(*shape) for shape in shapes))
    with pytest.raises(ValueError, match="Bilinear: in2_features must be a positive integer"):
        nn.Bilinear(2, 0, 4)


# Arguments.


@pytest.mark.parametrize("name", ["ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish", "Hardtanh",
                                  "Hardsigmoid", "Hardswish"])  # fmt: skip
def test_nothing_is_overwritten(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: tensors are not overwritten; leave inplace=True out"):
        getattr(nn, name)(inplace=True)
    assert isinstance(getattr(nn, name)(inplace=False), nn.Module)


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_the_axis_of_a_softmax_has_to_be_said(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name}: along which axis\? Write {name}\(dim=-1\)"):
        getattr(nn, name)()
    with pytest.raises(TypeError, match=f"{name}: dim must be an integer"):
        getattr(nn, name)(1.5)
    function = getattr(F, {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[name])
    x = np.random.default_rng(0).standard_normal((2, 3))
    for y in (function(x, 0), function(x, axis=0), function(x, dim=0), host(getattr(nn, name)(0)(tg.tensor(x)))):
        np.testing.assert_array_equal(y, function(x.T).T)
    with pytest.raises(TypeError, match="axis and dim are two names of one argument"):
        function(x, axis=0, dim=1)
    with pytest.raises(tg.errors.ShapeError, match="softmax: axis 2 is out of bounds"):
        getattr(nn, name)(2)(tg.tensor(x))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Hardtanh(1, -1), ValueError, "Hardtanh: min_val must be less than max_val; got 1 and -1"),
        (lambda: nn.Hardtanh("a"), TypeError, "Hardtanh: min_val must be a number"),
        (lambda: nn.Softplus(0), ValueError, "Softplus: beta must not be 0"),
        (lambda: nn.CELU(0.0), ValueError, "CELU: alpha must not be 0"),
        (lambda: nn.GELU("erf"), ValueError, "GELU: approximate must be 'none' or 'tanh'; got 'erf'"),
        (lambda: nn.ELU(None), TypeError, "ELU: alpha must be a number"),
        (lambda: nn.Threshold(None, 1), TypeError, "Threshold: threshold must be a number"),
        (lambda: nn.PReLU(0), ValueError, "PReLU: num_parameters must be a positive integer"),
        (lambda: nn.PReLU(3)(tg.ones(2, 2)), tg.errors.ShapeError, r"prelu: expected a weight of shape \(1,\) or \(2,"),
        (lambda: nn.GLU()(tg.ones(3)), tg.errors.ShapeError, r"glu: axis 0 of shape \(3,\) has no two halves"),
        (lambda: nn.GLU(2)(tg.ones(4)), tg.errors.ShapeError, "glu: dim 2 is out of bounds"),
        (lambda: nn.SiLU()("text"), TypeError, "silu"),
        (lambda: F.softplus([1.0], "big"), TypeError, "softplus: beta must be a number"),
    ],
)
def test_what_is_refused(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_slopes_of_channels_and_of_all() -> None:
    x = tg.tensor(-np.ones((2, 3, 4), "float32"))
    layer = nn.PReLU(3)
    layer.weight.data = np.array([1.0, 2.0, 3.0], "float32")
    np.testing.assert_array_equal(host(layer(x))[0, :, 0], [-1, -2, -3])
    assert nn.PReLU()(tg.tensor(-2.0)).item() == -0.5
    assert nn.PReLU(init=0.1)(tg.tensor([-1.0, 1.0])).tolist() == pytest.approx([-0.1, 1.0])


@pytest.mark.parametrize("name", sorted(set(FAR) & set(F.__all__)))
def test_lists_numbers_and_arrays(name: str) -> None:
    function = getattr(F, name)
    arguments = (1.0, -7.0) if name == "threshold" else ()
    y = function([0.5, 2.0], *arguments)
    assert isinstance(y, tg.Tensor)
    raw = function(np.array([0.5, 2.0], "float32"), *arguments)
    assert type(raw) is np.ndarray
    np.testing.assert_array_equal(raw, host(y))
    assert function(np.float32(2.0), *arguments) == pytest.approx(raw[1], rel=1e-6)


def test_examples_of_functions_that_are_primitives_run() -> None:
    import doctest

    for name in F.__all__:
        function = getattr(F, name)
        if isinstance(function, Primitive):
            found = doctest.DocTestParser().get_doctest(function.__doc__ or "", {"tg": tg}, name, None, 0)
            assert found.examples, f"{name} has no example"
            assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(found).failed == 0
