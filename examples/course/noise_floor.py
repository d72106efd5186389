"""Constant learning rates end at a noise floor; a rate that falls does not.

Logistic regression, whose optimum Newton's method finds to rounding. At the optimum the gradients of mini-batches still
scatter, with a covariance C, and a constant rate ε follows them for ever: the cost stays above its minimum. For small ε
the excess is ε tr(C)/4. (In a bowl with the Hessian H the stationary covariance Σ of θ solves HΣ + ΣH = εC, and the
excess is tr(HΣ)/2.) Half the rate gives half the floor, and takes about twice as many steps to it.

With the linear decay of algorithm 8.1, ε_k = (1 - k/τ) ε₀ + (k/τ) ε_τ until k = τ and ε_τ from there on, the start is
as fast as with ε₀, and the end lies more than a factor of ten below the floor of ε₀, whatever number of steps there is
to spend. It approaches the floor of ε_τ = ε₀/100. The constant rate ε_τ has the same floor, but takes long to arrive:
with few steps it is far behind, with many it draws level on this small, well-conditioned problem.

Goodfellow, Bengio, Courville, *Deep Learning*, section 8.3.1, algorithm 8.1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg

EXAMPLES, FEATURES, BATCH = 1000, 5, 10


def data() -> tuple[np.ndarray, np.ndarray]:
    """Points and answers of ±1 that no plane separates."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((EXAMPLES, FEATURES))
    chance = 1 / (1 + np.exp(-x @ np.linspace(-1, 1, FEATURES)))
    return x, np.where(rng.random(EXAMPLES) < chance, 1.0, -1.0)


def cost(theta: tg.Tensor, x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    """The mean of log(1 + exp(-y θᵀx)) over the examples, the last axis but one of x."""
    margin = y * (x * theta).sum(axis=-1)
    return tg.logaddexp(0.0, -margin).mean(axis=-1)


def optimum(x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    """The minimum, by Newton's method from the origin."""
    theta = tg.zeros(FEATURES, dtype=tg.float64)
    of_theta: Callable[[tg.Tensor], tg.Tensor] = lambda at: cost(at, x, y)  # noqa: E731
    for _ in range(10):
        theta = theta - tg.linalg.solve(tg.hessian(of_theta)(theta), tg.grad(of_theta)(theta))
    return theta


def scatter(theta: tg.Tensor, x: tg.Tensor, y: tg.Tensor) -> float:
    """tr(C): the sum of the variances of the gradient of a mini-batch drawn with replacement."""
    copies = tg.tensor(np.tile(theta.numpy(), (EXAMPLES, 1, 1)))  # one for each example
    alone: Callable[[tg.Tensor], tg.Tensor] = lambda at: cost(at, x[:, None], y[:, None]).sum()  # noqa: E731
    gradients = tg.grad(alone)(copies).numpy()
    return float(np.square(gradients - gradients.mean(axis=0)).sum() / len(gradients) / BATCH)


def descend(rate: Callable[[int], float], steps: int, runs: int, measure_at: set[int]) -> list[dict[str, Any]]:
    """The excess cost of SGD, a mean over many runs that go side by side, each with batches of its own."""
    points, answers = data()
    x, y = tg.tensor(points), tg.tensor(answers)
    with tg.no_grad():
        best = cost(optimum(x, y), x, y).item()
    theta = tg.zeros(runs, 1, FEATURES, dtype=tg.float64, requires_grad=True)
    optimizer = tg.optim.SGD([theta], lr=rate(0))
    rng = np.random.default_rng(1)
    rows = []
    for k in range(steps + 1):
        if k in measure_at:
            with tg.no_grad():
                rows.append({"step": k, "excess": cost(theta, x, y).mean().item() - best})
        optimizer.param_groups[0]["lr"] = rate(k)
        drawn = rng.integers(0, EXAMPLES, (runs, BATCH))
        x_batch, y_batch = tg.tensor(points[drawn]), tg.tensor(answers[drawn])
        optimizer.step(lambda: cost(theta, x_batch, y_batch).sum())  # noqa: B023
    return rows


def decayed(first: float, last: float, tau: int) -> Callable[[int], float]:
    """The linear decay of algorithm 8.1."""
    return lambda k: (1 - min(k / tau, 1)) * first + min(k / tau, 1) * last


def excess_around(rows: list[dict[str, Any]], step: int, reach: int = 0) -> float:
    """The mean of what was measured near a step."""
    return float(np.mean([row["excess"] for row in rows if abs(row["step"] - step) <= reach]))


def draw(curves: dict[str, list[dict[str, Any]]], constant: list[dict[str, Any]], out: Path) -> None:
    """The excess over the steps, and the floors over the rate, on logarithmic axes."""
    made, ((left, right),) = figure(1, 2, width=5.4, height=4.0)
    for position, (name, rows) in enumerate(curves.items()):
        left.plot([row["step"] + 1 for row in rows], [row["excess"] for row in rows], label=name, **style(position))
    left.set(xscale="log", yscale="log", xlabel="step + 1", ylabel="cost - least cost")
    left.legend(frameon=False, loc="lower left")
    rates = [row["ε"] for row in constant]
    right.plot(rates, [row["ε tr(C)/4"] for row in constant], label="ε tr(C)/4", **style(0))
    right.plot(rates, [row["floor"] for row in constant], "o", color="#d55e00", label="measured")
    right.set(xscale="log", yscale="log", xlabel="constant rate ε", ylabel="noise floor, cost - least cost")
    right.set_xticks(rates, [f"{rate:g}" for rate in rates])
    right.set_xticks([], minor=True)
    right.legend(frameon=False)
    save(made, out, "noise_floor")


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Constant rates and their floors; the linear decay beside the two constant rates between which it moves."""
    steps, runs = (1200, 32) if quick else (4800, 128)
    first, last = 0.8, 0.008
    measure_at = {round(steps ** (i / 60)) - 1 for i in range(61)} | set(range(0, steps + 1, steps // 120))
    x, y = map(tg.tensor, data())
    trace = scatter(optimum(x, y), x, y)
    curves, constant = {}, []
    for epsilon in (0.8, 0.4, 0.2) if quick else (0.8, 0.4, 0.2, 0.1, 0.05, 0.025):
        rows = curves[f"constant {epsilon:g}"] = descend(lambda _, rate=epsilon: rate, steps, runs, measure_at)
        floor = excess_around(rows, 3 * steps // 4, steps // 4)
        reached = next(row["step"] for row in rows if row["excess"] < 1.2 * floor)
        predicted = epsilon * trace / 4
        constant.append(
            {"ε": epsilon, "floor": floor, "ε tr(C)/4": predicted, "ratio": floor / predicted, "reached at": reached}
        )
    small = descend(lambda _: last, steps, runs, measure_at)
    names = (f"constant {first:g}", f"constant {last:g}", f"linear, {first:g} to {last:g}")
    spent = []
    for budget in (steps // 3, steps) if quick else (steps // 8, steps // 4, steps // 2, steps):
        fallen = descend(decayed(first, last, round(0.8 * budget)), budget, runs, measure_at | {budget})
        ends = [excess_around(rows, budget) for rows in (curves[names[0]], small, fallen)]
        spent.append({"steps": budget, **dict(zip(names, ends, strict=True)), "floor of ε_τ": last * trace / 4})
    shown = {name: curves[name] for name in list(curves)[:: 1 if quick else 2]}
    draw(shown | {names[1]: small, names[2]: fallen}, constant, out)
    return {f"Floors of constant rates, means over {runs} runs": constant, "At the end, by the steps spent": spent}


if __name__ == "__main__":
    run(main)
