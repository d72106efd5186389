"""From numbers to an aligned table, and to plain data for a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.peers import OURS
from bench.rounds import Spread, ratio

NOTHING = "–"


@dataclass(frozen=True)
class Report:
    """One finished measurement: its title, the table that people read, the data that programs read."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    data: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.title}\n\n{table(self.header, self.rows)}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> str:
    """Columns two spaces apart; the first `left` of them hold words and start flush, the others figures."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, rows)])


def scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    """Three significant figures in the largest unit that leaves at least 1; the units come largest first."""
    factor, unit = next((pair for pair in units if abs(value) >= pair[0]), units[-1])
    number = value / factor
    digits = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    return f"{number:.{digits}f} {unit}"


def duration(seconds: float) -> str:
    return scaled(seconds, [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])


def memory(size: float) -> str:
    return scaled(size, [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")])


def ratio_cells(spread: Spread | None) -> list[str]:
    """The median ratio, and the quartiles around it."""
    if spread is None:
        return [NOTHING, ""]
    return [f"{spread.median:.2f}", f"{spread.low:.2f}–{spread.high:.2f}"]


def against(times: Mapping[str, Sequence[float]], key: str) -> Spread | None:
    """Ours over one peer, round by round; None for ourselves, or where we did not take part."""
    return ratio(times[OURS], times[key]) if key != OURS and OURS in times else None


def summary(times: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The plain data of one race: every round's seconds, their spread, and the ratio to each peer."""
    found = {}
    for key, seconds in times.items():
        compared = against(times, key)
        found[key] = {
            "seconds": list(seconds),
            "spread": asdict(Spread.of(seconds)),
            "ours_over_peer": asdict(compared) if compared else None,
        }
    return found


def race_rows(label: str, times: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> list[list[str]]:
    """One row for each contestant of a race; the label stands in the first."""
    return [
        [
            label if i == 0 else "",
            names[key],
            duration(Spread.of(seconds).median),
            *ratio_cells(against(times, key)),
        ]
        for i, (key, seconds) in enumerate(times.items())
    ]
