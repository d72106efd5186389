"""The update rules against the algorithm boxes, written out again here in plain NumPy, with gradients by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

Array = np.ndarray
Parameters = list[Array]
Gradient = Callable[[Parameters], Parameters]
STEPS = 200


# Two problems: a narrow curved valley, and a network of two layers.


class Rosenbrock:
    """``100 (y - x²)² + (1 - x)²``."""

    lr = 1e-4

    def start(self) -> Parameters:
        return [np.array([-1.2, 1.0])]

    def gradient(self, theta: Parameters) -> Parameters:
        x, y = theta[0]
        return [np.array([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)])]

    def loss(self, theta: list[tg.Tensor]) -> tg.Tensor:
        x, y = theta[0][0], theta[0][1]
        return 100 * (y - x**2) ** 2 + (1 - x) ** 2


class Network:
    """``mean (W₂ tanh(W₁ x + b₁) + b₂ - t)²`` over 20 points."""

    lr = 1e-2

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x, self.t = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
        self.first = [rng.standard_normal(shape) for shape in [(5, 3), (5,), (2, 5), (2,)]]

    def start(self) -> Parameters:
        return [p.copy() for p in self.first]

    def gradient(self, theta: Parameters) -> Parameters:
        w1, b1, w2, b2 = theta
        hidden = np.tanh(self.x @ w1.T + b1)
        error = 2 * (hidden @ w2.T + b2 - self.t) / self.t.size
        before = (error @ w2) * (1 - hidden**2)
        return [before.T @ self.x, before.sum(0), error.T @ hidden, error.sum(0)]

    def loss(self, theta: list[tg.Tensor]) -> tg.Tensor:
        w1, b1, w2, b2 = theta
        hidden = tg.tanh(tg.nn.functional.linear(tg.tensor(self.x), w1, b1))
        return ((tg.nn.functional.linear(hidden, w2, b2) - tg.tensor(self.t)) ** 2).mean()


# The algorithms, as they stand in Goodfellow, Bengio, Courville, "Deep Learning", chapter 8.


def gradient_descent(theta: Parameters, gradient: Gradient, lr: float) -> Iterator[Parameters]:
    """Algorithm 8.1: θ ← θ - ε g."""
    while True:
        theta = [p - lr * g for p, g in zip(theta, gradient(theta), strict=True)]
        yield theta


def momentum(theta: Parameters, gradient: Gradient, lr: float, alpha: float) -> Iterator[Parameters]:
    """Algorithm 8.2: v ← αv - ε g; θ ← θ + v."""
    velocity = [np.zeros_like(p) for p in theta]
    while True:
        velocity = [alpha * v - lr * g for v, g in zip(velocity, gradient(theta), strict=True)]
        theta = [p + v for p, v in zip(theta, velocity, strict=True)]
        yield theta


def nesterov(theta: Parameters, gradient: Gradient, lr: float, alpha: float) -> Iterator[Parameters]:
    """Algorithm 8.3: the gradient is taken at θ + αv. What is yielded is the point of the next gradient."""
    velocity = [np.zeros_like(p) for p in theta]
    while True:
        ahead = [p + alpha * v for p, v in zip(theta, velocity, strict=True)]
        velocity = [alpha * v - lr * g for v, g in zip(velocity, gradient(ahead), strict=True)]
        theta = [p + v for p, v in zip(theta, velocity, strict=True)]
        yield [p + alpha * v for p, v in zip(theta, velocity, strict=True)]


def dampened(theta: Parameters, gradient: Gradient, lr: float, alpha: float, tau: float) -> Iterator[Parameters]:
    """PyTorch's momentum with dampening: the velocity is the sum α^(t-i) (1-τ) gᵢ, where g₁ counts in full."""
    history: list[Parameters] = []
    while True:
        history.append(gradient(theta))
        t = len(history)
        shares = [alpha ** (t - 1 - i) * (1.0 if i == 0 else 1 - tau) for i in range(t)]
        velocity = [sum(share * g[k] for share, g in zip(shares, history, strict=True)) for k in range(len(theta))]
        theta = [p - lr * v for p, v in zip(theta, velocity, strict=True)]
        yield theta


def adam(
    theta: Parameters, gradient: Gradient, lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> Iterator[Parameters]:
    """Algorithm 8.7, with the bias corrections as they are printed."""
    rho1, rho2 = betas
    s, r = ([np.zeros_like(p) for p in theta] for _ in range(2))
    t = 0
    while True:
        t += 1
        g = gradient(theta)
        s = [rho1 * a + (1 - rho1) * b for a, b in zip(s, g, strict=True)]
        r = [rho2 * a + (1 - rho2) * b * b for a, b in zip(r, g, strict=True)]
        s_hat, r_hat = ([a / (1 - rho**t) for a in moment] for moment, rho in ((s, rho1), (r, rho2)))
        theta = [p - lr * a / (np.sqrt(b) + eps) for p, a, b in zip(theta, s_hat, r_hat, strict=True)]
        yield theta


CASES: dict[str, tuple[Callable[..., tg.optim.Optimizer], dict[str, Any], Callable[..., Any], dict[str, Any]]] = {
    "sgd": (tg.optim.SGD, {}, gradient_descent, {}),
    "momentum": (tg.optim.SGD, {"momentum": 0.9}, momentum, {"alpha": 0.9}),
    "nesterov": (tg.optim.SGD, {"momentum": 0.8, "nesterov": True}, nesterov, {"alpha": 0.8}),
    "dampening": (tg.optim.SGD, {"momentum": 0.9, "dampening": 0.4}, dampened, {"alpha": 0.9, "tau": 0.4}),
    "adam": (tg.optim.Adam, {}, adam, {}),
    # With (0.5, 0.7) Adam's path through the valley is chaotic: a start moved by 1e-16 ends 1e-6 away.
    "adam-betas": (tg.optim.Adam, {"betas": (0.8, 0.95), "eps": 1e-3}, adam, {"betas": (0.8, 0.95), "eps": 1e-3}),
}


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("problem", [Rosenbrock(), Network()], ids=["rosenbrock", "network"])
@pytest.mark.parametrize("case", CASES)
def test_the_trajectory_is_that_of_the_book(case: str, problem: Any, decay: float) -> None:
    method, options, algorithm, constants = CASES[case]
    lr = problem.lr if method is tg.optim.SGD else 1e-2

    def penalized(theta: Parameters) -> Parameters:
        """The gradient of ``loss + decay ‖θ‖²/2``."""
        return [g + decay * p for g, p in zip(problem.gradient(theta), theta, strict=True)]

    theta = [tg.tensor(p, requires_grad=True) for p in problem.start()]
    optimizer = method(theta, lr=lr, weight_decay=decay, **options)
    book = algorithm(problem.start(), penalized, lr, **constants)
    for _ in range(STEPS):
        optimizer.zero_grad()
        problem.loss(theta).backward()
        optimizer.step()
        for mine, expected in zip(theta, next(book), strict=True):
            np.testing.assert_allclose(mine.detach().numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_the_loss_goes_down(case: str) -> None:
    method, options, _, _ = CASES[case]
    problem = Network()
    theta = [tg.tensor(p, requires_grad=True) for p in problem.start()]
    optimizer = method(theta, lr=problem.lr, **options)
    losses = [optimizer.step(lambda: problem.loss(theta)).item() for _ in range(60)]
    assert losses[-1] < 0.9 * losses[0]
    assert sum(b < a for a, b in pairwise(losses)) > 40


@pytest.mark.parametrize("case", CASES)
def test_one_rule_means_the_same_on_numbers_and_arrays(case: str) -> None:
    """A rule uses arithmetic and a few elementwise functions only, so plain numbers go through it too."""
    method, options, _, _ = CASES[case]
    optimizer = method([tg.zeros(1, requires_grad=True)], lr=0.1, weight_decay=0.3, **options)
    hyper = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    names = optimizer.state_names(hyper)
    for t in (1, 2):
        inputs = np.array([[0.5, -2.0], [1.5, 0.25], [0.3, 0.1], [0.2, 0.7]])[: 2 + len(names)]
        together = optimizer.rule(*inputs, t=t, **hyper)
        for i in range(2):
            alone = optimizer.rule(*(float(x[i]) for x in inputs), t=t, **hyper)
            np.testing.assert_allclose([x[i] for x in together], np.asarray(alone, dtype=float), rtol=1e-15)
