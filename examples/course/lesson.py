"""What the lessons share: a command line, tables of measured numbers, and figures in one manner."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which remain distinct in every common form of colour blindness; and dashes, for print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", ":")

Row = Mapping[str, Any]
Measured = Mapping[str, Sequence[Row]]


def figure(rows: int = 1, columns: int = 1, width: float = 4.8, height: float = 3.6) -> tuple[Figure, Any]:
    """A figure, and its panels as an array of shape (rows, columns); sizes are those of one panel, in inches."""
    from matplotlib.figure import Figure  # not pyplot: nothing to close, and no state that outlives the lesson

    made = Figure(figsize=(width * columns, height * rows), dpi=120, layout="constrained")
    panels = made.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.grid(True, color="#d9dee3", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return made, panels


def style(position: int) -> dict[str, Any]:
    """Colour and dashes of the curve number `position`, to be passed on to ``axes.plot``."""
    return {"color": COLOURS[position % len(COLOURS)], "linestyle": DASHES[position % len(DASHES)], "linewidth": 1.8}


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
