"""Finds blocks of operations that repeat, and folds each run of them into one block, "x 12".

Operations are written as tokens: what is computed, on which shapes, and how far back each operand was made. Equal
stretches of tokens, one after the other, are then equal pieces of the graph, each feeding the next; so a repeated
block shows as a period in a row of integers. A run of blocks is folded only where nothing is lost by it:

- the results of a block are used in it, or in the next one, and nowhere else (those of the last block anywhere);
- a leaf or constant is either the same for all blocks, or belongs to one block alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .trace import Item

__all__ = ["common_name", "fold"]

_FEWEST = 4  # blocks: three are better drawn than folded
_LONGEST = 64  # operations in a block


class Run(NamedTuple):
    """Blocks of equal length, one after the other in the row of operations."""

    start: int
    period: int
    blocks: int

    @property
    def end(self) -> int:
        return self.start + self.period * self.blocks


def fold(items: list[Item]) -> tuple[list[Item], list[int]]:
    """The list with every run of repeated blocks replaced by its last block, and how often each run repeats."""
    row = _Row(items)
    counts: list[int] = []
    drawn: dict[int, Item | None] = {}  # what stands at the place of an item: another item, or nothing
    for run in row.runs():
        drawn.update(row.folded(run, len(counts)))
        counts.append(run.blocks)
    result: list[Item] = []
    place: dict[int, int] = {}
    for old, item in enumerate(items):
        new = drawn.get(old, item)
        if new is not None:
            place[old] = len(result)
            result.append(new)
    for item in result:
        item.sources = [place[source] for source in item.sources]
    return result, counts


def common_name(names: Sequence[str]) -> str:
    """One name for several: ``layers.0.weight`` to ``layers.11.weight`` is ``layers.0..11.weight``."""
    first, last = names[0].split("."), names[-1].split(".")
    if len(first) != len(last):
        return f"{names[0]} .. {names[-1]}"
    return ".".join(a if a == b else f"{a}..{b}" for a, b in zip(first, last, strict=True))


class _Row:
    """The operations among some items, in order, each known by its position in the row."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.places = [place for place, item in enumerate(items) if item.is_operation]
        self.position = {place: t for t, place in enumerate(self.places)}
        self.first_use: dict[int, int] = {}
        self.last_use: dict[int, int] = {}
        for place, item in enumerate(items):
            user = self.position.get(place, len(self.places))
            for source in item.sources:
                self.first_use.setdefault(source, user)
                self.last_use[source] = user
        self.sources = [items[place].sources for place in self.places]

    def _token(self, t: int) -> tuple[Any, ...]:
        item = self.items[self.places[t]]
        operands = tuple(self._operand(t, source) for source in item.sources)
        return (item.title, item.arguments, item.shape, item.dtype, operands)

    def _operand(self, t: int, source: int) -> tuple[Any, ...]:
        made = self.position.get(source)
        if made is not None:
            return ("back", t - made) if t - made < 2 * _LONGEST else ("at", made)
        item = self.items[source]
        return (item.kind, item.shape, item.dtype, item.title if item.shape in ((), None) else "")

    def runs(self) -> list[Run]:
        """Runs of blocks that can be folded; no two overlap; the longest are chosen first."""
        self.tokens = [self._token(t) for t in range(len(self.places))]
        numbers: dict[Any, int] = {}
        row = np.array([numbers.setdefault(token, len(numbers)) for token in self.tokens], dtype=np.int64)
        reach = np.array([self.last_use[place] for place in self.places], dtype=np.int64) - np.arange(len(row))
        taken = np.zeros(len(row), dtype=bool)
        found = []
        for first, last, period in sorted(_periodic(row, reach), key=lambda s: (s[0] - s[1], s[2])):
            if taken[first:last].any():
                continue
            run = self._aligned(first, last, period)
            for part in self._foldable(run):
                if not taken[part.start : part.end].any():
                    taken[part.start : part.end] = True
                    found.append(part)
        return found

    def _aligned(self, first: int, last: int, period: int) -> Run:
        """Where to cut a periodic stretch into blocks: as many as possible, with the fewest edges across a cut.

        The first block may begin before the stretch: what enters it (the data, say) differs from what enters the
        others (the result of the block before).
        """
        starts = [a for a in range(max(0, first - period), first) if self._begins(a, first, period)]
        starts += range(first, min(first + period, last - period + 1))

        def rank(a: int) -> tuple[int, int, bool, int]:
            seam = sum(
                self.position.get(source, a + period) < a + period
                for t in range(a + period, min(a + 2 * period, last))
                for source in self.sources[t]
            )
            fed = any(source not in self.position for source in self.sources[a])
            return (-((last - a) // period), seam, not fed, a)

        start = min(starts, key=rank)
        return Run(start, period, (last - start) // period)

    def _begins(self, start: int, first: int, period: int) -> bool:
        """Whether the operations from `start` to `first` differ from those one period on in what enters only."""
        block = range(start, start + period)
        for t in range(start, first):
            here, later = self.tokens[t], self.tokens[t + period]
            if here[:-1] != later[:-1] or len(here[-1]) != len(later[-1]):
                return False
            for i, (a, b) in enumerate(zip(here[-1], later[-1], strict=True)):
                enters = self.position.get(self.sources[t][i]) not in block
                carried = self.position.get(self.sources[t + period][i]) in block
                if a != b and not (enters and carried):
                    return False
        return True

    def _foldable(self, run: Run) -> Iterator[Run]:
        """The parts of a run that can be folded without loss."""
        while run.blocks >= _FEWEST:
            part = Run(run.start, run.period, self._unbroken(run))
            if part.blocks >= _FEWEST:
                yield part
            run = Run(part.end, run.period, run.blocks - part.blocks)

    def _unbroken(self, run: Run) -> int:
        """How many blocks, from the first on, can be folded together."""
        entering = self._entering(run)
        expected = self._holdings(run, 0, entering)
        for b in range(run.blocks):
            if self._holdings(run, b, entering) != expected:
                return b
            begin = run.start + b * run.period
            used = (self.last_use[self.places[t]] for t in range(begin, begin + run.period))
            if max(used) >= begin + 2 * run.period:
                return b + 1
        return run.blocks

    def _entering(self, run: Run) -> set[tuple[int, int]]:
        """The operands (operation, slot) that a block takes from the one before."""
        first, second = run.start, run.start + run.period
        return {
            (j, slot)
            for j in range(run.period)
            for slot, source in enumerate(self.sources[second + j])
            if first <= self.position.get(source, -1) < second
        }

    def _holdings(self, run: Run, b: int, entering: set[tuple[int, int]]) -> list[tuple[str, int]]:
        """The leaves and constants of a block: which are its own, in which slots, and which it shares."""
        begin = run.start + b * run.period
        holdings = []
        met: dict[int, int] = {}
        for j in range(run.period):
            for slot, source in enumerate(self.sources[begin + j]):
                if source in self.position or (j, slot) in entering:
                    continue
                own = begin <= self.first_use[source] and self.last_use[source] < begin + run.period
                holdings.append(("own", met.setdefault(source, len(met))) if own else ("shared", source))
        return holdings

    def folded(self, run: Run, number: int) -> dict[int, Item | None]:
        """What to draw in place of the items of a run: those of its last block, and nothing for the others."""
        entering = self._entering(run)
        drawn: dict[int, Item | None] = {}

        def merge(column: list[int]) -> Item:
            members = [self.items[place] for place in column]
            title = common_name([member.title for member in members])
            drawn.update(dict.fromkeys(column))
            drawn[column[-1]] = merged = replace(members[-1], title=title, name="", members=members, repeat=number)
            return merged

        for j in range(run.period):
            column = range(run.start + j, run.end, run.period)
            merged = merge([self.places[t] for t in column])
            merged.sources = list(self.sources[column[-1]])
            for slot, source in enumerate(merged.sources):
                if (j, slot) in entering:
                    merged.sources[slot] = self.sources[column[0]][slot]
                elif source not in self.position and self.first_use[source] >= run.end - run.period:
                    merge([self.sources[t][slot] for t in column])
        return drawn


def _periodic(row: np.ndarray[Any, Any], reach: np.ndarray[Any, Any]) -> Iterator[tuple[int, int, int]]:
    """Stretches ``[first, last)`` of a row that repeat with some period, long enough to be folded.

    `reach` says how far each result is carried: never past the next block, except out of the last one.
    """
    for period in range(1, min(_LONGEST, len(row) // 2) + 1):
        again = (row[:-period] == row[period:]) & (reach[:-period] < 2 * period)
        edges = np.flatnonzero(np.diff(again, prepend=False, append=False))
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if last - first >= (_FEWEST - 2) * period:
                yield first, last + period, period
