"""A rate that falls when a number has stopped improving: the one schedule that is no function of the step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..arguments import check_number
from .schedule import LRScheduler, count, number, per_group

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a number has not improved for more than `patience` steps.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether small or large numbers are good.
    factor : float
        In (0, 1).
    patience : int
        So many steps without improvement in a row change nothing; one more does.
    threshold : float
        A smaller improvement is none.
    threshold_mode : {"rel", "abs"}
        Whether `threshold` is a share of the best number so far, or a difference from it.
    cooldown : int
        So many steps after a fall do not count.
    min_lr : float or list of float
        The rate, of all groups or of each, does not fall below it.
    eps : float
        Smaller falls are not made.

    Attributes
    ----------
    best : float
        The best number so far.
    num_bad_epochs, cooldown_counter : int
        Steps in a row without improvement; steps until they count again.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.5):
    ...     scheduler.step(loss)
    >>> scheduler
    ReduceLROnPlateau(mode='min', factor=0.5, patience=1): step 4, lr 0.5
    """

    shown = ("mode", "factor", "patience")

    def __init__(
        self, optimizer: Any, mode: str = "min", factor: float = 0.1, patience: int = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: int = 0, min_lr: float | list[float] = 0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        name = "ReduceLROnPlateau"
        for argument, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if not isinstance(value, str) or value not in known:
                raise ValueError(f"{name}: {argument} must be {known[0]!r} or {known[1]!r}; got {value!r:.80}")
        check_number(name, "factor", factor, high=1.0, above=True)
        check_number(name, "threshold", threshold)
        check_number(name, "eps", eps)
        self.min_lrs = per_group(name, "min_lr", optimizer, min_lr)
        for smallest in self.min_lrs:
            check_number(name, "min_lr", smallest)
        self.mode, self.factor, self.threshold, self.threshold_mode = mode, factor, threshold, threshold_mode
        self.patience = count(name, "patience", patience, low=0)
        self.cooldown = count(name, "cooldown", cooldown, low=0)
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def at(self, k: int) -> list[float]:
        """Refused: the rate depends on numbers that are not there yet."""
        raise TypeError("ReduceLROnPlateau: its rate depends on the numbers given to step(), not on the step alone")

    def _set(self) -> None:
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def step(self, metrics: Any = None) -> None:
        """Look at a number, such as the validation loss of an epoch, and lower the rate if it is time.

        Raises
        ------
        TypeError
            Where the number is missing, or is none.
        """
        value, groups = self._number(metrics), self._groups()
        if self._is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce(groups)
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self.last_epoch += 1
        self._set()

    def _number(self, metrics: Any) -> float:
        try:
            if metrics is None or isinstance(metrics, (str, bool)):
                raise TypeError
            return float(metrics)
        except (TypeError, ValueError):
            raise TypeError(
                "ReduceLROnPlateau.step: it needs the number to watch, such as scheduler.step(valid_loss); got "
                f"{metrics!r:.80}"
            ) from None

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * value < sign * self.best * (1 - sign * self.threshold)
        return sign * value < sign * self.best - self.threshold

    def _reduce(self, groups: list[dict[str, Any]]) -> None:
        for group, smallest in zip(groups, self.min_lrs, strict=True):
            rate = max(group["lr"] * self.factor, smallest)
            if group["lr"] - rate > self.eps:
                group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: the best number, and the counts."""
        counts = {"num_bad_epochs": self.num_bad_epochs, "cooldown_counter": self.cooldown_counter}
        return {**super().state_dict(), "best": self.best, **counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        before, where = self.state_dict(), "load_state_dict"
        super().load_state_dict(state)
        try:
            best = number(where, "best", state["best"])
            bad, cooling = (count(where, key, state[key], low=0) for key in ("num_bad_epochs", "cooldown_counter"))
        except ValueError:
            super().load_state_dict(before)
            raise
        self.best, self.num_bad_epochs, self.cooldown_counter = best, bad, cooling
