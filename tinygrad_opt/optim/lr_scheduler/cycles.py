"""Rates that rise first: once, or in every cycle; the momentum goes the other way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..arguments import check_flags, check_number
from .schedule import LRScheduler, check_optimizer, count, per_group

__all__ = ["CyclicLR", "OneCycleLR"]

Rates = float | list[float]


class OneCycleLR(LRScheduler):
    """One rise from ``max_lr / div_factor`` to `max_lr`, and a long fall to the first rate over `final_div_factor`.

    Parameters
    ----------
    optimizer : Optimizer
        With a momentum or betas, unless ``cycle_momentum=False``. Its own ``lr`` plays no part.
    max_lr : float or list of float
        The highest rate, for all groups or for each.
    total_steps : int, optional
        The length; without it ``epochs · steps_per_epoch``. A step beyond is an error.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        The share of the steps that the rise takes.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Lower the momentum (the first of the betas) from `max_momentum` to `base_momentum` and back meanwhile.
    base_momentum, max_momentum : float or list of float
    div_factor, final_div_factor : float
    three_phase : bool
        Fall as fast as the rise was, and only then below the first rate.
    last_epoch : int

    Notes
    -----
    A loop that calls `step` after each of its `total_steps` updates ends one step beyond the last rate, which nothing
    uses. With ``anneal_strategy="linear"`` it is the last one again; PyTorch's line goes on, below 0.

    References
    ----------
    L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.

    Examples
    --------
    >>> optimizer = tg.optim.Adam([tg.zeros(1, requires_grad=True)])
    >>> scheduler = tg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=100)
    >>> [round(scheduler.at(k)[0], 4) for k in (0, 29, 99)]
    [0.04, 1.0, 0.0]
    >>> optimizer.param_groups[0]["betas"]
    (0.95, 0.999)
    """

    follows = False
    shown = ("max_lr", "total_steps", "pct_start", "anneal_strategy", "three_phase")

    def __init__(
        self, optimizer: Any, max_lr: Rates, total_steps: int | None = None, epochs: int | None = None,
        steps_per_epoch: int | None = None, pct_start: float = 0.3, anneal_strategy: str = "cos",
        cycle_momentum: bool = True, base_momentum: Rates = 0.85, max_momentum: Rates = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        name = "OneCycleLR"
        self.max_lr, self._tops = max_lr, _checked(name, "max_lr", optimizer, max_lr)
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        check_number(name, "pct_start", pct_start)
        if pct_start > (0.5 if three_phase else 1):
            raise ValueError(
                f"{name}: pct_start must be at most {0.5 if three_phase else 1} of the steps; got {pct_start!r}"
            )
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"{name}: anneal_strategy must be 'cos' or 'linear'; got {anneal_strategy!r}")
        check_number(name, "div_factor", div_factor, above=True)
        check_number(name, "final_div_factor", final_div_factor, above=True)
        check_flags(name, {"three_phase": three_phase}, "three_phase")
        self.pct_start, self.anneal_strategy, self.three_phase = pct_start, anneal_strategy, three_phase
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self._momenta = _momenta(name, optimizer, cycle_momentum, base_momentum, max_momentum)
        self._phases = self._plan()
        super().__init__(optimizer, last_epoch)
        self.base_lrs = [top / div_factor for top in self._tops]

    def _plan(self) -> list[tuple[float, str, str]]:
        """Each phase: its last step, and the names of the points that it leads from and to."""
        rise, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        if not self.three_phase:
            return [(rise, "start", "top"), (last, "top", "end")]
        return [(rise, "start", "top"), (2 * rise, "top", "start"), (last, "start", "end")]

    def _anneal(self, k: int, points: dict[str, float]) -> float:
        if k > self.total_steps:
            raise ValueError(
                f"OneCycleLR: it was made for total_steps={self.total_steps} and is at its end; step {k} is beyond it"
            )
        begun = [last for last, *_ in self._phases[:-1] if k > last]
        begin = begun[-1] if begun else 0.0
        last, start, end = self._phases[len(begun)]
        share = (k - begin) / (last - begin) if last > begin else 1.0
        if self.anneal_strategy == "linear":  # after the last step too, where a line would fall below zero
            return points[start] + (points[end] - points[start]) * min(share, 1.0)
        return points[end] + (points[start] - points[end]) / 2 * (math.cos(math.pi * share) + 1)

    def rate(self, k: int, base: float, group: int) -> float:
        """Up, and down."""
        top = self._tops[group]
        start = top / self.div_factor
        return self._anneal(k, {"start": start, "top": top, "end": start / self.final_div_factor})

    def momentum(self, k: int, group: int) -> float | None:
        """Down, and up."""
        if self._momenta is None:
            return None
        low, high = self._momenta[group]
        return self._anneal(k, {"start": high, "top": low, "end": high})


class CyclicLR(LRScheduler):
    """A line from `base_lr` to `max_lr` and one back, again and again.

    ``ε = base_lr + (max_lr - base_lr) · h · scale``, where h rises from 0 to 1 in `step_size_up` steps and falls in
    `step_size_down` (as many, without it).

    Parameters
    ----------
    optimizer : Optimizer
        With a momentum or betas, unless ``cycle_momentum=False``. Its own ``lr`` plays no part.
    base_lr, max_lr : float or list of float
        For all groups or for each.
    step_size_up : int
    step_size_down : int, optional
    mode : {"triangular", "triangular2", "exp_range"}
        The scale: 1; halved from cycle to cycle; ``gamma ** k``. Ignored with `scale_fn`.
    gamma : float
    scale_fn : callable, optional
        A scale of one's own, of the number of the cycle (from 1 on) or of k, as `scale_mode` says.
    scale_mode : {"cycle", "iterations"}
    cycle_momentum : bool
        Move the momentum (the first of the betas) from `max_momentum` to `base_momentum` and back meanwhile.
    base_momentum, max_momentum : float or list of float
    last_epoch : int

    References
    ----------
    L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.5, max_lr=1.0, step_size_up=2)
    >>> [scheduler.at(k)[0] for k in range(6)]
    [0.5, 0.75, 1.0, 0.75, 0.5, 0.75]
    """

    follows = False
    shown = ("base_lr", "max_lr", "step_size_up", "step_size_down", "mode")

    def __init__(
        self, optimizer: Any, base_lr: Rates, max_lr: Rates, step_size_up: int = 2000,
        step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[int], float] | None = None, scale_mode: str = "cycle", cycle_momentum: bool = True,
        base_momentum: Rates = 0.8, max_momentum: Rates = 0.9, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        name = "CyclicLR"
        self.base_lr, self.max_lr = base_lr, max_lr
        self._bases = _checked(name, "base_lr", optimizer, base_lr)
        self._tops = _checked(name, "max_lr", optimizer, max_lr)
        self.step_size_up = count(name, "step_size_up", step_size_up)
        self.step_size_down = count(name, "step_size_down", step_size_up if step_size_down is None else step_size_down)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"{name}: mode must be 'triangular', 'triangular2' or 'exp_range'; got {mode!r}")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"{name}: scale_mode must be 'cycle' or 'iterations'; got {scale_mode!r}")
        if scale_fn is not None and not callable(scale_fn):
            raise TypeError(f"{name}: scale_fn must be a function; got {scale_fn!r:.80}")
        check_number(name, "gamma", gamma)
        self.mode, self.gamma, self.scale_fn, self.scale_mode = mode, gamma, scale_fn, scale_mode
        self._momenta = _momenta(name, optimizer, cycle_momentum, base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = list(self._bases)

    def _height(self, k: int) -> float:
        """h · scale."""
        cycle, place = divmod(k, self.step_size_up + self.step_size_down)
        if place <= self.step_size_up:
            height = place / self.step_size_up
        else:
            height = 1 - (place - self.step_size_up) / self.step_size_down
        return height * self._scale(k, cycle + 1)

    def _scale(self, k: int, cycle: int) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else k)
        if self.mode == "exp_range":
            return self.gamma**k
        return 0.5 ** (cycle - 1) if self.mode == "triangular2" else 1.0

    def rate(self, k: int, base: float, group: int) -> float:
        """Up and down."""
        low, high = self._bases[group], self._tops[group]
        return low + (high - low) * self._height(k)

    def momentum(self, k: int, group: int) -> float | None:
        """Down and up."""
        if self._momenta is None:
            return None
        low, high = self._momenta[group]
        return high - (high - low) * self._height(k)


class _Range(NamedTuple):
    low: float
    high: float


def _checked(schedule: str, name: str, optimizer: Any, value: Any, below: float = math.inf) -> list[float]:
    values = per_group(schedule, name, optimizer, value)
    for number in values:
        check_number(schedule, name, number, high=below)
    return values


def _momenta(schedule: str, optimizer: Any, cycle: Any, low: Any, high: Any) -> list[_Range] | None:
    """The range of each group's momentum; None where it is left alone."""
    check_flags(schedule, {"cycle_momentum": cycle}, "cycle_momentum")
    if not cycle:
        return None
    if any("momentum" not in group and "betas" not in group for group in check_optimizer(schedule, optimizer)):
        raise ValueError(
            f"{schedule}: {type(optimizer).__name__} has neither momentum nor betas; pass cycle_momentum=False"
        )
    lows = _checked(schedule, "base_momentum", optimizer, low, below=1.0)
    highs = _checked(schedule, "max_momentum", optimizer, high, below=1.0)
    return [_Range(*pair) for pair in zip(lows, highs, strict=True)]


def _length(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return count("OneCycleLR", "total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("OneCycleLR: its length is missing: pass total_steps, or epochs and steps_per_epoch")
    return count("OneCycleLR", "epochs", epochs) * count("OneCycleLR", "steps_per_epoch", steps_per_epoch)
