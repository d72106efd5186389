"""Batch normalization on and off: learning rates, distributions, and two ways to the statistics of the population.

A deep network of tanh units on handwritten digits, with and without normalized pre-activations:

- trained at learning rates over four orders of magnitude: with normalization the largest usable rate is far higher;
- the distribution of the pre-activations of each layer, at the start and after training;
- after training, the statistics used for prediction: a running average over the last batches, and the population
  pass, layer by layer from the first to the last, that `tg.nn.utils.update_bn_statistics` makes.

S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015; Goodfellow, Bengio, Courville, *Deep Learning*, section 8.7.1.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn

DEPTH, WIDTH = 6, 50


def make_model(normalized: bool, momentum: float | None = 0.1) -> nn.Sequential:
    """DEPTH hidden layers; each pre-activation is normalized before the activation, or not."""
    layers: list[nn.Module] = []
    for inputs in [64] + [WIDTH] * (DEPTH - 1):
        layers += [nn.Linear(inputs, WIDTH)]
        layers += [nn.BatchNorm1d(WIDTH, momentum=momentum)] if normalized else []
        layers += [nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


def data(seed: int) -> tuple[tg.data.DataLoader, tuple[tg.Tensor, tg.Tensor]]:
    """Shuffled batches for training, and the test data."""
    images, labels = tg.data.digits()
    x, x_test, y, y_test = tg.data.train_test_split(images, labels, stratify=labels, seed=seed)
    train = tg.data.DataLoader(tg.data.TensorDataset(x, y), batch_size=60, shuffle=True, drop_last=True, seed=seed)
    return train, (x_test, y_test)


def train(model: nn.Sequential, batches: tg.data.DataLoader, lr: float, epochs: int) -> float:
    """Plain gradient descent on mini-batches; the mean training loss of the last epoch."""
    loss = nn.CrossEntropyLoss()
    optimizer = tg.optim.SGD(model.parameters(), lr=lr)
    losses: list[float] = []
    for _ in range(epochs):
        losses.clear()
        for x, y in batches:
            value = loss(model(x), y)
            losses.append(value.item())
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    return float(np.mean(losses))


def accuracy(model: nn.Module, test: tuple[tg.Tensor, tg.Tensor]) -> float:
    """In evaluation mode, over all of the test data at once."""
    return tg.train.evaluate(model, [test], metrics="accuracy")["accuracy"]


def sweep(rates: list[float], seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Loss and accuracy after a fixed number of epochs, for each learning rate, with and without normalization."""
    rows = []
    for lr in rates:
        row: dict[str, Any] = {"learning rate": lr}
        for name, normalized in (("plain", False), ("normalized", True)):
            reached = []
            for seed in range(seeds):
                tg.manual_seed(seed)
                batches, test = data(seed)
                model = make_model(normalized)
                with np.errstate(all="ignore"):  # too large a rate may end in overflow: that is part of the result
                    reached.append((train(model, batches, lr, epochs), accuracy(model, test)))
            losses, accuracies = zip(*reached, strict=True)
            row |= {f"{name} loss": float(np.mean(losses)), f"{name} accuracy": float(np.mean(accuracies))}
        rows.append(row)
    return rows


def pre_activations(model: nn.Sequential, x: tg.Tensor) -> list[np.ndarray]:
    """What enters each activation, for a batch in training mode, without moving the running averages."""
    found = []
    with nn.utils.frozen_stats(model), tg.no_grad():
        for layer in model:
            if isinstance(layer, nn.Tanh):
                found.append(x.numpy().ravel())
            x = layer(x)
    return found


def statistics(seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Test accuracy and loss with running averages of several spans, and after the population pass."""
    rows = []
    for momentum in (0.5, 0.1, 0.01):
        reached = []
        for seed in range(seeds):
            tg.manual_seed(seed)
            batches, test = data(seed)
            model, loss = make_model(True, momentum), nn.CrossEntropyLoss()
            train(model, batches, 0.5, epochs)
            running = tg.train.evaluate(model, [test], loss, metrics="accuracy")
            nn.utils.update_bn_statistics(model, batches)
            population = tg.train.evaluate(model, [test], loss, metrics="accuracy")
            reached.append([running["loss"], population["loss"], running["accuracy"], population["accuracy"]])
        names = ("running loss", "population loss", "running accuracy", "population accuracy")
        rows.append({"momentum": momentum} | dict(zip(names, np.mean(reached, axis=0).tolist(), strict=True)))
    return rows


def draw_sweep(rows: list[dict[str, Any]], out: Path) -> None:
    made, ((left, right),) = figure(1, 2)
    rates = [row["learning rate"] for row in rows]
    for axes, key in ((left, "loss"), (right, "accuracy")):
        for position, name in enumerate(("plain", "normalized")):
            values = [row[f"{name} {key}"] for row in rows]
            axes.plot(rates, values, label=name, marker="o", markersize=3.5, **style(position))
        axes.set(xscale="log", xlabel="learning rate")
    left.set(yscale="log", ylabel="training loss, last epoch")
    left.axhline(math.log(10), color="#555555", linewidth=1, label="guessing")
    right.set(ylabel="test accuracy", ylim=(0, 1.02))
    left.legend(frameon=False)
    right.legend(frameon=False, loc="center left")
    save(made, out, "learning_rates")


def draw_distributions(out: Path, epochs: int) -> list[dict[str, Any]]:
    """Histograms of the pre-activations of every layer, before and after training, and how wide they are."""
    from matplotlib import colormaps

    made, panels = figure(2, 2, width=5.2, height=3.2)
    edges = np.linspace(-4, 4, 81)
    middles = (edges[:-1] + edges[1:]) / 2
    shade = lambda depth: colormaps["viridis"](0.9 * depth / (DEPTH - 1))  # noqa: E731
    rows = []
    for line, (name, normalized) in zip(panels, (("plain", False), ("normalized", True)), strict=True):
        tg.manual_seed(0)
        batches, (x_test, _) = data(0)
        model = make_model(normalized)
        for axes, when in zip(line, ("at the start", f"after {epochs} epochs"), strict=True):
            if when != "at the start":
                train(model, batches, 0.5, epochs)
            for depth, values in enumerate(pre_activations(model, x_test)):
                density, _ = np.histogram(values, edges, density=True)
                axes.plot(middles, density, label=f"layer {depth + 1}", color=shade(depth), linewidth=1.6)
                rows.append({"network": name, "when": when, "layer": depth + 1, "std": float(values.std())})
            axes.set(xlabel="pre-activation", ylabel="density", title=f"{name}, {when}")
    panels[0, 0].legend(frameon=False)
    save(made, out, "pre_activations")
    return rows


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The sweep, the distributions, and the two kinds of statistics."""
    rates = [0.03, 0.3, 3.0] if quick else [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
    seeds, epochs = (1, 5) if quick else (5, 20)
    swept = sweep(rates, seeds, epochs)
    draw_sweep(swept, out)
    widths = draw_distributions(out, epochs)
    return {
        f"After {epochs} epochs, means over {seeds} seeds": swept,
        "Standard deviation of the pre-activations": widths,
        "Statistics for prediction": statistics(seeds, epochs),
    }


if __name__ == "__main__":
    run(main)
