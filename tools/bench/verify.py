"""Nobody is timed before being checked: wrong code is easily fast.

The referee is the hand-written network in float64. A contestant must show the referee's loss before each of
the first updates and after the last of them, and, where second derivatives are timed, the Hessian-vector
product that central differences of the referee's gradient give.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.peers.numpy_by_hand import NumPyByHand, loss_and_gradients
from bench.workload import Array, Problem

UPDATES = 5
LOSS_TOLERANCE = 2e-5  # float32 agrees to 1e-5 or better; a wrong beta already shows more
ARRAY_TOLERANCE = 1e-5  # of the length of the vector; float32 agrees to 1e-6


class Disagreement(Exception):
    """A contestant does not compute what the referee computes."""


def trajectory(step: Callable[[], Any], updates: int = UPDATES) -> list[float]:
    """The loss before each of `updates` updates, and the loss after the last."""
    return [step().item() for _ in range(updates + 1)]


def referee_losses(problem: Problem) -> list[float]:
    return trajectory(NumPyByHand().training_step(problem.astype(np.float64)))


def check_losses(name: str, losses: Sequence[float], expected: Sequence[float]) -> None:
    if not np.allclose(losses, expected, rtol=LOSS_TOLERANCE, atol=0):
        raise Disagreement(f"{name} follows other losses\n  its own  {list(losses)}\n  expected {list(expected)}")


def referee_gradient(problem: Problem) -> list[Array]:
    exact = problem.astype(np.float64)
    return loss_and_gradients(exact.parameters, exact.x, exact.labels)[1]


def referee_product(problem: Problem, direction: Sequence[Array], distance: float = 1e-5) -> list[Array]:
    """The Hessian times `direction`, by a central difference of the hand-written gradient in float64."""
    exact = problem.astype(np.float64)

    def gradient_at(offset: float) -> list[Array]:
        moved = tuple(p + offset * d for p, d in zip(exact.parameters, direction, strict=True))
        return referee_gradient(replace(exact, parameters=moved))

    ahead, behind = gradient_at(distance), gradient_at(-distance)
    return [(a - b) / (2 * distance) for a, b in zip(ahead, behind, strict=True)]


def check_arrays(
    name: str, what: str, arrays: Sequence[Array], expected: Sequence[Array], tolerance: float = ARRAY_TOLERANCE
) -> None:
    """Compare whole vectors: the norm of the difference against the norm of what was expected."""
    error = sum(float(np.sum((np.asarray(a) - e) ** 2)) for a, e in zip(arrays, expected, strict=True))
    scale = sum(float(np.sum(e**2)) for e in expected)
    if not error <= tolerance**2 * scale:
        raise Disagreement(f"{name}: its {what} is off by {(error / scale) ** 0.5:.1e} of the length expected")
