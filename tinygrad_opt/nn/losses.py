"""Losses as modules."""

from __future__ import annotations

from typing import Any

from . import functional
from .module import Module

__all__ = ["CrossEntropyLoss"]


class CrossEntropyLoss(Module):
    """Negative log-likelihood of labels under the softmax of logits; see `functional.cross_entropy`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.CrossEntropyLoss()(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931...)
    """

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"CrossEntropyLoss: reduction must be 'mean', 'sum' or 'none'; got {reduction!r}")
        self.reduction = reduction

    def forward(self, logits: Any, labels: Any) -> Any:
        """The loss."""
        return functional.cross_entropy(logits, labels, self.reduction)
