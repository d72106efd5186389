"""Sharpness-aware minimization: the gradient of the worst loss nearby, in place of that of the loss here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import backend
from ..core.tensor import Tensor
from ..nn.frozen import frozen_stats
from .arguments import check_flags, check_number
from .flat import FlatVector
from .optimizer import Optimizer
from .wrapper import Wrapper

__all__ = ["SAM"]

Array = Any


class SAM(Wrapper):
    """Steps by the gradient at the top of a small ascent, which leads to flat minima.

    With g the gradient at θ, in all parameters together::

        e = ρ g / ‖g‖
        step of the optimizer inside by the gradient at θ + e, from θ

    and with ``adaptive=True``, where the neighbourhood is as wide as each weight is large::

        e = ρ θ² g / ‖θ g‖

    Parameters
    ----------
    optimizer : Optimizer
        The method that makes the step.
    rho : float
        ρ, the radius of the neighbourhood, 0 or more; adaptive ones are about ten times larger.
    adaptive : bool
        Whether the neighbourhood scales with the weights.

    Raises
    ------
    TypeError, ValueError
        For what is no optimizer, and for options outside their range.

    Notes
    -----
    A step evaluates the loss twice, so it needs ``step(closure)``, where the closure only returns the loss. The second
    evaluation draws the random numbers of the first (one dropout mask, one function), and running statistics of
    normalization layers stand still in it. The loss that `step` returns is the first. Where the
    gradient is zero, so is e. With ρ = 0 the way is that of the optimizer inside.

    References
    ----------
    P. Foret et al., "Sharpness-aware minimization for efficiently improving generalization", ICLR 2021, algorithm 1.
    J. Kwon et al., "ASAM: adaptive sharpness-aware minimization for scale-invariant learning of deep neural networks",
    ICML 2021, for the adaptive form, without its small number.

    Examples
    --------
    >>> w = tg.tensor([3.0, 4.0], requires_grad=True)
    >>> optimizer = tg.optim.SAM(tg.optim.SGD([w], lr=0.5), rho=5.0)
    >>> optimizer.step(lambda: (w * w).sum() / 2)  # the gradient is taken at (6, 8)
    tensor(12.5, grad_fn='divide')
    >>> w
    tensor([0., 0.], requires_grad=True)
    """

    rho: float
    adaptive: bool

    def __init__(self, optimizer: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        super().__init__(optimizer, rho=rho, adaptive=adaptive)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """A radius, and a switch."""
        check_number("SAM", "rho", options["rho"])
        check_flags("SAM", options, "adaptive")

    @property
    def needs_closure(self) -> bool:
        """Always."""
        return True

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Two evaluations of the loss, one update of every parameter that has a gradient.

        Parameters
        ----------
        closure : callable
            Returns the loss, and does nothing else: gradients are cleared and computed here.

        Returns
        -------
        Tensor
            The loss before the ascent.
        """
        if closure is None:
            raise TypeError(
                "SAM.step: the loss is evaluated twice, here and at the top of an ascent: write step(closure), where "
                "closure() returns the loss"
            )
        return super().step(closure)

    def _gradient(self, closure: Callable[[], Tensor]) -> Tensor:
        state = backend.random_state()
        loss = super()._gradient(closure)
        with self._ascended(), frozen_stats(), backend.replaying(state):
            super()._gradient(closure)
        return loss

    @contextlib.contextmanager
    def _ascended(self) -> Iterator[None]:
        """Inside the block the parameters that have a gradient stand at the top of the ascent."""
        ascents = [_Ascent(vector, self.adaptive) for _, vector in self._vectors_by_group()]
        first = ascents[0].vector
        with backend.beside(first.theta):
            squares = sum(backend.to_device(ascent.square(), first.device) for ascent in ascents)
        with contextlib.ExitStack() as moves:
            for ascent in ascents:
                with backend.beside(ascent.vector.theta):
                    there = backend.to_device(squares, ascent.vector.device)
                moves.enter_context(ascent.vector.moved(ascent.top, (), self._writer, square=there, rho=self.rho))
            yield


class _Ascent:
    """The direction of the ascent in one vector, in double precision: squares of float16 and float32 overflow early."""

    def __init__(self, vector: FlatVector, adaptive: bool) -> None:
        self.vector, self.adaptive = vector, adaptive
        self.stretches: Sequence[tuple[int, int]] = list(vector.stretches(vector.have_gradients()))

    def square(self) -> Array:
        """``‖g‖²``, or ``‖θ g‖²``: an array without axes."""
        vector, xp = self.vector, backend.namespace(self.vector.theta)
        with backend.beside(vector.theta):
            total = xp.zeros((), dtype="float64")
            for start, stop in self.stretches:
                g = vector.grad[start:stop].astype("float64")
                if self.adaptive:
                    g *= vector.theta[start:stop]
                total = total + xp.sum(g * g)
            return xp.asarray(total)

    def top(self, theta: Array, *, square: Array, rho: float) -> Array:
        """θ + e; where there is no gradient, θ."""
        xp = backend.namespace(theta)
        there = +theta
        scale = rho / xp.sqrt(xp.where(square == 0, 1.0, square))
        for start, stop in self.stretches:
            e = scale * self.vector.grad[start:stop]
            if self.adaptive:
                e *= xp.square(theta[start:stop].astype("float64"))
            there[start:stop] += e.astype(theta.dtype)
        return there
