"""What the lessons share: a command line, tables of measured numbers, and figures in one manner."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_opt.viz.plots import COLOURS, frame, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "averaged", "bars", "figure", "run", "save", "standard_error", "style", "table"]

Row = Mapping[str, Any]
Measured = Mapping[str, Sequence[Row]]


def figure(rows: int = 1, columns: int = 1, width: float = 4.8, height: float = 3.6) -> tuple[Figure, Any]:
    """A figure, and its panels as an array of shape (rows, columns); sizes are those of one panel, in inches."""
    from matplotlib.figure import Figure  # not pyplot: nothing to close, and no state that outlives the lesson

    made = Figure(figsize=(width * columns, height * rows), dpi=120, layout="constrained")
    panels = made.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        frame(axes)
    return made, panels


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of independent values."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def averaged(runs: Sequence[Sequence[Row]], name: str) -> list[dict[str, Any]]:
    """Rows that several runs have alike but for the value of `name`: its mean over the runs, and the standard error."""
    rows = []
    for same in zip(*runs, strict=True):
        values = [row[name] for row in same]
        rows.append({**same[0], name: float(np.mean(values)), "± standard error": standard_error(values)})
    return rows


def bars(axes: Any, rows: Sequence[Row], by: str, x: str, y: str) -> None:
    """A curve of `y` against `x` for each value of `by`, with bars of a standard error, on a logarithmic axis."""
    for position, label in enumerate(dict.fromkeys(row[by] for row in rows)):
        points = [(row[x], row[y], row["± standard error"]) for row in rows if row[by] == label]
        axes.errorbar(
            *zip(*points, strict=True), label=label, marker="o", markersize=4, capsize=3, **style(position)
        )  # fmt: skip
    places = sorted({row[x] for row in rows})
    axes.set(xscale="log", xlabel=x, ylabel=y)
    axes.set_xticks(places, [str(place) for place in places])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower right")


def save(made: Figure, out: Path, name: str) -> None:
    """Write a figure to ``out/name.png``."""
    out.mkdir(parents=True, exist_ok=True)
    made.savefig(out / f"{name}.png", dpi=150)


def table(rows: Sequence[Row], title: str = "") -> str:
    """Rows as lines of text, aligned, with the keys of the first as the head."""
    head = list(rows[0])
    lines = [head, *([_shown(row[key]) for key in head] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([title, *text] if title else text)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def run(main: Callable[[Path, bool], Measured], arguments: Sequence[str] | None = None) -> Measured:
    """Call the lesson that the script is, print what it measured, and name its pictures."""
    script = sys.modules[main.__module__]
    lesson = Path(str(script.__file__)).stem
    parser = argparse.ArgumentParser(description=script.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/course") / lesson, help="folder for the pictures")
    parser.add_argument("--quick", action="store_true", help="a reduced run: seconds, and rougher numbers")
    given = parser.parse_args(arguments)
    measured = main(given.out, given.quick)
    for title, rows in measured.items():
        print(f"{table(rows, title)}\n")
    print("pictures:", ", ".join(str(path) for path in sorted(given.out.glob("*.png"))))
    return measured
