"""Relatives of `Adam` that make another step with the same moments: NAdam and RAdam."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..ops import sqrt
from .adam import Adam
from .arguments import check_number
from .optimizer import Optimizer

__all__ = ["NAdam", "RAdam"]

Array = Any
Betas = tuple[float, float]


class NAdam(Adam):
    """`Adam` with Nesterov's momentum: the step is made with the momentum that the *next* one will have.

    With s, r, r̂ and g as in `Adam`, t the number of the step::

        μₜ = ρ₁ (1 - 0.96^(ψ t) / 2)    the share of momentum, which grows to ρ₁
        M  = μ₁ μ₂ ... μₜ
        θ ← θ - ε / (√r̂ + δ) · ((1 - μₜ) / (1 - M) g + μₜ₊₁ / (1 - M μₜ₊₁) s)

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, maximize, decoupled_weight_decay
        As for `Adam`.
    momentum_decay : float
        ψ, how fast μ grows.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names, defaults and numbers are PyTorch's. M is a product over all steps so far, taken with the present ρ₁ and ψ.

    References
    ----------
    T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, algorithm 2. There s is an average with
    the weights μₜ; here, as in PyTorch, with the weight ρ₁.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.NAdam([w], lr=0.1)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([0.8944], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        Optimizer.__init__(
            self, params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay, momentum_decay=momentum_decay,
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """As Adam's, and momentum_decay not negative."""
        super().check(group)
        check_number("NAdam", "momentum_decay", group["momentum_decay"])

    def change(  # type: ignore[override]
        self,
        s: Array,
        r: Array,
        g: Array,
        *,
        t: int,
        lr: float,
        rho1: float,
        rho2: float,
        eps: float,
        momentum_decay: float,
    ) -> Array:
        """Adam's, with gradient and momentum mixed anew."""
        now, after = (_momentum(i, rho1, momentum_decay) for i in (t, t + 1))
        product = _momentum_product(t, rho1, momentum_decay)
        correct = math.sqrt(1 - rho2**t)
        of_g = lr * correct * (1 - now) / (1 - product)
        of_s = lr * correct * after / (1 - product * after)
        return (of_g * g + of_s * s) / (sqrt(r) + eps * correct)


def _momentum(t: int, rho1: float, decay: float) -> float:
    return rho1 * (1 - 0.96 ** (t * decay) / 2)


def _momentum_product(t: int, rho1: float, decay: float) -> float:
    """The product of the first t of them; once it is lost beside 1, a few dozen factors by default, it is 0."""
    product = 1.0
    for i in range(1, t + 1):
        product *= _momentum(i, rho1, decay)
        if product < 1e-20:
            return 0.0
    return product


class RAdam(Adam):
    """Rectified `Adam`: plain momentum while the second moment is an average of too few gradients to divide by.

    With s, ŝ, r, r̂ and g as in `Adam`, t the number of the step::

        n∞ = 2 / (1 - ρ₂) - 1           how many gradients the average is worth in the end,
        n  = n∞ - 2 t ρ₂ᵗ / (1 - ρ₂ᵗ)   and now
        θ ← θ - ε ŝ                     where n ≤ 5
        θ ← θ - ε c ŝ / (√r̂ + δ)        else, with c² = (n - 4) (n - 2) n∞ / ((n∞ - 4) (n∞ - 2) n)

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, maximize, decoupled_weight_decay
        As for `Adam`.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names, defaults and numbers are PyTorch's, which adds δ to √r instead of √r̂, and whose threshold is 5; the paper has
    no δ, and the threshold 4.

    References
    ----------
    L. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.RAdam([w], lr=0.25)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([0.5], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0, decoupled_weight_decay: bool = False, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        Optimizer.__init__(
            self, params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def change(
        self, s: Array, r: Array, g: Array, *, t: float, lr: float, rho1: float, rho2: float, eps: float
    ) -> Array:
        """Adam's times a factor, or that of momentum."""
        in_the_end = 2 / (1 - rho2) - 1
        now = in_the_end - 2 * t * rho2**t / (1 - rho2**t)
        if now <= 5:
            return lr / (1 - rho1**t) * s
        factor = (now - 4) * (now - 2) * in_the_end / ((in_the_end - 4) * (in_the_end - 2) * now)
        return lr * math.sqrt(factor * (1 - rho2**t)) / (1 - rho1**t) * s / (sqrt(r) + eps)
