"""Adam: momentum, and a learning rate for each parameter from the size of its recent gradients.

The rule of `Adam` has two pieces that its relatives replace: `second_moment`, what the gradients are measured by, and
`change`, what is subtracted from the parameters.

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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import maximum, sqrt
from .arguments import check_decays, check_flags, check_number
from .optimizer import Optimizer
from .pieces import average, penalized, shrunk

__all__ = ["Adam", "AdamW"]

Array = Any


class Adam(Optimizer):
    """Adaptive moments: ``θ ← θ - ε ŝ / (√r̂ + δ)``.

    With g the gradient (plus λθ for weight decay λ), t the number of the step::

        s ← ρ₁ s + (1 - ρ₁) g           first moment
        r ← ρ₂ r + (1 - ρ₂) g²          second moment
        ŝ = s / (1 - ρ₁ᵗ)               both start at zero: correct the bias
        r̂ = r / (1 - ρ₂ᵗ)

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε.
    betas : (float, float)
        The decay rates ρ₁ and ρ₂, in [0, 1).
    eps : float
        δ, for division by small numbers.
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    amsgrad : bool
        Divide by the largest r so far, so that the rate of a parameter never grows.
    maximize : bool
        Go up instead of down.
    decoupled_weight_decay : bool
        ``θ ← (1 - ε λ) θ`` before the step, in place of the penalty: `AdamW`.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names and defaults are PyTorch's, and so are the numbers, up to rounding. The book's algorithm is the same, with
    ρ₁ = 0.9, ρ₂ = 0.999 and δ = 1e-8 too.
    The code multiplies ε ŝ / (√r̂ + δ) by √(1 - ρ₂ᵗ) above and below, as section 2 of the paper proposes: the same
    number with two passes less.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    Goodfellow, Bengio, Courville, *Deep Learning*, algorithm 8.7.
    S. J. Reddi, S. Kale, S. Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2, for amsgrad. (There
    the moments are not corrected.)

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0, amsgrad: bool = False, *, maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """Two decay rates in [0, 1), and eps not negative."""
        method = type(self).__name__
        check_decays(method, group["betas"])
        check_number(method, "eps", group["eps"])
        check_flags(method, group, "amsgrad", "maximize", "decoupled_weight_decay")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The first and the second moment; with amsgrad the largest second one."""
        return ("s", "r", "largest") if group.get("amsgrad") else ("s", "r")

    def second_moment(self, r: Array, g: Array, s: Array, rho2: float, eps: float) -> Array:
        """The running average of squared gradients; s is the new first moment."""
        return average(r, g * g, rho2)

    def change(
        self, s: Array, r: Array, g: Array, *, t: float, lr: float, rho1: float, rho2: float, eps: float
    ) -> Array:
        """What is subtracted: ``ε ŝ / (√r̂ + δ)``."""
        correct = math.sqrt(1 - rho2**t)
        return lr * correct / (1 - rho1**t) * s / (sqrt(r) + eps * correct)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, s: Array, r: Array, *largest: Array, t: int, lr: float,
        betas: tuple[float, float], eps: float, weight_decay: float, maximize: bool,
        amsgrad: bool = False, decoupled_weight_decay: bool = False, **own: Any,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rho1, rho2 = betas
        if decoupled_weight_decay:
            theta, weight_decay = shrunk(theta, lr, weight_decay), 0.0
        g = penalized(theta, g, weight_decay, maximize)
        s = average(s, g, rho1)
        r = self.second_moment(r, g, s, rho2, eps)
        if amsgrad:
            largest = (maximum(largest[0], r),)
        measure = largest[0] if amsgrad else r
        change = self.change(s, measure, g, t=t, lr=lr, rho1=rho1, rho2=rho2, eps=eps, **own)
        return theta - change, s, r, *largest


class AdamW(Adam):
    """`Adam` with decoupled weight decay: ``θ ← (1 - ε λ) θ - ε ŝ / (√r̂ + δ)``.

    A penalty λθ that goes through the moments is divided by √r̂ like the rest of the gradient: parameters with large
    gradients decay less. Here all decay at one rate.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize
        As for `Adam`.
    weight_decay : float
        λ, which is not 0 unless you say so.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names, defaults and numbers are PyTorch's. The paper's decay is λ times a schedule, not times ε.

    References
    ----------
    I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([0.85], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )  # fmt: skip
