"""The published table of conventions at singular points says what the package does."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import ROUTES, host
from tinygrad_opt.testing import conventions
from tinygrad_opt.testing.conventions import CONVENTIONS


@pytest.fixture(params=CONVENTIONS, ids=lambda c: f"{c.function} at {c.point}")
def convention(request):
    return request.param


def point(convention, device, dtype):
    return tuple(tg.tensor(np.array(x), dtype=dtype, device=device) for x in convention.args)


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert np.allclose(host(a), b, rtol=1e-6, atol=0, equal_nan=True), (a, b)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(autouse=True)
def quiet():
    """NumPy warns at singular points, as it should."""
    with np.errstate(all="ignore"):
        yield


def test_value_and_gradient(convention, device, dtype):
    xs = point(convention, device, dtype)
    y, pullback = tg.vjp(convention.call, *xs)
    assert_same([y], [convention.value])
    assert_same(pullback(tg.ones_like(y)), convention.gradients)


def test_forward_mode(convention, device, dtype):
    """Each argument moved alone: the sum of what the output does is the gradient along ones."""
    for i, x in enumerate(xs := point(convention, device, dtype)):
        tangents = tuple(tg.ones_like(other) if other is x else tg.zeros_like(other) for other in xs)
        _, pushed = tg.jvp(convention.call, xs, tangents)
        expected = np.sum(convention.gradients[i])
        if np.isfinite(expected):  # an infinite slope times the zero tangent of the other argument is nan
            assert np.allclose(host(pushed).sum(), expected, rtol=1e-6)


@pytest.mark.parametrize("route", ROUTES)
def test_second_derivative(convention, device, dtype, route):
    xs = point(convention, device, dtype)
    product = tg.hvp(lambda *args: convention.call(*args).sum(), xs, tuple(tg.ones_like(x) for x in xs), mode=route)
    assert_same(product, convention.curvatures)


def test_markdown():
    lines = conventions.markdown().splitlines()
    assert len(lines) == len(CONVENTIONS) + 2
    assert {line.count(" | ") for line in lines} == {5, 0}


def test_nan_comes_through_logsumexp_and_its_gradient() -> None:
    for values in ([np.nan, 0.0], [np.nan, -np.inf], [-np.inf, np.nan]):
        x = tg.tensor(values)
        assert np.isnan(tg.logsumexp(x).item())
        assert np.isnan(tg.grad(tg.logsumexp)(x).numpy()).all()


def test_float16_counts_beyond_its_range() -> None:
    many, dtype = 100_000, tg.float16
    for function in (tg.mean, tg.max, lambda x: tg.softmax(x)[0] + 0 * x.mean()):
        assert np.isfinite(function(tg.ones(many, dtype=dtype)).item())
    assert tg.softmax(tg.zeros(many, dtype=dtype))[0].item() == pytest.approx(1e-5, rel=0.01)
    for function in (tg.mean, tg.max):
        gradient = tg.grad(function)(tg.ones(many, dtype=dtype)).numpy()
        np.testing.assert_allclose(gradient, 1e-5, rtol=0.01)
    labels = np.zeros(many, dtype=int)
    loss, gradient = tg.value_and_grad(lambda x: tg.softmax_cross_entropy(x, labels))(tg.zeros(many, 2, dtype=dtype))
    assert loss.item() == pytest.approx(np.log(2), rel=1e-3)
    np.testing.assert_allclose(gradient.numpy()[:, 1], 0.5e-5, rtol=0.02)
    assert tg.normalize(tg.tensor([[-300.0], [300.0]], dtype=dtype), axis=0).tolist() == [[-1.0], [1.0]]
