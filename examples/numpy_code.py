"""Ordinary NumPy code, differentiated as it stands.

The first part is a module as it may lie in any drawer: it imports NumPy, and has never heard of derivatives. The second
part (`main`) gives its functions tensors instead of arrays, takes gradients and Hessian-vector products, and compares
both with difference quotients of the very same functions on arrays. Run it with ``python examples/numpy_code.py``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

# ---------------------------------------------------------------- Part one: somebody's NumPy code.


def rosenbrock(x):
    """The banana-shaped valley of Rosenbrock (1960), in any number of dimensions."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic_loss(weights, features, labels):
    """Regularized logistic regression; labels are -1 and 1, the last weight is the intercept."""
    margins = labels * (features @ weights[:-1] + weights[-1])
    return np.mean(np.logaddexp(0.0, -margins)) + 0.05 * np.dot(weights[:-1], weights[:-1])


def softmax_entropy(logits):
    """Mean entropy of the distributions in the rows."""
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return -np.mean(np.einsum("ij,ij->i", p, np.log(p)))


def pendulum_energy_drift(state, length=1.3, steps=60, dt=0.05):
    """How much the energy of a damped pendulum wanders while a leapfrog integrator swings it."""
    angle, velocity = state[0], state[1]
    energies = []
    for _ in range(steps):
        velocity = velocity - 0.5 * dt * (9.81 / length * np.sin(angle) + 0.1 * velocity)
        angle = angle + dt * velocity
        velocity = velocity - 0.5 * dt * (9.81 / length * np.sin(angle) + 0.1 * velocity)
        energies.append(0.5 * (length * velocity) ** 2 + 9.81 * length * (1.0 - np.cos(angle)))
    energies = np.stack(energies)
    return np.var(energies) + (energies[-1] - energies[0]) ** 2 / steps


def spring_energy(positions, rest=1.0):
    """Energy of particles in the plane, every pair of them joined by a spring that goes slack when it is long."""
    difference = positions[:, np.newaxis, :] - positions[np.newaxis, :, :]
    distance = np.sqrt(np.sum(np.square(difference), axis=-1) + 1e-6)
    stretch = np.clip(distance - rest, -0.75, 1.5)
    return 0.5 * np.sum(np.triu(stretch**2, 1))


def rbf_kernel(x, y, scale, amplitude):
    """Squared exponential kernel of two sets of points."""
    squares = np.sum(x**2, axis=1)[:, None] + np.sum(y**2, axis=1)[None, :] - 2.0 * x @ y.T
    return amplitude**2 * np.exp(-0.5 * np.maximum(squares, 0.0) / scale**2)


def gaussian_process_loss(log_parameters, x, y):
    """Negative log marginal likelihood of a Gaussian process: Rasmussen and Williams (2006), algorithm 2.1."""
    scale, amplitude, noise = np.exp(log_parameters)
    covariance = rbf_kernel(x, x, scale, amplitude) + noise**2 * np.eye(len(x))
    lower = np.linalg.cholesky(covariance)
    whitened = np.linalg.solve(lower, y)
    log_determinant = 2.0 * np.sum(np.log(np.diagonal(lower)))
    return 0.5 * np.sum(whitened**2) + 0.5 * log_determinant + 0.5 * len(x) * np.log(2.0 * np.pi)


def normal_loss(parameters, samples):
    """Negative log-likelihood of a normal distribution, by its mean and the root of its precision matrix."""
    n = samples.shape[1]
    mean, root = parameters[:n], np.reshape(parameters[n:], (n, n))
    precision = root @ np.transpose(root) + 0.1 * np.eye(n)
    centred = samples - mean
    _, log_determinant = np.linalg.slogdet(precision)
    return 0.5 * np.mean(np.sum(centred @ precision * centred, axis=1)) - 0.5 * log_determinant


def investor_regret(weights, returns):
    """Negative logarithm of final wealth, with a smooth penalty on the days that lie below the average of the path."""
    shares = np.exp(weights) / np.sum(np.exp(weights))
    path = np.cumsum(np.log1p(returns @ shares))
    below = path - np.mean(path)
    return -path[-1] + np.mean(np.where(below < 0.0, below**2, 0.0))


# ---------------------------------------------------------------- Part two: its derivatives.

Function = Callable[[Any], Any]


def problems(seed: int = 0) -> dict[str, tuple[Function, np.ndarray]]:
    """Each function with its data filled in, and a point to differentiate it at."""
    rng = np.random.default_rng(seed)
    features, labels = rng.normal(size=(40, 3)), rng.choice([-1.0, 1.0], 40)
    x = np.sort(rng.uniform(-2, 2, (12, 1)), axis=0)
    y = np.sin(2 * x[:, 0]) + 0.1 * rng.normal(size=12)
    samples, returns = rng.normal(size=(30, 3)), 0.02 * rng.normal(size=(50, 4))
    return {
        "rosenbrock": (rosenbrock, rng.uniform(-1, 1, 5)),
        "logistic_loss": (lambda w: logistic_loss(w, features, labels), rng.normal(size=4)),
        "softmax_entropy": (softmax_entropy, rng.normal(size=(4, 3))),
        "pendulum_energy_drift": (pendulum_energy_drift, np.array([1.2, 0.4])),
        "spring_energy": (spring_energy, rng.uniform(-2, 2, (6, 2))),
        "gaussian_process_loss": (lambda p: gaussian_process_loss(p, x, y), np.array([-0.2, 0.1, -1.0])),
        "normal_loss": (lambda p: normal_loss(p, samples), np.concatenate([rng.normal(size=3), np.eye(3).ravel()])),
        "investor_regret": (lambda w: investor_regret(w, returns), rng.normal(size=4)),
    }


def slope(function: Function, x: np.ndarray, v: np.ndarray) -> float:
    """The derivative in the direction `v`: central differences, extrapolated to step 0."""
    coarse, fine = ((function(x + h * v) - function(x - h * v)) / (2 * h) for h in (2e-3, 1e-3))
    return float(4 * fine - coarse) / 3


def bend(function: Function, x: np.ndarray, u: np.ndarray, v: np.ndarray) -> float:
    """The second derivative ``uᵀ H v``, by differences of values alone."""
    return slope(lambda x: slope(function, x, v), x, u)


def compare(function: Function, x: np.ndarray) -> dict[str, float]:
    """Gradient and Hessian-vector product of an unchanged function, beside difference quotients; what was measured."""
    import tinygrad_opt as tg

    rng = np.random.default_rng(1)
    u, v = (w / np.linalg.norm(w) for w in (rng.normal(size=x.shape), rng.normal(size=x.shape)))
    value, gradient = tg.value_and_grad(function)(tg.tensor(x))
    start = time.perf_counter()
    tg.value_and_grad(function)(tg.tensor(x))
    seconds = time.perf_counter() - start
    product = tg.hvp(function, tg.tensor(x), tg.tensor(v))
    first, second = slope(function, x, v), bend(function, x, u, v)
    return {
        "value": value.item(),
        "gradient": math.sqrt(np.sum(gradient**2).item()),
        "gradient error": abs(np.sum(gradient * v).item() - first) / (1 + abs(first)),
        "product error": abs(np.sum(product * u).item() - second) / (1 + abs(second)),
        "milliseconds": 1e3 * seconds,
    }


def main() -> dict[str, dict[str, float]]:
    """Print one line for each function; returns what was measured."""
    print(f"{'function':24}{'value':>11}{'|gradient|':>12}{'error':>10}{'error of Hv':>13}{'ms':>8}")
    table = {}
    for name, (function, x) in problems().items():
        row = table[name] = compare(function, x)
        print(
            f"{name:24}{row['value']:11.5f}{row['gradient']:12.5f}{row['gradient error']:10.0e}"
            f"{row['product error']:13.0e}{row['milliseconds']:8.1f}"
        )
    return table


if __name__ == "__main__":
    main()
