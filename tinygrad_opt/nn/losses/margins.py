"""Losses of margins as modules."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.losses.checks import check_power
from .base import Loss

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiMarginLoss", "SoftMarginLoss",
    "TripletMarginLoss",
]  # fmt: skip


class HingeEmbeddingLoss(Loss):
    """Distances of pairs that are alike (target 1) or different (-1); see `functional.hinge_embedding_loss`.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.HingeEmbeddingLoss(reduction="none")(tg.tensor([0.2, 0.2]), tg.tensor([1, -1]))
    tensor([0.2, 0.8])
    """

    function = staticmethod(functional.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction, margin=margin)


class SoftMarginLoss(Loss):
    """Logistic loss of scores with the sign of their class; see `functional.soft_margin_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.SoftMarginLoss()(tg.tensor([0.0]), tg.tensor([1]))
    tensor(0.6931...)
    """

    function = staticmethod(functional.soft_margin_loss)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)


class MarginRankingLoss(Loss):
    """Two scores in the right order, called with both and a target of 1 or -1; see `functional.margin_ranking_loss`.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.MarginRankingLoss()(tg.tensor([2.0]), tg.tensor([1.0]), tg.tensor([-1]))
    tensor(1.)
    """

    function = staticmethod(functional.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction, margin=margin)


class MultiMarginLoss(Loss):
    """Hinge loss of classes; see `functional.multi_margin_loss`.

    Parameters
    ----------
    p : {1, 2}
    margin : float
    weight : tensor, shape (classes,), optional
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.MultiMarginLoss()(tg.tensor([[1.0, 0.5, -3.0, 2.0]]), tg.tensor([0]))
    tensor(0.625)
    """

    function = staticmethod(functional.multi_margin_loss)

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        check_power("MultiMarginLoss", p)
        super().__init__(reduction, p=p, margin=margin, weight=weight)


class CosineEmbeddingLoss(Loss):
    """Directions of pairs that are alike (target 1) or different (-1); see `functional.cosine_embedding_loss`.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.CosineEmbeddingLoss()(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 1.0]]), tg.tensor([1]))
    tensor(1.)
    """

    function = staticmethod(functional.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction, margin=margin)


class TripletMarginLoss(Loss):
    """An anchor nearer to what is like it than to what is not; see `functional.triplet_margin_loss`.

    Parameters
    ----------
    margin, p, eps : float
    swap : bool
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> a, n = tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]])
    >>> tg.nn.TripletMarginLoss(margin=6.0)(a, a, n)
    tensor(1.0000...)
    """

    function = staticmethod(functional.triplet_margin_loss)

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction, margin=margin, p=p, eps=eps, swap=swap)
