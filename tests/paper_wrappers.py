"""The wrappers as their papers print them, in plain NumPy, around updates that are written out here too.

An update is called with a point and the gradient there, and returns the next point; it remembers its own moments.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from papers import Array, Gradient, Path

Update = Callable[[Array, Array], Array]


def momentum(lr: float, alpha: float) -> Update:
    """v ← αv + g, θ ← θ - εv."""
    v = 0.0

    def update(theta: Array, g: Array) -> Array:
        nonlocal v
        v = alpha * v + g
        return theta - lr * v

    return update


def adam(lr: float, betas: tuple[float, float], eps: float) -> Update:
    """Kingma and Ba (2015), algorithm 1."""
    m = v = t = 0.0

    def update(theta: Array, g: Array) -> Array:
        nonlocal m, v, t
        t += 1
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        return theta - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)

    return update


def lion(lr: float, betas: tuple[float, float]) -> Update:
    """Chen et al. (2023), algorithm 2, without decay."""
    m = 0.0

    def update(theta: Array, g: Array) -> Array:
        nonlocal m
        direction = np.sign(betas[0] * m + (1 - betas[0]) * g)
        m = betas[1] * m + (1 - betas[1]) * g
        return theta - lr * direction

    return update


def lookahead(theta: Array, gradient: Gradient, update: Update, k: int, alpha: float) -> Path:
    """Zhang et al. (2019), algorithm 1: an inner loop of k updates, then a step of the outer weights."""
    phi = theta
    while True:
        theta = phi
        for i in range(1, k + 1):
            theta = update(theta, gradient(theta))
            if i == k:
                phi = phi + alpha * (theta - phi)
            yield theta if i < k else phi


def sam(theta: Array, gradient: Gradient, update: Update, rho: float) -> Path:
    """Foret et al. (2021), algorithm 1, with p = 2."""
    while True:
        g = gradient(theta)
        theta = update(theta, gradient(theta + rho * g / np.linalg.norm(g)))
        yield theta


def asam(theta: Array, gradient: Gradient, update: Update, rho: float) -> Path:
    """Kwon et al. (2021), algorithm 1, with p = 2, T = diag |θ| and no small number in it."""
    while True:
        g, t = gradient(theta), np.diag(np.abs(theta))
        theta = update(theta, gradient(theta + rho * (t @ t @ g) / np.linalg.norm(t @ g)))
        yield theta
