"""Which functions are being differentiated right now, and where such a function's arguments enter its graph.

A transform runs its function inside a `Scope`, on tensors whose nodes are `Entry` leaves of that scope. To everybody
inside, an entry is a variable: a derivative taken there has to stay tied to it. Once the function has returned,
nobody can ask for a derivative by the entry any more but the transform itself, and to everybody else it is a constant.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .tape import Leaf

__all__ = ["Entry", "Scope", "open_scopes"]

open_scopes: ContextVar[tuple[Scope, ...]] = ContextVar("open_scopes", default=())


class Scope:
    """The run of a function that is being differentiated; a recomputation opens it once more."""

    __slots__ = ("depth",)

    def __init__(self) -> None:
        self.depth = 0

    def __enter__(self) -> Scope:
        self.depth += 1
        open_scopes.set((*open_scopes.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        scopes = list(open_scopes.get())
        if self in scopes:
            del scopes[len(scopes) - 1 - scopes[::-1].index(self)]
        open_scopes.set(tuple(scopes))


class Entry(Leaf):
    """A leaf that stands for an argument while the function is run on it."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope, shape: tuple[int, ...], dtype: Any, name: str | None = None) -> None:
        super().__init__(shape, dtype, name)
        self.scope = scope

    @property
    def is_open(self) -> bool:
        return self.scope.depth > 0
