"""RMSprop and Adadelta: a learning rate for each parameter, from the size of its recent gradients.

`Adagrad` divides by the root of the *sum* of squared gradients, which only grows; RMSprop by that of a running
*average*, which forgets; Adadelta puts the same average of its own steps in the place of the learning rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import maximum, sqrt, where
from .arguments import check_flags, check_form, check_number, is_book
from .optimizer import Optimizer
from .pieces import average, penalized

__all__ = ["Adadelta", "RMSprop"]

Array = Any


class RMSprop(Optimizer):
    """Root mean square propagation: ``θ ← θ - ε g / (√r + δ)``, with a running average of squared gradients.

    With g the gradient (plus λθ for weight decay λ)::

        r ← ρ r + (1 - ρ) g²
        m ← ρ m + (1 - ρ) g             with centered=True, which puts the variance r - m² in place of r below
        d = g / (√r + δ)
        v ← α v + d                     with momentum α, which puts v in place of d
        θ ← θ - ε d

    With ``form="book"``, δ is inside the root, v is a displacement, and Nesterov's gradient is taken where v leads::

        v ← α v - ε g / √(δ + r)        g is the gradient at θ, or at θ + α v with nesterov=True
        θ ← θ + v

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε.
    alpha : float
        The decay rate ρ, in [0, 1).
    eps : float, optional
        δ, for division by small numbers: 1e-8; in the book's form 1e-6, and with nesterov=True 0, as in the boxes.
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    momentum : float
        α of the book, in [0, 1).
    centered : bool
        Divide by an estimate of the standard deviation of the gradient.
    maximize : bool
        Go up instead of down.
    nesterov : bool
        For ``form="book"`` only. It evaluates the loss itself: it needs ``step(closure)``, and momentum.
    form : {"torch", "book"}
        Which of the two.

    Raises
    ------
    ValueError
        For numbers outside their range, and for combinations that mean nothing.

    Notes
    -----
    Names, defaults and numbers are PyTorch's. Where r and δ are 0, so is g, and the parameter stays. Without
    momentum it is `Adam` without the first moment and without the corrections of the bias.

    References
    ----------
    T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", Coursera: Neural Networks for Machine Learning, 2012.
    A. Graves, "Generating sequences with recurrent neural networks", 2013, equations 38 to 45, for the centered form.
    Goodfellow, Bengio, Courville, *Deep Learning*, algorithms 8.5 and 8.6.

    Examples
    --------
    >>> w = tg.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = tg.optim.RMSprop([w], lr=0.25, alpha=0.75)
    >>> _ = optimizer.step(lambda: w[0] + 100 * w[1])
    >>> w
    tensor([0.5, 0.5], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float | None = None,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False, *, maximize: bool = False,
        nesterov: bool = False, form: str = "torch",
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered,
            maximize=maximize, nesterov=nesterov, form=form,
        )  # fmt: skip

    def complete(self, group: Mapping[str, Any]) -> Mapping[str, Any]:
        """The small number of the form."""
        if group["eps"] is not None:
            return group
        book = 0.0 if group["nesterov"] is True else 1e-6
        return {**group, "eps": book if is_book(group) else 1e-8}

    def check(self, group: Mapping[str, Any]) -> None:
        """Decay rates in [0, 1); Nesterov's method in the book's form only, with momentum."""
        check_number("RMSprop", "alpha", group["alpha"], high=1.0)
        check_number("RMSprop", "eps", group["eps"])
        check_number("RMSprop", "momentum", group["momentum"], high=1.0)
        check_flags("RMSprop", group, "centered", "maximize", "nesterov")
        check_form("RMSprop", group, "centered")
        if group["nesterov"] and (group["form"] != "book" or not group["momentum"]):
            raise ValueError("RMSprop: nesterov=True needs form='book' and momentum > 0")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The second moment; the first where it is centered; the velocity where there is momentum."""
        return ("r", *["m"] * group["centered"], *["v"] * (group["momentum"] > 0))

    def looks_ahead(self, group: Mapping[str, Any]) -> bool:
        """With Nesterov's method."""
        return group["nesterov"]

    def ahead(self, theta: Array, *state: Array, momentum: float, **_: Any) -> Array:
        """Where the velocity leads."""
        return theta + momentum * state[-1]

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, r: Array, *rest: Array, t: int, lr: float, alpha: float, eps: float,
        weight_decay: float, momentum: float, centered: bool, maximize: bool, nesterov: bool, form: str,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        g = penalized(self.ahead(theta, *rest, momentum=momentum) if nesterov else theta, g, weight_decay, maximize)
        r = average(r, g * g, alpha)
        state, before = [r], list(rest)
        if form == "book":
            v = -lr * g / sqrt(r + eps if eps else where(r > 0, r, 1.0))
            if momentum:
                v = momentum * before[0] + v
                state.append(v)
            return theta + v, *state
        spread = r
        if centered:
            m = average(before.pop(0), g, alpha)
            spread = maximum(r - m * m, 0.0)  # rounding may leave less than 0
            state.append(m)
        d = g / (sqrt(spread) + eps)
        if momentum:
            d = momentum * before.pop(0) + d
            state.append(d)
        return theta - lr * d, *state


class Adadelta(Optimizer):
    """`RMSprop` in the book's form, with the root mean square of its own changes for a learning rate.

    With g the gradient (plus λθ for weight decay λ)::

        r ← ρ r + (1 - ρ) g²
        d = √(u + δ) / √(r + δ) · g     in the units of θ, whatever those of the loss
        u ← ρ u + (1 - ρ) d²
        θ ← θ - ε d

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        ε, which is 1 in the paper.
    rho : float
        The decay rate ρ, in [0, 1).
    eps : float
        δ: small, but with it everything starts.
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names, defaults and numbers are PyTorch's.

    References
    ----------
    M. D. Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1.

    Examples
    --------
    >>> w = tg.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adadelta([w], rho=0.75, eps=1.0)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([-0.4142, -0.4142], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0.0,
        *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def check(self, group: Mapping[str, Any]) -> None:
        """A decay rate in [0, 1), and eps positive: the step starts from its root."""
        check_number("Adadelta", "rho", group["rho"], high=1.0)
        check_number("Adadelta", "eps", group["eps"], above=True)
        check_flags("Adadelta", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The mean squares of gradients and of changes."""
        return ("r", "u")

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, r: Array, u: Array, *, t: int, lr: float, rho: float, eps: float,
        weight_decay: float, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        g = penalized(theta, g, weight_decay, maximize)
        r = average(r, g * g, rho)
        d = sqrt(u + eps) / sqrt(r + eps) * g
        return theta - lr * d, r, average(u, d * d, rho)
