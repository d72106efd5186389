"""Adafactor: the second moment of a matrix from its rows and columns, n + m numbers in place of n m."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import backend
from ..ops import fmax, maximum, sqrt
from .arguments import check_flags, check_number, check_pair
from .optimizer import Optimizer
from .pieces import average, length, penalized, shrunk

__all__ = ["Adafactor"]

Array = Any


class Adafactor(Optimizer):
    """Factored second moments, steps in proportion to the size of the parameter, and no momentum.

    With g the gradient, t the number of the step, τ the decay ``beta2_decay``, RMS the root of the mean square over one
    parameter array; for a matrix (of more dimensions, the last two)::

        ρ = 1 - t^τ
        rows ← ρ rows + (1 - ρ) mean of g² over columns
        columns ← ρ columns + (1 - ρ) mean of g² over rows
        r = rows columnsᵀ / max(mean(rows), δ₁)
        u = g / √max(r, δ₁²)
        u ← u / max(1, RMS(u) / d)
        θ ← (1 - ε λ) θ - min(ε, 1/√t) max(δ₂, RMS(θ)) u        RMS(θ) before the decay

    A vector or a number keeps r itself: ``r ← ρ r + (1 - ρ) g²``.

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The largest relative step ε.
    beta2_decay : float
        τ, at most 0: how fast the average comes to remember everything.
    eps : (float or None, float)
        δ₁, against division by small numbers, where None is the rounding unit of the dtype; and δ₂, the smallest size
        that a parameter counts with.
    d : float
        The root mean square that an update may have, at least 1.
    weight_decay : float
        λ, decoupled from the gradient.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        For numbers outside their range.

    Notes
    -----
    Names, defaults and numbers are PyTorch's. The paper adds δ₁ = 1e-30 to g² in place of the two maxima, and has no
    weight decay. An RMS that is nan does not count in a maximum, as in PyTorch: in a vector, nan spoils its
    own element only; in a matrix its row and its column, and so the whole.

    References
    ----------
    N. Shazeer, M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018, algorithms 4 to 6.

    Examples
    --------
    >>> w = tg.tensor([[1.0, 1.0], [1.0, 1.0]], requires_grad=True)
    >>> optimizer = tg.optim.Adafactor([w], lr=0.25)
    >>> _ = optimizer.step(lambda: (w * tg.tensor([[1.0, 2.0], [4.0, 8.0]])).sum())
    >>> w
    tensor([[0.75, 0.75],
            [0.75, 0.75]], requires_grad=True)
    >>> {name: state.tolist() for name, state in optimizer.state_of(w).items()}
    {'rows': [[2.5], [40.0]], 'columns': [[8.5, 34.0]], 'r': []}
    """

    whole = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, maximize=maximize
        )  # fmt: skip

    def check(self, group: Mapping[str, Any]) -> None:
        """A decay at most 0, two small numbers, and a threshold from 1 on."""
        decay = group["beta2_decay"]
        number = isinstance(decay, (int, float)) and not isinstance(decay, bool)
        if not number or not -sys.float_info.max <= decay <= 0:
            raise ValueError(f"Adafactor: beta2_decay must be a number at most 0; got {decay!r}")
        check_pair("Adafactor", "eps", group["eps"], "(None, 0.001)")
        if group["eps"][0] is not None:
            check_number("Adafactor", "eps[0]", group["eps"][0])
        check_number("Adafactor", "eps[1]", group["eps"][1])
        check_number("Adafactor", "d", group["d"], 1.0)
        check_flags("Adafactor", group, "maximize")

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The factors of the second moment, and for vectors itself; what a parameter does not use is empty."""
        return ("rows", "columns", "r")

    @staticmethod
    def state_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A column of rows' means and a row of columns' means; all of a vector."""
        if len(shape) < 2:
            return shape if name == "r" else (0,)
        return {"rows": (*shape[:-1], 1), "columns": (*shape[:-2], 1, shape[-1]), "r": (0,)}[name]

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, rows: Array, columns: Array, r: Array, *, t: int, lr: float, beta2_decay: float,
        eps: tuple[float | None, float], d: float, weight_decay: float, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rho, root = 1 - t**beta2_decay, math.sqrt(theta.size)
        small = float(backend.namespace(theta).finfo(theta.dtype).eps) if eps[0] is None else eps[0]
        g = penalized(theta, g, 0.0, maximize)
        if theta.ndim < 2:
            measure = r = average(r, g * g, rho)
        else:
            rows = average(rows, (g * g).mean(axis=-1, keepdims=True), rho)
            columns = average(columns, (g * g).mean(axis=-2, keepdims=True), rho)
            measure = rows / maximum(rows.mean(axis=-2, keepdims=True), small) * columns
        u = g / sqrt(maximum(measure, small * small))
        u = u / fmax(length(u) / (root * d), 1.0)
        rate = min(lr, 1 / math.sqrt(t)) * fmax(length(theta) / root, eps[1])
        return shrunk(theta, lr, weight_decay) - rate * u, rows, columns, r
