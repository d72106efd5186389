"""Curves of a training run, looked at as Matplotlib's own data."""

from __future__ import annotations

import builtins
import itertools
import math
import subprocess
import sys
from typing import Any

import pytest

import tinygrad_opt as tg
from tinygrad_opt.viz import history, plots

pytest.importorskip("matplotlib")
import matplotlib.figure

ROWS = [
    {"epoch": 1, "train_loss": 2.0, "train_accuracy": 0.3, "lr": 0.1, "seconds": 0.5},
    {"epoch": 2, "train_loss": 1.0, "train_accuracy": 0.6, "valid_loss": 1.5, "valid_accuracy": 0.5, "lr": 0.1},
    {"epoch": 3, "train_loss": 0.5, "train_accuracy": 0.7, "lr": 0.1, "seconds": 0.5},
    {"epoch": 4, "train_loss": 0.25, "train_accuracy": 0.8, "valid_loss": 1.0, "valid_accuracy": 0.6, "lr": 0.1},
]
COLUMNS = {"train_loss": [2.0, 1.0, 0.5, 0.25], "valid_loss": [None, 1.5, None, 1.0]}


def panels(figure: Any) -> dict[str, dict[str, tuple[list[float], list[float]]]]:
    """The points of every curve, by panel and label."""
    return {
        axes.get_ylabel(): {line.get_label(): tuple(map(list, line.get_data())) for line in axes.get_lines()}
        for axes in figure.axes
    }


@pytest.mark.parametrize("given", [tg.train.History(ROWS), ROWS, iter(ROWS)], ids=["History", "rows", "iterator"])
def test_a_panel_for_each_quantity_and_a_curve_for_each_part(given: Any) -> None:
    assert panels(history(given)) == {
        "loss": {"train": ([1, 2, 3, 4], [2.0, 1.0, 0.5, 0.25]), "valid": ([2, 4], [1.5, 1.0])},
        "accuracy": {"train": ([1, 2, 3, 4], [0.3, 0.6, 0.7, 0.8]), "valid": ([2, 4], [0.5, 0.6])},
    }


def test_columns_are_counted_from_one() -> None:
    assert panels(history(COLUMNS)) == {"loss": panels(history(ROWS))["loss"]}
    assert panels(history({**COLUMNS, "epoch": [5, 6, 7, 8]}))["loss"]["valid"][0] == [6, 8]


def test_what_fit_returns_can_be_drawn() -> None:
    model, x = tg.nn.Linear(2, 2), tg.randn(8, 2)
    loader = tg.data.DataLoader(tg.data.TensorDataset(x, tg.zeros(8, dtype=tg.int64)), batch_size=4)
    run = tg.train.fit(model, tg.nn.CrossEntropyLoss(), tg.optim.SGD(model.parameters(), lr=0.1), loader, epochs=3)
    assert panels(history(run))["loss"]["train"] == ([1, 2, 3], run["train_loss"])


def test_panels_can_be_chosen() -> None:
    assert list(panels(history(ROWS, metrics=["lr", "loss"]))) == ["learning rate", "loss"]
    assert list(panels(history(ROWS, metrics="seconds"))) == ["seconds"]


def test_a_learning_rate_that_changes_is_drawn() -> None:
    assert list(panels(history({"train_loss": [1, 2], "lr": [0.1, 0.05]}))) == ["loss", "learning rate"]


def test_axes_have_labels_and_curves_a_legend_each_with_its_own_colour_and_dashes() -> None:
    figure = history(ROWS, title="digits")
    assert figure.get_suptitle() == "digits"
    for axes in figure.axes:
        assert axes.get_xlabel() == "epoch"
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "valid"]
        train, valid = axes.get_lines()
        assert train.get_color() != valid.get_color()
        assert train.get_linestyle() != valid.get_linestyle()
    assert history({"loss": [1, 2]}).axes[0].get_legend() is None
    only_valid = history({"valid_loss": [1, 2]}).axes[0]
    assert only_valid.get_lines()[0].get_color() == figure.axes[0].get_lines()[1].get_color()


def test_a_logarithmic_scale_where_it_makes_sense() -> None:
    def scales(log: Any, **columns: Any) -> list[str]:
        return [axes.get_yscale() for axes in history({**COLUMNS, "accuracy": [0.1] * 4, **columns}, log=log).axes]

    assert scales(False) == ["linear", "linear"]
    assert scales(True) == ["log", "linear"]
    assert scales("accuracy") == ["linear", "log"]
    assert scales(["loss", "accuracy"]) == ["log", "log"]
    assert scales(True, valid_loss=[1.0, 0.5, 0.0, 1.0]) == ["linear", "linear"]


def test_a_loss_that_was_not_finite_leaves_a_gap() -> None:
    ys = panels(history({"train_loss": [1.0, math.nan, math.inf, 2.0]}))["loss"]["train"][1]
    assert [math.isnan(y) for y in ys] == [False, True, True, False]


def test_a_single_epoch_can_be_seen() -> None:
    (line,) = history({"loss": [1.0]}).axes[0].get_lines()
    assert line.get_marker() == "o"
    (line,) = history({"loss": [1.0] * 100}).axes[0].get_lines()
    assert line.get_marker() == ""


def test_nothing_overlaps() -> None:
    figure = history(ROWS, log=True, title="a title", metrics=["loss", "accuracy", "lr"])
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes))
    width = figure.bbox.size[0]
    assert boxes[0].x0 >= 0
    assert boxes[-1].x1 <= width
    assert all(box.y0 >= 0 and box.y1 <= figure._suptitle.get_window_extent().y0 for box in boxes)


def test_the_figure_shows_itself_and_pyplot_is_left_alone() -> None:
    figure = history(ROWS)
    assert isinstance(figure, matplotlib.figure.Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    code = "import sys, tinygrad_opt.viz as viz; viz.history({'a': [1]}); print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.strip() == b"False"


def test_importing_needs_nothing_but_numpy() -> None:
    code = "import sys, tinygrad_opt.viz; print({'matplotlib', 'graphviz', 'PIL', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.strip() == b"set()"


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *args, **kwargs)

    plots._figure_class.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tinygrad_opt\[viz\]'"):
        history(ROWS)
    plan = tg.optim.lr_scheduler.StepLR(tg.optim.SGD([tg.zeros(1, requires_grad=True)]), 3)
    with pytest.raises(ModuleNotFoundError, match=r"^schedule: .*pip install 'tinygrad_opt\[viz\]'"):
        tg.viz.schedule(plan, 3)


@pytest.mark.parametrize(
    ("given", "arguments", "error", "message"),
    [
        ([], {}, ValueError, "no epoch"),
        (tg.train.History(), {}, ValueError, "no epoch"),
        ({"loss": []}, {}, ValueError, "no epoch"),
        ({"loss": [1], "accuracy": [1, 2]}, {}, ValueError, "equally long.*'accuracy': 2"),
        ({"seconds": [1]}, {}, ValueError, "nothing to draw among seconds"),
        ([1, 2], {}, TypeError, "got list"),
        (3, {}, TypeError, "tg.train.fit returns.*got int"),
        (ROWS, {"metrics": "acuracy"}, ValueError, "no 'acuracy'.*there are: loss, accuracy"),
    ],
)
def test_mistakes_are_named(given: Any, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        history(given, **arguments)
