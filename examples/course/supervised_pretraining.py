"""Supervised pre-training: features learned on one task, used for another with few labels.

The digits lie anywhere on a canvas of 12 × 12 pixels, so that there is something to learn before the first digit can be
told from the second. A convolutional network learns to tell 0 to 4 apart, with many examples. Its convolutions are then
carried over to a network for the digits 5 to 9, of which only a few of each kind are labelled, and either

- stay as they are (frozen), while the layers above them learn, or
- are fine-tuned together with these,

beside the same network that starts from random weights (J. Yosinski et al., "How transferable are features in deep
neural networks?", NIPS 2014; Goodfellow, Bengio, Courville, *Deep Learning*, sections 8.7.4 and 15.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lesson import averaged, bars, figure, run, save

import tinygrad_opt as tg
from tinygrad_opt import nn

STARTS = ("random weights", "transferred, frozen", "transferred, fine-tuned")


def make_features() -> nn.Sequential:
    """Two convolutions: images of 12 × 12 to 288 features."""
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten())


def make_model() -> nn.Sequential:
    """The features, and two layers above them: the scores of five digits."""
    return nn.Sequential(make_features(), nn.Sequential(nn.Linear(288, 64), nn.ReLU(), nn.Linear(64, 5)))


def placed(images: tg.Tensor, seed: int, side: int = 12) -> tg.Tensor:
    """Each image somewhere on a larger canvas, with a little noise."""
    rng = np.random.default_rng(seed)
    canvas = rng.normal(0.0, 0.05, (len(images), 1, side, side))
    corners = rng.integers(0, side - 8 + 1, (len(images), 2))
    for place, image, (top, left) in zip(canvas, images.numpy().reshape(-1, 8, 8), corners, strict=True):
        place[0, top : top + 8, left : left + 8] += image
    return tg.tensor(canvas.astype("float32"))


def split(seed: int) -> dict[str, tuple[tg.Tensor, tg.Tensor]]:
    """Training and test data of both tasks; each counts its digits from 0 to 4."""
    images, labels = tg.data.digits()
    parts = tg.data.train_test_split(placed(images, seed), labels, stratify=labels, seed=seed)
    tasks = {}
    for task, first in (("0 to 4", 0), ("5 to 9", 5)):
        for part, x, y in (("train", parts[0], parts[2]), ("test", parts[1], parts[3])):
            mine = np.flatnonzero((y.numpy() >= first) & (y.numpy() < first + 5))
            tasks[f"{task}, {part}"] = x[mine], y[mine] - first
    return tasks


def train(model: nn.Module, x: tg.Tensor, labels: tg.Tensor, steps: int, seed: int) -> None:
    """Adam, over the parameters that are not frozen."""
    loss, rng = nn.CrossEntropyLoss(), np.random.default_rng(seed)
    optimizer = tg.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    for _ in range(steps):
        chosen = rng.integers(0, len(x), 32)
        optimizer.zero_grad()
        loss(model(x[chosen]), labels[chosen]).backward()
        optimizer.step()


def few_of_each(x: tg.Tensor, labels: tg.Tensor, count: int, seed: int) -> tuple[tg.Tensor, tg.Tensor]:
    """The same number of examples of each digit."""
    rng = np.random.default_rng(seed)
    chosen = np.concatenate([rng.permutation(np.flatnonzero(labels.numpy() == digit))[:count] for digit in range(5)])
    return x[chosen], labels[chosen]


def accuracy(model: nn.Module, data: tuple[tg.Tensor, tg.Tensor]) -> float:
    """The share of right answers on test data."""
    return tg.train.evaluate(model, [data], metrics="accuracy")["accuracy"]


def experiment(counts: list[int], seed: int, steps: int) -> tuple[float, list[dict[str, Any]]]:
    """Accuracy on the first task, and on the second for each start and number of labels."""
    data = split(seed)
    tg.manual_seed(seed)
    first = make_model()
    train(first, *data["0 to 4, train"], 5 * steps, seed)
    learned = {name: value.clone() for name, value in first[0].state_dict().items()}
    rows = []
    for start in STARTS:
        for count in counts:
            tg.manual_seed(seed + 1)
            model = make_model()
            if start != "random weights":
                model[0].load_state_dict(learned)
            model[0].requires_grad_(start != "transferred, frozen")
            train(model, *few_of_each(*data["5 to 9, train"], count, seed), steps, seed)
            rows.append({"start": start, "labels of each": count, "accuracy": accuracy(model, data["5 to 9, test"])})
    return accuracy(first, data["0 to 4, test"]), rows


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Transfer at several numbers of labels; draw accuracy against their number."""
    counts, seeds, steps = ([8], 3, 150) if quick else ([2, 5, 10, 20, 50, 100], 8, 300)
    first, runs = zip(*(experiment(counts, seed, steps) for seed in range(seeds)), strict=True)
    rows = averaged(runs, "accuracy")
    made, ((axes,),) = figure(1, 1, width=6.2, height=4.2)
    bars(axes, rows, "start", "labels of each", "accuracy")
    axes.set(xlabel="labelled examples of each digit from 5 to 9", ylabel="test accuracy, digits 5 to 9")
    save(made, out, "supervised_pretraining")
    source = [{"task": "digits 0 to 4, all labels", "test accuracy": float(np.mean(first))}]
    return {"Where the features come from": source, f"Digits 5 to 9, means over {seeds} seeds": rows}


if __name__ == "__main__":
    run(main)
