"""The update rules as their sources print them, in plain NumPy, one vector of parameters, gradients by hand.

Written from the papers, apart from the package: no names, no helpers, no tricks in common. Each is a generator of the
points that follow a start; `gradient` may be asked anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinygrad_opt as tg

Array = np.ndarray
Gradient = Callable[[Array], Array]
Path = Iterator[Array]


# Two problems: a narrow curved valley, and a network of two layers.


class Rosenbrock:
    """``100 (y - x²)² + (1 - x)²``."""

    def start(self) -> list[Array]:
        return [np.array([-1.2, 1.0])]

    def gradient(self, theta: Array) -> Array:
        x, y = theta
        return np.array([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)])

    def loss(self, theta: list[tg.Tensor]) -> tg.Tensor:
        x, y = theta[0][0], theta[0][1]
        return 100 * (y - x**2) ** 2 + (1 - x) ** 2


class Network:
    """``mean (W₂ tanh(W₁ x + b₁) + b₂ - t)²`` over 20 points."""

    def __init__(self, inputs: int = 3, hidden: int = 5, outputs: int = 2) -> None:
        rng = np.random.default_rng(0)
        self.x, self.t = rng.standard_normal((20, inputs)), rng.standard_normal((20, outputs))
        shapes = [(hidden, inputs), (hidden,), (outputs, hidden), (outputs,)]
        self.first = [rng.standard_normal(shape) for shape in shapes]

    def start(self) -> list[Array]:
        return [p.copy() for p in self.first]

    def gradient(self, theta: Array) -> Array:
        w1, b1, w2, b2 = np.split(theta, np.cumsum([p.size for p in self.first])[:-1])
        w1, w2 = w1.reshape(self.first[0].shape), w2.reshape(self.first[2].shape)
        hidden = np.tanh(self.x @ w1.T + b1)
        error = 2 * (hidden @ w2.T + b2 - self.t) / self.t.size
        before = (error @ w2) * (1 - hidden**2)
        return np.concatenate([(before.T @ self.x).ravel(), before.sum(0), (error.T @ hidden).ravel(), error.sum(0)])

    def loss(self, theta: list[tg.Tensor]) -> tg.Tensor:
        w1, b1, w2, b2 = theta
        hidden = tg.tanh(tg.nn.functional.linear(tg.tensor(self.x), w1, b1))
        return ((tg.nn.functional.linear(hidden, w2, b2) - tg.tensor(self.t)) ** 2).mean()


# Goodfellow, Bengio, Courville, "Deep Learning", chapter 8.


def gradient_descent(theta: Array, gradient: Gradient, lr: float) -> Path:
    """Algorithm 8.1: θ ← θ - ε g."""
    while True:
        theta = theta - lr * gradient(theta)
        yield theta


def momentum(theta: Array, gradient: Gradient, lr: float, alpha: float) -> Path:
    """Algorithm 8.2: v ← αv - εg, θ ← θ + v."""
    v = np.zeros_like(theta)
    while True:
        v = alpha * v - lr * gradient(theta)
        theta = theta + v
        yield theta


def nesterov(theta: Array, gradient: Gradient, lr: float, alpha: float) -> Path:
    """Algorithm 8.3: the gradient at the interim point θ + αv."""
    v = np.zeros_like(theta)
    while True:
        v = alpha * v - lr * gradient(theta + alpha * v)
        theta = theta + v
        yield theta


def nesterov_seen_ahead(theta: Array, gradient: Gradient, lr: float, alpha: float) -> Path:
    """The interim points of algorithm 8.3, which are PyTorch's parameters."""
    v = np.zeros_like(theta)
    while True:
        v = alpha * v - lr * gradient(theta + alpha * v)
        theta = theta + v
        yield theta + alpha * v


def dampened(theta: Array, gradient: Gradient, lr: float, alpha: float, tau: float) -> Path:
    """PyTorch's momentum with dampening: the velocity is the sum α^(t-i) (1-τ) gᵢ, where g₁ counts in full."""
    history: list[Array] = []
    while True:
        history.append(gradient(theta))
        t = len(history)
        shares = [alpha ** (t - 1 - i) * (1.0 if i == 0 else 1 - tau) for i in range(t)]
        theta = theta - lr * sum(share * g for share, g in zip(shares, history, strict=True))
        yield theta


def adagrad(theta: Array, gradient: Gradient, lr: float, delta: float = 1e-7) -> Path:
    """Algorithm 8.4: δ outside the root."""
    r = np.zeros_like(theta)
    while True:
        g = gradient(theta)
        r = r + g * g
        theta = theta + -lr / (delta + np.sqrt(r)) * g
        yield theta


def rmsprop(theta: Array, gradient: Gradient, lr: float, rho: float, delta: float = 1e-6) -> Path:
    """Algorithm 8.5: δ inside the root."""
    r = np.zeros_like(theta)
    while True:
        g = gradient(theta)
        r = rho * r + (1 - rho) * g * g
        theta = theta + -lr / np.sqrt(delta + r) * g
        yield theta


def rmsprop_nesterov(theta: Array, gradient: Gradient, lr: float, rho: float, alpha: float, delta: float = 0.0) -> Path:
    """Algorithm 8.6, which has no δ."""
    r, v = np.zeros_like(theta), np.zeros_like(theta)
    while True:
        g = gradient(theta + alpha * v)
        r = rho * r + (1 - rho) * g * g
        v = alpha * v - lr / np.sqrt(delta + r) * g
        theta = theta + v
        yield theta


def rmsprop_momentum(theta: Array, gradient: Gradient, lr: float, rho: float, alpha: float, delta: float) -> Path:
    """Algorithm 8.6 without the interim point."""
    r, v = np.zeros_like(theta), np.zeros_like(theta)
    while True:
        g = gradient(theta)
        r = rho * r + (1 - rho) * g * g
        v = alpha * v - lr / np.sqrt(delta + r) * g
        theta = theta + v
        yield theta


def adam(
    theta: Array, gradient: Gradient, lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> Path:
    """Algorithm 8.7, with the bias corrections as they are printed."""
    rho1, rho2 = betas
    s, r, t = np.zeros_like(theta), np.zeros_like(theta), 0
    while True:
        t += 1
        g = gradient(theta)
        s = rho1 * s + (1 - rho1) * g
        r = rho2 * r + (1 - rho2) * g * g
        s_hat, r_hat = s / (1 - rho1**t), r / (1 - rho2**t)
        theta = theta - lr * s_hat / (np.sqrt(r_hat) + eps)
        yield theta


# Papers.


def delta_bar_delta(theta: Array, gradient: Gradient, lr: float, kappa: float, phi: float, decay: float) -> Path:
    """Jacobs (1988), equations 3 and 4, parameter by parameter."""
    rates, bars = np.full_like(theta, lr), np.zeros_like(theta)
    while True:
        deltas = gradient(theta)
        theta = theta.copy()
        for i, delta in enumerate(deltas):
            if bars[i] * delta > 0:
                rates[i] += kappa
            elif bars[i] * delta < 0:
                rates[i] -= phi * rates[i]
            theta[i] -= rates[i] * delta
            bars[i] = (1 - decay) * delta + decay * bars[i]
        yield theta


def irprop_minus(
    theta: Array, gradient: Gradient, lr: float, etas: tuple[float, float], step_sizes: tuple[float, float]
) -> Path:
    """Igel and Hüsken (2000), algorithm 3, parameter by parameter."""
    lengths, last = np.full_like(theta, lr), np.zeros_like(theta)
    while True:
        g, theta = gradient(theta), theta.copy()
        for i in range(theta.size):
            if last[i] * g[i] > 0:
                lengths[i] = min(lengths[i] * etas[1], step_sizes[1])
            elif last[i] * g[i] < 0:
                lengths[i] = max(lengths[i] * etas[0], step_sizes[0])
                g[i] = 0.0
            theta[i] -= np.sign(g[i]) * lengths[i]
            last[i] = g[i]
        yield theta


def adadelta(theta: Array, gradient: Gradient, lr: float, rho: float, eps: float) -> Path:
    """Zeiler (2012), algorithm 1; lr is 1 there."""
    mean_of_squares, mean_of_changes = np.zeros_like(theta), np.zeros_like(theta)
    while True:
        g = gradient(theta)
        mean_of_squares = rho * mean_of_squares + (1 - rho) * g**2
        change = -np.sqrt(mean_of_changes + eps) / np.sqrt(mean_of_squares + eps) * g
        mean_of_changes = rho * mean_of_changes + (1 - rho) * change**2
        theta = theta + lr * change
        yield theta


def adamax(theta: Array, gradient: Gradient, lr: float, betas: tuple[float, float]) -> Path:
    """Kingma and Ba (2015), algorithm 2."""
    m, u, t = np.zeros_like(theta), np.zeros_like(theta), 0
    while True:
        t += 1
        g = gradient(theta)
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.where(betas[1] * u > np.abs(g), betas[1] * u, np.abs(g))
        theta = theta - lr / (1 - betas[0] ** t) * m / u
        yield theta


def adamw(
    theta: Array, gradient: Gradient, lr: float, betas: tuple[float, float], eps: float, weight_decay: float
) -> Path:
    """Loshchilov and Hutter (2019), algorithm 2, with the decay ελ of the usual programs."""
    m, v, t = np.zeros_like(theta), np.zeros_like(theta), 0
    while True:
        t += 1
        g = gradient(theta)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        step = lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
        theta = theta - step - lr * weight_decay * theta
        yield theta


def adabelief(theta: Array, gradient: Gradient, lr: float, betas: tuple[float, float], eps: float) -> Path:
    """Zhuang et al. (2020), algorithm 2."""
    m, s, t = np.zeros_like(theta), np.zeros_like(theta), 0
    while True:
        t += 1
        g = gradient(theta)
        m = betas[0] * m + (1 - betas[0]) * g
        s = betas[1] * s + (1 - betas[1]) * (g - m) ** 2 + eps
        theta = theta - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(s / (1 - betas[1] ** t)) + eps)
        yield theta


def yogi(
    theta: Array, gradient: Gradient, lr: float, betas: tuple[float, float], eps: float, first: float, correct: bool
) -> Path:
    """Zaheer et al. (2018), algorithm 2, and with Adam's corrections."""
    m, v, t = np.zeros_like(theta), np.full_like(theta, first), 0
    while True:
        t += 1
        g = gradient(theta)
        m = betas[0] * m + (1 - betas[0]) * g
        v = v - (1 - betas[1]) * np.sign(v - g**2) * g**2
        c1, c2 = (1 - betas[0] ** t, 1 - betas[1] ** t) if correct else (1.0, 1.0)
        theta = theta - lr * (m / c1) / (np.sqrt(v / c2) + eps)
        yield theta


def lion(theta: Array, gradient: Gradient, lr: float, betas: tuple[float, float], weight_decay: float) -> Path:
    """Chen et al. (2023), algorithm 2."""
    m = np.zeros_like(theta)
    while True:
        g = gradient(theta)
        update = np.sign(betas[0] * m + (1 - betas[0]) * g)
        theta = theta - lr * (update + weight_decay * theta)
        m = betas[1] * m + (1 - betas[1]) * g
        yield theta


def averaged(theta: Array, gradient: Gradient, lr: float, lambd: float, alpha: float, first: int) -> Path:
    """Polyak and Juditsky (1992): the mean of the points from number `first` on, on the way of Bottou's SGD."""
    points: list[Array] = []
    t = 0
    while True:
        eta = lr * (1 + lambd * lr * t) ** -alpha
        theta = theta - eta * (gradient(theta) + lambd * theta)
        t += 1
        points = [*points, theta] if t > first else [theta]
        yield np.mean(points, axis=0)


# Methods whose rule sees whole parameters: `sizes` are the lengths of the stretches of θ.


def _stretches(sizes: list[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def lars(
    theta: Array, gradient: Gradient, lr: float, sizes: list[int], momentum: float, weight_decay: float, eta: float
) -> Path:
    """You et al. (2017), algorithm 1."""
    v = np.zeros_like(theta)
    while True:
        g, theta = gradient(theta), theta.copy()
        for layer in _stretches(sizes):
            w, slope = theta[layer], g[layer]
            local = eta * np.linalg.norm(w) / (np.linalg.norm(slope) + weight_decay * np.linalg.norm(w))
            v[layer] = momentum * v[layer] + lr * local * (slope + weight_decay * w)
            theta[layer] = w - v[layer]
        yield theta


def lamb(
    theta: Array, gradient: Gradient, lr: float, sizes: list[int], betas: tuple[float, float], eps: float,
    weight_decay: float, phi: Callable[[float], float] = float,
) -> Path:  # fmt: skip
    """You et al. (2020), algorithm 2."""
    m, v, t = np.zeros_like(theta), np.zeros_like(theta), 0
    while True:
        t += 1
        g, theta = gradient(theta), theta.copy()
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        ratio = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
        for layer in _stretches(sizes):
            x, change = theta[layer], ratio[layer] + weight_decay * theta[layer]
            theta[layer] = x - lr * phi(np.linalg.norm(x)) / np.linalg.norm(change) * change
        yield theta


def _power(h: Array, exponent: float) -> Array:
    """Of a symmetric positive definite matrix, by its singular values."""
    u, s, _ = np.linalg.svd(h)
    return u @ np.diag(s**exponent) @ u.T


def shampoo(
    theta: Array, gradient: Gradient, lr: float, shapes: list[tuple[int, ...]], eps: float, every: int = 1,
    momentum: float = 0.0,
) -> Path:  # fmt: skip
    """Gupta et al. (2018), algorithm 1 for matrices; for vectors algorithm 2 with k = 1."""
    layers = _stretches([int(np.prod(shape)) for shape in shapes])
    left = [eps * np.eye(shape[0]) for shape in shapes]
    right = [eps * np.eye(shape[1]) if len(shape) == 2 else None for shape in shapes]
    roots: list[Any] = [None] * len(shapes)
    velocity, t = np.zeros_like(theta), 0
    while True:
        gradients, change = gradient(theta), np.zeros_like(theta)
        for i, (shape, layer) in enumerate(zip(shapes, layers, strict=True)):
            g = gradients[layer].reshape(shape)
            if len(shape) == 2:
                left[i], right[i] = left[i] + g @ g.T, right[i] + g.T @ g
                if t % every == 0:
                    roots[i] = _power(left[i], -1 / 4), _power(right[i], -1 / 4)
                change[layer] = (roots[i][0] @ g @ roots[i][1]).ravel()
            else:
                left[i] = left[i] + np.outer(g, g)
                if t % every == 0:
                    roots[i] = _power(left[i], -1 / 2)
                change[layer] = roots[i] @ g
        t += 1
        velocity = momentum * velocity + change
        theta = theta - lr * velocity
        yield theta


def soap(
    theta: Array, gradient: Gradient, lr: float, shapes: list[tuple[int, ...]], betas: tuple[float, float], eps: float,
    weight_decay: float, every: int,
) -> Path:  # fmt: skip
    """Vyas et al. (2024), algorithms 3 and 4, with Adam's bias correction; a matrix's first gradient only makes Q."""
    layers = _stretches([int(np.prod(shape)) for shape in shapes])
    m, v = [np.zeros(shape) for shape in shapes], [np.zeros(shape) for shape in shapes]
    left, right, ql, qr = ({} for _ in range(4))
    t = 0
    while True:
        gradients, theta = gradient(theta), theta.copy()
        for i, (shape, layer) in enumerate(zip(shapes, layers, strict=True)):
            g = gradients[layer].reshape(shape)
            matrix = len(shape) == 2
            k = t if matrix else t + 1
            if matrix and t == 0:
                left[i], right[i] = (1 - betas[1]) * (g @ g.T), (1 - betas[1]) * (g.T @ g)
                ql[i], qr[i] = np.linalg.eigh(g @ g.T)[1], np.linalg.eigh(g.T @ g)[1]
                continue
            m[i] = betas[0] * m[i] + (1 - betas[0]) * g
            g_turned, m_turned = (ql[i].T @ g @ qr[i], ql[i].T @ m[i] @ qr[i]) if matrix else (g, m[i])
            v[i] = betas[1] * v[i] + (1 - betas[1]) * g_turned**2
            n = m_turned / (1 - betas[0] ** k) / (np.sqrt(v[i] / (1 - betas[1] ** k)) + eps)
            step = ql[i] @ n @ qr[i].T if matrix else n
            theta[layer] -= lr * (weight_decay * theta[layer] + step.ravel())
            if matrix:
                left[i] = betas[1] * left[i] + (1 - betas[1]) * (g @ g.T)
                right[i] = betas[1] * right[i] + (1 - betas[1]) * (g.T @ g)
                if k % every == 0:
                    ql[i], qr[i] = np.linalg.qr(left[i] @ ql[i])[0], np.linalg.qr(right[i] @ qr[i])[0]
        t += 1
        yield theta
