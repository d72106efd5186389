"""What a wrong derivative looks like, and what that usually means.

`report` writes the message of a failed check; `guess` recognises the fingerprints of the common mistakes in the two
matrices of derivatives (rows are outputs, columns are inputs).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["Disagreement", "Label", "guess", "report"]

Array = Any
Label = Callable[[int, int], str]
_MATRICES = ("analytic", "numeric", "error", "tolerance", "kept")
_CLOSE = 1e-4  # ratios this near to a number count as that number

SECOND_ORDER = (
    "the first derivative is right and its derivative is not: a rule treats a value that it saved, or its own "
    "cotangent, as a constant (a raw array, .data, detach)?"
)
NOT_FINITE = "not finite where the function is smooth: 0/0 or 0 * inf inside the rule?"
DETACHED = (
    "the derivative is zero: detached (detach(), .data, no_grad, an integer type), or the operation records nothing?"
)
DROPPED = "zero where it should not be, right elsewhere: entries dropped by a mask, a slice or an index?"
OVERWRITTEN = (
    "too small by whole factors at some inputs only: an element that is read several times gets one contribution, "
    "overwritten instead of added?"
)
TRANSPOSED = "the derivative of this input is right but transposed: swapped axes in an adjoint?"


@dataclass(frozen=True)
class Disagreement:
    """Two matrices of derivatives that should be equal, outputs by inputs, and everything needed to say why not.

    Attributes
    ----------
    function, what : str
        Whose derivative, and which one: ``"reverse mode"``, ``"hvp, reverse-over-forward"``.
    analytic, numeric, error, tolerance : array, shape (rows, columns)
    kept : array of bool
        The entries whose numeric derivative exists.
    label : callable
        Names the entry at a row and a column.
    sizes : iterable of int
        Lengths of the axes in play.
    parts : sequence of int
        Which input each column belongs to.
    shapes : sequence of tuple
        The shape of each input.
    second : bool
        Whether these are second derivatives.
    """

    function: str
    what: str
    analytic: Array
    numeric: Array
    error: Array
    tolerance: Array
    kept: Array
    label: Label
    sizes: Iterable[int]
    parts: Sequence[int]
    shapes: Sequence[tuple[int, ...]]
    second: bool = False

    @property
    def bad(self) -> Array:
        """Where the two differ by more than the tolerance."""
        return ~(np.abs(self.analytic - self.numeric) <= self.tolerance) & self.kept

    def of_input(self, part: int) -> Disagreement:
        """The columns of one input."""
        columns = np.flatnonzero(np.asarray(self.parts) == part)
        matrices = {name: getattr(self, name)[:, columns] for name in _MATRICES}
        return replace(self, **matrices, parts=[0] * len(columns), shapes=[self.shapes[part]])


def report(found: Disagreement) -> str:
    """The message of a failed check: the worst entry, the two numbers, their ratio, and a guess."""
    bad = found.bad
    excess = np.nan_to_num(np.abs(found.analytic - found.numeric) / found.tolerance, nan=np.inf)
    row, column = (int(i) for i in np.unravel_index(np.argmax(np.where(bad, excess, -1.0)), bad.shape))
    analytic, numeric = float(found.analytic[row, column]), float(found.numeric[row, column])
    lines = [
        f"gradcheck of {found.function!r} failed: {found.what} disagrees with the numeric derivative.",
        f"  worst entry  {found.label(row, column)}",
        f"  analytic     {analytic:.10g}",
        f"  numeric      {numeric:.10g}  (good to {found.error[row, column]:.1g})",
        f"  ratio        {_ratio(analytic, numeric)}  (analytic / numeric)",
        f"  differing    {int(bad.sum())} of the {bad.size} entries checked",
    ]
    idea = guess(found.of_input(found.parts[column]))
    return "\n".join([*lines, f"  guess        {idea}"] if idea else lines)


def _ratio(analytic: float, numeric: float) -> str:
    return f"{analytic / numeric:.6g}" if numeric else "none, the numeric derivative is 0"


def guess(found: Disagreement) -> str:
    """The mistakes whose fingerprint the derivatives by one input show; an empty string where none is recognised."""
    bad, analytic, numeric = found.bad, found.analytic, found.numeric
    if not np.isfinite(analytic[bad]).all():
        return NOT_FINITE
    per_input = (analytic.sum(axis=0), numeric.sum(axis=0))
    ideas = [SECOND_ORDER] if found.second else []
    if not analytic[bad].any():
        whole = bad[np.abs(numeric) > found.tolerance].all()
        ideas.append(DETACHED if whole else _lost(found, *per_input) or DROPPED)
    elif common := _common_ratio(analytic[bad], numeric[bad]):
        ideas.append(_meaning(common, found.sizes))
    elif _is_transposed(found):
        ideas.append(TRANSPOSED)
    elif lost := _lost(found, *per_input):
        ideas.append(lost)
    return " Or: ".join(ideas)


def _lost(found: Disagreement, analytic: Array, numeric: Array) -> str:
    """What is missing from the derivative of the sum of all outputs, seen per input."""
    wrong = np.abs(analytic - numeric) > found.tolerance.sum(axis=0)
    if not wrong.any() or not analytic[wrong].all():
        return ""
    common = _common_ratio(analytic[wrong], numeric[wrong])
    if common and wrong.all() and any(_near(1 / common, size) for size in _products(found.sizes)):
        return _meaning(common, found.sizes)
    factors = numeric[wrong] / analytic[wrong]
    whole = np.abs(factors - np.round(factors)) < _CLOSE
    return OVERWRITTEN if (whole & (factors > 1.5)).all() and not wrong.all() else ""


def _common_ratio(analytic: Array, numeric: Array) -> float:
    """The factor between the two, if it is the same everywhere; else 0."""
    there = np.abs(numeric) > 1e-8 * np.max(np.abs(numeric), initial=0.0)
    if not there.any() or np.abs(analytic[~there]).any():
        return 0.0
    ratios = analytic[there] / numeric[there]
    middle = float(np.median(ratios))
    return middle if np.ptp(ratios) <= _CLOSE * abs(middle) else 0.0


def _near(value: float, target: float) -> bool:
    return abs(value - target) <= _CLOSE * abs(target)


def _products(sizes: Iterable[int]) -> set[int]:
    """Every size, and every product of several, that a sum or a mean may run over."""
    several = sorted({size for size in sizes if size > 1})
    return {math.prod(chosen) for n in (1, 2, 3) for chosen in itertools.combinations(several, n)}


def _meaning(ratio: float, sizes: Iterable[int]) -> str:
    """What a constant factor between a derivative and the truth usually means."""
    if _near(ratio, -1):
        return "the sign is flipped."
    flipped = "the sign is flipped, and " if ratio < 0 else ""
    if _near(abs(ratio), 2) or _near(abs(ratio), 0.5):
        return (
            f"{flipped}a factor {abs(ratio):g}: one of two equal terms lost or counted twice, or an axis of length 2?"
        )
    size = next((n for n in sorted(_products(sizes)) if _near(abs(ratio), 1 / n) or _near(abs(ratio), n)), None)
    if size and abs(ratio) < 1:
        text = f"ratio 1/{size}, {size} = size of the broadcast (or reduced) axis: a missing sum over it, or a mean?"
    elif size:
        text = f"ratio {size} = size of the broadcast (or reduced) axis: summed once too often, a mean's division lost?"
    else:
        text = f"a constant factor of {abs(ratio):.6g}."
    return flipped + text


def _is_transposed(found: Disagreement) -> bool:
    """Whether the derivatives agree once the last two axes of the input are exchanged."""
    (shape,) = found.shapes
    rows, columns = found.analytic.shape
    if len(shape) < 2 or shape[-1] != shape[-2] or columns != math.prod(shape):
        return False
    swapped = found.analytic.reshape(-1, *shape).swapaxes(-1, -2).reshape(rows, columns)
    return bool(np.all(np.abs(swapped - found.numeric) <= found.tolerance))
