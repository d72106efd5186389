"""PyTorch as a second opinion: values, first and second derivatives of every operation that both have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import Call, host, joined
from strategies import Example
from tinygrad_opt.core.kinds import Constant
from tinygrad_opt.testing.sources import RandomSource
from tinygrad_opt.testing.specs import SPECS

torch = pytest.importorskip("torch")
from counterparts import TORCH, WITHOUT  # noqa: E402 - it needs PyTorch

pytestmark = pytest.mark.oracle


def counterpart(name: str) -> Any:
    return TORCH.get(name) or getattr(torch, name, None)


@pytest.fixture(autouse=True, scope="module")
def loaded():
    """PyTorch loads a part of itself, which changes the warnings filters, at its first double backward of abs."""
    x = torch.ones(1, requires_grad=True)
    (gradient,) = torch.autograd.grad((torch.abs(x) ** 2).sum(), x, create_graph=True)
    torch.autograd.grad(gradient.sum(), x)


def test_every_operation_is_compared_or_excused():
    missing = [name for name in SPECS if name not in WITHOUT and counterpart(name) is None]
    assert not missing, "name a counterpart in TORCH, or the reason why there is none in WITHOUT"
    assert set(TORCH) | set(WITHOUT) <= set(SPECS)


def calls(name: str, tied: bool) -> list[Call]:
    examples = []
    for seed in range(16):
        sample = SPECS[name].sample(RandomSource(seed, tied=tied))
        same = ["float64"] * len(sample.args), ["C"] * len(sample.args)
        examples.append(Call(Example(SPECS[name], sample, *same, sample.inputs, "cpu", seed)))
    return examples


def as_torch(value: Any) -> Any:
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def compare(call: Call) -> None:
    """Value, gradient, and the Hessian of ``Σ c y + ½ Σ d y²`` times a vector."""
    theirs = [as_torch(x) for x in call.example.sample.args]
    wanted = [theirs[i].requires_grad_() for i in call.wanted]
    expected = counterpart(call.spec.name)(*theirs, **{k: as_torch(v) for k, v in call.example.sample.meta.items()})
    leaves = call.leaves()
    y = call(*leaves)
    assert y.shape == tuple(expected.shape)
    assert np.allclose(host(y), expected.detach().numpy(), rtol=1e-12, atol=1e-12, equal_nan=True)
    if isinstance(call.spec.recorded, Constant) or not np.isfinite(host(y)).all():
        return
    c, d = (call.dense(y.shape).astype(y.dtype) for _ in range(2))
    ws = [call.dense(x.shape) for x in leaves]
    scalar = (expected * (torch.from_numpy(c) + torch.from_numpy(d) * expected * 0.5)).sum()
    # For PyTorch, x ** 0 does not depend on x.
    scalar = scalar + sum(0.0 * torch.nan_to_num(x, 0.0, 0.0, 0.0).square().sum() for x in wanted)
    gradients = torch.autograd.grad(scalar, wanted, create_graph=True)
    along = sum((g * torch.from_numpy(w)).sum() for g, w in zip(gradients, ws, strict=True))
    products = [
        torch.zeros_like(x) if h is None else h
        for h, x in zip(torch.autograd.grad(along, wanted, allow_unused=True), wanted, strict=True)
    ]

    def function(*xs: Any) -> Any:
        out = call(*xs)
        return tg.sum(out * (c + d * out * 0.5))

    eps = 1e-10 if y.dtype == np.float64 else 1e-4
    found = tg.grad(function, argnums=range(len(leaves)))(*leaves)
    assert np.allclose(joined(found), joined(g.detach().numpy() for g in gradients), rtol=eps, atol=eps)
    found = tg.hvp(function, tuple(leaves), tuple(tg.tensor(w) for w in ws))
    assert np.allclose(joined(found), joined(h.numpy() for h in products), rtol=eps, atol=eps)


@pytest.mark.parametrize("name", [name for name in SPECS if name not in WITHOUT])
def test_operation(name):
    for call in calls(name, tied=False):
        compare(call)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.kinks])
def test_ties(name):
    for call in calls(name, tied=True):
        compare(call)
