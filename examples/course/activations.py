"""Saturating and non-saturating activations: what becomes of a gradient on its way down a deep network.

The derivative of the logistic function is at most 1/4, that of tanh at most 1 and nearly 0 for large inputs, that of
ReLU 0 or 1. Through 20 layers these factors multiply. Measured here, with starting values made for each activation
(`initialization.py` compares those):

- the size of the gradient that reaches each layer, at the start of training;
- how a network of 10 layers learns, at the best of several learning rates for each activation.

Goodfellow, Bengio, Courville, *Deep Learning*, sections 6.3 and 8.2.5; X. Glorot, Y. Bengio, "Understanding the
difficulty of training deep feedforward neural networks", AISTATS 2010.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "logistic": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU, "leaky ReLU": nn.LeakyReLU, "softplus": nn.Softplus,
}  # fmt: skip
INIT = {"logistic": "xavier_normal_", "tanh": "xavier_normal_"}  # the others: He's, for units that are off by half


def make_model(activation: str, depth: int, width: int) -> nn.Sequential:
    """A network of equally wide hidden layers for the digits."""
    layers: list[nn.Module] = []
    for inputs in [64] + [width] * (depth - 1):
        linear = nn.Linear(inputs, width, init=INIT.get(activation, "kaiming_normal_"), bias_init=0.0)
        layers += [linear, ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def digits(seed: int) -> tuple[tg.Tensor, tg.Tensor]:
    """Standardized images and their labels."""
    images, labels = tg.data.digits()
    x, _, y, _ = tg.data.train_test_split(images, labels, stratify=labels, seed=seed)
    return (x - x.mean()) / x.std(), y


def gradients(model: nn.Sequential, x: tg.Tensor, labels: tg.Tensor) -> list[float]:
    """For each hidden layer the standard deviation of the loss's gradient by its pre-activations."""
    pre_activations, value = [], x
    for layer in model:
        value = layer(value)
        if isinstance(layer, nn.Linear):
            pre_activations.append(value)
    loss = nn.CrossEntropyLoss(reduction="sum")(value, labels)
    return [gradient.std().item() for gradient in tg.gradients(loss, pre_activations[:-1])]


def train(model: nn.Sequential, seed: int, lr: float, steps: int) -> list[float]:
    """Gradient descent with momentum; the training loss, over all examples, at 25 moments and at the end."""
    x, y = digits(seed)
    loss, rng = nn.CrossEntropyLoss(), np.random.default_rng(seed)
    optimizer = tg.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    with np.errstate(all="ignore"):  # a rate that is too large may end in overflow: that is part of the result
        for step in range(steps + 1):
            if step % (steps // 25) == 0:
                with tg.no_grad():
                    losses.append(loss(model(x), y).item())
            chosen = rng.integers(0, len(x), 64)
            optimizer.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
    return losses


def best_run(activation: str, rates: list[float], seeds: int, steps: int) -> tuple[float, list[float]]:
    """The learning rate with the smallest mean loss at the end, and the mean losses on the way there."""
    runs = {}
    for lr in rates:
        losses = []
        for seed in range(seeds):
            tg.manual_seed(seed)
            losses.append(train(make_model(activation, 10, 64), seed, lr, steps))
        runs[lr] = np.nan_to_num(np.mean(losses, axis=0), nan=np.inf).tolist()
    best = min(runs, key=lambda lr: runs[lr][-1])
    return best, runs[best]


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Gradients through 20 layers; then training of 10 layers, each activation at its own best rate."""
    depth = 20
    rates, seeds, steps = ([0.01], 1, 150) if quick else ([0.001, 0.003, 0.01, 0.03, 0.1, 0.3], 3, 1000)
    made, ((left, right),) = figure(1, 2)
    rows, trained = [], []
    for position, activation in enumerate(ACTIVATIONS):
        tg.manual_seed(0)
        found = gradients(make_model(activation, depth, 200), *digits(0))
        left.plot(range(1, depth + 1), found, label=activation, **style(position))
        rows.append(
            {
                "activation": activation,
                "gradient, last layer": found[-1],
                "gradient, first layer": found[0],
                "first / last": found[0] / found[-1],
            }
        )
        lr, losses = best_run(activation, rates, seeds, steps)
        right.plot(np.linspace(0, steps, len(losses)), losses, label=activation, **style(position))
        trained.append({"activation": activation, "best learning rate": lr, "training loss": losses[-1]})
    left.set(yscale="log", xlabel="layer", ylabel="standard deviation of the gradient")
    left.set_xticks(range(2, depth + 1, 3))
    right.set(yscale="log", xlabel="step", ylabel="training loss")
    right.legend(frameon=False)
    save(made, out, "activations")
    return {
        f"{depth} layers, at the start": rows,
        f"10 layers, after {steps} steps, means over {seeds} seeds": trained,
    }


if __name__ == "__main__":
    run(main)
