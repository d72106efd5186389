"""Statistics that stand still: a block inside which normalization layers do not move their running averages.

Several evaluations of one loss (a line search, the products of a curvature matrix) have to see one function, and leave
the model as it was. Inside the block a layer in training mode still normalizes by its batch, but counts nothing.
The answer belongs to a thread or an async task, so it lives in a context variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TypeVar

from .module import Module

__all__ = ["frozen_stats", "statistics_frozen"]

B = TypeVar("B", bound="frozen_stats")

# The open blocks, each with the modules that it holds, by identity (None for all there are).
_open: ContextVar[tuple[tuple[frozen_stats, Mapping[int, Module] | None], ...]] = ContextVar("frozen", default=())


class frozen_stats:
    """A block inside which batch normalization and its relatives leave their running statistics as they are.

    Only the current thread or async task is affected; blocks may be nested, and one block may be entered again.

    Parameters
    ----------
    model : Module, optional
        Whose layers (those that it has on entering) are to stand still; without it, all layers.

    Examples
    --------
    >>> layer = tg.nn.BatchNorm1d(1)
    >>> with tg.nn.utils.frozen_stats(layer):
    ...     y = layer(tg.tensor([[1.0], [3.0]]))  # normalized by the batch, as training mode does
    >>> layer.running_mean
    tensor([0.])
    """

    def __init__(self, model: Module | None = None) -> None:
        if model is not None and not isinstance(model, Module):
            raise TypeError(f"frozen_stats: model must be a Module, or None for all; got {type(model).__name__}")
        self.model = model

    def __enter__(self: B) -> B:
        held = None if self.model is None else {id(module): module for module in self.model.modules()}
        _open.set((*_open.get(), (self, held)))
        return self

    def __exit__(self, *_: object) -> None:
        blocks = list(_open.get())
        for position in reversed(range(len(blocks))):
            if blocks[position][0] is self:
                del blocks[position]
                break
        _open.set(tuple(blocks))


def statistics_frozen(module: Module) -> bool:
    """Whether the running statistics of this layer have to stay as they are now: some `frozen_stats` holds it."""
    return any(held is None or id(module) in held for _, held in _open.get())
