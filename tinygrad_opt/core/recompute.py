"""A stretch of the tape that keeps no arrays: they are computed anew when a walk comes by.

`Block.record` runs a function as usual, and then takes from the nodes that it recorded what they saved; a `Deferred`
stands there instead. The nodes themselves stay, with their parents, so the tape is the same tape: every walk of every
order goes over it as ever. Where a walk needs what a node saved, it asks its `Recall`, which runs the block's function
once more, in the surroundings of the first time (see `replay`), and reads the arrays off the nodes of that second run.

Blocks may hold blocks: the second run of the outer one defers the inner one anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .. import backend, errors
from . import ledger
from .replay import Surroundings
from .tape import Node, Variable
from .tree import flatten

__all__ = ["Block", "Deferred", "Recall"]

Outline = tuple[Any, tuple[int, ...], Any, tuple[Any, ...], tuple[Any, ...]]
SAMPLE = 64  # so many elements of each result are compared


class Deferred(tuple[Any, ...]):
    """Stands for what a node saved: markers only, and the place where the arrays can be had."""

    block: Block
    place: int


class Block:
    """One call of a function whose nodes keep no arrays."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.fn = fn
        leaves, self._rebuild = flatten([args, kwargs])
        self._leaves = [_handle(leaf) if isinstance(leaf, Variable) else leaf for leaf in leaves]
        self._surroundings = Surroundings()
        self.first = self.last = 0
        self._outline: list[Outline] = []
        self._sample: list[Any] = []

    def record(self, args: tuple[Any, ...], kwargs: dict[str, Any], unread: Any) -> Any:
        """The first run: its result, whose nodes are then relieved of their arrays."""
        self.first = ledger.clock()
        with self._surroundings.observed():
            result = self.fn(*args, **kwargs)
        self.last = ledger.clock()
        nodes = _recorded(result, self.first)
        self._outline, self._sample = _outline(nodes), _sample(result)
        for place, node in enumerate(nodes):
            if isinstance(node.saved, Deferred) or any(backend.is_array(array) for array in node.saved or ()):
                deferred = Deferred((unread,) * len(node.saved or ()))
                deferred.block, deferred.place = self, place
                node.saved = deferred
        return result

    def arguments(self) -> list[Variable]:
        """The tensors that the function was given, and will be given again."""
        return [leaf for leaf in self._leaves if isinstance(leaf, Variable)]

    def run_again(self) -> list[Any]:
        """What the nodes saved, one tuple for each, from another run of the function."""
        args, kwargs = self._rebuild(self._leaves)
        started = ledger.clock()
        with self._surroundings.restored(self.last):
            result = self.fn(*args, **kwargs)
        nodes = _recorded(result, started)
        outline = _outline(nodes)
        if outline != self._outline:
            raise errors.recomputed_otherwise(_difference(self._outline, outline))
        sample = _sample(result)
        if len(sample) != len(self._sample) or not all(map(_close, sample, self._sample)):
            raise errors.recomputed_otherwise("its result has other values")
        return [node.saved for node in nodes]


class Recall:
    """What one walk has computed anew: of each block it is in, and of the blocks inside, what is still to be used."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: dict[Block, list[tuple[Block, list[Any]]]] = {}

    def __call__(self, node: Node) -> Any:
        """What `node` saved; handed out once, for a walk comes to each node once."""
        saved: Any = node.saved
        if type(saved) is not Deferred:
            return saved
        for block in [b for b in self._runs if not b.first < node.serial < b.last]:
            del self._runs[block]
        runs = self._runs.setdefault(saved.block, [])
        depth = 0
        while type(saved) is Deferred:
            if depth == len(runs) or runs[depth][0] is not saved.block:
                del runs[depth:]
                runs.append((saved.block, saved.block.run_again()))
            run, place = runs[depth][1], saved.place
            saved, run[place] = run[place], None
            depth += 1
        return saved


def _handle(tensor: Variable) -> Variable:
    """Another handle on the same array and node: the first one may come to hold something else."""
    twin = type(tensor).__new__(type(tensor))
    twin._array, twin._node = tensor._array, tensor._node
    return twin


def _recorded(result: Any, since: int) -> list[Node]:
    """The nodes younger than `since` that a result was computed from, in the order of their creation."""
    stack = [x._node for x in flatten(result)[0] if isinstance(x, Variable) and x._node is not None]
    seen: set[Node] = set()
    while stack:
        node = stack.pop()
        if node.serial > since and node not in seen:
            seen.add(node)
            stack.extend(parent for parent in node.parents if parent is not None)
    return sorted(seen, key=attrgetter("serial"))


def _outline(nodes: Sequence[Node]) -> list[Outline]:
    """What two runs must have in common; a parent inside the run is named by its place, one outside is itself."""
    places = {node: place for place, node in enumerate(nodes)}
    return [
        (
            node.primitive,
            node.shape,
            node.dtype,
            tuple(places.get(p, p) for p in node.parents),  # type: ignore[arg-type]
            tuple(x for x in node.saved or () if type(x) in (float, int, bool)),
        )
        for node in nodes
    ]


def _sample(result: Any) -> list[Any]:
    """Some elements of each recorded result in host memory, by which it is known again. A GPU is not waited for."""
    arrays = [x._array for x in flatten(result)[0] if isinstance(x, Variable) and x._node is not None]
    host = [array for array in arrays if backend.of(array) is backend.HOST]
    return [array.flat[:: max(1, array.size // SAMPLE)] for array in host]


def _close(found: Any, expected: Any) -> bool:
    """Equal, but for the rounding that another place in memory may bring about."""
    largest = np.max(np.abs(expected), initial=0, where=np.isfinite(expected))
    return np.allclose(found, expected, rtol=0, atol=largest * np.finfo(expected.dtype).eps ** 0.5, equal_nan=True)


def _difference(expected: Sequence[Outline], found: Sequence[Outline]) -> str:
    """The first place where two runs part."""

    def said(outline: Iterable[Outline], place: int) -> str:
        entries = list(outline)[place : place + 1]
        return next((f"'{getattr(e[0], 'name', 'leaf')}' of shape {e[1]} {e[2]}" for e in entries), "nothing")

    place = next((i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), None)
    place = min(len(expected), len(found)) if place is None else place
    then, now = said(expected, place), said(found, place)
    now = f"{now} of other inputs" if then == now else now
    return f"operation {place} was {then}, and is now {now}"
