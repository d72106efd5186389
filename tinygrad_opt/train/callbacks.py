"""What may watch and steer a training run: callbacks, and the run that they are shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..core.tensor import Tensor
from .history import History, show

__all__ = ["Callback", "EarlyStopping", "Run", "improvement_mode"]


@dataclass
class Run:
    """The state of a training run, as callbacks see it.

    Attributes
    ----------
    model, loss, optimizer
        As given to `fit`.
    epochs : int
        How many epochs are planned.
    batches : int or None
        The number of batches per epoch; None where the loader has no length.
    callbacks : list of Callback
        All that are told, in this order.
    epoch, batch : int
        The current ones, counted from 1; 0 before the first.
    batch_loss : float
        The loss of the latest batch, before its update.
    history : History
        Grows by one row at the end of each epoch.

    Examples
    --------
    >>> class Losses(tg.train.Callback):
    ...     def on_batch_end(self, run):
    ...         print(f"batch {run.batch} of {run.batches}: {run.batch_loss:.3g}")
    """

    model: Any
    loss: Callable[..., Any]
    optimizer: Any
    epochs: int
    batches: int | None
    callbacks: list[Callback]
    epoch: int = 0
    batch: int = 0
    batch_loss: float = math.nan
    history: History = field(default_factory=History)

    def tell(self, event: str) -> None:
        """Call the method named `event` of every callback."""
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def stop(self, reason: str) -> None:
        """End the training after the current epoch; the reason is kept as ``history.stopped``."""
        self.history.stopped = reason


class Callback:
    """Base class of callbacks: override what you need; each method is given the `Run`.

    Examples
    --------
    >>> class Budget(tg.train.Callback):
    ...     def on_epoch_end(self, run):
    ...         if sum(run.history["seconds"]) > 60:
    ...             run.stop("a minute is over")
    """

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch."""

    def on_backward_end(self, run: Run) -> None:
        """After the gradients of a batch are there, before the update: the place to clip or to measure them.

        Optimizers that evaluate the loss several times per step compute gradients on their own, and skip this.
        """

    def on_batch_end(self, run: Run) -> None:
        """After the update of a batch."""

    def on_epoch_end(self, run: Run) -> None:
        """After training and validation of an epoch; its row is ``run.history.epochs[-1]``."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch; also where an error or an interrupt ended the training."""


class EarlyStopping(Callback):
    """Stop when a number has not improved for some epochs, and go back to the best parameters.

    Parameters
    ----------
    monitor : str
        A column of the history.
    patience : int
        Stop after this many epochs in a row without improvement.
    min_delta : float
        A smaller change than this is no improvement.
    restore_best : bool
        When training ends, for whatever reason, put back the parameters and buffers of the best epoch. The state of
        the optimizer stays as it is.
    mode : {"min", "max"}, optional
        Whether small or large numbers are good; without it the name tells: ``..._loss`` and ``..._error`` are to be
        small, ``..._accuracy`` is to be large.

    Attributes
    ----------
    best : float
        The best number so far.
    best_epoch : int
        The epoch that had it; 0 before the first.

    References
    ----------
    Goodfellow, Bengio, Courville, *Deep Learning*, algorithm 7.1.

    Examples
    --------
    >>> tg.train.EarlyStopping("valid_accuracy", patience=3)
    EarlyStopping('valid_accuracy', patience=3, min_delta=0.0, mode='max')
    """

    def __init__(
        self, monitor: str = "valid_loss", patience: int = 5, min_delta: float = 0.0, restore_best: bool = True,
        mode: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ValueError(f"EarlyStopping: patience must be a whole number of at least 1; got {patience!r}")
        if not 0 <= min_delta < math.inf:
            raise ValueError(f"EarlyStopping: min_delta must be a number of at least 0; got {min_delta!r}")
        self.monitor, self.patience, self.min_delta, self.restore_best = monitor, patience, min_delta, restore_best
        self.mode = improvement_mode("EarlyStopping", monitor, mode)
        self._begin()

    def _begin(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.best_epoch = 0
        self._state: dict[str, Tensor] = {}

    def on_train_begin(self, run: Run) -> None:
        """Forget an earlier run."""
        if self.restore_best and not hasattr(run.model, "state_dict"):
            raise TypeError(
                f"EarlyStopping: restore_best=True needs a Module; got a {type(run.model).__name__} without "
                "state_dict(). Pass restore_best=False."
            )
        self._begin()

    def on_epoch_end(self, run: Run) -> None:
        """Compare, remember, and stop where patience is over."""
        value = run.history[self.monitor][-1]
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch = value, run.epoch
            if self.restore_best:
                self._state = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
        elif run.epoch - self.best_epoch >= self.patience:
            run.stop(
                f"EarlyStopping: no better {self.monitor} in {self.patience} epochs; the best was {show(self.best)} "
                f"in epoch {self.best_epoch}"
            )

    def on_train_end(self, run: Run) -> None:
        """Put back the best parameters."""
        if self._state:
            run.model.load_state_dict(self._state)
            self._state = {}

    def __repr__(self) -> str:
        return (
            f"EarlyStopping({self.monitor!r}, patience={self.patience}, min_delta={self.min_delta}, mode={self.mode!r})"
        )


def improvement_mode(callback: str, monitor: str, mode: str | None) -> str:
    """Whether small or large is good: what the caller says, or the last word of the name."""
    if not isinstance(monitor, str):
        raise TypeError(f"{callback}: monitor is the name of a column of the history; got {monitor!r:.80}")
    modes = {"loss": "min", "error": "min", "accuracy": "max"}
    word = monitor.rpartition("_")[2]
    if mode is None and word not in modes:
        raise ValueError(
            f"{callback}: the name {monitor!r} does not tell whether it is to be small or large; pass mode='min' or "
            "mode='max'"
        )
    mode = modes[word] if mode is None else mode
    if mode not in ("min", "max"):
        raise ValueError(f"{callback}: mode must be 'min' or 'max'; got {mode!r}")
    return mode
