"""Gradient descent on mini-batches, with and without momentum, as PyTorch and as the book write it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .arguments import check_flags, check_form, check_number
from .optimizer import Optimizer
from .pieces import penalized

__all__ = ["SGD"]

Array = Any


class SGD(Optimizer):
    """Stochastic gradient descent: ``θ ← θ - ε v``.

    With g the gradient (plus λθ for weight decay λ)::

        v ← g                           without momentum
        v ← α v + (1 - τ) g             with momentum α and dampening τ (v ← g at the first step)
        v ← g + α v                     what is then used in place of v, with nesterov=True

    With ``form="book"``, v is a displacement, and Nesterov's gradient is taken where v leads::

        v ← α v - ε g                   g is the gradient at θ, or at θ + α v with nesterov=True
        θ ← θ + v

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε.
    momentum : float
        α, in [0, 1).
    dampening : float
        τ.
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    nesterov : bool
        Needs momentum, and no dampening.
    maximize : bool
        Go up instead of down.
    form : {"torch", "book"}
        Which of the two. The book's Nesterov evaluates the loss itself: it needs ``step(closure)``.

    Raises
    ------
    ValueError
        For numbers outside their range, and for combinations that mean nothing.

    Notes
    -----
    Names, defaults and meaning are PyTorch's. The book's momentum is the same method while ε is constant: its v is -ε
    times PyTorch's. When ε changes, the book's old velocity keeps the old ε. PyTorch's Nesterov is the book's with the
    look-ahead point for its variable: PyTorch's θ is the book's θ + αv.

    References
    ----------
    Goodfellow, Bengio, Courville, *Deep Learning*, algorithms 8.1 to 8.3.
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.5], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False, *, maximize: bool = False, form: str = "torch",
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
            maximize=maximize, form=form,
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """Momentum in [0, 1); Nesterov's form with momentum and without dampening."""
        check_number("SGD", "momentum", group["momentum"], high=1.0)
        check_number("SGD", "dampening", group["dampening"])
        check_flags("SGD", group, "nesterov", "maximize")
        check_form("SGD", group, "dampening")
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ValueError("SGD: nesterov=True needs momentum > 0 and dampening = 0")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The velocity, where there is momentum."""
        return ("v",) if group["momentum"] else ()

    def looks_ahead(self, group: Mapping[str, Any]) -> bool:
        """In the book's form of Nesterov's method."""
        return group["form"] == "book" and group["nesterov"]

    def ahead(self, theta: Array, *state: Array, momentum: float, **_: Any) -> Array:
        """Where the velocity leads."""
        return theta + momentum * state[0]

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, *state: Array, t: int, lr: float, momentum: float, dampening: float,
        weight_decay: float, nesterov: bool, maximize: bool, form: str,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        if form == "book" and nesterov:
            g = penalized(self.ahead(theta, *state, momentum=momentum), g, weight_decay, maximize)
        else:
            g = penalized(theta, g, weight_decay, maximize)
        if not state:
            return (theta - lr * g,)
        (v,) = state
        if form == "book":
            v = momentum * v - lr * g
            return theta + v, v
        v = g if t == 1 else momentum * v + (1 - dampening) * g
        direction = g + momentum * v if nesterov else v
        return theta - lr * direction, v
