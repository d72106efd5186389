"""Layerwise rates: each parameter array moves by a fraction of its own norm, whatever the size of its gradient.

Large batches need large steps, and the largest step that a layer bears is in proportion to the norm of its weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import clip, logical_and, sqrt, where
from .arguments import check_decays, check_flags, check_number, check_pair
from .optimizer import Optimizer
from .pieces import average, length, penalized

__all__ = ["LAMB", "LARS"]

Array = Any


def trust(numerator: Array, denominator: Array) -> Array:
    """Their ratio; 1 where one of them is zero, so that a parameter can leave zero."""
    usable = logical_and(numerator != 0, denominator != 0)
    return where(usable, numerator / where(usable, denominator, 1.0), 1.0)


class LARS(Optimizer):
    """Layerwise adaptive rate scaling: momentum, with a rate for each parameter array in proportion to its norm.

    With g the gradient, λ the weight decay, η the trust coefficient; norms are over one parameter array::

        ratio = η ‖θ‖ / (‖g‖ + λ ‖θ‖ + δ)     1 where ‖θ‖ or the denominator is zero
        v ← α v + ε ratio (g + λ θ)
        θ ← θ - v

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The global learning rate ε; the method wants one that falls, after some warm-up.
    momentum : float
        α, in [0, 1).
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    trust_coefficient : float
        η, the fraction of its norm by which a parameter is trusted to move.
    eps : float
        δ, for division by small numbers.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    PyTorch does not have it; the defaults of α, λ and η are the paper's, which has no δ. Its ratio is 0 where θ is
    zero, and such a parameter (a bias at its start) would never move: here it makes a step of momentum as `SGD` does,
    and so it does with a gradient of zero.

    References
    ----------
    Y. You, I. Gitman, B. Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1.

    Examples
    --------
    >>> w = tg.tensor([3.0, 4.0], requires_grad=True)
    >>> optimizer = tg.optim.LARS([w], lr=1.0, trust_coefficient=0.1, weight_decay=0.0)
    >>> _ = optimizer.step(lambda: 7 * w[1])
    >>> w  # has moved by a tenth of its length, 5
    tensor([3. , 3.5], requires_grad=True)
    """

    whole = True

    def __init__(
        self, params: Iterable[Any], lr: float = 0.1, momentum: float = 0.9, weight_decay: float = 5e-4,
        trust_coefficient: float = 1e-3, eps: float = 0.0, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, momentum=momentum, weight_decay=weight_decay, trust_coefficient=trust_coefficient, eps=eps,
            maximize=maximize,
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """A momentum in [0, 1), and the other numbers not negative."""
        check_number("LARS", "momentum", group["momentum"], high=1.0)
        check_number("LARS", "trust_coefficient", group["trust_coefficient"])
        check_number("LARS", "eps", group["eps"])
        check_flags("LARS", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The velocity."""
        return ("v",)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, v: Array, *, t: int, lr: float, momentum: float, weight_decay: float,
        trust_coefficient: float, eps: float, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        size, slope = length(theta), length(g)
        usable = logical_and(size != 0, slope != 0)
        ratio = where(usable, trust_coefficient * trust(size, slope + weight_decay * size + eps), 1.0)
        v = momentum * v + lr * ratio * penalized(theta, g, weight_decay, maximize)
        return theta - v, v


class LAMB(Optimizer):
    """`Adam` with a rate for each parameter array in proportion to its norm: ``θ ← θ - ε φ(‖θ‖) u / ‖u‖``.

    With g the gradient, t the number of the step, λ the weight decay; norms are over one parameter array::

        s ← ρ₁ s + (1 - ρ₁) g           first moment
        r ← ρ₂ r + (1 - ρ₂) g²          second moment
        u = ŝ / (√r̂ + δ) + λ θ         ŝ = s / (1 - ρ₁ᵗ), r̂ = r / (1 - ρ₂ᵗ)
        θ ← θ - ε φ(‖θ‖) / ‖u‖ u        with ε u where ‖θ‖ or ‖u‖ is zero

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε: the fraction of its norm by which a parameter moves.
    betas : (float, float)
        The decay rates ρ₁ and ρ₂, in [0, 1).
    eps : float
        δ, for division by small numbers.
    weight_decay : float
        λ, decoupled from the moments, but inside the norm.
    bounds : (float, float) or None
        φ clips the norm to these two; None leaves it as it is.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    PyTorch does not have it; the defaults are those of the paper's experiments. The paper's ratio is 0 where θ is zero,
    and such a parameter (a bias at its start) would never move: here it makes Adam's step.

    References
    ----------
    Y. You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", ICLR 2020, algorithm 2.

    Examples
    --------
    >>> w = tg.tensor([3.0, 4.0], requires_grad=True)
    >>> optimizer = tg.optim.LAMB([w], lr=0.1, weight_decay=0.0)
    >>> _ = optimizer.step(lambda: 7 * w[1])
    >>> w  # has moved by a tenth of its length, 5
    tensor([3. , 3.5], requires_grad=True)
    """

    whole = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-6,
        weight_decay: float = 1e-2, bounds: tuple[float, float] | None = None, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, bounds=bounds, maximize=maximize
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """Two decay rates in [0, 1), eps above 0, and bounds in order."""
        check_decays("LAMB", group["betas"])
        check_number("LAMB", "eps", group["eps"], above=True)
        check_flags("LAMB", group, "maximize")
        bounds = group["bounds"]
        if bounds is not None:
            check_pair("LAMB", "bounds", bounds, "(0.0, 10.0)")
            check_number("LAMB", "bounds[0]", bounds[0])
            check_number("LAMB", "bounds[1]", bounds[1], bounds[0])

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The first and the second moment."""
        return ("s", "r")

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, s: Array, r: Array, *, t: int, lr: float, betas: tuple[float, float],
        eps: float, weight_decay: float, bounds: tuple[float, float] | None, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rho1, rho2 = betas
        g = penalized(theta, g, 0.0, maximize)
        s, r = average(s, g, rho1), average(r, g * g, rho2)
        u = s / (1 - rho1**t) / (sqrt(r / (1 - rho2**t)) + eps) + weight_decay * theta
        size = length(theta)
        if bounds is not None:
            size = where(size != 0, clip(size, *bounds), size)
        return theta - lr * trust(size, length(u)) * u, s, r
