"""Losses of numbers as modules."""

from __future__ import annotations

from .. import functional
from .base import Loss

__all__ = ["GaussianNLLLoss", "HuberLoss", "L1Loss", "MSELoss", "PoissonNLLLoss", "SmoothL1Loss"]


class MSELoss(Loss):
    """Mean squared error; see `functional.mse_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """

    function = staticmethod(functional.mse_loss)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)


class L1Loss(Loss):
    """Mean absolute error; see `functional.l1_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.L1Loss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """

    function = staticmethod(functional.l1_loss)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)


class HuberLoss(Loss):
    """Squares of small residuals, a straight line for large ones; see `functional.huber_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float

    Examples
    --------
    >>> tg.nn.HuberLoss("none")(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]))
    tensor([0.125, 2.5  ])
    """

    function = staticmethod(functional.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction, delta=delta)


class SmoothL1Loss(Loss):
    """Absolute error with a round bottom; see `functional.smooth_l1_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    beta : float

    Examples
    --------
    >>> tg.nn.SmoothL1Loss("none")(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]))
    tensor([0.125, 2.5  ])
    """

    function = staticmethod(functional.smooth_l1_loss)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction, beta=beta)


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts; see `functional.poisson_nll_loss`.

    Parameters
    ----------
    log_input, full : bool
    eps : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.PoissonNLLLoss()(tg.tensor([0.0]), tg.tensor([3.0]))
    tensor(1.)
    """

    function = staticmethod(functional.poisson_nll_loss)

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)


class GaussianNLLLoss(Loss):
    """Negative log-likelihood of a normal distribution, called with means, targets and variances.

    See `functional.gaussian_nll_loss`.

    Parameters
    ----------
    full : bool
    eps : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.GaussianNLLLoss()(tg.tensor([1.0]), tg.tensor([3.0]), tg.tensor([1.0]))
    tensor(2.)
    """

    function = staticmethod(functional.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction, full=full, eps=eps)
