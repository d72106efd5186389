"""What one convention consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Convention"]

Values = list[float]


@dataclass(frozen=True)
class Convention:
    """One choice.

    Attributes
    ----------
    function, point : str
        Which function, and where.
    call : callable
        Computes it from tensors.
    args : tuple of lists
        The point.
    value : list
        The result there.
    gradients : tuple of lists
        The derivative of the sum of the result, by each argument.
    curvatures : tuple of lists
        The second derivative of the sum of the result, applied to a direction of ones, for each argument.
    reason : str
        Why.
    """

    function: str
    point: str
    call: Callable[..., Any]
    args: tuple[Values, ...]
    value: Values
    gradients: tuple[Values, ...]
    curvatures: tuple[Values, ...]
    reason: str
