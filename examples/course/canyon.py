"""A long canyon: plain descent zig-zags from wall to wall, momentum remembers where both have led.

The quadratic f(θ) = ½ θᵀAθ has the curvature 1 along the canyon and c across it; c is the condition number. Each method
has the constants that are best for it on every such quadratic, and shrinks the distance to the minimum by a factor a
step, in the long run (L. Lessard, B. Recht, A. Packard, SIAM Journal on Optimization 26, 2016, table 1):

- gradient descent: ε = 2/(1 + c), factor (c - 1)/(c + 1). Every step crosses the canyon: the zig-zag;
- momentum, v ← αv - εg, θ ← θ + v: ε = 4/(1 + √c)², factor f = (√c - 1)/(√c + 1) and α = f². It still crosses with
  every step, but it advances as gradient descent does in a canyon of condition number √c;
- Nesterov, the gradient taken ahead at θ + αv: ε = 4/(3c + 1), factor 1 - 2/√(3c + 1). It crosses less far.

Rates above and below are worse, which is measured too. So is the speed that momentum gains under a constant gradient:
it approaches ε‖g‖/(1 - α), which is 1/(1 - α) steps of plain descent at once.

Goodfellow, Bengio, Courville, *Deep Learning*, sections 8.3.2 and 8.3.3, algorithms 8.2 and 8.3.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from lesson import COLOURS, figure, run, save, style

import tinygrad_opt as tg

METHODS = ("gradient descent", "momentum", "Nesterov")
CLOSE = 1e-6  # the distance to the minimum, as a share of that at the start, at which a method has arrived


def canyon(condition: float, degrees: float) -> np.ndarray:
    """The matrix A with the eigenvalues 1, in the direction given by the angle, and `condition`, across it."""
    turn = math.radians(degrees)
    along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    return np.outer(along, along) + condition * np.outer(across, across)


def start(condition: float, degrees: float) -> np.ndarray:
    """A point to which both directions contribute the same part of f."""
    turn = math.radians(degrees)
    along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    return 10 * (along + across / math.sqrt(condition))


def best_constants(method: str, c: float) -> tuple[dict[str, Any], float]:
    """The options of SGD that are best for a method at a condition number, and the factor a step that they promise."""
    if method == "gradient descent":
        return {"lr": 2 / (1 + c)}, (c - 1) / (c + 1)
    if method == "momentum":
        factor = (math.sqrt(c) - 1) / (math.sqrt(c) + 1)
        return {"lr": 4 / (1 + math.sqrt(c)) ** 2, "momentum": factor**2, "form": "book"}, factor
    root = math.sqrt(3 * c + 1)
    return {"lr": 4 / (3 * c + 1), "momentum": (root - 2) / (root + 2), "nesterov": True, "form": "book"}, 1 - 2 / root


def descend(a: np.ndarray, theta: np.ndarray, options: dict[str, Any], most: int) -> np.ndarray:
    """The points that SGD visits on ½ θᵀAθ, one a row, until it has arrived, is far outside, or is out of steps."""
    matrix, x = tg.tensor(a), tg.tensor(theta, requires_grad=True)
    optimizer = tg.optim.SGD([x], **options)
    seen, scale = [theta], float(np.linalg.norm(theta))
    while len(seen) <= most and CLOSE * scale <= np.linalg.norm(seen[-1]) < 1e3 * scale:
        optimizer.step(lambda: 0.5 * tg.matmul(x, tg.matmul(matrix, x)))
        seen.append(x.detach().numpy().copy())
    return np.stack(seen)


def arrival(path: np.ndarray) -> float:
    """The number of steps of a path until the minimum, infinite for one that does not lead there."""
    arrived = np.linalg.norm(path[-1]) < CLOSE * np.linalg.norm(path[0])
    return float(len(path) - 1) if arrived else math.inf


def walls(path: np.ndarray, a: np.ndarray) -> int:
    """How often a path changes from one wall of the canyon to the other."""
    across = path @ np.linalg.eigh(a)[1][:, -1]
    return int((across[1:] * across[:-1] < 0).sum())


def compare(condition: float, degrees: float, most: int) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """A row of numbers and the path of each method, at its best rate and beside it."""
    a, theta = canyon(condition, degrees), start(condition, degrees)
    rows, paths = [], {}
    for method in METHODS:
        options, factor = best_constants(method, condition)
        beside = {
            scale: arrival(descend(a, theta, options | {"lr": scale * options["lr"]}, most)) for scale in (0.8, 1.2)
        }
        path = paths[method] = descend(a, theta, options, most)
        distances = np.linalg.norm(path, axis=1)
        half = len(distances) // 2
        found = (distances[-1] / distances[half]) ** (1 / (len(distances) - 1 - half))
        constants = {"ε": options["lr"], "α": options.get("momentum", 0.0)}
        factors = {"factor predicted": factor, "factor measured": float(found)}
        steps = {"steps": arrival(path), "with 0.8 ε": beside[0.8], "with 1.2 ε": beside[1.2]}
        rows.append({"method": method, **constants, **factors, **steps, "walls": walls(path, a)})
    return rows, paths


def speeds(alpha: float, steps: int) -> np.ndarray:
    """The length of each step under a constant gradient of length 5, with ε = 0.01."""
    x = tg.tensor([0.0, 0.0], dtype=tg.float64, requires_grad=True)
    optimizer = tg.optim.SGD([x], lr=0.01, momentum=alpha, form="book")
    seen = [x.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.step(lambda: 3 * x[0] + 4 * x[1])
        seen.append(x.detach().numpy().copy())
    return np.linalg.norm(np.diff(seen, axis=0), axis=1)


def draw_contours(axes: Any, a: np.ndarray, theta: np.ndarray) -> None:
    """Contours of ½ θᵀAθ around the minimum, as far as a starting point and a bit farther."""
    reach = 1.25 * float(np.abs(theta).max())
    grid = np.linspace(-reach, reach, 201)
    points = np.stack(np.meshgrid(grid, grid), axis=-1)
    values = 0.5 * np.einsum("...i,ij,...j", points, a, points)
    levels = 0.5 * theta @ a @ theta * np.array([0.01, 0.09, 0.25, 0.49, 1.0, 2.0])
    axes.contour(grid, grid, values, levels=levels, colors="#b5bdc4", linewidths=0.8)
    axes.plot(0, 0, "+", color="black", markersize=9)
    axes.set(xlabel="θ₁", ylabel="θ₂", aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))


def draw(paths: dict[float, dict[str, np.ndarray]], degrees: float, out: Path) -> None:
    """For each condition number: the way of each method on its own map, and the distances together."""
    made, panels = figure(len(paths), 4, width=3.7, height=3.6)
    for (condition, ways), line in zip(paths.items(), panels, strict=True):
        for position, (method, path) in enumerate(ways.items()):
            draw_contours(line[position], canyon(condition, degrees), path[0])
            line[position].plot(*path.T, color=COLOURS[position], marker="o", markersize=2.5, linewidth=1.1)
            line[position].set_title(f"{method}, c = {condition:g}")
            distances = np.linalg.norm(path, axis=1)
            line[3].plot(distances / distances[0], label=method, **style(position))
        line[3].set(yscale="log", xlabel="step", ylabel="distance / distance at the start", title=f"c = {condition:g}")
        line[3].legend(frameon=False)
    save(made, out, "canyon")


def terminal(alphas: list[float], out: Path) -> list[dict[str, Any]]:
    """The speed after many steps against the formula, and the speed over the steps."""
    made, ((axes,),) = figure(1, 1, width=5.6, height=3.8)
    rows = []
    for position, alpha in enumerate(alphas):
        steps = 10 + math.ceil(20 / (1 - alpha))
        length, predicted = speeds(alpha, steps), 0.01 * 5 / (1 - alpha)
        almost = int(np.argmax(length > 0.95 * length[-1])) + 1
        rows.append({"α": alpha, "ε‖g‖/(1 - α)": predicted, "speed": float(length[-1]), "steps to 95 %": almost})
        axes.plot(np.arange(1, steps + 1), length, label=f"α = {alpha:g}", **style(position))
        axes.axhline(
            predicted, color="#777777", linewidth=0.8, zorder=1, label="ε‖g‖/(1 - α)" if position == 0 else None
        )
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="length of the step, constant gradient")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    save(made, out, "terminal_speed")
    return rows


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Three methods in two canyons, and the terminal speed."""
    degrees, measured, paths = 30.0, {}, {}
    for condition in (5.0, 100.0):
        rows, paths[condition] = compare(condition, degrees, most=1500 if quick else 5000)
        measured[f"Condition number {condition:g}: steps until the distance is {CLOSE:g} of that at the start"] = rows
    draw(paths, degrees, out)
    alphas = [0.0, 0.5, 0.9] if quick else [0.0, 0.5, 0.9, 0.99]
    return {**measured, "Speed of momentum under a constant gradient": terminal(alphas, out)}


if __name__ == "__main__":
    run(main)
