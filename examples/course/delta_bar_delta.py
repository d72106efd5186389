"""Delta-bar-delta: a learning rate for each parameter, which the gradient's changes of sign adjust.

A derivative that keeps its sign asks for a larger rate, one that changes it for a smaller one. In a canyon along the
axes this finds what one rate for both cannot give: large steps along it, small ones across. Two things are measured
against gradient descent at its best rate, 2/(1 + c), both to the same distance from the minimum:

- how the two rates move, beside 1/λ, the rate that would reach the minimum of each axis in one step;
- what remains of the gain in a canyon that does not lie along the axes. There, no rates of single parameters fit: every
  parameter feels the steep wall.

κ and φ are the best of a grid, for each canyon on its own, and every rate starts at 2/(1 + c); the average forgets with
θ_d = 0.7. Single ways are erratic, so the numbers are medians over starting points all around the minimum. For a
part of the grid most ways never arrive: nothing but a change of sign keeps a rate from growing.

R. A. Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks 1, 1988; Goodfellow,
Bengio, Courville, *Deep Learning*, section 8.5.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from canyon import CLOSE, canyon, draw_contours
from lesson import COLOURS, figure, run, save, style

import tinygrad_opt as tg

CONDITION = 100.0


def starts(degrees: float, count: int) -> np.ndarray:
    """Points around the minimum, one a row, all at the same height."""
    along, across = np.linalg.eigh(canyon(CONDITION, degrees))[1].T
    turns = np.pi / 4 + 2 * np.pi * np.arange(count) / count  # the first: half of the height from each direction
    scaled = np.outer(np.cos(turns), along) + np.outer(np.sin(turns), across) / math.sqrt(CONDITION)
    return 10 * math.sqrt(2) * scaled


def travel(
    a: np.ndarray, method: str, points: np.ndarray, most: int, **options: float
) -> tuple[np.ndarray, np.ndarray]:
    """The ways from many points at once, and the rates of delta-bar-delta, each of shape (step, point, coordinate).

    Both methods treat every element alone and the loss is a sum over the points, so the ways do not touch.
    """
    matrix, x = tg.tensor(a), tg.tensor(points, requires_grad=True)
    optimizer = getattr(tg.optim, method)([x], **options)
    seen, rates = [points], []
    waiting = np.ones(len(points), dtype=bool)
    with np.errstate(all="ignore"):  # a way may lead out of the canyon and of all numbers
        while waiting.any() and len(seen) <= most:
            optimizer.step(lambda: 0.5 * (tg.matmul(x, matrix) * x).sum())
            seen.append(x.detach().numpy().copy())
            rates.append(optimizer.state_of(x)["rate"].numpy().copy() if method == "DeltaBarDelta" else 0 * points)
            waiting &= ~(distances(np.stack([points, seen[-1]]))[1] < CLOSE)
    return np.stack(seen), np.stack(rates)


def distances(ways: np.ndarray) -> np.ndarray:
    """The distances to the minimum as shares of those at the start, of shape (step, point)."""
    lengths = np.hypot(ways[..., 0], ways[..., 1])
    return lengths / lengths[0]


def arrivals(ways: np.ndarray) -> np.ndarray:
    """The number of steps of each way until it is close, infinite for one that never is."""
    close = distances(ways) < CLOSE
    return np.where(close.any(axis=0), close.argmax(axis=0), np.inf)


def compare(
    degrees: float, kappas: list[float], phis: list[float], size: tuple[int, int]
) -> tuple[dict[str, Any], Any]:
    """Gradient descent and the best delta-bar-delta of the grid, in a canyon at an angle to the axes."""
    (count, most), a, lr = size, canyon(CONDITION, degrees), 2 / (1 + CONDITION)
    points = starts(degrees, count)
    plain = travel(a, "SGD", points, most, lr=lr)
    tried, failed = {}, 0
    for kappa in kappas:
        for phi in phis:
            ways = travel(a, "DeltaBarDelta", points, most, lr=lr, kappa=kappa, phi=phi)
            tried[kappa, phi] = (float(np.median(arrivals(ways[0]))), ways)
            failed += math.isinf(tried[kappa, phi][0])
    kappa, phi = min(tried, key=lambda pair: tried[pair][0])
    median, (ways, rates) = tried[kappa, phi]
    steps = arrivals(ways)
    largest = [float(np.median(rates[..., axis].max(axis=0))) for axis in (0, 1)]
    row = {
        "angle": degrees,
        "gradient descent": float(np.median(arrivals(plain[0]))),
        "delta-bar-delta": median,
        "slowest start": float(steps.max()),
        "κ": kappa,
        "φ": phi,
        "largest rate of θ₁": largest[0],
        "of θ₂": largest[1],
        "grid that fails": f"{failed} of {len(tried)}",
    }
    return row, {"gradient descent": plain, "delta-bar-delta": (ways, rates)}


def draw(found: dict[float, dict[str, Any]], out: Path) -> None:
    """For each angle, from the first of the starting points: both ways, the rates and the distances over the steps."""
    made, panels = figure(len(found), 4, width=3.7, height=4.2)
    below = {"frameon": False, "loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncol": 2, "fontsize": 8}
    for (degrees, paths), line in zip(found.items(), panels, strict=True):
        for position, (name, (ways, _)) in enumerate(paths.items()):
            path = ways[: int(min(arrivals(ways)[0], len(ways) - 1)) + 1, 0]
            draw_contours(line[position], canyon(CONDITION, degrees), path[0])
            line[position].plot(*path.T, color=COLOURS[position], marker="o", markersize=2.5, linewidth=1.1)
            line[position].set_title(f"{name}, {degrees:g}°")
            line[3].plot(np.arange(len(path)) + 1, distances(ways)[: len(path), 0], label=name, **style(position))
        _, rates = paths["delta-bar-delta"]
        for axis, name in enumerate(("θ₁", "θ₂")):
            line[2].plot(rates[: len(path) - 1, 0, axis], label=f"rate of {name}", **style(axis + 2))
        for curvature, name, dashes in ((1.0, "along", "-"), (CONDITION, "across", ":")):
            line[2].axhline(1 / curvature, color="#555555", linewidth=1, linestyle=dashes, label=f"1/λ {name}")
        line[2].set(yscale="log", xlabel="step", ylabel="learning rate", title=f"rates, {degrees:g}°")
        line[3].set(xscale="log", yscale="log", xlabel="step + 1", ylabel="distance / distance at the start")
        line[3].set_title(f"distance, {degrees:g}°")
        line[2].legend(**below)
        line[3].legend(**below)
    save(made, out, "delta_bar_delta")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Canyons along the axes and at angles to them."""
    kappas, phis = ([0.01, 0.03], [0.3, 0.7]) if quick else ([0.001, 0.003, 0.01, 0.03, 0.1], [0.1, 0.3, 0.5, 0.7, 0.9])
    rows, found = [], {}
    for degrees in (0.0, 45.0) if quick else (0.0, 5.0, 15.0, 45.0):
        row, ways = compare(degrees, kappas, phis, (7, 800) if quick else (45, 2000))
        rows.append(row)
        if degrees in (0.0, 45.0):
            found[degrees] = ways
    draw(found, out)
    return {f"Condition number {CONDITION:g}: median steps until the distance is {CLOSE:g} of that at the start": rows}


if __name__ == "__main__":
    run(main)
