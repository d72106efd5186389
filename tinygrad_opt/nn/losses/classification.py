"""Losses of classes as modules."""

from __future__ import annotations

from typing import Any

from .. import functional
from .base import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "KLDivLoss", "NLLLoss"]


class CrossEntropyLoss(Loss):
    """Negative log-likelihood of classes under the softmax of logits; see `functional.cross_entropy`.

    Parameters
    ----------
    weight : tensor, shape (classes,), optional
    ignore_index : int
    reduction : {"mean", "sum", "none"}
    label_smoothing : float

    Examples
    --------
    >>> tg.nn.CrossEntropyLoss()(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931...)
    """

    function = staticmethod(functional.cross_entropy)

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)


class NLLLoss(Loss):
    """Negative log-likelihood of labels, given the logarithms of probabilities; see `functional.nll_loss`.

    Parameters
    ----------
    weight : tensor, shape (classes,), optional
    ignore_index : int
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.NLLLoss()(tg.log_softmax(tg.tensor([[0.0, 0.0]])), tg.tensor([1]))
    tensor(0.6931...)
    """

    function = staticmethod(functional.nll_loss)

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index)


class BCELoss(Loss):
    """Negative log-likelihood of yes or no, for probabilities; see `functional.binary_cross_entropy`.

    Parameters
    ----------
    weight : tensor, optional
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.BCELoss()(tg.tensor([0.5]), tg.tensor([1.0]))
    tensor(0.6931...)
    """

    function = staticmethod(functional.binary_cross_entropy)

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction, weight=weight)


class BCEWithLogitsLoss(Loss):
    """Negative log-likelihood of yes or no, for logits; see `functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    weight : tensor, optional
    reduction : {"mean", "sum", "none"}
    pos_weight : tensor, optional

    Examples
    --------
    >>> tg.nn.BCEWithLogitsLoss()(tg.tensor([0.0]), tg.tensor([1.0]))
    tensor(0.6931...)
    """

    function = staticmethod(functional.binary_cross_entropy_with_logits)

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)


class KLDivLoss(Loss):
    """Kullback-Leibler divergence of a prediction, in logarithms, from a target; see `functional.kl_div`.

    Parameters
    ----------
    reduction : {"mean", "batchmean", "sum", "none"}
    log_target : bool

    Examples
    --------
    >>> tg.nn.KLDivLoss("batchmean")(tg.log(tg.tensor([[0.5, 0.5]])), tg.tensor([[0.0, 1.0]]))
    tensor(0.6931...)
    """

    function = staticmethod(functional.kl_div)
    reductions = ("batchmean",)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, log_target=log_target)
