"""What all schedules share: the rate is a closed form ε(k) of the step number k and of the rate ε_0 at the start.

So a schedule can be asked about any step, drawn, chained and resumed without going through the steps before.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["LRScheduler", "check_optimizer", "count", "number", "per_group"]


class LRScheduler:
    """Base class of the schedules: subclasses define `rate`.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        The last step that was made, to go on from there; -1 starts anew.

    Attributes
    ----------
    last_epoch : int
        k, the number of calls of `step` so far.
    base_lrs : list of float
        ε_0 of each group: what its ``lr`` was when the schedule was made.

    Notes
    -----
    Call `step` after ``optimizer.step()``, once an epoch or once a batch: a schedule counts its own steps.

    **A rate that is set by hand**, or by another schedule of the same optimizer, is not overwritten: ε_0 moves so that
    the schedule passes through the new rate, and the next step goes on from there. Schedules that come back to a rate
    of their own (`OneCycleLR`, `CyclicLR`, `CosineAnnealingWarmRestarts`, `LambdaLR`), and those that are at 0, go on
    as if nothing had happened. It is the same in PyTorch.

    Examples
    --------
    A schedule of one's own:

    >>> class SquareRoot(tg.optim.lr_scheduler.LRScheduler):
    ...     def rate(self, k, base, group):
    ...         return base / (1 + k) ** 0.5
    >>> scheduler = SquareRoot(tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=0.6))
    >>> [scheduler.at(k) for k in (0, 3, 8)]
    [[0.6], [0.3], [0.19999999999999998]]
    """

    shown: tuple[str, ...] = ()  # attributes in the repr
    follows = True  # whether ε_0 moves with a rate that is set by hand

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        name = type(self).__name__
        groups = check_optimizer(name, optimizer)
        last = count(name, "last_epoch", last_epoch, low=-1)
        for position, group in enumerate(groups):
            if last >= 0 and "initial_lr" not in group:
                raise ValueError(
                    f"{name}: last_epoch={last} goes on with an earlier schedule, but param_groups[{position}] has no "
                    "'initial_lr'. Load the optimizer's state first, or leave last_epoch out and load the scheduler's."
                )
            group.setdefault("initial_lr", float(group["lr"]))
        self.optimizer = optimizer
        self.base_lrs = [float(group["lr" if last < 0 else "initial_lr"]) for group in groups]
        self.last_epoch = last + 1
        self._set()

    # A schedule defines these.

    def rate(self, k: int, base: float, group: int) -> float:
        """ε(k) of the group with this number, from its ε_0 `base`: a pure function, affine in `base`."""
        raise NotImplementedError

    def momentum(self, k: int, group: int) -> float | None:
        """The momentum at step k; None leaves it as it is."""
        return None

    # The rest is shared.

    def at(self, k: int) -> list[float]:
        """The rates of all groups at step k; changes nothing.

        Examples
        --------
        >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
        >>> tg.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5).at(25)
        [0.25]
        """
        k = count(f"{type(self).__name__}.at", "k", k, low=0)
        return [self._checked(k, base, group) for group, base in enumerate(self.base_lrs)]

    def _checked(self, k: int, base: float, group: int) -> float:
        try:
            rate = float(self.rate(k, base, group))
        except OverflowError:
            rate = math.inf
        if not 0 <= rate < math.inf:
            raise ValueError(f"{type(self).__name__}: the rate at step {k} must be a number of at least 0; got {rate}")
        return rate

    def step(self, *given: Any) -> None:
        """Go on by one step: set the learning rates of the optimizer's coming update.

        Warns
        -----
        UserWarning
            Where the optimizer has made no step yet: the first rate would go unused.
        """
        name = type(self).__name__
        if given:
            raise TypeError(
                f"{name}.step: it takes no argument, and counts its steps itself; got {given[0]!r:.80}. Write "
                "scheduler.step(); only ReduceLROnPlateau is given a number."
            )
        if self.last_epoch == 0 and getattr(self.optimizer, "trace", self) is None:
            warnings.warn(
                f"{name}.step() before optimizer.step(): the first learning rate of the schedule is skipped. Call "
                "optimizer.step() first, then scheduler.step().",
                UserWarning,
                stacklevel=2,
            )
        self._follow()
        self.last_epoch += 1
        try:
            self._set()
        except ValueError:
            self.last_epoch -= 1
            raise

    def _follow(self) -> None:
        """Move ε_0 where somebody else has moved the rate."""
        for position, (group, last) in enumerate(zip(self._groups(), self._last_lr, strict=True)):
            change = float(group["lr"]) - last
            if change and self.follows:
                ends = [self.rate(self.last_epoch, base, position) for base in (0.0, 1.0)]
                slope = ends[1] - ends[0]
                self.base_lrs[position] += change / slope if slope else 0.0

    def _groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups, which must be those that the schedule was made for."""
        groups: list[dict[str, Any]] = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__}.step: the schedule was made for {len(self.base_lrs)} groups of parameters, the "
                f"optimizer has {len(groups)} now. Make the scheduler after add_param_group."
            )
        return groups

    def _set(self) -> None:
        rates = self.at(self.last_epoch)
        for position, (group, rate) in enumerate(zip(self.optimizer.param_groups, rates, strict=True)):
            group["lr"] = rate
            momentum = self.momentum(self.last_epoch, position)
            if momentum is not None and "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            elif momentum is not None:
                group["momentum"] = momentum
        self._last_lr = rates

    def get_last_lr(self) -> list[float]:
        """The rates that the schedule has set last, one for each group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands. What it is made of (lengths, factors, functions) is not part of it."""
        return {
            "schedule": type(self).__name__, "last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs),
            "last_lr": list(self._last_lr),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state. The optimizer's own state has its rates: load both, in any order.

        Raises
        ------
        ValueError
            For the state of another schedule, or of one with other groups; nothing is changed then.
        """
        name = type(self).__name__
        saved = state.get("schedule") if isinstance(state, Mapping) else None
        if saved != name:
            what = f"the state of {saved}" if saved else "no state of a scheduler"
            raise ValueError(f"load_state_dict: this is {what}; expected one of {name}")
        if missing := [key for key in self.state_dict() if key not in state]:
            raise ValueError(f"load_state_dict: the state of {name} lacks {missing[0]!r}")
        epoch = count("load_state_dict", "last_epoch", state["last_epoch"], low=0)
        lists = {key: state[key] for key in ("base_lrs", "last_lr") if key in self.state_dict()}
        for key, values in lists.items():
            if not isinstance(values, (list, tuple)) or len(values) != len(self._last_lr):
                raise ValueError(
                    f"load_state_dict: {key} must be {len(self._last_lr)} rates, one for each group; got {values!r:.80}"
                )
        rates = {key: [number("load_state_dict", key, value) for value in values] for key, values in lists.items()}
        self.last_epoch, self._last_lr = epoch, rates["last_lr"]
        self.base_lrs = rates.get("base_lrs", self.base_lrs)

    @property
    def formula(self) -> str:
        """The schedule with its arguments, as in ``StepLR(step_size=30, gamma=0.1)``."""
        return f"{type(self).__name__}({', '.join(f'{name}={_show(getattr(self, name))}' for name in self.shown)})"

    def __repr__(self) -> str:
        rates = ", ".join(f"{rate:.4g}" for rate in self._last_lr)
        return f"{self.formula}: step {self.last_epoch}, lr {rates}"


def number(where: str, name: str, value: Any) -> float:
    """A saved number, which may be infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{where}: {name} must be a number; got {value!r:.80}")
    return float(value)


def _show(value: Any) -> str:
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, float):
        return repr(float(value))  # NumPy's would show its type
    return f"[{', '.join(map(_show, value))}]" if isinstance(value, (list, tuple)) else repr(value)


def check_optimizer(schedule: str, optimizer: Any) -> list[dict[str, Any]]:
    """The groups of an optimizer; what has none with a learning rate is refused."""
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list) or not hasattr(optimizer, "step") or hasattr(optimizer, "parameters"):
        raise TypeError(
            f"{schedule}: expected an optimizer, such as tg.optim.SGD(model.parameters()); got {optimizer!r:.80}"
        )
    if not groups or any("lr" not in group for group in groups):
        raise ValueError(f"{schedule}: {type(optimizer).__name__} has no learning rate to schedule")
    return groups


def count(where: str, name: str, value: Any, low: int = 1) -> int:
    """A whole number of at least `low`."""
    try:
        whole = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        whole = None
    if whole is None or whole < low:
        raise ValueError(f"{where}: {name} must be a whole number of at least {low}; got {value!r:.80}")
    return whole


def per_group(schedule: str, name: str, optimizer: Any, value: Any) -> list[Any]:
    """One value for each group of the optimizer: those of a list, or one for all."""
    groups = check_optimizer(schedule, optimizer)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(
            f"{schedule}: {name} must be one for all or one for each of the {len(groups)} groups of parameters; got "
            f"{len(value)}"
        )
    return list(value)
