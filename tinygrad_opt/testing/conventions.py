"""What derivatives are where there is none, or no single one: the choices of the package, as a table.

Wherever a finite choice exists that costs no more, it is taken, so that one element at a singular point does not
spoil a whole gradient; where the truth is an infinite slope, it is told. The suite checks every line of the table:
the value, the gradient in both modes, and second derivatives by the three routes of `hvp`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from typing import Any

from .. import ops

__all__ = ["CONVENTIONS", "Convention", "markdown"]

Values = list[float]


@dataclass(frozen=True)
class Convention:
    """One choice.

    Attributes
    ----------
    function, point : str
        Which function, and where.
    call : callable
        Computes it from tensors.
    args : tuple of lists
        The point.
    value : list
        The result there.
    gradients : tuple of lists
        The derivative of the sum of the result, by each argument.
    curvatures : tuple of lists
        The second derivative of the sum of the result, applied to a direction of ones, for each argument.
    reason : str
        Why.
    """

    function: str
    point: str
    call: Callable[..., Any]
    args: tuple[Values, ...]
    value: Values
    gradients: tuple[Values, ...]
    curvatures: tuple[Values, ...]
    reason: str


CONVENTIONS = (
    Convention(
        "relu", "x = 0", ops.relu, ([0.0, -0.0],), [0.0, 0.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "0 is a subgradient, and the one that the field uses",
    ),
    Convention(
        "absolute", "x = 0", ops.absolute, ([0.0],), [0.0], ([0.0],), ([0.0],),
        "the subgradient in the middle; both slopes are as far away",
    ),
    Convention(
        "maximum", "a = b", ops.maximum, ([1.0], [1.0]), [1.0], ([0.5], [0.5]), ([0.0], [0.0]),
        "tied arguments share equally, so that exchanging them changes nothing",
    ),
    Convention(
        "minimum", "a = b", ops.minimum, ([1.0], [1.0]), [1.0], ([0.5], [0.5]), ([0.0], [0.0]),
        "as for maximum",
    ),
    Convention(
        "max", "several elements are largest", lambda x: ops.max(x, axis=0, keepdims=True), ([2.0, 1.0, 2.0],), [2.0],
        ([0.5, 0.0, 0.5],), ([0.0, 0.0, 0.0],), "tied elements share equally",
    ),
    Convention(
        "min", "several elements are smallest", lambda x: ops.min(x, axis=0, keepdims=True), ([1.0, 1.0, 1.0, 2.0],),
        [1.0], ([1 / 3, 1 / 3, 1 / 3, 0.0],), ([0.0] * 4,), "tied elements share equally",
    ),
    Convention(
        "sqrt", "x = 0", ops.sqrt, ([0.0],), [0.0], ([inf],), ([-inf],),
        "the slope is infinite, and no finite number would be true; add a small number under the root",
    ),
    Convention(
        "log", "x = 0", ops.log, ([0.0],), [-inf], ([inf],), ([-inf],),
        "as for sqrt; add a small number, or use a function that takes logits",
    ),
    Convention(
        "reciprocal", "x = 0", ops.reciprocal, ([0.0],), [inf], ([-inf],), ([inf],), "a pole",
    ),
    Convention(
        "power", "0 ** 0", ops.power, ([0.0], [0.0]), [1.0], ([0.0], [0.0]), ([0.0], [0.0]),
        "x⁰ is 1 for every x; by the exponent, 0 · log 0 is read as 0",
    ),
    Convention(
        "power", "0 ** 2", ops.power, ([0.0], [2.0]), [0.0], ([0.0], [0.0]), ([2.0], [0.0]),
        "x² is smooth; by the exponent, 0 · log 0 is read as 0",
    ),
    Convention(
        "power", "(-3) ** 2, by the base", lambda x: x**2, ([-3.0],), [9.0], ([-6.0],), ([2.0],),
        "the derivative by the base never takes a logarithm",
    ),
    Convention(
        "power", "(-2) ** 3, by the base", lambda x: ops.power(x, 3.0), ([-2.0],), [-8.0], ([12.0],), ([-12.0],),
        "the same for an exponent that is a floating number",
    ),
    Convention(
        "logsumexp", "all x are -inf", lambda x: ops.logsumexp(x, axis=0, keepdims=True), ([-inf, -inf],), [-inf],
        ([0.0, 0.0],), ([0.0, 0.0],), "an empty sum does not move: a row that is masked out entirely stays silent",
    ),
    Convention(
        "logsumexp", "some x are -inf", lambda x: ops.logsumexp(x, axis=0, keepdims=True), ([-inf, 0.0, 0.0],),
        [0.6931471805599453], ([0.0, 0.5, 0.5],), ([0.0, 0.0, 0.0],), "a masked element has weight 0",
    ),
    Convention(
        "softmax", "some x are -inf", lambda x: ops.softmax(x)[1:2], ([-inf, 0.0, 0.0],), [0.5],
        ([0.0, 0.25, -0.25],), ([0.0, 0.0, 0.0],), "a masked element has weight 0",
    ),
    Convention(
        "where", "the branch not chosen is infinite or nan",
        lambda a, b: ops.where(a < 5, a, b), ([1.0, inf], [nan, 2.0]), [1.0, 2.0], ([1.0, 0.0], [0.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0]), "what was not chosen has derivative 0, whatever its value",
    ),
    Convention(
        "where", "where(x > 0, log(x), 0) at x = 0", lambda x: ops.where(x > 0, ops.log(x), 0.0), ([1.0, 0.0],),
        [0.0, 0.0], ([1.0, nan],), ([-1.0, nan],),
        "where sends log a derivative of 0, and log multiplies it by its infinite slope: guard the argument, as below",
    ),
    Convention(
        "where", "where(x > 0, log(where(x > 0, x, 1)), 0) at x = 0",
        lambda x: ops.where(x > 0, ops.log(ops.where(x > 0, x, 1.0)), 0.0), ([1.0, 0.0],), [0.0, 0.0], ([1.0, 0.0],),
        ([-1.0, 0.0],), "the logarithm never sees the zero",
    ),
    Convention(
        "normalize", "all x are equal", ops.normalize, ([1.0, 1.0],), [0.0, 0.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "finite thanks to eps; nan with eps=0",
    ),
)  # fmt: skip


def markdown() -> str:
    """The table, in Markdown.

    Examples
    --------
    >>> from tinygrad_opt.testing import conventions
    >>> print(conventions.markdown().splitlines()[2])
    | relu | x = 0 | 0, 0 | 0, 0 | 0, 0 | 0 is a subgradient, and the one that the field uses |
    """
    lines = ["| function | where | value | gradient | second derivative | why |", "|---|---|---|---|---|---|"]
    for c in CONVENTIONS:
        cells = [_cell([c.value]), _cell(c.gradients), _cell(c.curvatures)]
        lines.append(f"| {' | '.join([c.function, c.point, *cells, c.reason])} |")
    return "\n".join(lines)


def _cell(parts: Any) -> str:
    """Numbers in a cell: those of one argument apart from those of the next."""
    return "; ".join(", ".join(f"{x:.3g}" for x in part) for part in parts)
