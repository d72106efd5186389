"""The schedules that tests run over, made from our library or from PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_opt as tg

RATES = (0.3, 0.02)


def optimizer(method: str = "SGD", rates: Any = RATES, library: Any = tg.optim, **options: Any) -> Any:
    """Two groups with rates of their own; `library` may be PyTorch's."""
    if library is tg.optim:
        leaves = [tg.zeros(2, requires_grad=True) for _ in rates]
    else:
        torch = pytest.importorskip("torch")
        leaves = [torch.zeros(2, requires_grad=True) for _ in rates]
    groups = [{"params": [leaf], "lr": lr} for leaf, lr in zip(leaves, rates, strict=True)]
    return getattr(library, method)(groups, lr=0.1, **options)


def settings(made: Any) -> list[float]:
    """What schedules move, of all groups."""
    momenta = [group["betas"][0] if "betas" in group else group["momentum"] for group in made.param_groups]
    return [group["lr"] for group in made.param_groups] + momenta


def course(made: Any, schedule: Any, steps: int) -> list[list[float]]:
    """The settings at step 0, 1, ..., with an update before each step as in training."""
    seen = [settings(made)]
    for _ in range(steps):
        made.step()
        schedule.step()
        seen.append(settings(made))
    return seen


def alternating(k: int) -> float:
    return 1.0 if k % 3 else 0.25


Make = Callable[[Any, Any], Any]
# Each as lambda library, optimizer: scheduler.
SCHEDULES: dict[str, Make] = {
    "step": lambda s, o: s.StepLR(o, 7, gamma=0.7),
    "step, defaults": lambda s, o: s.StepLR(o, 50),
    "milestones": lambda s, o: s.MultiStepLR(o, [1, 5, 6, 120], gamma=0.5),
    "constant": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=30),
    "constant, defaults": lambda s, o: s.ConstantLR(o),
    "linear": lambda s, o: s.LinearLR(o, start_factor=0.1, end_factor=0.8, total_iters=60),
    "linear, defaults": lambda s, o: s.LinearLR(o),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.97),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=150, power=1.7),
    "polynomial, defaults": lambda s, o: s.PolynomialLR(o),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, T_max=47, eta_min=0.003),
    "cosine to zero": lambda s, o: s.CosineAnnealingLR(o, T_max=220),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=13, eta_min=0.001),
    "longer restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, T_mult=2),
    "threefold restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=3),
    "function": lambda s, o: s.LambdaLR(o, alternating),
    "functions": lambda s, o: s.LambdaLR(o, [lambda k: 0.95**k, lambda k: 1 / (1 + k)]),
    "one cycle": lambda s, o: s.OneCycleLR(o, max_lr=1.5, total_steps=200),
    "one cycle, linear": lambda s, o: s.OneCycleLR(
        o, [1.0, 2.0], epochs=20, steps_per_epoch=11, anneal_strategy="linear", pct_start=0.45, div_factor=5.0,
        final_div_factor=10.0, base_momentum=0.6, max_momentum=0.99,
    ),
    "one cycle, three phases": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=201, three_phase=True, pct_start=0.21),
    "one cycle, momentum alone": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=200, cycle_momentum=False),
    "triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.5, step_size_up=9),
    "skew triangles": lambda s, o: s.CyclicLR(o, [0.01, 0.1], [0.5, 0.2], 4, 13, mode="triangular2"),
    "shrinking triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 10, mode="exp_range", gamma=0.99, base_momentum=0.5),
    "scaled triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 10, scale_fn=lambda x: 1 / (5.0 ** (x * 0.01))),
    "scaled by steps": lambda s, o: s.CyclicLR(
        o, 0.01, 0.5, 10, scale_fn=lambda k: 0.9**k, scale_mode="iterations", cycle_momentum=False
    ),
    "sequence": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 90), s.StepLR(o, 20)], milestones=[10, 100]
    ),
    "sequence of functions": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, total_iters=99), s.LambdaLR(o, lambda k: 0.9**k)], milestones=[7]
    ),
    "chain": lambda s, o: s.ChainedScheduler([s.LinearLR(o, 0.2, total_iters=20), s.ExponentialLR(o, 0.98)]),
    "chain of three": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.5, 10), s.CosineAnnealingLR(o, 250), s.MultiStepLR(o, [30, 60])]
    ),
    "function in a chain": lambda s, o: s.ChainedScheduler([s.LambdaLR(o, lambda k: 0.9**k), s.StepLR(o, 1000)]),
}  # fmt: skip
every = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
