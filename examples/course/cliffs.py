"""A cliff in the cost: one step at its edge undoes a hundred, unless the gradient is clipped.

A network with one recurrent unit, x ← w σ(x) + b, is run for 50 steps and is to end at σ(x) = 0.7. Where the map gains
or loses a fixed point the end jumps, and the cost has a wall: the gradient is a sum of products of up to 50 factors
w σ'(x), tiny on one side and huge on the wall. Gradient descent comes down the gentle side, to the edge, where

- the step as it is leads far away, to a plain where every gradient is nearly 0;
- a gradient clipped by its norm keeps its direction: a short step off the wall;
- a gradient clipped element by element takes a short step too, in another direction (measured as an angle), and so
  may go to and fro across the wall for long.

One descent is drawn. Whether a step meets the wall where it is steep is chance, so the table also has a set of starts.
"Final" is the mean of the last ten steps.

R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013; Goodfellow,
Bengio, Courville, *Deep Learning*, sections 8.2.4 and 10.11.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn

LENGTH, TARGET, LR, LIMIT = 50, 0.7, 0.5, 0.2
START = (6.0, -2.5)

Clip = Callable[[list[tg.Tensor]], Any]
CLIPPING: dict[str, Clip] = {
    "none": lambda parameters: None,
    "by norm": lambda parameters: nn.utils.clip_grad_norm_(parameters, LIMIT),
    "by value": lambda parameters: nn.utils.clip_grad_value_(parameters, LIMIT),
}


def cost(w: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
    """The squared error at the end of the sequence, for one pair (w, b) or for arrays of them."""
    x = tg.zeros_like(w) + 0.5
    for _ in range(LENGTH):
        x = w * tg.sigmoid(x) + b
    return (tg.sigmoid(x) - TARGET) ** 2


@dataclass
class Descent:
    """What one descent went through: points (w, b), costs, and the gradients before and after clipping."""

    points: np.ndarray
    costs: np.ndarray
    gradients: np.ndarray
    clipped: np.ndarray

    @property
    def jumps(self) -> np.ndarray:
        """The length of each step."""
        return np.linalg.norm(np.diff(self.points, axis=0), axis=1)

    @property
    def final(self) -> float:
        """The mean cost of the last ten steps."""
        return float(self.costs[-10:].mean())

    @property
    def turns(self) -> np.ndarray:
        """The angle between each gradient and what clipping made of it, in degrees."""
        lengths = np.linalg.norm(self.gradients, axis=1) * np.linalg.norm(self.clipped, axis=1)
        cosines = (self.gradients * self.clipped).sum(axis=1) / np.maximum(lengths, 1e-300)
        return np.where(lengths > 0, np.degrees(np.arccos(np.clip(cosines, -1, 1))), 0.0)


def descend(clip: Clip, start: tuple[float, float], steps: int) -> Descent:
    """Gradient descent at a constant rate."""
    w, b = parameters = [tg.tensor(value, dtype=tg.float64, requires_grad=True) for value in start]
    optimizer = tg.optim.SGD(parameters, lr=LR)
    points, costs, gradients, clipped = [], [], [], []
    for _ in range(steps):
        points.append([w.item(), b.item()])
        optimizer.zero_grad()
        loss = cost(w, b)
        loss.backward()
        costs.append(loss.item())
        gradients.append([parameter.grad.item() for parameter in parameters])
        clip(parameters)
        clipped.append([parameter.grad.item() for parameter in parameters])
        optimizer.step()
    points.append([w.item(), b.item()])
    costs.append(cost(w, b).item())
    return Descent(*map(np.array, (points, costs, gradients, clipped)))


def row(clipping: str, found: Descent) -> dict[str, Any]:
    """One line of the table."""
    return {
        "clipping": clipping,
        "largest gradient": float(np.linalg.norm(found.gradients, axis=1).max()),
        "longest jump": float(found.jumps.max()),
        "largest turn, degrees": float(found.turns.max()),
        "cost before the jump": float(found.costs[found.jumps.argmax()]),
        "final cost": found.final,
    }


def many(count: int, steps: int) -> list[dict[str, Any]]:
    """The same from starts drawn at random on the gentle side."""
    rng = np.random.default_rng(0)
    starts = [
        (float(w), float(b)) for w, b in zip(rng.uniform(5, 7, count), rng.uniform(-2.6, -1.6, count), strict=True)
    ]
    rows = []
    for clipping, clip in CLIPPING.items():
        found = [descend(clip, start, steps) for start in starts]
        rows.append(
            {
                "clipping": clipping,
                "median longest jump": float(np.median([one.jumps.max() for one in found])),
                "longest jump of all": float(max(one.jumps.max() for one in found)),
                "ended below 0.01": f"{sum(one.final < 0.01 for one in found)} of {count}",
                "worst final cost": max(one.final for one in found),
            }
        )
    return rows


def draw(descents: dict[str, Descent], out: Path) -> None:
    """The ways over the surface, the costs, and the lengths of the steps."""
    made, ((left, middle, right),) = figure(1, 3, width=4.6, height=3.9)
    w, b = np.meshgrid(np.linspace(2.5, 7.5, 251), np.linspace(-3.5, -0.5, 251))
    with tg.no_grad():
        surface = cost(tg.tensor(w), tg.tensor(b)).numpy()
    shades = left.contourf(w, b, surface, levels=np.linspace(0, 0.5, 26), cmap="Greys", alpha=0.8)
    made.colorbar(shades, ax=left, ticks=[0, 0.1, 0.2, 0.3, 0.4, 0.5])
    for position, (clipping, found) in enumerate(descents.items()):
        label = "not clipped" if clipping == "none" else f"clipped {clipping}"
        left.plot(*found.points.T, marker=".", markersize=3, label=label, **style(position))
        middle.plot(np.convolve(found.costs, np.full(10, 0.1), mode="valid"), label=label, **style(position))
        right.plot(found.jumps, label=label, **style(position))
    left.plot(*START, marker="o", color="black", linestyle="", label="start")
    left.set(xlim=(2.5, 7.5), ylim=(-3.5, -0.5), xlabel="w", ylabel="b", title="the way (shades: the cost)")
    middle.set(yscale="log", xlabel="step", ylabel="cost", title="cost, mean of ten steps")
    right.set(yscale="log", xlabel="step", ylabel="length of the step", title="steps")
    made.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    save(made, out, "cliffs")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The descent that is drawn, then the same from several starts."""
    steps, count = (150, 2) if quick else (400, 20)
    with np.errstate(over="ignore"):  # far out σ saturates
        descents = {clipping: descend(clip, START, steps) for clipping, clip in CLIPPING.items()}
        several = many(count, steps)
    draw(descents, out)
    return {
        f"From w = {START[0]}, b = {START[1]}, {steps} steps": [row(*item) for item in descents.items()],
        f"From {count} starts": several,
    }


if __name__ == "__main__":
    run(main)
