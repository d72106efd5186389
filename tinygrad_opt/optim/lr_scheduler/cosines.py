"""Half a cosine from ε_0 down to a smallest rate: once, or again and again."""

from __future__ import annotations

import math
from typing import Any

from ..arguments import check_number
from .schedule import LRScheduler, count

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """``ε(k) = η + (ε_0 - η) (1 + cos(π k / T_max)) / 2``, with η = `eta_min`; from T_max on it rises again.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    >>> [round(scheduler.at(k)[0], 4) for k in (0, 50, 100, 200)]
    [1.0, 0.5, 0.0, 1.0]
    """

    shown = ("T_max", "eta_min")

    def __init__(self, optimizer: Any, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_number("CosineAnnealingLR", "eta_min", eta_min)
        self.T_max, self.eta_min = count("CosineAnnealingLR", "T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A cosine of period 2 T_max."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * k / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """``ε = η + (ε_0 - η) (1 + cos(π c / T_i)) / 2``, with c the steps since the last restart, T_i those to the next.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        The length of the first period.
    T_mult : int
        Each period is this many times as long as the one before.
    eta_min : float
        η.
    last_epoch : int

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> [round(scheduler.at(k)[0], 4) for k in range(7)]
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    shown = ("T_0", "T_mult", "eta_min")
    follows = False

    def __init__(self, optimizer: Any, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        name = "CosineAnnealingWarmRestarts"
        check_number(name, "eta_min", eta_min)
        self.T_0, self.T_mult = count(name, "T_0", T_0), count(name, "T_mult", T_mult)
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """Half a cosine for each period."""
        since, length = self._place(k)
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * since / length)) / 2

    def _place(self, k: int) -> tuple[int, int]:
        """The steps since the last restart, and the length of the period. In whole numbers: a logarithm may round."""
        if self.T_mult == 1:
            return k % self.T_0, self.T_0
        length = self.T_0
        while k >= length:
            k -= length
            length *= self.T_mult
        return k, length
