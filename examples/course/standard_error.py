"""The error of a mini-batch gradient falls as σ/√n: a hundred times the work for a tenth of the noise.

A gradient over n examples drawn with replacement is a mean of n independent gradients, so its standard error is σ/√n
with σ the standard deviation of the gradients of single examples. Both are measured here: σ from the gradient of every
example, the error from many drawn batches. Drawn without replacement, as in an epoch, the error is smaller by the
factor √((N - n)/(N - 1)), and nothing is left of it for the full batch.

Goodfellow, Bengio, Courville, *Deep Learning*, section 8.1.3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn


def make_model() -> nn.Sequential:
    """A small network for the digits."""
    return nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))


def gradients_of_examples(model: nn.Sequential, x: tg.Tensor, labels: tg.Tensor) -> np.ndarray:
    """The gradient of the loss of each example alone, one a row: the rows of the Jacobian of the vector of losses."""
    losses = nn.CrossEntropyLoss(reduction="none")(model(x), labels)
    parameters = list(model.parameters())
    rows = []
    for i in range(len(x)):
        chosen = tg.tensor(np.eye(1, len(x), i, dtype="float32")[0])
        gradient = tg.gradients(losses, parameters, grad_outputs=chosen)
        rows.append(np.concatenate([part.numpy().ravel() for part in gradient]))
    return np.stack(rows)


def errors_of_batches(rows: np.ndarray, size: int, draws: int, replace: bool, rng: np.random.Generator) -> float:
    """The root mean square distance of the gradients of drawn batches from the full gradient."""
    full = rows.mean(axis=0)
    squares = [
        np.square(rows[rng.choice(len(rows), size, replace=replace)].mean(axis=0) - full).sum() for _ in range(draws)
    ]
    return float(np.sqrt(np.mean(squares)))


def measure(examples: int, draws: int) -> list[dict[str, Any]]:
    """Measured and predicted error for batches of several sizes."""
    tg.manual_seed(0)
    images, labels = tg.data.digits()
    rows = gradients_of_examples(make_model(), images[:examples], labels[:examples]).astype("float64")
    sigma = float(np.sqrt(np.square(rows - rows.mean(axis=0)).sum(axis=1).mean()))
    rng = np.random.default_rng(0)
    table = []
    for size in [n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if n <= examples // 2]:
        finite = np.sqrt((examples - size) / (examples - 1))
        table.append(
            {
                "batch size": size,
                "predicted": sigma / np.sqrt(size),
                "measured": errors_of_batches(rows, size, draws, True, rng),
                "predicted, no example twice": sigma / np.sqrt(size) * finite,
                "measured, no example twice": errors_of_batches(rows, size, draws, False, rng),
            }
        )
    return table


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Measure the error of batches of many sizes, beside the law; draw both on logarithmic axes."""
    examples, draws = (256, 400) if quick else (1797, 4000)
    rows = measure(examples, draws)
    made, ((axes,),) = figure(1, 1, width=6.2, height=4.4)
    sizes = [row["batch size"] for row in rows]
    for position, suffix in enumerate(("", ", no example twice")):
        predicted, measured = ([row[kind + suffix] for row in rows] for kind in ("predicted", "measured"))
        look = style(position)
        axes.plot(sizes, predicted, label=f"predicted{suffix}", **look)
        axes.plot(sizes, measured, label=f"measured{suffix}", linestyle="", marker="os"[position], color=look["color"])
    axes.set(xscale="log", yscale="log", xlabel="batch size n", ylabel="root mean square error of the gradient")
    axes.legend(frameon=False)
    save(made, out, "standard_error")
    return {f"Error of the gradient, {draws} batches of {examples} examples": rows}


if __name__ == "__main__":
    run(main)
