"""Starting values, measured: what becomes of a signal on its way up, and of a gradient on its way down, 24 layers.

Each initializer is tried with each activation. A signal whose size changes by a factor c in every layer changes by c²⁴
through the network, and so does the gradient: what counts is the factor of one layer. It is measured for the
activations (up) and for the gradients by the pre-activations (down), as the geometric mean over the layers.

The table by activation exists in two versions: that of the course has the factor 4 on tanh, that of Glorot and Bengio
on the logistic unit. Both are here. Then the last figure: how far from its start gradient descent travels, and that
stopping it early is like a penalty on the distance from the start.

X. Glorot, Y. Bengio, AISTATS 2010; K. He et al., ICCV 2015; D. Mishkin, J. Matas, ICLR 2016 (LSUV); J. Martens, ICML
2010 (sparse); Goodfellow, Bengio, Courville, *Deep Learning*, sections 7.8 and 8.4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn import init

DEPTH, WIDTH = 24, 128
ACTIVATIONS: dict[str, type[nn.Module]] = {"logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
INITIALIZERS: dict[str, Callable[[str], Any]] = {
    "1/√m": lambda activation: init.fan_in_uniform_,
    "Glorot": lambda activation: init.xavier_uniform_,
    "He": lambda activation: init.kaiming_normal_,
    "LeCun": lambda activation: init.lecun_normal_,
    "orthogonal": lambda activation: init.orthogonal_,
    "sparse": lambda activation: init.sparse_,
    "table, course": lambda activation: partial(init.activation_normal_, activation=activation, table="course"),
    "table, Glorot": lambda activation: partial(init.activation_normal_, activation=activation, table="glorot"),
    "LSUV": lambda activation: init.orthogonal_,  # and then scaled, layer by layer
}


def make_model(initializer: str, activation: str) -> nn.Sequential:
    """DEPTH square layers with their activations."""
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        layers += [nn.Linear(WIDTH, WIDTH, init=INITIALIZERS[initializer](activation), bias_init=0.0)]
        layers += [ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


def sizes(model: nn.Sequential, x: tg.Tensor) -> tuple[list[float], list[float]]:
    """The standard deviations of the activations of each layer, and of the gradients by its pre-activations."""
    pre_activations, activations, value = [], [], x
    for linear, activation in zip(model[::2], model[1::2], strict=True):
        pre_activations.append(linear(value))
        value = activation(pre_activations[-1])
        activations.append(value)
    cotangent = tg.randn(*value.shape)  # a gradient of standard deviation 1 comes from above
    gradients = tg.gradients(value, pre_activations, grad_outputs=cotangent)
    return [a.std().item() for a in activations], [g.std().item() for g in gradients]


def factor(numbers: list[float]) -> float:
    """The geometric mean of the ratio of a number to the one before it."""
    first, last = max(numbers[0], 1e-300), max(numbers[-1], 1e-300)
    return (last / first) ** (1 / (len(numbers) - 1))


def through_depth(seeds: int) -> tuple[list[dict[str, Any]], dict[tuple[str, str], tuple[Any, Any]]]:
    """The table of factors, and the curves behind it, for every initializer with every activation."""
    rows, curves = [], {}
    for activation in ACTIVATIONS:
        for initializer in INITIALIZERS:
            up, down = [], []
            for seed in range(seeds):
                tg.manual_seed(seed)
                model, x = make_model(initializer, activation), tg.randn(256, WIDTH)
                if initializer == "LSUV":
                    init.lsuv_(model, x)
                activations, gradients = sizes(model, x)
                up.append(activations)
                down.append(gradients)
            curve = np.mean(up, axis=0), np.mean(down, axis=0)
            curves[activation, initializer] = curve
            rows.append(
                {
                    "activation": activation,
                    "initializer": initializer,
                    "up, a layer": factor(curve[0].tolist()),
                    "down, a layer": factor(curve[1][::-1].tolist()),
                    f"down, {DEPTH} layers": curve[1][0] / curve[1][-1],
                }
            )
    return rows, curves


def draw_depth(curves: dict[tuple[str, str], tuple[Any, Any]], out: Path) -> None:
    made, panels = figure(2, 3, width=4.6, height=3.3)
    layers = range(1, DEPTH + 1)
    for column, activation in zip(panels.T, ACTIVATIONS, strict=True):
        for position, initializer in enumerate(INITIALIZERS):
            for axes, numbers in zip(column, curves[activation, initializer], strict=True):
                axes.plot(layers, numbers, label=initializer, **style(position))
        for axes, what in zip(column, ("activations", "gradients"), strict=True):
            axes.set(yscale="log", xlabel="layer", ylabel=f"standard deviation, {what}", title=activation)
    made.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    save(made, out, "through_depth")


def descend(steps: int, lr: float, penalty: float, start: np.ndarray, seed: int) -> tuple[list[float], list[Any]]:
    """Gradient descent on a noisy linear regression, from a start: the test error and the parameters of each step."""
    rng = np.random.default_rng(seed)
    features = 30
    true = start + rng.standard_normal(features) * 0.3  # drawn around the start: the prior that is meant
    scales = np.logspace(0, -1.5, features)
    x, x_test = (tg.tensor(rng.standard_normal((n, features)) * scales) for n in (40, 2000))
    y = x @ tg.tensor(true) + tg.tensor(rng.standard_normal(40) * 0.3)
    w, origin = tg.tensor(start.copy(), requires_grad=True), tg.tensor(start)
    optimizer = tg.optim.SGD([w], lr=lr)
    errors, path = [], []
    for _ in range(steps):
        errors.append(((x_test @ (w.detach() - tg.tensor(true))) ** 2).mean().item())
        path.append(w.detach().numpy().copy())
        optimizer.zero_grad()
        (((x @ w - y) ** 2).mean() + penalty * ((w - origin) ** 2).sum()).backward()
        optimizer.step()
    return errors, path


def early_stopping(quick: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Descent that is stopped after τ steps, beside descent to the end with the penalty 1/(2ετ)·‖θ - θ₀‖²."""
    start, lr = np.full(30, 2.0), 0.1
    count = 400 if quick else 3000
    errors, path = descend(count, lr, 0.0, start, seed=1)
    distance = [float(np.linalg.norm(w - start)) for w in path]
    rows = []
    for stop in (3, 10, 30, 100, 300):
        # A penalty α/2 ‖θ - θ₀‖² with α = 1/(ετ) holds back as much as stopping after τ steps of size ε.
        penalized, ends = descend(1500 if quick else 8000, lr, 1 / (2 * lr * stop), start, seed=1)
        rows.append(
            {
                "steps τ": stop,
                "distance, stopped": distance[stop],
                "distance, penalty": float(np.linalg.norm(ends[-1] - start)),
                "test error, stopped": errors[stop],
                "test error, penalty": penalized[-1],
                "cosine of the two ways": cosine(path[stop] - start, ends[-1] - start),
            }
        )
    return rows, {"errors": errors, "distance": distance}


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """1 for two vectors of one direction."""
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def draw_stopping(rows: list[dict[str, Any]], curves: dict[str, Any], out: Path) -> None:
    made, ((left, right),) = figure(1, 2)
    for axes, key, column in ((left, "distance", "distance"), (right, "errors", "test error")):
        axes.plot(np.arange(len(curves[key])) + 1, curves[key], label="gradient descent, step by step", **style(0))
        axes.plot(
            [row["steps τ"] + 1 for row in rows], [row[f"{column}, penalty"] for row in rows], marker="o", linestyle="",
            color=style(1)["color"], label="to the end, with penalty 1/(2ετ)",
        )  # fmt: skip
        axes.set(xscale="log", xlabel="step + 1")
        axes.legend(frameon=False)
    left.set_ylabel("distance from the start")
    right.set_ylabel("error on new data")
    save(made, out, "early_stopping")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Factors through depth for all pairs; early stopping beside a penalty."""
    seeds = 1 if quick else 5
    rows, curves = through_depth(seeds)
    draw_depth(curves, out)
    stopping, path = early_stopping(quick)
    draw_stopping(stopping, path, out)
    return {f"Through {DEPTH} layers, means over {seeds} seeds": rows, "Stopping early": stopping}


if __name__ == "__main__":
    run(main)
