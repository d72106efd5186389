"""A mini-batch split over several workers: the weighted sum of their gradients is the gradient of the whole.

The loss is a mean over examples, and the gradient of a mean of n examples is the mean of the gradients of its parts,
each weighted by its share nᵢ/n of the examples. So every worker holds a copy of the parameters, computes the gradient
of its own part, and only gradients travel. Here the workers are threads with models of their own; on several devices
each model would have its own `device=`. Measured is the largest difference to the gradient of a single process:

- in float64 and float32 it is of the size of rounding, for equal and for unequal parts;
- the plain mean over workers is right for equal parts and wrong for unequal ones;
- after a number of steps with summed gradients the parameters still agree with those of a single process.

The sum is exact only for losses that are means over examples: batch normalization, for one, takes its statistics from
each worker's part alone.

Goodfellow, Bengio, Courville, *Deep Learning*, sections 8.1.3 and 12.1.3.
"""

from __future__ import annotations

import copy
import functools
import operator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn

BATCH = 240
LOSS = nn.CrossEntropyLoss()


def make_model(dtype: Any) -> nn.Sequential:
    """A small network for the digits."""
    return nn.Sequential(nn.Linear(64, 32, dtype=dtype), nn.Tanh(), nn.Linear(32, 10, dtype=dtype))


def cuts(workers: int, equal: bool) -> list[int]:
    """Where a batch is cut into parts: all of one size, or growing like 1, 2, 3, ..."""
    sizes = np.ones(workers) if equal else np.arange(1, workers + 1)
    return [0, *np.round(BATCH * np.cumsum(sizes) / sizes.sum()).astype(int).tolist()]


def gradient(model: nn.Module, x: tg.Tensor, labels: tg.Tensor) -> list[tg.Tensor]:
    """The gradient of the mean loss on some examples: what one worker does."""
    return list(tg.gradients(LOSS(model(x), labels), list(model.parameters())))


def parallel_gradient(
    models: list[nn.Module], x: tg.Tensor, labels: tg.Tensor, at: list[int], weighted: bool = True
) -> list[tg.Tensor]:
    """Each model's gradient of its part, in a thread of its own, summed with the weights nᵢ/n (or all alike)."""
    parts = [slice(begin, end) for begin, end in pairwise(at)]
    with ThreadPoolExecutor(len(models)) as pool:
        tasks = [pool.submit(gradient, model, x[part], labels[part]) for model, part in zip(models, parts, strict=True)]
    shares = [(part.stop - part.start) / len(x) if weighted else 1 / len(parts) for part in parts]
    of_workers = [[share * part for part in task.result()] for share, task in zip(shares, tasks, strict=True)]
    return [functools.reduce(operator.add, of_parameter) for of_parameter in zip(*of_workers, strict=True)]


def copies(model: nn.Module, count: int) -> list[nn.Module]:
    """A model for each worker."""
    return [copy.deepcopy(model) for _ in range(count)]


def difference(found: list[tg.Tensor], expected: list[tg.Tensor]) -> float:
    """The largest difference of two lists of tensors, in units of the largest element."""
    a, b = (np.concatenate([part.detach().numpy().ravel() for part in parts]) for parts in (found, expected))
    return float(np.abs(a - b).max() / np.abs(b).max())


def measure(counts: list[int]) -> list[dict[str, Any]]:
    """The difference to a single process for numbers of workers, equal and unequal parts, and three ways to sum."""
    images, labels = tg.data.digits()
    rows = []
    for count in counts:
        for equal in (True, False):
            row: dict[str, Any] = {"workers": count, "parts": "equal" if equal else "unequal"}
            for dtype, name in ((tg.float64, "float64"), (tg.float32, "float32")):
                tg.manual_seed(0)
                model, x = make_model(dtype), images[:BATCH].astype(dtype)
                workers, whole = copies(model, count), gradient(model, x, labels[:BATCH])
                for weighted in (True, False):
                    found = parallel_gradient(workers, x, labels[:BATCH], cuts(count, equal), weighted)
                    row[f"{name}, {'weighted' if weighted else 'plain mean'}"] = difference(found, whole)
            rows.append(row)
    return rows


def train(count: int, steps: int) -> dict[str, Any]:
    """SGD with momentum, once by a single process and once by workers with unequal parts, in float64."""
    images, labels = tg.data.digits()
    x = images.astype(tg.float64)
    tg.manual_seed(0)
    single = make_model(tg.float64)
    shared = copy.deepcopy(single)
    workers, rng = copies(shared, count), np.random.default_rng(0)
    optimizers = [tg.optim.SGD(model.parameters(), lr=0.2, momentum=0.9) for model in (single, shared)]
    for _ in range(steps):
        drawn = rng.choice(len(x), BATCH, replace=False)
        batch = x[drawn], labels[drawn]
        for worker in workers:
            worker.load_state_dict(shared.state_dict())
        gradients = gradient(single, *batch), parallel_gradient(workers, *batch, cuts(count, equal=False))
        for model, optimizer, parts in zip((single, shared), optimizers, gradients, strict=True):
            for parameter, part in zip(model.parameters(), parts, strict=True):
                parameter.grad = part
            optimizer.step()
    with tg.no_grad():
        losses = {name: LOSS(m(x), labels).item() for name, m in (("single loss", single), ("workers' loss", shared))}
    apart = difference(list(shared.parameters()), list(single.parameters()))
    return {"workers": count, "steps": steps, **losses, "difference of parameters": apart}


def draw(rows: list[dict[str, Any]], out: Path) -> None:
    """The differences over the number of workers, for unequal parts."""
    made, ((axes,),) = figure(1, 1, width=6.4, height=4.0)
    unequal = [row for row in rows if row["parts"] == "unequal"]
    for position, name in enumerate(("float64, weighted", "float32, weighted", "float64, plain mean")):
        differences = [row[name] for row in unequal]
        axes.plot([row["workers"] for row in unequal], differences, marker="o", label=name, **style(position))
    axes.set(yscale="log", xlabel="workers, with unequal parts", ylabel="relative difference to one process")
    axes.set_xticks([row["workers"] for row in unequal])
    axes.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.35))
    save(made, out, "data_parallel")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Gradients of split batches, and a training run with them."""
    rows = measure([2, 3, 5] if quick else [2, 3, 4, 6, 8, 12, 16])
    draw(rows, out)
    trained = [train(count, 30 if quick else 300) for count in ((3,) if quick else (2, 5, 8))]
    return {f"Gradients of a batch of {BATCH}, difference to one process": rows, "After training": trained}


if __name__ == "__main__":
    run(main)
