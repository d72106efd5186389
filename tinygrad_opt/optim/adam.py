"""Adam: momentum, and a learning rate for each parameter from the size of its recent gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import sqrt
from .optimizer import Optimizer, check_number

__all__ = ["Adam"]

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

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names and defaults are PyTorch's, and so are the numbers, up to rounding. The book takes ρ₁ = 0.9, ρ₂ = 0.999 too.
    The code multiplies ε ŝ / (√r̂ + δ) by √(1 - ρ₂ᵗ) above and below, as section 2 of the paper proposes: the same
    number with two passes less.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    Goodfellow, Bengio, Courville, *Deep Learning*, algorithm 8.7.

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
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def check(self, group: Mapping[str, Any]) -> None:
        """Two decay rates in [0, 1), and eps not negative."""
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"Adam: betas must be a pair such as (0.9, 0.999); got {betas!r}")
        for position, beta in enumerate(betas):
            check_number("Adam", f"betas[{position}]", beta, high=1.0)
        check_number("Adam", "eps", group["eps"])

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The first and the second moment."""
        return ("s", "r")

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, s: Array, r: Array, *, t: int, lr: float, betas: tuple[float, float], eps: float,
        weight_decay: float,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rho1, rho2 = betas
        if weight_decay:
            g = g + weight_decay * theta
        s = rho1 * s + (1 - rho1) * g
        r = rho2 * r + (1 - rho2) * (g * g)
        correct = math.sqrt(1 - rho2**t)
        return theta - lr * correct / (1 - rho1**t) * s / (sqrt(r) + eps * correct), s, r
