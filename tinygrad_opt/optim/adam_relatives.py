"""Methods that are `Adam` with one piece replaced: another measure of the gradients, or another step.

=============  ===================================  ==============================================================
method         second moment r                      change of θ
=============  ===================================  ==============================================================
`Adam`         average of g²                        ε ŝ / (√r̂ + δ)
`Adamax`       max(ρ₂ r, |g| + δ)                   ε ŝ / r
`NAdam`        average of g²                        Adam's, with a look-ahead mixture of g and s in place of ŝ
`RAdam`        average of g²                        Adam's times a factor, or ε ŝ while r is too young
`AdaBelief`    average of (g - s)²                  Adam's
`Yogi`         r - (1 - ρ₂) sign(r - g²) g²         Adam's
=============  ===================================  ==============================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..ops import absolute, maximum, sign, sqrt
from .adam import Adam
from .arguments import check_flags, check_number
from .optimizer import Optimizer
from .pieces import average

__all__ = ["AdaBelief", "Adamax", "NAdam", "RAdam", "Yogi"]

Array = Any
Betas = tuple[float, float]


class Adamax(Adam):
    """`Adam` with the largest gradient in place of the mean square: ``θ ← θ - ε ŝ / r``.

    With s, ŝ and g as in `Adam`::

        r ← max(ρ₂ r, |g| + δ)

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, maximize
        As for `Adam`.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    The limit of Adam's √r as the square and the root become a p-th power and a p-th root with p → ∞. r starts with the
    first gradient, not with 0, and needs no correction. Names, defaults and numbers are PyTorch's, which adds δ to |g|;
    the paper has no δ.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adamax([w], lr=0.25)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([0.75], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        Optimizer.__init__(
            self, params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize
        )  # fmt: skip

    def second_moment(self, r: Array, g: Array, s: Array, rho2: float, eps: float) -> Array:
        """The largest gradient, which is forgotten at the rate ρ₂."""
        return maximum(rho2 * r, absolute(g) + eps)

    def change(
        self, s: Array, r: Array, g: Array, *, t: float, lr: float, rho1: float, rho2: float, eps: float
    ) -> Array:
        """``ε ŝ / r``."""
        return lr / (1 - rho1**t) * s / r


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


class AdaBelief(Adam):
    """`Adam` that measures gradients by their distance from what momentum predicts: large steps where they agree.

    With s, ŝ, r̂ and g as in `Adam`::

        r ← ρ₂ r + (1 - ρ₂) (g - s)² + δ
        θ ← θ - ε ŝ / (√r̂ + δ)

    Parameters
    ----------
    params, lr, betas, weight_decay, maximize, decoupled_weight_decay
        As for `Adam`.
    eps : float
        δ, which counts more than in Adam: r may vanish while gradients do not.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    PyTorch does not have it. The default of δ is that of the authors' program; their paper writes 1e-8.

    References
    ----------
    J. Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients", NeurIPS 2020,
    algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.AdaBelief([w], lr=0.18)
    >>> _ = optimizer.step(lambda: (w * w).sum())  # s is a tenth of the gradient: it differs from it by 9/10
    >>> w
    tensor([0.8], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-16,
        weight_decay: float = 0.0, decoupled_weight_decay: bool = False, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        Optimizer.__init__(
            self, params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def second_moment(self, r: Array, g: Array, s: Array, rho2: float, eps: float) -> Array:
        """The running average of squared surprises."""
        surprise = g - s
        return average(r, surprise * surprise, rho2) + eps


class Yogi(Adam):
    """`Adam` whose second moment moves by a share of g² at most, so that the rate of a parameter never jumps up.

    With s, ŝ, r̂ and g as in `Adam`::

        r ← r - (1 - ρ₂) sign(r - g²) g²
        θ ← θ - ε ŝ / (√r̂ + δ)

    Adam's r is ``r - (1 - ρ₂) (r - g²)``: it forgets a large r fast when gradients become small.

    Parameters
    ----------
    params, lr, betas, weight_decay, maximize, decoupled_weight_decay
        As for `Adam`.
    eps : float
        δ, larger than Adam's.
    initial_accumulator_value : float
        r before the first step.
    bias_correction : bool
        False for s and r in place of ŝ and r̂.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    PyTorch does not have it. The box of the paper leaves the corrections of the bias out, and starts at 0:
    ``bias_correction=False, initial_accumulator_value=0.0``. The defaults are those of the usual programs.

    References
    ----------
    M. Zaheer et al., "Adaptive methods for nonconvex optimization", NeurIPS 2018, algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.Yogi([w], lr=0.25, eps=0.0, initial_accumulator_value=0.0)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([0.75], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, betas: Betas = (0.9, 0.999), eps: float = 1e-3,
        weight_decay: float = 0.0, initial_accumulator_value: float = 1e-6, decoupled_weight_decay: bool = False, *,
        bias_correction: bool = True, maximize: bool = False,
    ) -> None:  # fmt: skip
        Optimizer.__init__(
            self, params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
            initial_accumulator_value=initial_accumulator_value, bias_correction=bias_correction,
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """As Adam's, and a start that is not negative."""
        super().check(group)
        check_number("Yogi", "initial_accumulator_value", group["initial_accumulator_value"])
        check_flags("Yogi", group, "bias_correction")

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """What the second moment starts with."""
        return group["initial_accumulator_value"] if name == "r" else 0.0

    def second_moment(self, r: Array, g: Array, s: Array, rho2: float, eps: float) -> Array:
        """A step towards g² whose length does not depend on r."""
        return r - (1 - rho2) * sign(r - g * g) * (g * g)

    def change(  # type: ignore[override]
        self, s: Array, r: Array, g: Array, *, t: int, lr: float, rho1: float, rho2: float, eps: float,
        bias_correction: bool, **_: Any,
    ) -> Array:  # fmt: skip
        """Adam's; without corrections as if after infinitely many steps."""
        return super().change(s, r, g, t=t if bias_correction else math.inf, lr=lr, rho1=rho1, rho2=rho2, eps=eps)
