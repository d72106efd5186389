"""Timing that is fair to everybody: warm up, take turns, compare within a round, report medians.

In a round every contestant has one turn, and the next round starts with the next contestant. A turn repeats
the work until it lasts a few tens of milliseconds, after one untimed run that refills the caches which the
previous contestant emptied. Two turns of one round lie so close together that a machine that is slow at the
moment is slow for both: the ratio is taken within the round, and only then the median over the rounds.
"""

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import TypeVar

Run = Callable[[], object]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Effort:
    """How many rounds, and how many seconds one turn should take."""

    rounds: int
    turn: float


FULL = Effort(rounds=21, turn=0.03)
QUICK = Effort(rounds=5, turn=0.005)


@dataclass(frozen=True)
class Spread:
    """The median of some measurements with their lower and upper quartile."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


def rotation(names: Sequence[Key], turn: int) -> list[Key]:
    """The order of one round: everybody once, starting with a different contestant each time."""
    start = turn % max(len(names), 1)
    return [*names[start:], *names[:start]]


def timed(run: Run, count: int) -> float:
    """Seconds for `count` runs."""
    start = perf_counter()
    for _ in repeat(None, count):
        run()
    return perf_counter() - start


def repeats(run: Run, turn: float) -> int:
    """How many runs fill one turn. Finding out is the warm-up."""
    count = 1
    while (seconds := timed(run, count)) < turn / 2:
        count *= 2
    return max(1, round(count * turn / seconds))


def race(contestants: Mapping[Key, Run], effort: Effort) -> dict[Key, list[float]]:
    """Seconds per run, one figure for each round, for each contestant.

    What exists after the warm-up is hidden from the garbage collector. It goes on working as for any user,
    but a collection in one contestant's turn does not walk through the modules of all the others.
    """
    counts = {name: repeats(run, effort.turn) for name, run in contestants.items()}
    times: dict[Key, list[float]] = {name: [] for name in contestants}
    gc.collect()
    gc.freeze()
    try:
        for turn in range(effort.rounds):
            for name in rotation(list(contestants), turn):
                gc.collect()
                contestants[name]()
                times[name].append(timed(contestants[name], counts[name]) / counts[name])
    finally:
        gc.unfreeze()
    return times


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> Spread:
    """The spread over the rounds of one contestant's time over another's in the same round."""
    return Spread.of([a / b for a, b in zip(numerator, denominator, strict=True)])
