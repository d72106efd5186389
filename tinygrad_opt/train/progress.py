"""Showing how a training run is getting on: a bar in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from .callbacks import Callback, Run
from .history import show

__all__ = ["ProgressBar", "ProgressLines", "progress_display"]


def progress_display() -> Callback:
    """The bar where stderr is a terminal and tqdm is installed, else lines."""
    if sys.stderr is not None and sys.stderr.isatty():
        try:
            return ProgressBar()
        except ImportError:
            pass
    return ProgressLines()


class ProgressBar(Callback):
    """A bar that moves with every batch and shows the numbers of the latest epoch (needs tqdm).

    Parameters
    ----------
    file : text stream, optional
        Where to draw; stderr by default.

    Raises
    ------
    ImportError
        Where tqdm is not installed.

    Examples
    --------
    >>> callbacks = [tg.train.ProgressBar()]  # what fit(..., progress=True) adds in a terminal
    """

    def __init__(self, file: TextIO | None = None) -> None:
        try:
            from tqdm import tqdm
        except ImportError as error:
            raise ImportError(
                "ProgressBar needs tqdm: pip install 'tinygrad_opt[train]'; ProgressLines works without"
            ) from error
        self._make, self._file = tqdm, file
        self._bar: Any = None

    def on_train_begin(self, run: Run) -> None:
        """Draw the empty bar."""
        total = run.epochs * run.batches if run.batches is not None else None
        self._bar = self._make(total=total, unit="batch", file=self._file, dynamic_ncols=True)

    def on_batch_end(self, run: Run) -> None:
        """Move on by one batch."""
        if run.batch == 1:
            self._bar.set_description(f"epoch {run.epoch}/{run.epochs}", refresh=False)
        self._bar.update()

    def on_epoch_end(self, run: Run) -> None:
        """Show the numbers of the epoch."""
        self._bar.set_postfix_str(_numbers(run))

    def on_train_end(self, run: Run) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class ProgressLines(Callback):
    """A line of text per epoch; of many epochs, some 20 lines in all.

    Parameters
    ----------
    every : int, optional
        Print each so-manyth epoch; the first and the last are printed in any case.
    file : text stream, optional
        Where to print; stdout by default.

    Examples
    --------
    >>> theta = tg.tensor([1.0], requires_grad=True)
    >>> history = tg.train.fit(
    ...     lambda x: theta * x,
    ...     lambda prediction, target: (prediction - target).square().mean(),
    ...     tg.optim.SGD([theta], lr=0.25),
    ...     [(tg.ones(1), tg.zeros(1))],
    ...     epochs=4,
    ...     callbacks=[tg.train.ProgressLines(every=2)],
    ...     progress=False,
    ... )
    epoch 1/4: train_loss 1, seconds ...
    epoch 2/4: train_loss 0.25, seconds ...
    epoch 4/4: train_loss 0.01562, seconds ...
    """

    def __init__(self, every: int | None = None, file: TextIO | None = None) -> None:
        if every is not None and every < 1:
            raise ValueError(f"ProgressLines: every must be at least 1; got {every}")
        self.every, self._file = every, file

    def on_epoch_end(self, run: Run) -> None:
        """Print the numbers of the epoch."""
        every = self.every or max(1, run.epochs // 20)
        if run.epoch in (1, run.epochs) or run.epoch % every == 0 or run.history.stopped:
            print(f"epoch {run.epoch}/{run.epochs}: {_numbers(run)}", file=self._file, flush=True)

    def on_train_end(self, run: Run) -> None:
        """Say why training ended early."""
        if run.history.stopped:
            print(run.history.stopped, file=self._file, flush=True)


def _numbers(run: Run) -> str:
    row = run.history.epochs[-1]
    return ", ".join(f"{name} {show(value)}" for name, value in row.items() if name != "epoch")
