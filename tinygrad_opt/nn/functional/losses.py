"""Losses."""

from __future__ import annotations

from typing import Any

from ... import ops

__all__ = ["cross_entropy"]


def cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """Negative log-likelihood of the labels under the softmax of the logits.

    Parameters
    ----------
    logits : tensor, shape (batch, classes)
        Unnormalized: no softmax before this loss.
    labels : tensor or array of int, shape (batch,)
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    tensor
        A scalar in nats, or one value per row with ``reduction="none"``.

    Raises
    ------
    ShapeError, IndexError, TypeError
        For shapes that do not fit, labels outside the classes, and labels that are not integers.

    Examples
    --------
    >>> tg.nn.functional.cross_entropy(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931...)
    """
    return ops.softmax_cross_entropy(logits, labels, reduction)
