"""Muon: momentum whose singular values are all brought near to 1 before it moves a matrix."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import errors
from ..ops import maximum
from .arguments import check_flags, check_number
from .optimizer import Optimizer
from .pieces import average, length, shrunk

__all__ = ["Muon"]

Array = Any

ADJUSTMENTS = (None, "original", "match_rms_adamw")


def orthogonalized(g: Array, coefficients: tuple[float, float, float], steps: int, eps: float) -> Array:
    """The matrix ``U p(Σ) Vᵀ`` for ``g = U Σ Vᵀ``, where p brings singular values near to 1.

    Each step of the iteration of Newton and Schulz maps a singular value σ to ``aσ + bσ³ + cσ⁵``, by products of
    matrices alone.
    """
    a, b, c = coefficients
    upright = g.shape[0] > g.shape[1]
    x = g.T if upright else g  # the smaller of both Gram matrices
    x = x / maximum(length(x), eps)  # no singular value is larger than 1
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if upright else x


class Muon(Optimizer):
    """Momentum, orthogonalized: every direction of a matrix moves equally far, also those with small gradients.

    With g the gradient, α the momentum, λ the weight decay, for a matrix θ with n rows and m columns::

        s ← α s + (1 - α) g
        u = α s + (1 - α) g             with nesterov; otherwise u = s
        x = u / max(‖u‖, δ)             Frobenius' norm
        x ← a x + b (x xᵀ) x + c (x xᵀ)² x        Newton-Schulz, k times
        θ ← (1 - ε λ) θ - ε √max(1, n/m) x

    Parameters
    ----------
    params : iterable of tensors or of dicts
        Matrices only: parameters of two dimensions.
    lr : float
        The learning rate ε.
    weight_decay : float
        λ, decoupled from the gradient.
    momentum : float
        α, in [0, 1).
    nesterov : bool
        Look ahead along the momentum.
    ns_coefficients : (float, float, float)
        a, b, c. These do not converge to 1, but bring even small singular values into about [0.7, 1.2] within five
        steps.
    eps : float
        δ, for division by small numbers.
    ns_steps : int
        k, from 0 to 99.
    adjust_lr_fn : {None, "original", "match_rms_adamw"}
        The factor of ε: √max(1, n/m) for None and "original", or 0.2 √max(n, m), after which rates for `AdamW` serve.

    Raises
    ------
    ShapeError
        For parameters that are no matrices. Biases, numbers and kernels of convolutions go to another optimizer;
        embeddings and the last layer usually do so too.
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names and defaults are PyTorch's, and so is the algorithm; PyTorch rounds the iteration to bfloat16, here it has the
    dtype of the parameter.

    References
    ----------
    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    J. Liu et al., "Muon is scalable for LLM training", 2025, for "match_rms_adamw".

    Examples
    --------
    >>> w = tg.zeros(2, 2, requires_grad=True)
    >>> optimizer = tg.optim.Muon([w], lr=1.0, ns_coefficients=(1.5, -0.5, 0.0), ns_steps=20)
    >>> _ = optimizer.step(lambda: (w * tg.tensor([[4.0, 3.0], [-0.3, 0.4]])).sum())
    >>> tg.round(w.detach(), 2)  # minus the orthogonal matrix that is nearest to the gradient
    tensor([[-0.8, -0.6],
            [ 0.6, -0.8]])
    """

    whole = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov,
            ns_coefficients=ns_coefficients, eps=eps, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn,
        )  # fmt: skip

    def _check_parameters(self, parameters: Sequence[Any]) -> None:
        super()._check_parameters(parameters)
        for position, parameter in enumerate(parameters):
            if parameter.ndim != 2:
                raise errors.ShapeError(
                    f"Muon: parameter {parameter.name or position} must be a matrix; got shape {parameter.shape}. "
                    "Make two optimizers: Muon([p for p in model.parameters() if p.ndim == 2]) and "
                    "AdamW([p for p in model.parameters() if p.ndim != 2])"
                )

    def check(self, group: Mapping[str, Any]) -> None:
        """A momentum in [0, 1), three finite coefficients, eps above 0, fewer than 100 steps, a known adjustment."""
        check_number("Muon", "momentum", group["momentum"], high=1.0)
        check_number("Muon", "eps", group["eps"], above=True)
        check_flags("Muon", group, "nesterov")
        coefficients, steps = group["ns_coefficients"], group["ns_steps"]
        if not isinstance(coefficients, (tuple, list)) or len(coefficients) != 3:
            raise ValueError(
                f"Muon: ns_coefficients must be three numbers such as (3.4445, -4.775, 2.0315); got {coefficients!r}"
            )
        for position, value in enumerate(coefficients):
            check_number("Muon", f"ns_coefficients[{position}]", abs(value) if _is_number(value) else value)
        if type(steps) is not int or not 0 <= steps < 100:
            raise ValueError(f"Muon: ns_steps must be a whole number from 0 to 99; got {steps!r}")
        adjust = group["adjust_lr_fn"]
        if not (adjust is None or isinstance(adjust, str)) or adjust not in ADJUSTMENTS:
            raise ValueError(f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw'; got {adjust!r}")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The momentum."""
        return ("s",)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, s: Array, *, t: int, lr: float, weight_decay: float, momentum: float,
        nesterov: bool, ns_coefficients: tuple[float, float, float], eps: float, ns_steps: int,
        adjust_lr_fn: str | None,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rows, columns = theta.shape
        s = average(s, g, momentum)
        u = average(s, g, momentum) if nesterov else s
        step = orthogonalized(u, ns_coefficients, ns_steps, eps)
        if adjust_lr_fn == "match_rms_adamw":
            factor = 0.2 * math.sqrt(max(rows, columns))
        else:
            factor = math.sqrt(max(1, rows / columns))
        return shrunk(theta, lr, weight_decay) - lr * factor * step, s


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
