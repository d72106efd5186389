"""Gradients cut tensor by tensor and unit by unit, and noise: where they are, on every device, as the papers say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn.utils import add_grad_noise_, clip_each_grad_norm_, clip_grad_adaptive_

ALL = [lambda p: add_grad_noise_(p, 0), lambda p: clip_each_grad_norm_(p, 0.5), clip_grad_adaptive_]
SHAPES = ((5, 3), (4, 2, 3, 3), (6,), (), (2, 1, 4))


def parameters(device: str = "cpu", dtype: str = "float32", scale: float = 1.0) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    made = [nn.Parameter(tg.tensor(rng.standard_normal(shape).astype(dtype), device=device)) for shape in SHAPES]
    for p in made:
        p.grad = tg.tensor((rng.standard_normal(p.shape) * scale).astype(dtype), device=device)
    return [*made, nn.Parameter(tg.ones(2, device=device)), nn.Parameter(tg.ones(0, device=device))]


def arrays(tensors: Any) -> list[np.ndarray]:
    return [t.detach().cpu().numpy().copy() for t in tensors if t is not None]


@pytest.mark.parametrize("norm_type", [1.0, 2.0, math.inf])
def test_each_gradient_is_cut_by_itself(norm_type: float, device: str) -> None:
    made = parameters(device)
    before = arrays(p.grad for p in made)
    norms = clip_each_grad_norm_(made, 1.5, norm_type)
    for after, g, norm in zip(arrays(p.grad for p in made), before, norms, strict=True):
        expected = np.linalg.norm(g.ravel(), norm_type)
        assert norm.item() == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(after, g * min(1, 1.5 / (expected + 1e-6)), rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_units_are_cut_to_a_share_of_their_weights(scale: float, device: str) -> None:
    made = parameters(device, scale=scale)
    with tg.no_grad():
        made[0].data[1] = 0.0  # a unit that is at zero may move
        made[0].grad.data[2] = 0.0
    before = arrays(p.grad for p in made)
    clip_grad_adaptive_(iter(made), 0.1, eps=0.01)
    for p, after, g in zip(made, arrays(p.grad for p in made), before, strict=False):
        w = p.detach().cpu().numpy()
        units = range(len(w)) if w.ndim > 1 else [...]
        for unit in units:
            limit = 0.1 * max(np.linalg.norm(w[unit].ravel()), 0.01)
            length = np.linalg.norm(g[unit].ravel())
            np.testing.assert_allclose(after[unit], g[unit] * (limit / length if length > limit else 1), rtol=2e-5)
    if scale < 1:
        for after, g in zip(arrays(p.grad for p in made), before, strict=True):
            assert (after == g).mean() > 0.5 or g.ndim == 0  # what is short stays as it is, bit for bit


def test_noise_has_the_variance_of_the_paper_and_no_mean(device: str) -> None:
    p = nn.Parameter(tg.zeros(40_000, device=device))
    for t, eta, gamma in ((0, 0.01, 0.55), (9, 1.0, 0.55), (99, 0.3, 1.0)):
        p.grad = tg.full((40_000,), 3.0, device=device)
        add_grad_noise_([p], t, eta, gamma)
        noise = p.grad.cpu().numpy() - 3.0
        variance = eta / (1 + t) ** gamma
        assert noise.var() == pytest.approx(variance, rel=0.04)  # the standard error is 0.7 %
        assert abs(noise.mean()) < 5 * math.sqrt(variance / 40_000)
        assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.03


def test_noise_comes_from_the_seed_of_the_package(device: str) -> None:
    results = []
    for seed in (0, 0, 1):
        made = parameters(device)
        tg.manual_seed(seed)
        add_grad_noise_(made, 0)
        add_grad_noise_(made, 1)
        results.append(np.concatenate([g.ravel() for g in arrays(p.grad for p in made)]))
    assert (results[0] == results[1]).all()
    assert (results[0] != results[2]).all()


@pytest.mark.parametrize("change", ALL)
def test_the_optimizer_s_vector_is_what_is_changed(change: Any, device: str) -> None:
    model = nn.Sequential(nn.Linear(2, 3, device=device), nn.Linear(3, 1, device=device))
    tg.optim.SGD(model.parameters(), lr=1.0)
    (model(tg.ones(4, 2, device=device)) * 100.0).sum().backward()
    memory, before = [p.grad.data for p in model.parameters()], arrays(p.grad for p in model.parameters())
    change(model.parameters())
    for p, m, g in zip(model.parameters(), memory, before, strict=True):
        assert p.grad.data is m
        assert (arrays([p.grad])[0] != g).any()


@pytest.mark.parametrize("change", ALL)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes_stay_and_large_gradients_do_not_overflow(change: Any, dtype: str, device: str) -> None:
    made = parameters(device, dtype, scale={"float16": 1e4, "float32": 1e30, "float64": 1e300}[dtype])
    change(made)
    for p in made[: len(SHAPES)]:
        assert p.grad.dtype == dtype
        assert np.isfinite(arrays([p.grad])[0]).all()
        assert (arrays([p.grad])[0] != 0).any()


@pytest.mark.parametrize("change", ALL)
def test_nothing_waits_for_the_device_and_a_later_use_of_the_gradient_is_noticed(change: Any) -> None:
    made = parameters("double:0")
    with strict_double.synchronizations() as waits:
        change(made)
    assert waits == []
    w = nn.Parameter(tg.ones(2))
    w.grad = tg.tensor([3.0, 4.0])
    loss = (w * w.grad).sum()
    change([w])
    with pytest.raises(tg.errors.InPlaceError):
        loss.backward()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda p: clip_each_grad_norm_(nn.Linear(2, 2), 1.0),
            TypeError,
            r"clip_each.*model.parameters\(\)",
        ),
        (lambda p: clip_each_grad_norm_(p, -1.0), ValueError, "max_norm must be a number of at least 0; got -1.0"),
        (lambda p: clip_each_grad_norm_(p, 1.0, 0), ValueError, "norm_type must be positive, or inf; got 0"),
        (lambda p: clip_grad_adaptive_(p, 0.0), ValueError, "eps must be above 0; got 0.0 and 0.001"),
        (lambda p: clip_grad_adaptive_(p, 0.1, eps=0), ValueError, "must be above 0"),
        (
            lambda p: clip_grad_adaptive_(p, "much"),
            ValueError,
            "clip_factor must be a number .*; got 'much'",
        ),
        (lambda p: clip_grad_adaptive_([3]), TypeError, "clip_grad_adaptive_: parameter 0 is no tensor; got 3"),
        (lambda p: add_grad_noise_(p, -1), ValueError, "add_grad_noise_: step must be a number of at least 0; got -1"),
        (lambda p: add_grad_noise_(p, 0, eta=math.nan), ValueError, "eta must be a number of at least 0; got nan"),
    ],
)
def test_mistakes_are_named_and_change_nothing(call: Any, error: type[Exception], message: str) -> None:
    made = parameters()
    before = arrays(p.grad for p in made)
    with pytest.raises(error, match=message):
        call(made)
    assert all((a == b).all() for a, b in zip(arrays(p.grad for p in made), before, strict=True))
