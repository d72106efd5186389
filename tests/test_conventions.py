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
