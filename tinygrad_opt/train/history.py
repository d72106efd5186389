"""What a training run leaves behind: one row of numbers per epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["History"]

_HEAD = _TAIL = 5  # rows shown of a long history


class History:
    """The numbers of each epoch, as rows (`epochs`) and as columns (``history["train_loss"]``).

    Parameters
    ----------
    epochs : iterable of dict, optional

    Attributes
    ----------
    epochs : list of dict
        One for each complete epoch, such as ``{"epoch": 1, "train_loss": 0.7, "valid_loss": 0.6, "seconds": 0.1}``.
        A callback may add entries.
    stopped : str
        Why training ended before its last epoch; empty where it did not.

    Examples
    --------
    >>> history = tg.train.History([{"epoch": 1, "train_loss": 0.7}, {"epoch": 2, "train_loss": 0.35}])
    >>> history["train_loss"]
    [0.7, 0.35]
    >>> history
    epoch  train_loss
        1         0.7
        2        0.35
    """

    def __init__(self, epochs: Iterable[dict[str, Any]] = ()) -> None:
        self.epochs: list[dict[str, Any]] = list(epochs)
        self.stopped = ""

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in the order in which they first appeared."""
        return list(dict.fromkeys(name for row in self.epochs for name in row))

    def __getitem__(self, column: str) -> list[Any]:
        """One number per epoch; nan for an epoch that lacks it."""
        if column not in self.columns:
            known = ", ".join(self.columns) or "none yet"
            raise KeyError(f"history has no column {column!r}; there are: {known}. Rows are in history.epochs")
        return [row.get(column, math.nan) for row in self.epochs]

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.epochs)

    def to_dict(self) -> dict[str, list[Any]]:
        """All columns by name, as plain lists.

        Examples
        --------
        >>> tg.train.History([{"epoch": 1, "train_loss": 0.7}]).to_dict()
        {'epoch': [1], 'train_loss': [0.7]}
        """
        return {column: self[column] for column in self.columns}

    def __repr__(self) -> str:
        if not self.epochs:
            return "History(no complete epoch)"
        lines = [self.columns] + [[show(value) for value in row] for row in zip(*self.to_dict().values(), strict=True)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        if len(table) > 1 + _HEAD + 1 + _TAIL:
            left_out = len(self) - _HEAD - _TAIL
            table[1 + _HEAD : -_TAIL] = [f"... {left_out} more epochs ..."]
        return "\n".join([*table, self.stopped] if self.stopped else table)


def show(value: Any) -> str:
    """A number in four significant digits; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
