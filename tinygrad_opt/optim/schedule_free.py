"""Schedule-free learning: an average of the path, in place of a learning rate that falls."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import backend
from ..core import ledger
from ..core.tensor import Tensor
from ..ops import sqrt
from .arguments import check_decays, check_flags, check_number
from .optimizer import Optimizer
from .pieces import average, penalized

__all__ = ["ScheduleFree"]

Array = Any


class ScheduleFree(Optimizer):
    """Schedule-free `SGD` and `AdamW`: gradients are taken between a fast sequence z and its average x.

    With g the gradient at y, t the number of the step, W the steps of warm-up, λ the weight decay::

        y = z + ρ₁ (x - z)                           where the parameters are while they are trained
        sgd:    γ = ε min(1, t / W)
                z ← z - γ (g + λ y)
        adamw:  γ = ε min(1, t / W) √(1 - ρ₂ᵗ)
                r ← ρ₂ r + (1 - ρ₂) g²
                z ← z - γ (g / (√r + δ) + λ y)
        x ← x + c (z - x)                            c = γ² / (sum of all γ² so far)

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε; for ``"sgd"`` a larger one, often about 1. Leave it as it is: the average does what a
        schedule would.
    betas : (float, float)
        ρ₁, the place between z and x, and ρ₂, the decay rate of the second moment; in [0, 1). ``"sgd"`` has no use for
        the second.
    eps : float
        δ, for ``"adamw"``.
    weight_decay : float
        λ.
    warmup_steps : int
        W, how many steps the rate takes to rise to ε; 0 for none.
    base : {"adamw", "sgd"}
        What makes the step of z.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    The result is x. ``optimizer.eval()`` puts it into the parameters, to evaluate or to keep the model, and
    ``optimizer.train()`` puts y back, to go on. (They are beside ``model.eval()`` and ``model.train()``, which batch
    normalization needs.) A new optimizer is in training mode; `step` in the other is refused. The weights c follow t
    and the warm-up; a change of ``lr`` on the way does not count in them.

    References
    ----------
    A. Defazio et al., "The road less scheduled", NeurIPS 2024, equations 1-3 and algorithm 1.

    Examples
    --------
    >>> w = tg.tensor([4.0], requires_grad=True)
    >>> optimizer = tg.optim.ScheduleFree([w], lr=0.5, betas=(0.5, 0.999), base="sgd")
    >>> for _ in range(2):
    ...     _ = optimizer.step(lambda: (w * w).sum() / 2)
    >>> w
    tensor([1.25], requires_grad=True)
    >>> optimizer.eval()
    >>> w
    tensor([1.5], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2.5e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, warmup_steps: int = 0, *, base: str = "adamw",
        maximize: bool = False,
    ) -> None:  # fmt: skip
        self.training = True
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, warmup_steps=warmup_steps, base=base,
            maximize=maximize,
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """A base, decay rates in [0, 1), a whole number of steps."""
        if not isinstance(group["base"], str) or group["base"] not in ("adamw", "sgd"):
            raise ValueError(f"ScheduleFree: base must be 'adamw' or 'sgd'; got {group['base']!r}")
        check_decays("ScheduleFree", group["betas"])
        check_number("ScheduleFree", "eps", group["eps"])
        steps = group["warmup_steps"]
        if type(steps) is not int or not 0 <= steps <= 10**9:
            raise ValueError(f"ScheduleFree: warmup_steps must be a whole number from 0 to 10**9; got {steps!r:.80}")
        check_flags("ScheduleFree", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The fast sequence and its average, and the second moment."""
        return ("z", "x") if group["base"] == "sgd" else ("z", "x", "r")

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, z: Array, x: Array, *moment: Array, t: int, lr: float,
        betas: tuple[float, float], eps: float, weight_decay: float, warmup_steps: int, base: str, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class; both sequences begin at the first parameters."""
        if t == 1:
            z = x = theta
        rho1, rho2 = betas[0], 0.0 if base == "sgd" else betas[1]
        gamma = lr * math.sqrt(_weight(t, warmup_steps, rho2))
        g = penalized(theta, g, 0.0, maximize)
        if base == "adamw":
            r = average(moment[0], g * g, rho2)
            moment, g = (r,), g / (sqrt(r) + eps)
        z = z - gamma * penalized(theta, g, weight_decay)
        x = x + _weight(t, warmup_steps, rho2) / _total(t, warmup_steps, rho2) * (z - x)
        return z + rho1 * (x - z), z, x, *moment

    def _apply(self, loss: Tensor | None) -> None:
        if not self.training:
            raise RuntimeError("ScheduleFree.step: the parameters are the average now; call optimizer.train() first")
        super()._apply(loss)

    def eval(self) -> None:
        """Put the average x into the parameters."""
        self._move(training=False)

    def train(self) -> None:
        """Put y back into the parameters, where training goes on."""
        self._move(training=True)

    def _move(self, *, training: bool) -> None:
        if training == self.training:
            return
        self.training = training
        for group, vector in self._vectors_by_group():
            writer = f"ScheduleFree.{'train' if training else 'eval'}"
            rho1 = float(group["betas"][0])
            with backend.beside(vector.theta):
                vector.adopt()
                for start, stop in vector.stretches([steps > 0 for steps in vector.steps]):
                    z, x = (vector.state[name][start:stop] for name in ("z", "x"))
                    theta = vector.theta[start:stop]
                    ledger.wrote(theta, writer)
                    theta[...] = z + rho1 * (x - z) if training else x

    def state_dict(self) -> dict[str, Any]:
        """As for all optimizers, and the mode: weights of the model that are saved beside it belong to it."""
        return {**super().state_dict(), "training": self.training}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state, in its mode; nothing is changed unless everything fits."""
        training = state.get("training", True)
        if not isinstance(training, bool):
            raise ValueError(f"load_state_dict: training must be True or False; got {training!r}")
        super().load_state_dict(state)
        self.training = training


def _weight(t: int, warmup: int, rho: float) -> float:
    """``(γ / ε)²`` of step t."""
    rising: float = min(1.0, t / warmup) if warmup else 1.0
    return rising**2 * (1 - rho**t)


@functools.lru_cache(maxsize=64)
def _total(t: int, warmup: int, rho: float) -> float:
    """The sum of the weights of all steps up to t: one by one while the rate rises, then a geometric series."""
    rising = math.fsum(_weight(s, warmup, rho) for s in range(1, min(t, warmup) + 1))
    if t <= warmup:
        return rising
    return rising + (t - warmup) - rho ** (warmup + 1) * (1 - rho ** (t - warmup)) / (1 - rho)
