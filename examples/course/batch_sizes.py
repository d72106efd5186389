"""Batch, mini-batch and online learning: the same network, the same examples, another number of them to each update.

Batch learning makes one exact update an epoch, online learning an inexact one for every example. Each batch size has
the best of a sweep of learning rates. The training loss is measured against the number of examples seen, and against
the time that the updates took (without that of measuring):

- by examples seen, online learning leads and the full batch is far behind: its exact gradient is worth one step only;
- by time, mini-batches lead: an update for 32 examples takes hardly longer than one for a single example.

Small batches are said to regularize. What is compared here is the generalization gap (test loss less training loss) at
*equal* training loss, for otherwise the batch size that trains fastest would have the largest gap by that alone. Seeds
are paired, and the difference to the full batch comes with its standard error. Here there is **no such effect**: at the
rates that train fastest, the gap of small batches is even larger (of online learning by a sixth), and at an eighth of
these rates little is left of the difference. So it comes with the noise of large steps, and nothing here regularizes.

Goodfellow, Bengio, Courville, *Deep Learning*, section 8.1.3.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, standard_error, style

import tinygrad_opt as tg
from tinygrad_opt import nn

LOSS = nn.CrossEntropyLoss()
Part = tuple[tg.Tensor, tg.Tensor]


def make_model() -> nn.Sequential:
    """A small network for the digits."""
    return nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))


def data(examples: int, seed: int) -> tuple[Part, Part]:
    """A number of digits for training, and 450 others."""
    images, labels = tg.data.digits()
    x, x_test, y, y_test = tg.data.train_test_split(images, labels, test_size=450, stratify=labels, seed=seed)
    return (x[:examples], y[:examples]), (x_test, y_test)


def loss_on(model: nn.Module, part: Part) -> float:
    """The mean loss on all of a part."""
    with tg.no_grad():
        return LOSS(model(part[0]), part[1]).item()


def updates(model: nn.Module, part: Part, size: int, lr: float, seed: int) -> Iterator[int]:
    """Train without end, an update at each turn; the number of examples seen. Every epoch has an order of its own."""
    x, y = part
    rng = np.random.default_rng(seed)
    optimizer = tg.optim.SGD(model.parameters(), lr=lr)
    seen = 0
    while True:
        order = rng.permutation(len(x))
        for begin in range(0, len(x) - size + 1, size):
            chosen = order[begin : begin + size]
            x_batch, y_batch = x[chosen], y[chosen]
            optimizer.step(lambda: LOSS(model(x_batch), y_batch))  # noqa: B023
            seen += size
            yield seen


def train(part: Part, size: int, lr: float, epochs: int, points: int, seed: int) -> list[dict[str, Any]]:
    """The training loss after some numbers of examples, and the time of the updates until there."""
    tg.manual_seed(seed)
    model = make_model()
    rows = [{"seen": 0, "seconds": 0.0, "loss": loss_on(model, part)}]
    total, spent = epochs * len(part[0]), 0.0
    going = updates(model, part, size, lr, seed)
    for until in np.unique(np.geomspace(max(size, 16), total, points).astype(int)):
        seen, begun = rows[-1]["seen"], time.perf_counter()
        while seen + size <= until:
            seen = next(going)
        spent += time.perf_counter() - begun
        if seen > rows[-1]["seen"]:
            rows.append({"seen": seen, "seconds": spent, "loss": loss_on(model, part)})
    return rows


def tuned(part: Part, sizes: dict[int, list[float]], epochs: int) -> list[dict[str, Any]]:
    """For each batch size the learning rate with the least loss after all epochs, and that loss."""
    rows = []
    for size, rates in sizes.items():
        losses = {}
        with np.errstate(all="ignore"):  # too large a rate may end in overflow
            for lr in rates:
                losses[lr] = train(part, size, lr, epochs, 2, seed=0)[-1]["loss"]
        best = min(losses, key=lambda lr: losses[lr] if np.isfinite(losses[lr]) else np.inf)
        tried = " ".join(f"{lr:g}:{loss:.3g}" for lr, loss in losses.items())
        rows.append({"batch size": size, "best rate": best, "rate:loss after all epochs": tried})
    return rows


def gap_at(part: Part, new: Part, size: int, lr: float, target: float, seed: int) -> tuple[float, float, float]:
    """Train until the training loss is at the target, looked at once an epoch; epochs, gap and test accuracy there."""
    tg.manual_seed(seed)
    model, count = make_model(), len(part[0])
    for seen in updates(model, part, size, lr, seed):
        if seen % (count - count % size) == 0 and (reached := loss_on(model, part)) <= target:
            break
        if seen > 2000 * count:
            raise RuntimeError(f"batches of {size} at the rate {lr:g} did not reach the training loss {target:g}")
    accuracy = tg.train.evaluate(model, [new], metrics="accuracy")["accuracy"]
    return seen / count, loss_on(model, new) - reached, accuracy


def gaps(rates: dict[int, float], examples: int, target: float, seeds: int) -> list[dict[str, Any]]:
    """Means over seeds for each batch size, and the difference to the full batch at the same share of its rate."""
    rows = []
    for share in (1.0, 1 / 8):
        found = {}
        for size, lr in rates.items():
            runs = [
                gap_at(*data(examples, seed), min(size, examples), share * lr, target, seed) for seed in range(seeds)
            ]
            found[min(size, examples)] = np.array(runs)
        for size, values in found.items():
            difference = values[:, 1] - found[examples][:, 1]
            row = dict(zip(("epochs", "gap", "test accuracy"), values.mean(axis=0).tolist(), strict=True))
            error = {"± standard error": standard_error(difference)}
            against = {"less that of the full batch": float(difference.mean())} | error
            rows.append({"batch size": size, "of the best rate": share} | row | against)
    return rows


def summary(curves: dict[int, list[dict[str, Any]]], level: float) -> list[dict[str, Any]]:
    """For each batch size the end of its curve, and where it first falls below a level (infinite: nowhere)."""
    rows = []
    for size, points in curves.items():
        below = next((point for point in points if point["loss"] < level), {"seen": np.inf, "seconds": np.inf})
        rows.append(
            {
                "batch size": size,
                "updates": points[-1]["seen"] // size,
                "seconds": points[-1]["seconds"],
                "loss": points[-1]["loss"],
                f"examples to {level:g}": below["seen"],
                f"seconds to {level:g}": below["seconds"],
            }
        )
    return rows


def draw(curves: dict[int, list[dict[str, Any]]], found: list[dict[str, Any]], out: Path) -> None:
    """The loss against examples and against time; the gap against batch size."""
    made, ((by_examples, by_time, of_gaps),) = figure(1, 3, width=4.5, height=3.8)
    for position, (size, rows) in enumerate(curves.items()):
        name = {1: "online", max(curves): "full batch"}.get(size, f"batches of {size}")
        for axes, key in ((by_examples, "seen"), (by_time, "seconds")):
            axes.plot([row[key] for row in rows[1:]], [row["loss"] for row in rows[1:]], label=name, **style(position))
    by_examples.set(xscale="log", yscale="log", xlabel="examples seen", ylabel="training loss")
    by_time.set(xscale="log", yscale="log", xlabel="seconds of updates", ylabel="training loss")
    by_examples.legend(frameon=False)
    for position, share in enumerate((1.0, 1 / 8)):
        some = [row for row in found if row["of the best rate"] == share]
        sizes, differences = ([row[key] for row in some] for key in ("batch size", "less that of the full batch"))
        errors = [2 * row["± standard error"] for row in some]
        places, look = np.array(sizes) * (0.95, 1.05)[position], {"color": ("#0072b2", "#d55e00")[position]}
        name = ("the best rate", "an eighth of it")[position]
        of_gaps.errorbar(places, differences, errors, fmt="os"[position], capsize=4, label=name, **look)
    of_gaps.axhline(0, color="#555555", linewidth=1)
    of_gaps.set(xscale="log", xlabel="batch size", ylabel="gap less that of the full batch (± 2 errors)")
    of_gaps.legend(frameon=False)
    of_gaps.set_xticks(sizes, [str(size) for size in sizes])
    of_gaps.set_xticks([], minor=True)
    save(made, out, "batch_sizes")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The sweep of rates, the curves, and the gaps."""
    examples, epochs, seeds, few = (640, 3, 2, 100) if quick else (1280, 20, 16, 200)
    sweep = {1: [0.05, 0.1], 32: [0.3, 1.0], examples: [1.0]}
    if not quick:
        sweep = {
            1: [0.025, 0.05, 0.1, 0.2], 8: [0.1, 0.2, 0.5, 1.0], 32: [0.25, 0.5, 1.0, 2.0], 128: [0.25, 0.5, 1.0, 2.0],
            examples: [0.25, 0.5, 1.0, 2.0],
        }  # fmt: skip
    part, _ = data(examples, 0)
    chosen = tuned(part, sweep, epochs if quick else epochs // 2)
    rates = {row["batch size"]: row["best rate"] for row in chosen}
    curves = {size: train(part, size, lr, epochs, 40, seed=1) for size, lr in rates.items()}
    compared = {size: lr for size, lr in rates.items() if size <= few // 3 or size == examples}
    target = 0.2 if quick else 0.1
    found = gaps(compared, few, target, seeds)
    draw(curves, found, out)
    return {
        "Learning rates": chosen,
        f"{epochs} epochs of {examples} examples": summary(curves, 0.5 if quick else 0.1),
        f"Generalization gap of {few} examples at the training loss {target}, means over {seeds} seeds": found,
    }


if __name__ == "__main__":
    run(main)
