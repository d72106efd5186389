"""Schedules made of schedules: one after the other, one on top of the other, and after a warm-up.

A part serves as a formula only: its own position plays no role, and it is not to be stepped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from ..arguments import check_number
from .decays import increasing
from .schedule import LRScheduler, check_optimizer, count

__all__ = ["ChainedScheduler", "SequentialLR", "Warmup"]


class _Combined(LRScheduler):
    """What is made of parts starts anew from ``initial_lr``: the parts, when they were made, have moved the rates."""

    def __init__(self, optimizer: Any, parts: Sequence[LRScheduler], last_epoch: int = -1) -> None:
        self._parts = list(parts)
        for group in check_optimizer(type(self).__name__, optimizer) if parts else ():
            group["lr"] = group.get("initial_lr", group["lr"])
        super().__init__(optimizer, last_epoch)

    @property
    def follows(self) -> bool:  # type: ignore[override]
        """Where all parts do."""
        return all(part.follows for part in self._parts)

    @property
    def formula(self) -> str:
        """The parts' formulas too."""
        others = "".join(f", {name}={getattr(self, name)!r}" for name in self.shown)
        return f"{type(self).__name__}([{', '.join(part.formula for part in self._parts)}]{others})"


class SequentialLR(_Combined):
    """One schedule after the other: at each milestone the next one begins, at its step 0.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of schedulers
        All of this optimizer.
    milestones : list of int
        The step at which each but the first begins.
    last_epoch : int

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> constant = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=100)
    >>> falling = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = tg.optim.lr_scheduler.SequentialLR(optimizer, [constant, falling], milestones=[2])
    >>> [scheduler.at(k)[0] for k in range(5)]
    [0.5, 0.5, 1.0, 0.5, 0.25]
    """

    shown = ("milestones",)

    def __init__(self, optimizer: Any, schedulers: Any, milestones: Any, last_epoch: int = -1) -> None:
        check_optimizer("SequentialLR", optimizer)
        parts = _parts("SequentialLR", schedulers, optimizer)
        self.milestones = increasing("SequentialLR", milestones, low=1)
        if len(self.milestones) != len(parts) - 1:
            raise ValueError(
                f"SequentialLR: {len(parts)} schedulers need {len(parts) - 1} milestones, one between each two; got "
                f"{len(self.milestones)}"
            )
        super().__init__(optimizer, parts, last_epoch)

    def _place(self, k: int) -> tuple[LRScheduler, int]:
        position = bisect_right(self.milestones, k)
        return self._parts[position], k - [0, *self.milestones][position]

    def rate(self, k: int, base: float, group: int) -> float:
        """The one whose turn it is."""
        part, since = self._place(k)
        return part.rate(since, base, group)

    def momentum(self, k: int, group: int) -> float | None:
        """The same one's."""
        part, since = self._place(k)
        return part.momentum(since, group)


class ChainedScheduler(_Combined):
    """Schedules on top of each other: each takes for ε_0 what the one before gives at this step.

    Schedules that multiply ε_0 by a factor are multiplied; `OneCycleLR` and `CyclicLR`, which do not look at ε_0, can
    only be the first.

    Parameters
    ----------
    schedulers : list of schedulers
        All of one optimizer.
    optimizer : Optimizer, optional
        Theirs, without it.

    Notes
    -----
    For PyTorch `LambdaLR` and `CosineAnnealingWarmRestarts` overwrite what comes before them, and `CosineAnnealingLR`
    with an `eta_min`, or after T_max, depends on the steps made so far. Here the rule is the same for all.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> constant = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> falling = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = tg.optim.lr_scheduler.ChainedScheduler([constant, falling])
    >>> [scheduler.at(k)[0] for k in range(4)]
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Any, optimizer: Any = None) -> None:
        parts = _parts("ChainedScheduler", schedulers, optimizer)
        for position, part in enumerate(parts[1:], start=1):
            if part.rate(0, 1.0, 0) == part.rate(0, 0.0, 0) and not isinstance(part, _Combined):
                _refuse_absolute(position, part)
        super().__init__(parts[0].optimizer if optimizer is None else optimizer, parts)

    def rate(self, k: int, base: float, group: int) -> float:
        """Through all of them."""
        for part in self._parts:
            base = part.rate(k, base, group)
        return base

    def momentum(self, k: int, group: int) -> float | None:
        """That of the last one that moves it."""
        momenta = [part.momentum(k, group) for part in self._parts]
        return next((momentum for momentum in reversed(momenta) if momentum is not None), None)


class Warmup(_Combined):
    """A line from ``start_factor · s(0)`` up to s(0), where s is a schedule; then s begins, at its step 0.

    ``ε(k) = s(0) (f + (1 - f) k / steps)`` for k < steps with f = `start_factor`, then ``s(k - steps)``.

    Parameters
    ----------
    scheduler : scheduler or Optimizer
        s; with an optimizer the rate stays at ε_0 after the warm-up.
    steps : int
        The length of the warm-up.
    start_factor : float
        f, in [0, 1].
    last_epoch : int

    Notes
    -----
    For a warm-up by batches before a `ReduceLROnPlateau` by epochs make both of the optimizer, and step each in its
    turn: ``Warmup(optimizer, ...)`` follows when the other lowers the rate.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> cosine = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    >>> scheduler = tg.optim.lr_scheduler.Warmup(cosine, steps=2, start_factor=0.5)
    >>> [round(scheduler.at(k)[0], 4) for k in (0, 1, 2, 7, 12)]
    [0.5, 0.75, 1.0, 0.5, 0.0]
    """

    shown = ("steps", "start_factor")

    def __init__(self, scheduler: Any, steps: int, start_factor: float = 0.1, last_epoch: int = -1) -> None:
        self.steps = count("Warmup", "steps", steps)
        check_number("Warmup", "start_factor", start_factor)
        if start_factor > 1:
            raise ValueError(f"Warmup: start_factor must be a number in [0, 1]; got {start_factor!r}")
        self.start_factor = start_factor
        alone = hasattr(scheduler, "param_groups")
        parts = [] if alone else _parts("Warmup", [scheduler], None)
        super().__init__(scheduler if alone else parts[0].optimizer, parts, last_epoch)

    def rate(self, k: int, base: float, group: int) -> float:
        """The warm-up, or the schedule after it."""
        then = self._parts[0].rate(max(k - self.steps, 0), base, group) if self._parts else base
        return then * (self.start_factor + (1 - self.start_factor) * k / self.steps) if k < self.steps else then

    def momentum(self, k: int, group: int) -> float | None:
        """The schedule's."""
        return self._parts[0].momentum(max(k - self.steps, 0), group) if self._parts else None


def _refuse_absolute(position: int, part: LRScheduler) -> None:
    raise ValueError(
        f"ChainedScheduler: schedulers[{position}], {type(part).__name__}, does not depend on the rates that those "
        "before it give; put it first"
    )


def _parts(name: str, schedulers: Any, optimizer: Any) -> list[LRScheduler]:
    """The schedulers as a list; all must have a closed form and belong to one optimizer."""
    if not isinstance(schedulers, Iterable):
        raise TypeError(f"{name}: schedulers must be a list of schedulers; got {schedulers!r:.80}")
    parts = list(schedulers)
    if not parts:
        raise ValueError(f"{name}: the list of schedulers is empty")
    for position, part in enumerate(parts):
        which = f"{name}: schedulers[{position}]" if name != "Warmup" else "Warmup: the scheduler"
        if not isinstance(part, LRScheduler):
            raise TypeError(f"{which} must be a scheduler{' or an optimizer' * (name == 'Warmup')}; got {part!r:.80}")
        if type(part).rate is LRScheduler.rate:
            raise ValueError(
                f"{which} is {type(part).__name__}, which depends on the course of training, not on the step alone; "
                "step it beside this one"
            )
        if part.optimizer is not (parts[0].optimizer if optimizer is None else optimizer):
            raise ValueError(f"{which} belongs to another optimizer; all must be made for the same")
    return parts
