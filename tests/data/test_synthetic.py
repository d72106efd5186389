"""Moons and spirals: on their formula where there is no noise, repeatable where there is."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_opt as tg

MAKERS = [tg.data.moons, tg.data.spirals]


@pytest.mark.parametrize("make", MAKERS)
def test_shapes_dtypes_and_devices(make, device):
    points, labels = make(11, seed=0, device=device)
    assert (points.shape, points.dtype, labels.shape, labels.dtype) == ((11, 2), tg.float32, (11,), tg.int64)
    assert points.device == labels.device == device
    assert labels.tolist() == [0] * 5 + [1] * 6
    assert points.tolist() == make(11, seed=0)[0].tolist()


def test_moons_without_noise_are_half_circles():
    points, labels = tg.data.moons(100, noise=0.0)
    x, y = points.numpy().astype(np.float64).T
    upper = labels.numpy() == 0
    np.testing.assert_allclose(x[upper] ** 2 + y[upper] ** 2, 1, rtol=1e-6)
    np.testing.assert_allclose((1 - x[~upper]) ** 2 + (0.5 - y[~upper]) ** 2, 1, rtol=1e-6)
    assert y[upper].min() > -1e-6
    assert y[~upper].max() < 0.5 + 1e-6


def test_spirals_without_noise_lie_on_their_arms():
    points, labels = tg.data.spirals(90, noise=0.0, arms=3, turns=1.5)
    x, y = points.numpy().astype(np.float64).T
    r = np.hypot(x, y)
    np.testing.assert_allclose(r, np.tile(np.arange(1, 31) / 30, 3), rtol=1e-6)
    turned = np.arctan2(y, x) - 2 * math.pi * (1.5 * r + labels.numpy() / 3)
    np.testing.assert_allclose(np.cos(turned), 1, atol=1e-10)


@pytest.mark.parametrize("make", MAKERS)
def test_noise_is_normal_with_the_given_deviation(make):
    clean = make(4000, noise=0.0)[0].numpy()
    difference = make(4000, noise=0.3, seed=1)[0].numpy() - clean
    assert difference.std() == pytest.approx(0.3, rel=0.05)
    assert abs(difference.mean()) < 0.02


@pytest.mark.parametrize("make", MAKERS)
def test_seeds(make):
    def points(seed: int | None) -> list:
        return make(20, seed=seed)[0].tolist()

    assert points(1) == points(1) != points(2)
    tg.manual_seed(4)
    drawn = points(None)
    assert drawn != points(None)
    tg.manual_seed(4)
    assert drawn == points(None)


@pytest.mark.parametrize("make", MAKERS)
def test_arguments_that_are_refused(make):
    with pytest.raises(ValueError, match="n must be at least 2; got 1"):
        make(1)
    with pytest.raises(TypeError, match="n must be a whole number"):
        make(10.0)
    for noise in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="noise is a standard deviation"):
            make(10, noise=noise)
    with pytest.raises(ValueError, match="seed must be at least 0"):
        make(10, seed=-1)
    with pytest.raises(ValueError, match="arms must be at least 1"):
        tg.data.spirals(10, arms=0)
