"""Who is told what happens in a run, and in which order: the scheduler, the user's callbacks, the display."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from typing import Any

from .callbacks import Callback, Run
from .progress import progress_display

__all__ = ["Scheduling", "assemble"]


class Scheduling(Callback):
    """Moves the learning rate, and notes the one that the epoch's last update used."""

    def __init__(self, scheduler: Any, when: str) -> None:
        self.scheduler, self.when = scheduler, when
        self.takes_metrics = "metrics" in inspect.signature(scheduler.step).parameters
        self.rate = math.nan

    def on_batch_end(self, run: Run) -> None:
        self.rate = run.optimizer.param_groups[0]["lr"]
        if self.when == "batch":
            self.scheduler.step()

    def on_epoch_end(self, run: Run) -> None:
        row = run.history.epochs[-1]
        row["lr"] = self.rate
        if self.when == "epoch":
            self.scheduler.step(*[row.get("valid_loss", row["train_loss"])] if self.takes_metrics else [])


def assemble(callbacks: Iterable[Callback], scheduler: Any, scheduler_step: str, progress: bool) -> list[Callback]:
    """Everybody who is told what happens, in the order of telling."""
    given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    for position, callback in enumerate(given):
        if not isinstance(callback, Callback):
            raise TypeError(
                f"fit: callbacks[{position}] must be an object made from a tg.train.Callback; got {callback!r:.80}"
            )
    scheduling = [Scheduling(scheduler, scheduler_step)] if scheduler is not None else []
    return [*scheduling, *given, *([progress_display()] if progress else [])]
