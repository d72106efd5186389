"""Running a function for a second time as if it were the first.

What a function finds around it is restored for the second run, and put back afterwards: the package's random
generators, the arrays of tensors that the first run changed (the running averages of a normalization layer), the
scopes of derivatives that were open, NumPy's handling of floating-point errors. What the function finds changed since
by anybody else, it must not read: that is an error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import backend, errors
from . import ledger
from .modes import ModeBlock, current
from .scopes import open_scopes
from .tape import Variable

__all__ = ["Journal", "Surroundings"]


class Held(NamedTuple):
    """What a tensor held at some moment; the values too, where they were to be overwritten."""

    tensor: Variable
    array: Any
    node: Any
    values: Any


def _held(tensor: Variable, in_place: bool) -> Held:
    with backend.beside(tensor._array):
        values = backend.namespace(tensor._array).array(tensor._array) if in_place else None
    return Held(tensor, tensor._array, tensor._node, values)


def _differs(state: Held) -> bool:
    """Whether a tensor holds anything else than at that moment."""
    if state.tensor._array is not state.array or state.tensor._node is not state.node:
        return True
    return state.values is not None and _overwritten(state)


def _overwritten(state: Held) -> bool:
    with backend.beside(state.array):
        return not bool((state.array == state.values).all())


def _exchange(states: Sequence[Held]) -> list[Held]:
    """Give tensors back what they held; returns what they held now."""
    now = [_held(state.tensor, state.values is not None) for state in states]
    for state in states:
        if state.tensor._array is not state.array:
            state.tensor._array = state.array
        state.tensor._node = state.node
        if state.values is not None and _overwritten(state):
            with backend.beside(state.array):
                state.array[...] = state.values
    return now


class Journal:
    """Notes what a function changes; in a second run, `since` the end of the first, also looks at what it reads."""

    def __init__(self, since: int | None = None) -> None:
        self.repeating = since is not None
        self.since = since
        self.outer = current.get().journal
        self.changed: dict[int, Held] = {}

    @property
    def looking(self) -> bool:
        """Whether there is something that the function must not read."""
        return self.since is not None and ledger.last_write() > self.since

    def changing(self, tensor: Variable, in_place: bool = False) -> None:
        """Note what a tensor holds before it is given another array, or its array is (or might be) overwritten."""
        if id(tensor) not in self.changed:
            self.changed[id(tensor)] = _held(tensor, in_place)
        if self.outer is not None and not self.repeating:
            self.outer.changing(tensor, in_place)

    def reading(self, args: Sequence[Any]) -> None:
        """Raise where an operation reads what was overwritten after the first run."""
        for position, x in enumerate(args):
            if self.since is not None and isinstance(x, Variable):
                writer = ledger.writer_since(x._array, self.since)
                if writer is not None:
                    label = x._node.label if x._node is not None else getattr(x, "_name", f"input {position}")
                    raise errors.changed_in_place(label, writer, "checkpoint")
        if self.outer is not None:
            self.outer.reading(args)


class _Noting(ModeBlock):
    """The mode in which a journal is kept."""

    def __new__(cls, journal: Journal) -> Any:
        return object.__new__(cls)

    def __init__(self, journal: Journal) -> None:
        self.settings = {"recording": True, "journal": journal} | ({"watched": True} if journal.looking else {})


class Surroundings:
    """What a function found around it when it was first run."""

    def __init__(self) -> None:
        self._random = backend.random_state()
        self._scopes = open_scopes.get()
        self._errors = np.geterr()
        self._before: list[Held] = []

    @contextlib.contextmanager
    def observed(self) -> Iterator[None]:
        """For the first run: note what it changes."""
        journal = Journal()
        with _Noting(journal):
            yield
        self._before = [state for state in journal.changed.values() if _differs(state)]

    @contextlib.contextmanager
    def restored(self, since: int) -> Iterator[None]:
        """For a second run: everything as before the first, which ended at `since`; and back again."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(backend.replaying(self._random))
            stack.enter_context(np.errstate(**self._errors))
            for scope in self._scopes:
                stack.enter_context(scope)
            now = _exchange(self._before)
            journal = Journal(since)
            try:
                with _Noting(journal):
                    yield
            finally:
                known = {id(state.tensor) for state in now}
                _exchange([s for key, s in journal.changed.items() if key not in known])
                _exchange(now)
