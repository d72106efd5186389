"""What the last step of an optimizer did, for people and for plots; numbers are computed when somebody reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..core import ledger
from .flat import FlatVector

__all__ = ["Trace"]


class Trace:
    """The record of one step.

    A step notes only what is at hand. The loss and the norm of the gradient are computed, and waited for, when they
    are read: a step on a GPU never waits because of its record.

    Attributes
    ----------
    step : int
        The number of the step, as the update rules count: the largest of all parameters.
    lr : tuple of float
        The learning rate of each group.
    updated : int
        How many numbers were updated: those of the parameters that had a gradient.
    """

    def __init__(self, rates: Sequence[float], moved: Sequence[tuple[FlatVector, Sequence[int]]], loss: Any) -> None:
        self.lr = tuple(rates)
        self.step = max((max(vector.steps) for vector, _ in moved), default=0)
        self.updated = sum(vector.parameters[i].size for vector, positions in moved for i in positions)
        self._moved, self._loss, self._serial = moved, loss, ledger.last_write()

    @cached_property
    def loss(self) -> float | None:
        """The closure's loss; None where `step` was called without a closure."""
        return None if self._loss is None else self._loss.item()

    @cached_property
    def gradient_norm(self) -> float:
        """The length of the gradient that the step used, before weight decay.

        Raises
        ------
        RuntimeError
            Where a later `backward` has written over the gradient.
        """
        squares = []
        for vector, positions in self._moved:
            for position in positions:
                start, stop = vector.bounds[position : position + 2]
                if vector.written(position) > self._serial:
                    raise RuntimeError(
                        f"trace.gradient_norm: a later backward() has written over the gradient of step {self.step}; "
                        "read it between step() and the next backward()"
                    )
                squares.append(float((vector.grad[start:stop].astype("float64") ** 2).sum()))
        return math.sqrt(math.fsum(squares))

    def __repr__(self) -> str:
        rates = ", ".join(f"{rate:g}" for rate in self.lr)
        loss = "" if self.loss is None else f", loss {self.loss:g}"
        return f"step {self.step}: lr {rates}{loss}, {self.updated:,} numbers updated"
