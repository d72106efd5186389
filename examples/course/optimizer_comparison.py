"""Which optimizer is the best? Each at a rate of its own, and with error bars, the answer is modest.

Every first-order method whose rule is one for single elements trains the same small network on the same mini-batches of
digits, with 13 learning rates. A method is judged at *its* best rate: the one with the smallest training loss at the
end, as a mean over a few seeds. Then new seeds (new weights, new mini-batches), so that the choice does not flatter the
result: the mean over these with its standard error. Everything but the rate is at its default.

Three methods are not made for this: Rprop and DeltaBarDelta compare the sign of a gradient with those before it, which
on mini-batches is mostly noise; ASGD means its average over the steps, and here the point itself is measured. The
others differ in the training loss, often by more than the error bars, and in the accuracy on new digits hardly at all.
The rate matters more: the best ones lie a factor of a thousand apart, and with a tenth or the tenfold of its best rate
a method does worse than nearly any other would have done.

R. Schmidt, F. Schneider, P. Hennig, "Descending through a crowded valley", ICML 2021; Goodfellow, Bengio, Courville,
*Deep Learning*, section 8.5.4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, standard_error, style

import tinygrad_opt as tg
from tinygrad_opt import nn, optim

METHODS: dict[str, Callable[..., optim.Optimizer]] = {
    "SGD": optim.SGD,
    "momentum": partial(optim.SGD, momentum=0.9),
    "Nesterov": partial(optim.SGD, momentum=0.9, nesterov=True),
    "ASGD": optim.ASGD,
    "DeltaBarDelta": optim.DeltaBarDelta,
    "Rprop": optim.Rprop,
    "Adagrad": optim.Adagrad,
    "RMSprop": optim.RMSprop,
    "RMSprop + momentum": partial(optim.RMSprop, momentum=0.9),
    "Adadelta": optim.Adadelta,
    "Adam": optim.Adam,
    "AdamW": optim.AdamW,
    "Adamax": optim.Adamax,
    "NAdam": optim.NAdam,
    "RAdam": optim.RAdam,
    "AdaBelief": optim.AdaBelief,
    "Yogi": optim.Yogi,
    "Lion": optim.Lion,
}
PANELS = {  # the methods that are drawn in colour together
    "one rate": ("SGD", "momentum", "Nesterov"),
    "averages and signs": ("ASGD", "DeltaBarDelta", "Rprop"),
    "scaled by past gradients": ("Adagrad", "RMSprop", "RMSprop + momentum"),
    "scaled by past steps; Adam": ("Adadelta", "Adam", "AdamW"),
    "variants of Adam": ("Adamax", "NAdam", "RAdam"),
    "variants of Adam; Lion": ("AdaBelief", "Yogi", "Lion"),
}
BATCH = 64


def digits() -> tuple[tg.Tensor, ...]:
    """Standardized images for training and for testing, and their labels."""
    images, labels = tg.data.digits()
    x, x_test, y, y_test = tg.data.train_test_split(images, labels, stratify=labels, seed=0)
    return (x - x.mean()) / x.std(), (x_test - x.mean()) / x.std(), y, y_test


def train(method: str, lr: float, seed: int, epochs: int, data: tuple[tg.Tensor, ...]) -> tuple[list[float], float]:
    """The loss over the training data before and after each epoch, and the accuracy on the test data."""
    x, x_test, y, y_test = data
    tg.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model, loss = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)), nn.CrossEntropyLoss()
    optimizer = METHODS[method](model.parameters(), lr=lr)
    losses = []
    for epoch in range(epochs + 1):
        with tg.no_grad():
            losses.append(loss(model(x), y).item())
        if epoch == epochs or not math.isfinite(losses[-1]):
            break  # what is not finite stays so
        order = rng.permutation(len(x))
        for chosen in np.split(order[: len(x) // BATCH * BATCH], len(x) // BATCH):
            optimizer.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
    losses += [math.inf] * (epochs + 1 - len(losses))
    with tg.no_grad():
        return losses, (tg.argmax(model(x_test), axis=1) == y_test).astype(tg.float64).mean().item()


def sweep(rates: list[float], seeds: int, epochs: int, data: tuple[tg.Tensor, ...]) -> dict[str, list[float]]:
    """For each method the mean training loss at the end, rate by rate; infinite where it is not a number."""
    swept = {}
    for method in METHODS:
        finals = [[train(method, lr, seed, epochs, data)[0][-1] for seed in range(seeds)] for lr in rates]
        swept[method] = np.nan_to_num(np.mean(finals, axis=1), nan=np.inf, posinf=np.inf).tolist()
    return swept


def at_the_best(
    swept: dict[str, list[float]], rates: list[float], seeds: int, epochs: int, data: tuple[tg.Tensor, ...]
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The table, on new seeds, and the losses behind it: method, then (seed, epoch)."""
    rows, curves = [], {}
    for method, losses in swept.items():
        lr = rates[int(np.argmin(losses))]
        runs = [train(method, lr, 1000 + seed, epochs, data) for seed in range(seeds)]
        curves[method] = np.array([curve for curve, _ in runs])
        final, accuracy = curves[method][:, -1].tolist(), [accuracy for _, accuracy in runs]
        forgiving = sum(loss < 0.3 for loss in losses)
        rows.append(
            {
                "method": method,
                "best rate": lr,
                "training loss": float(np.mean(final)),
                "± loss": standard_error(final),
                "test accuracy": float(np.mean(accuracy)),
                "± accuracy": standard_error(accuracy),
                "rates below 0.3": f"{forgiving} of {len(rates)}",
            }
        )
    return sorted(rows, key=lambda row: row["training loss"]), curves


def draw(name: str, x: Any, curves: dict[str, Any], errors: dict[str, Any], out: Path, **labels: Any) -> None:
    """Three methods to a panel, in colour, over those of all others in grey; with bands of a standard error."""
    made, panels = figure(2, 3, width=4.4, height=3.1)
    lowest = min(np.min(curve) for curve in curves.values())
    for axes, (title, methods) in zip(panels.flat, PANELS.items(), strict=True):
        for other in curves.values():
            axes.plot(x, other, color="#c9ced4", linewidth=0.7)
        for position, method in enumerate(methods):
            axes.plot(x, curves[method], label=method, **style(position))
            if method in errors:
                low, high = curves[method] - errors[method], curves[method] + errors[method]
                colour = style(position)["color"]
                axes.fill_between(x, np.maximum(low, lowest / 2), high, color=colour, alpha=0.3, linewidth=0)
        axes.set(yscale="log", ylim=(lowest / 60, 10), title=title, **labels)
        axes.legend(frameon=False, loc="lower left", fontsize="small")
    for axes in panels[:, 0]:
        axes.set_ylabel("training loss")
    save(made, out, name)


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """A sweep for each method; then each at its best rate, on new seeds."""
    seeds, new_seeds, epochs, a_decade = (1, 2, 1, 1) if quick else (3, 8, 15, 2)
    rates = np.logspace(-4, 2, 6 * a_decade + 1).tolist()
    data = digits()
    with np.errstate(all="ignore"):  # a rate that is too large may end in overflow: that is part of the result
        swept = sweep(rates, seeds, epochs, data)
        rows, curves = at_the_best(swept, rates, new_seeds, epochs, data)
    draw("rates", rates, swept, {}, out, xscale="log", xlabel="learning rate")
    means = {method: curve.mean(axis=0) for method, curve in curves.items()}
    errors = {method: curve.std(axis=0, ddof=1) / math.sqrt(new_seeds) for method, curve in curves.items()}
    draw("epochs", range(epochs + 1), means, errors, out, xlabel="epoch")
    by_rate = [
        {"method": method, **{f"{lr:.2g}": loss for lr, loss in zip(rates, losses, strict=True)}}
        for method, losses in swept.items()
    ]
    return {
        f"At the best rate: after {epochs} epochs, means over {new_seeds} seeds ± standard error": rows,
        f"Training loss by learning rate, means over {seeds} seeds": by_rate,
    }


if __name__ == "__main__":
    run(main)
