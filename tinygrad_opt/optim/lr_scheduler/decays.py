"""Schedules that fall, or rise, from ε_0 to where they stay: the book's, and PyTorch's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from ..arguments import check_number
from .schedule import LRScheduler, count, per_group

__all__ = [
    "ConstantLR", "ExponentialLR", "InverseTimeLR", "LambdaLR", "LinearDecay", "LinearLR", "MultiStepLR",
    "PolynomialLR", "StepLR", "increasing",
]  # fmt: skip


class LinearDecay(LRScheduler):
    """The book's schedule: ``ε(k) = (1 - α) ε_0 + α ε_τ`` with ``α = k/τ`` up to step τ, then constant ε_τ.

    Parameters
    ----------
    optimizer : Optimizer
    tau : int
        τ, the step from which on the rate stays.
    lr_tau : float or list of float, optional
        ε_τ, one for all groups or one for each; 1 % of ε_0 without it, as the book advises.
    last_epoch : int

    References
    ----------
    Goodfellow, Bengio, Courville, *Deep Learning*, equation 8.14, for algorithm 8.1.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LinearDecay(optimizer, tau=4, lr_tau=0.5)
    >>> [scheduler.at(k) for k in (0, 1, 4, 100)]
    [[1.0], [0.875], [0.5], [0.5]]
    """

    shown = ("tau", "lr_tau")

    def __init__(
        self, optimizer: Any, tau: int, lr_tau: float | list[float] | None = None, last_epoch: int = -1
    ) -> None:
        self.tau, self.lr_tau = count("LinearDecay", "tau", tau), lr_tau
        self._ends = per_group("LinearDecay", "lr_tau", optimizer, lr_tau)
        for end in self._ends:
            if end is not None:
                check_number("LinearDecay", "lr_tau", end)
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A line to ε_τ."""
        alpha = min(k / self.tau, 1.0)
        end = self._ends[group]
        return (1 - alpha) * base + alpha * (0.01 * base if end is None else end)


class StepLR(LRScheduler):
    """``ε(k) = ε_0 γ^⌊k / step_size⌋``: a factor γ every `step_size` steps.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> [scheduler.at(k)[0] for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    shown = ("step_size", "gamma")

    def __init__(self, optimizer: Any, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_number("StepLR", "gamma", gamma)
        self.step_size, self.gamma = count("StepLR", "step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A staircase."""
        return base * self.gamma ** (k // self.step_size)


class MultiStepLR(LRScheduler):
    """``ε(k) = ε_0 γ^n`` where n counts the milestones up to k: a factor γ at each of them.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 3], gamma=0.5)
    >>> [scheduler.at(k)[0] for k in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    shown = ("milestones", "gamma")

    def __init__(self, optimizer: Any, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_number("MultiStepLR", "gamma", gamma)
        self.milestones, self.gamma = increasing("MultiStepLR", milestones, low=0), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A staircase with steps of any length."""
        return base * self.gamma ** bisect_right(self.milestones, k)


class ConstantLR(LRScheduler):
    """``ε(k) = factor · ε_0`` before step `total_iters`, then ε_0.

    With ``total_iters=0`` it is ε_0 throughout; PyTorch's would stay at ``factor · ε_0``.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> [scheduler.at(k)[0] for k in range(4)]
    [0.5, 0.5, 1.0, 1.0]
    """

    shown = ("factor", "total_iters")

    def __init__(self, optimizer: Any, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        _check_share("ConstantLR", "factor", factor)
        self.factor, self.total_iters = factor, count("ConstantLR", "total_iters", total_iters, low=0)
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """One step up."""
        return base * self.factor if k < self.total_iters else base


class LinearLR(LRScheduler):
    """``ε(k) = ε_0 (start + (end - start) k / total_iters)``, then ``end · ε_0``: a line between two factors.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> [scheduler.at(k)[0] for k in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """

    shown = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self, optimizer: Any, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        _check_share("LinearLR", "start_factor", start_factor)
        if not start_factor:
            raise ValueError("LinearLR: start_factor must be above 0: the first step would go nowhere; got 0")
        _check_share("LinearLR", "end_factor", end_factor)
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = count("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A line, and then constant."""
        share = min(k, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class ExponentialLR(LRScheduler):
    """``ε(k) = ε_0 γ^k``.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5).at(3)
    [0.125]
    """

    shown = ("gamma",)

    def __init__(self, optimizer: Any, gamma: float, last_epoch: int = -1) -> None:
        check_number("ExponentialLR", "gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A factor at every step."""
        return base * self.gamma**k


class InverseTimeLR(LRScheduler):
    """``ε(k) = ε_0 / (1 + k/τ)``: half the rate after τ steps, a third after 2τ.

    Parameters
    ----------
    optimizer : Optimizer
    tau : float
        τ, above 0.
    last_epoch : int

    Notes
    -----
    Σ ε(k) is infinite and Σ ε(k)² is not: the condition for stochastic gradient descent to converge.

    References
    ----------
    H. Robbins, S. Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.InverseTimeLR(optimizer, tau=10)
    >>> [scheduler.at(k) for k in (0, 10, 30)]
    [[1.0], [0.5], [0.25]]
    """

    shown = ("tau",)

    def __init__(self, optimizer: Any, tau: float, last_epoch: int = -1) -> None:
        check_number("InverseTimeLR", "tau", tau, above=True)
        self.tau = tau
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A hyperbola."""
        return base / (1 + k / self.tau)


class PolynomialLR(LRScheduler):
    """``ε(k) = ε_0 (1 - k / total_iters)^power``, then 0.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> [scheduler.at(k)[0] for k in range(5)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    shown = ("total_iters", "power")

    def __init__(self, optimizer: Any, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        check_number("PolynomialLR", "power", power)
        self.total_iters, self.power = count("PolynomialLR", "total_iters", total_iters), power
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """A power of what is left."""
        return base * (1.0 - min(k, self.total_iters) / self.total_iters) ** self.power


class LambdaLR(LRScheduler):
    """``ε(k) = ε_0 f(k)`` with any function f of the step number.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable or list of callable
        f, one for all groups or one for each. `state_dict` does not hold functions.
    last_epoch : int

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> tg.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 0.5**k).at(3)
    [0.125]
    """

    shown = ("lr_lambdas",)
    follows = False

    def __init__(
        self, optimizer: Any, lr_lambda: Callable[[int], float] | list[Callable[[int], float]], last_epoch: int = -1
    ) -> None:
        self.lr_lambdas = per_group("LambdaLR", "lr_lambda", optimizer, lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"LambdaLR: lr_lambda must be a function of the step number; got {function!r:.80}")
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """The function's."""
        factor = self.lr_lambdas[group](k)
        try:
            return base * float(factor)
        except (TypeError, ValueError):
            raise TypeError(f"LambdaLR: lr_lambda must return a number; got {factor!r:.80} for step {k}") from None


def _check_share(schedule: str, name: str, value: Any) -> None:
    check_number(schedule, name, value)
    if value > 1:
        raise ValueError(f"{schedule}: {name} must be a number in [0, 1]; got {value!r}")


def increasing(schedule: str, milestones: Any, low: int) -> list[int]:
    """Milestones as a list; they must be whole numbers, each above the one before."""
    if not isinstance(milestones, Iterable) or isinstance(milestones, str):
        raise TypeError(f"{schedule}: milestones must be step numbers such as [30, 60]; got {milestones!r:.80}")
    steps = [count(schedule, "each milestone", step, low) for step in milestones]
    if any(a >= b for a, b in pairwise(steps)):
        raise ValueError(f"{schedule}: milestones must increase, as in [30, 60]; got {steps}")
    return steps
