"""The loss that is trained is not the one that is meant: cross-entropy stands in for the 0-1 loss.

Whether a prediction is right has the derivative 0 wherever it has one. So the negative log-likelihood is minimized in
its place, on examples in place of the distribution. Both replacements show, on data whose distribution is known:

- Clouds far apart, few examples: the training 0-1 error reaches zero early. The likelihood goes on pushing the
  classes apart, and the error on new data goes on falling, for a hundred times as many steps.
- Clouds that overlap: the empirical risk can be driven to zero, the true risk cannot. The gap opens (overfitting).

Goodfellow, Bengio, Courville, *Deep Learning*, sections 8.1.1 and 8.1.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn


@dataclass(frozen=True)
class Task:
    """Two normal clouds in space, a model that is to tell them apart, and its learning rate."""

    name: str
    dimensions: int
    distance: float  # between the means of the two classes, in standard deviations of each
    make_model: Callable[[], nn.Module]
    lr: float

    @property
    def best_error(self) -> float:
        """The 0-1 error of the best classifier there is: Φ(-distance / 2)."""
        return 0.5 * math.erfc(self.distance / 2 / math.sqrt(2))

    def draw(self, count: int, seed: int) -> tuple[tg.Tensor, tg.Tensor]:
        """Points and their classes."""
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 2, count)
        x = rng.standard_normal((count, self.dimensions))
        x[:, 0] += self.distance * (labels - 0.5)
        return tg.tensor(x.astype("float32")), tg.tensor(labels)


FAR = Task("far apart", 100, 5.0, lambda: nn.Linear(100, 2, init=partial(nn.init.uniform_, a=-0.5, b=0.5)), lr=0.05)
OVERLAPPING = Task(
    "overlapping", 20, 3.0, lambda: nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 2)), lr=0.1
)


def zero_one(logits: tg.Tensor, labels: tg.Tensor) -> float:
    """The 0-1 loss: the share of wrong answers."""
    return (tg.argmax(logits, axis=1) != labels).astype(tg.float64).mean().item()


def train(task: Task, seed: int, measure_at: list[int]) -> list[dict[str, Any]]:
    """Full-batch gradient descent on 100 examples; both losses, on these and on the distribution."""
    tg.manual_seed(seed)
    x, labels = task.draw(100, seed)
    x_new, labels_new = task.draw(20_000, seed + 10_000)  # stands for the distribution: 0-1 errors to ±0.002
    model, nll = task.make_model(), nn.CrossEntropyLoss()
    optimizer = tg.optim.SGD(model.parameters(), lr=task.lr)
    rows = []
    for step in range(measure_at[-1] + 1):
        logits = model(x)
        loss = nll(logits, labels)
        if step in measure_at:
            with tg.no_grad():
                new = model(x_new)
                train_values = {"train NLL": loss.item(), "train 0-1": zero_one(logits, labels)}
                new_values = {"new NLL": nll(new, labels_new).item(), "new 0-1": zero_one(new, labels_new)}
            rows.append({"step": step, **train_values, **new_values})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return rows


def means(runs: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One run that is the mean of several."""
    names = [name for name in runs[0][0] if name != "step"]
    return [
        {"step": rows[0]["step"], **{name: float(np.mean([row[name] for row in rows])) for name in names}}
        for rows in zip(*runs, strict=True)
    ]


def slope_of_the_zero_one_loss() -> float:
    """The largest numeric derivative of the 0-1 loss along random directions, at random linear classifiers."""
    x, labels = OVERLAPPING.draw(200, 0)
    rng = np.random.default_rng(1)
    slopes = []
    for _ in range(20):
        w, direction = rng.standard_normal((2, OVERLAPPING.dimensions, 2))
        ahead, behind = (zero_one(tg.matmul(x, tg.tensor(w + s * 1e-9 * direction)), labels) for s in (1, -1))
        slopes.append(abs(ahead - behind) / 2e-9)
    return max(slopes)


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Train on both tasks over several seeds; draw both losses on both sets."""
    steps, seeds = (1000, 2) if quick else (10_000, 8)
    measure_at = sorted({round(steps * (i / 40) ** 4) for i in range(41)})
    made, panels = figure(2, 2)
    measured: dict[str, list[dict[str, Any]]] = {}
    for task, row in zip((FAR, OVERLAPPING), panels, strict=True):
        curves = means([train(task, seed, measure_at) for seed in range(seeds)])
        for axes, kind, label in zip(
            row, ("0-1", "NLL"), ("0-1 loss (share of errors)", "cross-entropy (nats)"), strict=True
        ):
            for position, (part, name) in enumerate((("train", "training data"), ("new", "new data"))):
                steps_shown = [point["step"] + 1 for point in curves]
                axes.plot(steps_shown, [point[f"{part} {kind}"] for point in curves], label=name, **style(position))
            axes.set(xscale="log", xlabel="step + 1", ylabel=label, title=f"clouds {task.name}")
        row[0].axhline(task.best_error, color="#555555", linewidth=1, label="best possible on new data")
        row[1].set_yscale("log")
        for axes in row:
            axes.legend(frameon=False)
        some = [curves[i] for i in np.unique(np.linspace(0, len(curves) - 1, 9).astype(int))]
        measured[f"Clouds {task.name}, best possible 0-1 error {task.best_error:.4f}, means over {seeds} seeds"] = some
    save(made, out, "surrogate_loss")
    slope = {"quantity": "largest numeric derivative of the 0-1 loss", "value": slope_of_the_zero_one_loss()}
    return {**measured, "Why a surrogate is needed": [slope]}


if __name__ == "__main__":
    run(main)
