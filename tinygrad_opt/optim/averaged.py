"""Averages of the path: the noise of single steps cancels in the mean of the points that they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .arguments import check_flags, check_number
from .optimizer import Optimizer
from .pieces import penalized

__all__ = ["ASGD"]

Array = Any


class ASGD(Optimizer):
    """Averaged gradient descent: `SGD` with a decreasing rate, and beside it the average of its points.

    With g the gradient (plus λ₂θ for weight decay λ₂), t the number of the step::

        η = ε / (1 + λ ε (t - 1))ᵅ
        θ ← (1 - λ η) θ - η g
        θ̄ ← θ̄ + μ (θ - θ̄)              μ = 1 / max(1, t - 1 - t₀)

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε at the start.
    lambd : float
        λ, a decay of θ and of the rate.
    alpha : float
        α, the power by which the rate falls.
    t0 : float
        t₀, the step after which averaging starts; before, θ̄ = θ.
    weight_decay : float
        λ₂, the coefficient of an L2 penalty.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    The average is no parameter: ``optimizer.state_of(w)["ax"]`` has it. Names, defaults and numbers are PyTorch's,
    except that a rate which is changed between two steps counts from the next step on; in PyTorch it counts one step
    later. With λ = 0, θ goes the way of `SGD`.

    References
    ----------
    B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control and
    Optimization 30 (1992).
    L. Bottou, "Large-scale machine learning with stochastic gradient descent", COMPSTAT 2010, for the rate.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.ASGD([w], lr=0.5, lambd=0.0, t0=1)
    >>> for sign in (1.0, -1.0, 1.0, -1.0):
    ...     _ = optimizer.step(lambda: (sign * w).sum())
    >>> w, optimizer.state_of(w)["ax"]
    (tensor([1.], requires_grad=True), tensor([0.75]))
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0.0, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, maximize=maximize
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """Nothing negative."""
        for name in ("lambd", "alpha", "t0"):
            check_number("ASGD", name, group[name])
        check_flags("ASGD", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The average."""
        return ("ax",)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, ax: Array, *, t: int, lr: float, lambd: float, alpha: float, t0: float,
        weight_decay: float, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        g = penalized(theta, g, weight_decay, maximize)
        eta = lr / (1 + lambd * lr * (t - 1)) ** alpha
        theta = (1 - lambd * eta) * theta - eta * g
        mu = 1 / max(1, t - 1 - t0)
        return theta, theta if mu == 1 else ax + mu * (theta - ax)
