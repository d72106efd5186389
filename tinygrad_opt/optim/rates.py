"""A learning rate for each parameter: it grows while the gradient keeps its sign, and falls when the sign changes.

The sign of a gradient tells whether the last step went too far; that of a mini-batch is mostly noise. Both methods are
for gradients of the whole training set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops import maximum, minimum, sign, where
from .arguments import check_flags, check_number, check_pair
from .optimizer import Optimizer
from .pieces import average, penalized

__all__ = ["DeltaBarDelta", "Rprop"]

Array = Any


class DeltaBarDelta(Optimizer):
    """Gradient descent with a rate ε for each parameter, which grows steadily and falls in proportion.

    With δ the gradient (plus λθ for weight decay λ), δ̄ the average of earlier ones::

        ε ← ε + κ                       where δ̄ δ > 0
        ε ← (1 - φ) ε                   where δ̄ δ < 0
        θ ← θ - ε δ
        δ̄ ← (1 - θ_d) δ + θ_d δ̄

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The rate with which every parameter starts; later changes have no effect.
    kappa : float
        κ, what is added to the rate.
    phi : float
        φ, the share of the rate that is taken away, in [0, 1).
    decay : float
        θ_d, the decay rate of the average, in [0, 1).
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
    For full batches. As in the paper, the gradient is compared with the average *before* it joins it, and the step is
    made with the new rate. The defaults are of the size that the paper experiments with; PyTorch does not have the
    method. With κ = φ = 0 it is `SGD`.

    References
    ----------
    R. A. Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks 1 (1988).

    Examples
    --------
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.DeltaBarDelta([w], lr=0.25, kappa=0.125)
    >>> for _ in range(2):
    ...     _ = optimizer.step(lambda: (w * w).sum())
    >>> w, optimizer.state_of(w)["rate"]
    (tensor([0.125], requires_grad=True), tensor([0.375]))
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, kappa: float = 1e-3, phi: float = 0.1, decay: float = 0.7,
        weight_decay: float = 0.0, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, kappa=kappa, phi=phi, decay=decay, weight_decay=weight_decay, maximize=maximize
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """Shares in [0, 1)."""
        check_number("DeltaBarDelta", "kappa", group["kappa"])
        check_number("DeltaBarDelta", "phi", group["phi"], high=1.0)
        check_number("DeltaBarDelta", "decay", group["decay"], high=1.0)
        check_flags("DeltaBarDelta", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The rates, and the average δ̄."""
        return ("rate", "delta_bar")

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """Every rate starts at lr."""
        return group["lr"] if name == "rate" else 0.0

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, rate: Array, delta_bar: Array, *, t: int, lr: float, kappa: float, phi: float,
        decay: float, weight_decay: float, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        delta = penalized(theta, g, weight_decay, maximize)
        agreement = sign(delta_bar) * sign(delta)
        rate = where(agreement > 0, rate + kappa, where(agreement < 0, (1 - phi) * rate, rate))
        return theta - rate * delta, rate, average(delta_bar, delta, decay)


class Rprop(Optimizer):
    """Resilient backpropagation: steps of a length of their own, in the direction of the gradient's sign.

    With g the gradient, h that of the step before::

        Δ ← min(η₊ Δ, Δ_max)            where h g > 0
        Δ ← max(η₋ Δ, Δ_min)            where h g < 0; and g ← 0 there: stay, and forget the sign
        θ ← θ - Δ sign(g)
        h ← g

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The length Δ with which every parameter starts; later changes have no effect.
    etas : (float, float)
        η₋ in (0, 1) and η₊ above 1.
    step_sizes : (float, float)
        Δ_min and Δ_max.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    For full batches. Names, defaults and numbers are PyTorch's, but for a gradient of nan: its sign is 0 for PyTorch,
    where the parameter stays; here it becomes nan. This is the variant without backtracking, iRprop⁻: the first paper
    also takes back the step that has changed the sign.

    References
    ----------
    M. Riedmiller, H. Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", ICNN
    1993.
    C. Igel, M. Hüsken, "Improving the Rprop learning algorithm", NC 2000, algorithm 3.

    Examples
    --------
    >>> w = tg.tensor([1.0, 100.0], requires_grad=True)
    >>> optimizer = tg.optim.Rprop([w], lr=0.5)
    >>> _ = optimizer.step(lambda: (w * w).sum())
    >>> w
    tensor([ 0.5, 99.5], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0), *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, etas=etas, step_sizes=step_sizes, maximize=maximize)

    def check(self, group: Mapping[str, Any]) -> None:
        """A factor that shrinks and one that grows; bounds in their order."""
        check_pair("Rprop", "etas", group["etas"], "(0.5, 1.2)")
        check_number("Rprop", "etas[0]", group["etas"][0], high=1.0, above=True)
        check_number("Rprop", "etas[1]", group["etas"][1], low=1.0, above=True)
        check_pair("Rprop", "step_sizes", group["step_sizes"], "(1e-06, 50)")
        check_number("Rprop", "step_sizes[0]", group["step_sizes"][0])
        check_number("Rprop", "step_sizes[1]", group["step_sizes"][1], low=group["step_sizes"][0])
        check_flags("Rprop", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The lengths of the steps, and the last gradient."""
        return ("length", "last")

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """Every length starts at lr."""
        return group["lr"] if name == "length" else 0.0

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, length: Array, last: Array, *, t: int, lr: float, etas: tuple[float, float],
        step_sizes: tuple[float, float], maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        g = penalized(theta, g, 0.0, maximize)
        agreement = sign(last) * sign(g)
        length = where(agreement > 0, etas[1] * length, where(agreement < 0, etas[0] * length, length))
        length = minimum(maximum(length, step_sizes[0]), step_sizes[1])
        g = where(agreement < 0, 0.0, g)
        return theta - length * sign(g), length, g
