"""Relatives of `Adam` that measure the gradients in another way: Adamax, AdaBelief, Yogi."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..ops import absolute, maximum, sign
from .adam import Adam
from .arguments import check_flags, check_number
from .optimizer import Optimizer
from .pieces import average

__all__ = ["AdaBelief", "Adamax", "Yogi"]

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
