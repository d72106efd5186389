"""Activations as modules."""

from __future__ import annotations

from typing import Any

from .. import ops
from .module import Module

__all__ = ["ReLU", "Tanh"]


class ReLU(Module):
    """``max(x, 0)``, elementwise.

    Examples
    --------
    >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Any:
        """``max(x, 0)``."""
        return ops.relu(x)


class Tanh(Module):
    """Hyperbolic tangent, elementwise.

    Examples
    --------
    >>> tg.nn.Tanh()(tg.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, x: Any) -> Any:
        """``tanh x``."""
        return ops.tanh(x)
