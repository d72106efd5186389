"""Schedules drawn, looked at as Matplotlib's own data."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_opt as tg
from schedules import RATES, optimizer
from tinygrad_opt.optim import lr_scheduler
from tinygrad_opt.viz import schedule

pytest.importorskip("matplotlib")


def curves(figure: Any) -> dict[str, tuple[list[float], list[float]]]:
    (axes,) = figure.axes
    return {line.get_label(): tuple(map(list, line.get_data())) for line in axes.get_lines()}


def test_a_curve_for_each_schedule_and_no_schedule_is_moved() -> None:
    made = optimizer(rates=(1.0,))
    step, cosine = lr_scheduler.StepLR(made, 2, gamma=0.5), lr_scheduler.CosineAnnealingLR(made, 4)
    figure = schedule([step, cosine], 5, title="two")
    drawn = curves(figure)
    assert drawn["StepLR"] == ([0, 1, 2, 3, 4], [1.0, 1.0, 0.5, 0.5, 0.25])
    assert drawn["CosineAnnealingLR"][1] == pytest.approx([1.0, 0.853553, 0.5, 0.146447, 0.0], abs=1e-6)
    assert (step.last_epoch, made.param_groups[0]["lr"]) == (0, 1.0)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel(), figure.get_suptitle()) == ("step", "learning rate", "two")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["StepLR", "CosineAnnealingLR"]
    first, second = axes.get_lines()
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()


def test_labels_tell_curves_apart() -> None:
    made = optimizer(rates=(1.0,))
    both = [lr_scheduler.StepLR(made, size) for size in (2, 3)]
    assert list(curves(schedule(both, 3))) == ["StepLR(step_size=2, gamma=0.1)", "StepLR(step_size=3, gamma=0.1)"]
    assert list(curves(schedule({"short": both[0], "long": both[1]}, 3))) == ["short", "long"]
    two = lr_scheduler.ExponentialLR(optimizer(), 0.5)
    assert {label: rates[0] for label, (_, rates) in curves(schedule(two, 3)).items()} == dict(
        zip(["ExponentialLR, group 0", "ExponentialLR, group 1"], RATES, strict=True)
    )


def test_a_whole_one_cycle_and_a_logarithmic_scale() -> None:
    cycle = lr_scheduler.OneCycleLR(optimizer(momentum=0.9), 1.0, total_steps=40)
    figure = schedule(cycle, 40, log=True)
    assert len(curves(figure)["OneCycleLR"][1]) == 40
    assert figure.axes[0].get_yscale() == "log"
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("given", "steps", "error", "message"),
    [
        (3, 5, TypeError, "schedule: expected a scheduler, or a list or dict of them; got 3"),
        ([3], 5, TypeError, "schedule: expected schedulers, .*; got 3"),
        ([], 5, ValueError, "there is no schedule to draw"),
        (lambda o: lr_scheduler.StepLR(o, 3), 0, ValueError, "steps must be a whole number of at least 1; got 0"),
        (lr_scheduler.ReduceLROnPlateau, 3, TypeError, "its rate depends on the numbers given to step"),
    ],
)
def test_mistakes_are_named(given: Any, steps: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        schedule(given(optimizer()) if callable(given) else given, steps)


def test_drawing_is_public() -> None:
    assert tg.viz.schedule is schedule
