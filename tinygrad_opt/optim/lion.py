"""Lion: the sign of momentum, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import sign
from .arguments import check_decays, check_flags
from .optimizer import Optimizer
from .pieces import average, penalized, shrunk

__all__ = ["Lion"]

Array = Any


class Lion(Optimizer):
    """Evolved sign momentum: every parameter moves by ε, in the direction that the momentum says.

    With g the gradient, λ the weight decay::

        c = ρ₁ s + (1 - ρ₁) g           for the step, a mixture that is fresher
        θ ← θ - ε (sign(c) + λ θ)
        s ← ρ₂ s + (1 - ρ₂) g           than the momentum that is kept

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε: three to ten times smaller than Adam's.
    betas : (float, float)
        The decay rates ρ₁ and ρ₂, in [0, 1).
    weight_decay : float
        λ, decoupled from the gradient; three to ten times larger than Adam's.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    PyTorch does not have it; names and defaults are the paper's. With ρ₁ = ρ₂ = 0 it is gradient descent by signs, as
    `Adam` is with both rates and eps 0.

    References
    ----------
    X. Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([1.0, -3.0, 0.0], requires_grad=True)
    >>> optimizer = tg.optim.Lion([w], lr=0.25)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([ 0.75, -2.75,  0.  ], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize)

    def check(self, group: Mapping[str, Any]) -> None:
        """Two decay rates in [0, 1)."""
        check_decays("Lion", group["betas"])
        check_flags("Lion", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The momentum."""
        return ("s",)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, s: Array, *, t: int, lr: float, betas: tuple[float, float], weight_decay: float,
        maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rho1, rho2 = betas
        g = penalized(theta, g, 0.0, maximize)
        c = average(s, g, rho1)
        return shrunk(theta, lr, weight_decay) - lr * sign(c), average(s, g, rho2)
