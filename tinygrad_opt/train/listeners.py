"""Who is told what happens in a run, and in which order: the scheduler, the user's callbacks, the display."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from typing import Any

from .callbacks import Callback, Run
from .progress import progress_display

__all__ = ["Scheduling", "assemble", "scheduling"]


class Scheduling(Callback):
    """Moves the learning rate, and notes the one that the epoch's last update used."""

    def __init__(self, scheduler: Any, when: str, metric: str | None = None) -> None:
        self.scheduler, self.when, self.metric = scheduler, when, metric
        self.takes_metrics = "metrics" in inspect.signature(scheduler.step).parameters
        self.rate = math.nan

    def on_batch_end(self, run: Run) -> None:
        self.rate = run.optimizer.param_groups[0]["lr"]
        if self.when == "batch" and not self.takes_metrics:
            self.scheduler.step()

    def on_epoch_end(self, run: Run) -> None:
        row = run.history.epochs[-1]
        row["lr"] = self.rate
        if self.takes_metrics:
            metric = self.metric or ("valid_loss" if "valid_loss" in row else "train_loss")
            self.scheduler.step(run.history[metric][-1])
        elif self.when == "epoch":
            self.scheduler.step()


def scheduling(function: str, optimizer: Any, scheduler: Any, when: str, metric: str | None) -> list[Scheduling]:
    """The listener that steps the scheduler, if there is one; what does not belong together is refused."""
    if when not in ("epoch", "batch"):
        raise ValueError(f"{function}: scheduler_step must be 'epoch' or 'batch'; got {when!r}")
    if scheduler is None:
        return []
    if not callable(getattr(scheduler, "step", None)):
        raise TypeError(
            f"{function}: expected a scheduler, such as tg.optim.lr_scheduler.StepLR(optimizer, 10); got "
            f"{scheduler!r:.80}"
        )
    groups = getattr(optimizer, "param_groups", None)
    if getattr(getattr(scheduler, "optimizer", None), "param_groups", groups) is not groups:
        raise ValueError(f"{function}: the scheduler was made for another optimizer than the one that is trained with")
    listener = Scheduling(scheduler, when, metric)
    if metric is not None and not listener.takes_metrics:
        raise TypeError(
            f"{function}: scheduler_metric={metric!r} is for schedulers that watch a number, such as "
            f"ReduceLROnPlateau; {type(scheduler).__name__} does not"
        )
    return [listener]


def assemble(callbacks: Iterable[Callback], first: list[Scheduling], progress: bool) -> list[Callback]:
    """Everybody who is told what happens, in the order of telling."""
    given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    for position, callback in enumerate(given):
        if not isinstance(callback, Callback):
            raise TypeError(
                f"fit: callbacks[{position}] must be an object made from a tg.train.Callback; got {callback!r:.80}"
            )
    return [*first, *given, *([progress_display()] if progress else [])]
