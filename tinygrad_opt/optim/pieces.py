"""What the boxes of many methods have in common, under a name each."""

from __future__ import annotations

from typing import Any

from ..ops.norms import norm

__all__ = ["average", "length", "penalized", "shrunk"]

Array = Any


def average(old: Array, new: Array, rho: float) -> Array:
    """A running average that forgets at the rate ρ: ``ρ old + (1 - ρ) new``."""
    return rho * old + (1 - rho) * new


def length(x: Array) -> Array:
    """The Euclidean norm of all elements of a whole parameter."""
    return norm(x.reshape(-1))


def penalized(theta: Array, g: Array, weight_decay: float, maximize: bool = False) -> Array:
    """The gradient of what is minimized: of the loss (or of its negative) and the penalty ``λ‖θ‖²/2``."""
    if maximize:
        g = -g
    return g + weight_decay * theta if weight_decay else g


def shrunk(theta: Array, lr: float, weight_decay: float) -> Array:
    """Decoupled weight decay: ``(1 - ε λ) θ``, beside the gradient instead of through it."""
    return (1 - lr * weight_decay) * theta if weight_decay else theta
