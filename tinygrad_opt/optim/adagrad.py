"""Adagrad: a learning rate for each parameter, from the sum of all its squared gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import sqrt
from .arguments import check_flags, check_form, check_number, is_book
from .optimizer import Optimizer
from .pieces import penalized

__all__ = ["Adagrad"]

Array = Any


class Adagrad(Optimizer):
    """Adaptive gradient: ``θ ← θ - ε g / (√r + δ)``, with the sum of all squared gradients.

    With g the gradient (plus λθ for weight decay λ), t the number of the step::

        r ← r + g²
        θ ← θ - ε / (1 + η (t - 1)) · g / (√r + δ)

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε.
    lr_decay : float
        η, how fast the rate falls by itself.
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    initial_accumulator_value : float
        r before the first step.
    eps : float, optional
        δ, for division by small numbers: 1e-10, or 1e-7 in the book's form.
    maximize : bool
        Go up instead of down.
    form : {"torch", "book"}
        The book's has another δ, and neither of η and a start of r.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names, defaults and numbers are PyTorch's. Both forms have δ outside of the root.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    JMLR 12 (2011), figure 1, with diagonal matrices.
    Goodfellow, Bengio, Courville, *Deep Learning*, algorithm 8.4.

    Examples
    --------
    >>> w = tg.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adagrad([w], lr=0.25)
    >>> _ = optimizer.step(lambda: w[0] + 100 * w[1])
    >>> w
    tensor([0.75, 0.75], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0.0, weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0, eps: float | None = None, *, maximize: bool = False,
        form: str = "torch",
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps, maximize=maximize, form=form,
        )  # fmt: skip

    def complete(self, group: Mapping[str, Any]) -> Mapping[str, Any]:
        """The small number of the form."""
        return {**group, "eps": 1e-7 if is_book(group) else 1e-10} if group["eps"] is None else group

    def check(self, group: Mapping[str, Any]) -> None:
        """Nothing negative."""
        for name in ("lr_decay", "initial_accumulator_value", "eps"):
            check_number("Adagrad", name, group[name])
        check_flags("Adagrad", group, "maximize")
        check_form("Adagrad", group, "lr_decay", "initial_accumulator_value")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The sum of squares."""
        return ("r",)

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """What the sum starts with."""
        return group["initial_accumulator_value"]

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, r: Array, *, t: int, lr: float, lr_decay: float, weight_decay: float, eps: float,
        maximize: bool, **_: Any,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        g = penalized(theta, g, weight_decay, maximize)
        r = r + g * g
        return theta - lr / (1 + lr_decay * (t - 1)) * g / (sqrt(r) + eps), r
