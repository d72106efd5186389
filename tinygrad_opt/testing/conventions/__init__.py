"""What derivatives are where there is none, or no single one: the choices of the package, as a table.

Wherever a finite choice exists that costs no more, it is taken, so that one element at a singular point does not
spoil a whole gradient; where the truth is an infinite slope, it is told. The suite checks every line of the table:
the value, the gradient in both modes, and second derivatives by the three routes of `hvp`.
"""

from __future__ import annotations

from typing import Any

from ..families import families
from .convention import Convention

__all__ = ["CONVENTIONS", "Convention", "markdown"]

CONVENTIONS: tuple[Convention, ...] = sum(families(__name__, __path__, "CONVENTIONS"), start=())


def markdown() -> str:
    """The table, in Markdown.

    Examples
    --------
    >>> from tinygrad_opt.testing import conventions
    >>> print(next(line for line in conventions.markdown().splitlines() if "absolute" in line))
    | absolute | x = 0 | 0 | 0 | 0 | the subgradient in the middle; both slopes are as far away |
    """
    lines = ["| function | where | value | gradient | second derivative | why |", "|---|---|---|---|---|---|"]
    for c in CONVENTIONS:
        cells = [_cell([c.value]), _cell(c.gradients), _cell(c.curvatures)]
        lines.append(f"| {' | '.join([c.function, c.point, *cells, c.reason])} |")
    return "\n".join(lines)


def _cell(parts: Any) -> str:
    """Numbers in a cell: those of one argument apart from those of the next."""
    return "; ".join(", ".join(f"{x:.3g}" for x in part) for part in parts)
