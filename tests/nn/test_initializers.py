"""Initializers by their distributions: spread from fans, truncation, structure, measurement; names, and refusals.

What all of them promise (in place, dtype kept, one seed for all devices) is in test_init.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn import init

Array = Any
Fill = Callable[..., tg.Tensor]


def host(x: tg.Tensor) -> Array:
    return x.detach().cpu().numpy()


def drawn(fill: Fill, *shape: int, **options: Any) -> Array:
    tg.manual_seed(3)
    return host(fill(tg.zeros(shape, dtype=tg.float64), **options))


def assert_distributed(values: Array, cumulative: Callable[[Array], Array]) -> None:
    """Kolmogorov and Smirnov's distance is that of so many draws (the bound is passed once in 10¹⁴ times)."""
    values = np.sort(values.ravel())
    ranks = (np.arange(values.size) + 0.5) / values.size
    assert np.abs(cumulative(values) - ranks).max() * math.sqrt(values.size) < 4


def normal_up_to(x: Array, std: float = 1.0) -> Array:
    return np.vectorize(lambda v: 0.5 * math.erfc(-v / (std * math.sqrt(2))))(x)


# Spread from fans. Each rule with its standard deviation for a weight of shape (n, m, k, k).

N, M, K = 40, 20, 5
FAN_IN, FAN_OUT = M * K * K, N * K * K
BOTH = math.sqrt(2 / (FAN_IN + FAN_OUT))
RULES: list[tuple[Fill, dict[str, Any], float]] = [
    (init.fan_in_uniform_, {}, 1 / math.sqrt(3 * FAN_IN)),
    (init.lecun_uniform_, {}, 1 / math.sqrt(FAN_IN)),
    (init.lecun_normal_, {}, 1 / math.sqrt(FAN_IN)),
    (init.xavier_uniform_, {}, BOTH),
    (init.xavier_normal_, {"gain": 3.0}, 3 * BOTH),
    (init.xavier_uniform_, {"groups": 4}, math.sqrt(2 / (FAN_IN + FAN_OUT / 4))),
    (init.kaiming_uniform_, {}, math.sqrt(2 / FAN_IN)),
    (init.kaiming_normal_, {}, math.sqrt(2 / FAN_IN)),
    (init.kaiming_normal_, {"mode": "fan_out"}, math.sqrt(2 / FAN_OUT)),
    (init.kaiming_normal_, {"mode": "fan_out", "groups": 2}, math.sqrt(4 / FAN_OUT)),
    (init.kaiming_uniform_, {"a": 2.0}, math.sqrt(0.4 / FAN_IN)),
    (init.kaiming_uniform_, {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(FAN_IN)),
    (init.activation_uniform_, {"activation": "logistic"}, BOTH),
    (init.activation_uniform_, {"activation": "tanh"}, 4 * BOTH),
    (init.activation_normal_, {"activation": "tanh", "gain": 0.5}, 2 * BOTH),
    (init.activation_normal_, {"activation": "relu"}, math.sqrt(2) * BOTH),
    (init.activation_uniform_, {"activation": "leaky_relu"}, math.sqrt(2) * BOTH),
    (init.activation_uniform_, {"activation": "sigmoid", "table": "glorot"}, 4 * BOTH),
    (init.activation_normal_, {"activation": "tanh", "table": "glorot"}, BOTH),
    (init.activation_normal_, {"activation": "gelu", "table": "glorot"}, math.sqrt(2) * BOTH),
]


@pytest.mark.parametrize(("fill", "options", "std"), RULES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_spread_comes_from_the_fans(fill: Fill, options: dict[str, Any], std: float) -> None:
    values = drawn(fill, N, M, K, K, **options)
    if "uniform" in fill.__name__:
        bound = math.sqrt(3) * std
        assert np.abs(values).max() <= bound
        assert_distributed(values, lambda x: (x + bound) / (2 * bound))
    else:
        assert_distributed(values, functools.partial(normal_up_to, std=std))
    assert values.std() == pytest.approx(std, rel=0.03)
    assert np.abs(np.corrcoef(values.reshape(N, -1))[0, 1:]).max() < 0.2, "rows are drawn one by one"


@pytest.mark.oracle
def test_bounds_and_gains_are_pytorch_s() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init
    names = ["linear", "conv2d", "conv_transpose1d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
    assert [init.calculate_gain(name) for name in names] == [theirs.calculate_gain(name) for name in names]
    assert init.calculate_gain("leaky_relu", 0.3) == theirs.calculate_gain("leaky_relu", 0.3)
    for name, options in (
        ("xavier_uniform_", {"gain": 2.0}), ("kaiming_uniform_", {"a": 0.5, "mode": "fan_out"}),
        ("kaiming_uniform_", {"nonlinearity": "relu"}),
    ):  # fmt: skip
        largest = [abs(drawn(getattr(init, name), 50, 60, 5, **options)).max()]
        torch.manual_seed(0)
        largest.append(getattr(theirs, name)(torch.zeros(50, 60, 5), **options).abs().max().item())
        assert largest[0] == pytest.approx(largest[1], rel=1e-3)
    for shape, groups in (((4, 2, 3), 2), ((6, 2, 3, 4), 1), ((2, 5, 1, 2, 3), 1), ((6, 1, 3), 3)):
        expected = theirs.dirac_(torch.ones(shape), groups).numpy()
        np.testing.assert_array_equal(host(init.dirac_(tg.ones(shape), groups)), expected)


# Normal numbers, cut off or not.


def test_normal() -> None:
    values = drawn(init.normal_, 300, 300, mean=2.0, std=0.5)
    assert_distributed(values - 2.0, functools.partial(normal_up_to, std=0.5))


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0.0, 1.0, -2.0, 2.0), (0.0, 0.02, -0.04, 0.04), (1.0, 2.0, -0.5, 0.5), (0.0, 1.0, 3.0, 3.2),
        (0.0, 1.0, 4.0, math.inf), (0.0, 1.0, -math.inf, -4.0), (-2.0, 0.5, 1.0, 9.0), (0.0, 1.0, -0.1, 8.0),
        (0.0, 1.0, -math.inf, math.inf), (0.0, 1.0, 30.0, 30.1), (0.0, 1.0, 30.0, math.inf),
    ],
)  # fmt: skip
def test_truncated_normal_is_the_normal_distribution_between_the_bounds(
    mean: float, std: float, a: float, b: float
) -> None:
    values = drawn(init.trunc_normal_, 200, 200, mean=mean, std=std, a=a, b=b)
    assert a <= values.min()
    assert values.max() <= b
    # Of the two tails the one in which the interval lies, so that no digits are lost.
    sign = 1 if a < mean else -1
    low, high, x = (sign * (np.asarray(v) - mean) / std for v in (a, b, values))
    low, high = (low, high) if sign > 0 else (high, low)
    inside = normal_up_to(high) - normal_up_to(low)
    ours = np.sort(x.ravel())
    assert_distributed(ours, lambda v: (normal_up_to(v) - normal_up_to(low)) / inside)


@pytest.mark.oracle
def test_truncated_normal_means_what_pytorch_means() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for options in ({}, {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 3.0}):
        theirs = np.sort(torch.nn.init.trunc_normal_(torch.zeros(100_000), **options).numpy())
        ours = np.sort(drawn(init.trunc_normal_, 100_000, **options))
        assert abs(ours.mean() - theirs.mean()) < 0.02
        assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
        assert np.abs(ours - theirs)[1000:-1000].max() < 0.05


def test_truncation_ends_however_far_out() -> None:
    for a, b in ((1e9, math.inf), (1e200, math.inf), (-1e200, -1e199), (1e8, 1e8 + 1), (0.5, 0.5), (-math.inf, -1e300)):
        values = drawn(init.trunc_normal_, 100, a=a, b=b)
        assert a <= values.min() <= values.max() <= b
    with pytest.raises(ValueError, match="trunc_normal_: a must be a number not above b; got a=inf, b=inf"):
        init.trunc_normal_(tg.zeros(3), a=math.inf, b=math.inf)


# Structure.


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 2, 3), (6, 2, 1, 2), (1, 5), (5, 1), (0, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    w = drawn(init.orthogonal_, *shape, gain=2.0).reshape(shape[0], math.prod(shape[1:])) / 2
    rows, columns = w.shape
    product = w @ w.T if rows <= columns else w.T @ w
    np.testing.assert_allclose(product, np.eye(min(w.shape)), atol=1e-13)


def test_orthogonal_matrices_are_equally_likely() -> None:
    """Turned by a fixed rotation, from either side, they are distributed as before."""
    tg.manual_seed(5)
    some = np.stack([host(init.orthogonal_(tg.zeros(3, 3, dtype=tg.float64))) for _ in range(4000)])
    fixed = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    for turned in (some, fixed @ some, some @ fixed):
        # A coordinate of a point that is uniform on the sphere of three dimensions is uniform in [-1, 1] (Archimedes).
        for i, j in ((0, 0), (1, 2), (2, 2)):
            assert_distributed(turned[:, i, j], lambda x: (x + 1) / 2)
    assert abs((np.linalg.det(some) > 0).mean() - 0.5) < 0.05
    assert np.trace(some, axis1=1, axis2=2).mean() == pytest.approx(0, abs=0.1)


def test_sparse_with_a_number_of_connections() -> None:
    w = drawn(init.sparse_, 200, 100)
    assert ((w != 0).sum(1) == 15).all()
    assert_distributed(w[w != 0], normal_up_to)
    counts = (w != 0).sum(0)  # each input about as often as the others: 30 times, ± √25.5
    assert 10 < counts.min() <= counts.max() < 52
    assert ((drawn(init.sparse_, 7, 5) != 0).sum(1) == 5).all()
    assert ((drawn(init.sparse_, 7, 9, connections=2, std=3.0) != 0).sum(1) == 2).all()


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.1, 2), (0.5, 10), (0.51, 11), (1.0, 20)])
def test_sparse_with_a_share_of_zeros_in_each_column(sparsity: float, zeros: int) -> None:
    w = drawn(init.sparse_, 20, 300, sparsity=sparsity)
    assert ((w == 0).sum(0) == zeros).all()
    if sparsity < 1:
        assert w[w != 0].std() == pytest.approx(0.01, rel=0.1)
        assert np.ptp((w == 0).mean(1)) < 0.2


def test_unit_matrices_let_inputs_through() -> None:
    x = tg.tensor(np.arange(12.0).reshape(2, 6))
    for n, expected in ((4, host(x)[:, :4]), (8, np.pad(host(x), ((0, 0), (0, 2))))):
        np.testing.assert_array_equal(host(x @ init.eye_(tg.zeros(n, 6, dtype=tg.float64)).T), expected)
    images = tg.tensor(np.random.default_rng(0).standard_normal((2, 4, 5, 6)))
    for groups in (1, 2):
        weight = init.dirac_(tg.zeros(4, 4 // groups, 3, 3, dtype=tg.float64), groups)
        np.testing.assert_array_equal(host(tg.conv2d(images, weight, padding=1, groups=groups)), host(images))


# Measurement.


class Net(nn.Module):
    """Layers that are assigned in another order than they are used, one of them twice, one never."""

    def __init__(self) -> None:
        self.last = nn.Linear(30, 5)
        self.unused = nn.Linear(4, 4)
        self.first = nn.Linear(8, 30)
        self.norm = nn.BatchNorm1d(30)
        self.parts = [nn.Linear(30, 30)]

    def forward(self, x: tg.Tensor, scale: Any = 1.0) -> tg.Tensor:
        h = tg.tanh(self.norm(self.first(x * scale)))
        for _ in range(2):
            h = tg.relu(self.parts[0](h))
        return self.last(h)


def outputs(model: nn.Module, x: tg.Tensor) -> dict[str, float]:
    """The variances of the outputs of the layers of a Net at their first use."""
    h = model.first(x)
    found = {"first": h}
    h = tg.tanh(model.norm(h))
    found["parts.0"] = model.parts[0](h)
    h = tg.relu(model.parts[0](tg.relu(found["parts.0"])))
    found["last"] = model.last(h)
    return {name: float(host(y).var()) for name, y in found.items()}


def test_lsuv_gives_every_layer_unit_variance(device: str) -> None:
    tg.manual_seed(0)
    model = Net().to(device)
    untouched = host(model.unused.weight).copy()
    before = {name: host(value).copy() for name, value in model.norm.state_dict().items()}
    model.norm.eval()
    x = tg.randn(200, 8, device=device) * 7
    assert init.lsuv_(model, x, tolerance=0.01) is model
    assert [model.training, model.norm.training, model.first.training] == [True, False, True]
    assert "forward" not in vars(model.first)
    for name, value in model.norm.state_dict().items():
        np.testing.assert_array_equal(host(value), before[name])
    np.testing.assert_array_equal(host(model.unused.weight), untouched)
    model.eval()
    for variance in outputs(model, x).values():
        assert variance == pytest.approx(1, abs=0.011)
    w = host(model.first.weight).astype("float64")
    scaled = w.T @ w
    np.testing.assert_allclose(scaled / scaled[0, 0], np.eye(8), atol=1e-5)
    assert not host(model.first.bias).any()
    assert all(p.grad is None and p.is_leaf for p in model.parameters())


def test_lsuv_stops_after_so_many_rounds_and_takes_several_inputs() -> None:
    tg.manual_seed(0)
    model, x = Net(), tg.randn(50, 8)
    init.lsuv_(model, (x, 3.0))
    model.eval()
    assert outputs(model, x * 3.0)["first"] == pytest.approx(1, abs=0.1)
    one = nn.Sequential(nn.Linear(8, 8))
    init.lsuv_(one, x, tolerance=0.0, max_iterations=2)  # never reached, and yet it ends
    assert float(host(one(x)).var()) == pytest.approx(1, rel=1e-4)


class Convolution(nn.Module):
    def __init__(self, weight: nn.Parameter) -> None:
        self.weight = weight

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return tg.conv2d(x, self.weight, padding=1)


def test_lsuv_takes_layers_of_one_s_own_and_shared_weights() -> None:
    tg.manual_seed(0)
    shared = nn.Parameter(tg.zeros(4, 4, 3, 3))
    model = nn.Sequential(Convolution(shared), nn.ReLU(), Convolution(shared))
    x = tg.randn(3, 4, 8, 8) * 9
    init.lsuv_(model, x)
    assert float(host(model[0](x)).var()) == pytest.approx(1, abs=0.1)
    rows = host(shared).astype("float64").reshape(4, -1)
    product = rows @ rows.T
    np.testing.assert_allclose(product / product[0, 0], np.eye(4), atol=1e-5)


def test_lsuv_says_why_it_cannot() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    model[0].eval()
    with pytest.raises(ValueError, match=r"lsuv_: the outputs of '0' have the variance 0, which no scale makes 1"):
        init.lsuv_(model, tg.zeros(5, 3))
    assert [module.training for module in model] == [False, True, True]
    assert "forward" not in vars(model[0])
    for bad in ({"tolerance": -1.0}, {"max_iterations": 0}, {"max_iterations": 1.5}):
        with pytest.raises(ValueError, match=r"lsuv_: (tolerance|max_iterations) must"):
            init.lsuv_(model, tg.ones(5, 3), **bad)
    with pytest.raises(TypeError, match=r"lsuv_: expected a module; got function"):
        init.lsuv_(normal_up_to, tg.ones(5, 3))


# In place, and the same everywhere.

ALL: list[tuple[Fill, dict[str, Any]]] = [
    (init.constant_, {"val": 0.5}), (init.normal_, {}), (init.trunc_normal_, {}), (init.orthogonal_, {}),
    (init.sparse_, {"connections": 2}), (init.eye_, {}), *((fill, options) for fill, options, _ in RULES),
]  # fmt: skip


@pytest.mark.parametrize(("fill", "options"), ALL, ids=lambda x: getattr(x, "__name__", str(x)))
def test_they_write_in_place_the_same_on_every_device(fill: Fill, options: dict[str, Any], device: str) -> None:
    options = {key: value for key, value in options.items() if key != "groups"}
    found = []
    for place, dtype in (("cpu", tg.float64), (device, tg.float64), (device, tg.float16)):
        tg.manual_seed(1)
        p = nn.Parameter(tg.full((3, 4), 7.0, dtype=dtype, device=place))
        memory = p.data
        assert fill(p, **options) is p
        assert p.data is memory
        assert (p.dtype, p.device, p.requires_grad) == (dtype, place, True)
        found.append(host(p))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0].astype("float16"), found[2])


def test_layers_without_inputs_or_elements_start_too() -> None:
    for fill in (init.kaiming_normal_, init.xavier_uniform_, init.lecun_normal_, init.trunc_normal_, init.sparse_):
        for shape in ((0, 3), (3, 0)):
            assert fill(tg.zeros(shape)).shape == shape
    assert init.normal_(tg.zeros(())).shape == ()


# Names.


def test_layers_take_names_functions_and_numbers() -> None:
    he = functools.partial(init.kaiming_normal_, nonlinearity="tanh")
    for how, said in (
        ("kaiming_normal_", "kaiming_normal_"),
        ("orthogonal", "orthogonal"),
        (init.xavier_uniform_, "xavier_uniform_"),
        (he, "kaiming_normal_(nonlinearity='tanh')"),
        (functools.partial(init.sparse_, connections=3), "sparse_(connections=3)"),
        (functools.partial(init.trunc_normal_, std=0.5, b=1), "trunc_normal_(std=0.5, b=1)"),
        (lambda t: init.normal_(t, std=0.1), "custom"),
        (0.25, "0.25"),
    ):
        layer = nn.Linear(4, 3, init=how, bias_init=0.1)
        assert repr(layer).startswith(f"Linear(4, 3, init={said})")
        np.testing.assert_allclose(host(layer.bias), 0.1)
    tg.manual_seed(0)
    assert host(nn.Linear(400, 300, init=he).weight).std() == pytest.approx(5 / 3 / 20, rel=0.02)


def test_every_initializer_is_known_by_name_or_told_how() -> None:
    names = {name for name in init.__all__ if name.endswith("_") and name != "lsuv_"}
    needy = {"constant_", "activation_normal_", "activation_uniform_"}
    for name in names - needy:
        assert init.resolve("Layer", name) is init.resolve("Layer", name[:-1]) is getattr(init, name)
    for name in needy:
        with pytest.raises(ValueError, match=rf"Linear: init='{name}' needs more.*partial\(nn.init.{name}, "):
            nn.Linear(2, 2, init=name)
    for bad in ("he", "lsuv_", "calculate_gain", "begin", "", None, True, ["normal_"], np.ones(2), tg.ones(2)):
        for argument in ("init", "bias_init"):
            with pytest.raises(ValueError, match=r"Linear: init must be a function, a number, or one of dirac_, eye_"):
                nn.Linear(2, 2, **{argument: bad})
    with pytest.raises(ValueError, match="Linear: init must be a finite number; got nan"):
        nn.Linear(2, 2, init=math.nan)


# Refusals.


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda w: init.normal_(w, std=-1.0), ValueError, "normal_: std must not be below 0; got -1.0"),
        (lambda w: init.normal_(w, mean=math.nan), ValueError, "normal_: mean must be a finite number; got nan"),
        (lambda w: init.normal_(w, "a"), ValueError, "normal_: mean must be a finite number; got 'a'"),
        (lambda w: init.uniform_(w, 2, 1), ValueError, "uniform_: a must not be above b; got a=2, b=1"),
        (lambda w: init.uniform_(w, 0, math.inf), ValueError, "uniform_: b must be a finite number; got inf"),
        (lambda w: init.trunc_normal_(w, a=2.0, b=1.0), ValueError, "trunc_normal_: a must be a number not above b"),
        (lambda w: init.trunc_normal_(w, std=0.0, a=1.0), ValueError, r"at mean=0, which is outside \[1, 2\]"),
        (lambda w: init.constant_(w, None), ValueError, "constant_: val must be a finite number; got None"),
        (lambda w: init.xavier_uniform_(w, gain=-1), ValueError, "xavier_uniform_: gain must not be below 0"),
        (lambda w: init.kaiming_normal_(w, mode="fan"), ValueError, "mode must be 'fan_in' or 'fan_out'; got 'fan'"),
        (lambda w: init.kaiming_normal_(w, nonlinearity="gelu"), ValueError, "unknown nonlinearity 'gelu'; known: "),
        (lambda w: init.kaiming_normal_(w, groups=2), ValueError, "groups must divide the number of outputs, 3; got 2"),
        (lambda w: init.activation_uniform_(w, "sine"), ValueError, "unknown activation 'sine'; known: logistic"),
        (lambda w: init.activation_normal_(w, np.ones(2)), ValueError, "activation_normal_: unknown activation array"),
        (
            lambda w: init.activation_normal_(w[0], "tanh"),
            ValueError,
            r"activation_normal_: shape \(4,\) does not tell",
        ),
        (lambda w: init.calculate_gain(np.ones(2)), ValueError, "calculate_gain: unknown nonlinearity array"),
        (lambda w: init.activation_uniform_(w, "tanh", table="he"), ValueError, "table must be 'course' or 'glorot'"),
        (lambda w: init.sparse_(w, 1.5), ValueError, "sparse_: sparsity is a share, from 0 to 1; got 1.5"),
        (lambda w: init.sparse_(w, connections=-1), ValueError, "connections must be a number of inputs; got -1"),
        (lambda w: init.dirac_(w), ValueError, r"dirac_: expected the weight of a convolution, 3 to 5 axes.*\(3, 4\)"),
        (lambda w: init.dirac_(tg.zeros(3, 1, 1), 2), ValueError, "dirac_: groups must divide .* 3; got 2"),
        (lambda w: init.eye_(tg.zeros(2, 2, 2)), ValueError, "eye_: expected a matrix.*For convolutions: dirac_"),
        (lambda w: init.sparse_(w[0]), ValueError, r"sparse_: expected a matrix; got shape \(4,\)"),
        (lambda w: init.orthogonal_(w[0]), ValueError, r"orthogonal_: expected a matrix, or more axes; got shape \(4,"),
        (
            lambda w: init.lecun_normal_(w[0]),
            ValueError,
            r"shape \(4,\) does not tell the number of inputs.*For a bias",
        ),
        (lambda w: init.normal_(host(w)), TypeError, "normal_: expected a tensor, to write into; got ndarray"),
        (lambda w: init.zeros_(3), TypeError, "zeros_: expected a tensor, to write into; got int"),
        (lambda w: init.normal_(tg.zeros(2, dtype=tg.int64)), TypeError, "expected a floating tensor; got int64"),
    ],
)
def test_bad_arguments_are_refused(call: Callable[[Any], Any], kind: type[Exception], said: str) -> None:
    w = tg.full((3, 4), 7.0)
    with pytest.raises(kind, match=said):
        call(w)
    assert (host(w) == 7).all()
