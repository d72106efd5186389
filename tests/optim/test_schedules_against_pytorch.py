"""Schedules step by step beside PyTorch's."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from schedules import SCHEDULES, Make, course, every, optimizer, settings
from tinygrad_opt.optim import lr_scheduler as ours

torch = pytest.importorskip("torch")
pytest.importorskip("sympy")  # PyTorch imports it in the middle of a step, and it changes the warnings filters

pytestmark = pytest.mark.oracle


@pytest.mark.parametrize("method", ["SGD", "Adam"])
@every
def test_every_step_is_pytorch_s(make: Make, method: str) -> None:
    options = {"momentum": 0.9} if method == "SGD" else {}
    mine, its = optimizer(method, **options), optimizer(method, library=torch.optim, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch's SequentialLR uses what PyTorch has deprecated
        expected = course(its, make(torch.optim.lr_scheduler, its), 199)
    schedule = make(ours, mine)
    np.testing.assert_allclose(course(mine, schedule, 199), expected, rtol=1e-9, atol=1e-14)
    assert schedule.last_epoch == 199
    assert schedule.get_last_lr() == [group["lr"] for group in mine.param_groups]


@pytest.mark.parametrize("options", [
    {}, {"patience": 2, "cooldown": 3}, {"factor": 0.5, "patience": 0, "min_lr": [0.01, 0.005]}, {"mode": "max"},
    {"threshold": 0.05, "threshold_mode": "abs", "patience": 1}, {"mode": "max", "threshold": 0.3, "patience": 3},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.2, "patience": 1}, {"eps": 0.01, "patience": 0},
], ids=str)  # fmt: skip
def test_plateaus_are_pytorch_s(options: dict[str, Any]) -> None:
    mine, its = optimizer(), optimizer(library=torch.optim)
    one, other = ours.ReduceLROnPlateau(mine, **options), torch.optim.lr_scheduler.ReduceLROnPlateau(its, **options)
    rng = np.random.default_rng(0)
    changes = set()
    for k in range(200):
        number = 3 / (1 + k // 20) + 0.3 * rng.standard_normal() if k % 50 != 7 else math.nan
        one.step(tg.tensor(number, dtype=tg.float64) if k % 2 else number)
        other.step(number)
        assert settings(mine) == pytest.approx(settings(its), rel=1e-12)
        state = other.state_dict()
        assert (one.best, one.num_bad_epochs, one.cooldown_counter, one.last_epoch) == (
            state["best"], state["num_bad_epochs"], state["cooldown_counter"], state["last_epoch"],
        )  # fmt: skip
        changes.add(mine.param_groups[0]["lr"])
    assert len(changes) > 1


@pytest.mark.parametrize(
    "name",
    [
        "step", "exponential", "polynomial", "linear", "milestones", "cosine", "function", "restarts", "one cycle",
        "triangles",
    ],
)  # fmt: skip
def test_a_rate_that_is_set_by_hand_is_where_the_schedule_goes_on_as_in_pytorch(name: str) -> None:
    courses = []
    for library, schedulers in ((tg.optim, ours), (torch.optim, torch.optim.lr_scheduler)):
        made = optimizer(library=library, momentum=0.9)
        schedule = SCHEDULES[name](schedulers, made)
        seen = course(made, schedule, 20)
        made.param_groups[0]["lr"] = 0.07
        courses.append(seen + course(made, schedule, 26))
    np.testing.assert_allclose(*courses, rtol=1e-9, atol=1e-14)


def test_schedules_that_are_stepped_side_by_side_multiply_as_in_pytorch() -> None:
    courses = []
    for library, schedulers in ((tg.optim, ours), (torch.optim, torch.optim.lr_scheduler)):
        made = optimizer(library=library)
        both = [schedulers.LinearLR(made, 0.1, total_iters=8), schedulers.ExponentialLR(made, 0.95)]
        seen = []
        for _ in range(100):
            made.step()
            for schedule in both:
                schedule.step()
            seen.append(settings(made))
        courses.append(seen)
    np.testing.assert_allclose(*courses, rtol=1e-9)
