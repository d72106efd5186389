"""What the last step of an optimizer did, for people and for plots; numbers are computed when somebody reads them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ..core import ledger
from .flat import FlatVector

__all__ = ["Trace"]


class Trace:
    """The record of one step.

    A step notes only what is at hand. The loss and the norm of the gradient are computed, and waited for, when they
    are read: a step on a GPU never waits because of its record.

    Parameters
    ----------
    lr : tuple of float
        The learning rate of each group.
    counts : sequence of (FlatVector, list of int, list of int)
        The vectors, and how many updates each of their parameters had had before and after the step.
    loss : Tensor or None
        The closure's.
    """

    def __init__(
        self, lr: tuple[float, ...], counts: Sequence[tuple[FlatVector, list[int], list[int]]], loss: Any
    ) -> None:
        self.lr = lr
        self._counts, self._loss, self._serial = counts, loss, ledger.last_write()

    @property
    def step(self) -> int:
        """The number of the step, as the update rules count: the largest of all parameters."""
        return max(max(after) for _, _, after in self._counts)

    def _updated(self) -> Iterator[tuple[FlatVector, int]]:
        """The parameters that had a gradient: their vector, and their place in it."""
        for vector, before, after in self._counts:
            for position, (old, new) in enumerate(zip(before, after, strict=True)):
                if new != old:
                    yield vector, position

    @property
    def updated(self) -> int:
        """How many numbers were updated: those of the parameters that had a gradient."""
        return sum(vector.parameters[position].size for vector, position in self._updated())

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
        for vector, position in self._updated():
            if vector.written(position) > self._serial:
                raise RuntimeError(
                    f"trace.gradient_norm: a later backward() has written over the gradient of step {self.step}; read "
                    "it between step() and the next backward()"
                )
            start, stop = vector.bounds[position : position + 2]
            squares.append(float((vector.grad[start:stop].astype("float64") ** 2).sum()))
        return math.sqrt(math.fsum(squares))

    def __repr__(self) -> str:
        rates = ", ".join(f"{rate:g}" for rate in self.lr)
        loss = "" if self.loss is None else f", loss {self.loss:g}"
        return f"step {self.step}: lr {rates}{loss}, {self.updated:,} numbers updated"
