"""A rate of its own for each parameter: where that helps, and where it does not.

Five surfaces in two dimensions, six methods, each at its own best rate on each surface (found by a sweep). The same
canyon of condition number 100 is there twice: along the axes, and turned by 30 degrees. A method that scales each
parameter by itself undoes the first in a few steps; the second has the same condition number, and little to be gained
by scaling. Gradient descent and momentum, which know no axes, see no difference between the two, and it is momentum
that brings Adam through the second.

- bowl: (x² + 4y²) / 2
- canyon, turned canyon: (x² + y²/100) / 2 in the axes of the canyon
- saddle: (x² - y²) / 2 + y⁴/36, left from beside its ridge; the floor lies at y = ±3
- ravine: (1 - x)² + 100 (y - x²)², Rosenbrock's

The best rate is the one with which the cost above the minimum soonest stays below 1/10000 of its value at the start. If
none leads there, the one with the smallest cost at the end, which is the largest of the last ten steps, so that a
method that swings around the minimum is not taken at a lucky moment. These are exact gradients: with noise the order
is another (`optimizer_comparison.py`).

J. Duchi, E. Hazan, Y. Singer, JMLR 2011; T. Tieleman, G. Hinton 2012; D. Kingma, J. Ba, ICLR 2015; M. Riedmiller,
H. Braun 1993; Goodfellow, Bengio, Courville, *Deep Learning*, section 8.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg

METHODS: dict[str, Callable[..., tg.optim.Optimizer]] = {
    "gradient descent": tg.optim.SGD,
    "momentum": partial(tg.optim.SGD, momentum=0.9),
    "AdaGrad": tg.optim.Adagrad,
    "RMSProp": tg.optim.RMSprop,
    "Adam": tg.optim.Adam,
    "Rprop": tg.optim.Rprop,
}


@dataclass(frozen=True)
class Surface:
    """A cost of two variables, a start, its minima, and the part of the plane that is drawn."""

    name: str
    cost: Callable[[Any, Any], Any]  # of tensors, or of arrays
    start: tuple[float, float]
    floor: float  # the smallest cost
    minima: tuple[tuple[float, float], ...]
    window: tuple[float, float, float, float]


def canyon(x: Any, y: Any, angle: float = 0.0) -> Any:
    """A quadratic of condition number 100 whose axes are turned by an angle."""
    along, across = math.cos(angle) * y - math.sin(angle) * x, math.cos(angle) * x + math.sin(angle) * y
    return (across**2 + along**2 / 100) / 2


TURN = math.radians(30)
SURFACES = (
    Surface("bowl", lambda x, y: (x**2 + 4 * y**2) / 2, (-3, 2), 0, ((0, 0),), (-4, 4, -3, 3)),
    Surface("canyon", canyon, (1, 4), 0, ((0, 0),), (-4, 3, -2.5, 5.5)),
    Surface(
        "turned canyon",
        partial(canyon, angle=TURN),
        (math.cos(TURN) - 4 * math.sin(TURN), math.sin(TURN) + 4 * math.cos(TURN)),  # the same place in the canyon
        0,
        ((0, 0),),
        (-4, 3, -2.5, 5.5),
    ),
    Surface(
        "saddle",
        lambda x, y: (x**2 - y**2) / 2 + y**4 / 36,
        (2, 1e-3),
        -9 / 4,
        ((0, 3), (0, -3)),
        (-2.5, 2.5, -4.5, 4.5),
    ),
    Surface("ravine", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, (-1, 1.5), 0, ((1, 1),), (-1.8, 1.8, -1, 2.5)),
)


def descend(method: str, surface: Surface, lr: float, steps: int) -> np.ndarray:
    """The points that a method visits, up to where it leaves the world."""
    point = tg.tensor(surface.start, dtype=tg.float64, requires_grad=True)
    optimizer = METHODS[method]([point], lr=lr)
    points = [point.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        surface.cost(point[0], point[1]).backward()
        optimizer.step()
        points.append(point.detach().numpy().copy())
        if not np.abs(points[-1]).max() < 1e3:
            break
    return np.array(points)


@dataclass(frozen=True)
class Way:
    """What a method does on a surface at one rate."""

    lr: float
    points: np.ndarray
    above: np.ndarray  # the cost above the minimum, at each point
    steps: int  # that were to be made

    @property
    def final(self) -> float:
        """The largest cost of the last ten steps; infinite where the method did not stay."""
        return float(self.above[-10:].max()) if len(self.points) == self.steps + 1 else math.inf

    @property
    def needed(self) -> float:
        """The steps after which the cost stays below 1/10000 of what it was; infinite if it does not."""
        high = np.flatnonzero(~(self.above < 1e-4 * self.above[0]))
        return float(high[-1] + 1) if math.isfinite(self.final) and high[-1] < self.steps else math.inf


def sweep(method: str, surface: Surface, rates: list[float], steps: int) -> Way:
    """The way at the best rate."""
    ways = []
    for lr in rates:
        points = descend(method, surface, lr, steps)
        ways.append(Way(lr, points, np.maximum(surface.cost(*points.T) - surface.floor, 0.0), steps))
    return min(ways, key=lambda way: (way.needed, way.final))


def draw(ways: dict[tuple[str, str], Way], out: Path) -> None:
    """For each surface the ways over its contours, and the cost along them."""
    made, panels = figure(2, len(SURFACES), width=3.2, height=3.4)
    for surface, (top, bottom) in zip(SURFACES, panels.T, strict=True):
        left, right, low, high = surface.window
        x, y = np.meshgrid(np.linspace(left, right, 201), np.linspace(low, high, 201))
        height = surface.cost(x, y) - surface.floor
        levels = np.quantile(height, np.linspace(0.02, 1, 14))
        top.contour(x, y, height, levels=levels, colors="#aab2ba", linewidths=0.7)
        for position, method in enumerate(METHODS):
            way = ways[method, surface.name]
            top.plot(*way.points.T, label=method, marker=".", markersize=3, **{**style(position), "linewidth": 1.2})
            bottom.plot(np.maximum(way.above, 1e-16), label=method, **style(position))
        top.plot(*surface.start, marker="o", color="black", linestyle="", label="start")
        top.plot(*np.transpose(surface.minima), marker="*", markersize=11, color="black", linestyle="", label="minimum")
        top.set(xlim=(left, right), ylim=(low, high), xlabel="x", ylabel="y", title=surface.name)
        top.grid(False)
        bottom.set(yscale="log", xlabel="step")
    panels[1, 0].set_ylabel("cost above the minimum")
    made.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=8, frameon=False)
    save(made, out, "adaptive_rates")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Every method on every surface, each at its best rate there."""
    steps, a_decade = (100, 1) if quick else (300, 5)
    rates = np.logspace(-3, 1, 4 * a_decade + 1).tolist()
    with np.errstate(all="ignore"):  # what leaves the world is part of the sweep
        ways = {
            (method, surface.name): sweep(method, surface, rates, steps) for method in METHODS for surface in SURFACES
        }
    draw(ways, out)
    measures: dict[str, Callable[[Way], float]] = {
        "Steps until the cost stays below 1/10000 of that at the start": lambda way: way.needed,
        f"Cost above the minimum after {steps} steps": lambda way: way.final,
        "The best rates": lambda way: way.lr,
    }
    return {
        title: [
            {"method": method, **{surface.name: measure(ways[method, surface.name]) for surface in SURFACES}}
            for method in METHODS
        ]
        for title, measure in measures.items()
    }


if __name__ == "__main__":
    run(main)
