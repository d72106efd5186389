"""The mistakes, as data: each is one line of the sources, what it becomes, and what that breaks."""

from __future__ import annotations

from . import around, engine, layers, operations, optimizers
from .mutation import Mutation, StaleMutationError

__all__ = ["MUTATIONS", "Mutation", "StaleMutationError"]

MUTATIONS = [
    *engine.MUTATIONS,
    *operations.MUTATIONS,
    *layers.MUTATIONS,
    *optimizers.MUTATIONS,
    *around.MUTATIONS,
]
