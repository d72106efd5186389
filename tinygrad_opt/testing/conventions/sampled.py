"""Conventions of what is done with the samples of a function."""

from __future__ import annotations

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

KNOTS, VALUES = [0.0, 1.0, 3.0], [1.0, 3.0, 4.0]

CONVENTIONS = (
    Convention(
        "interp", "x at a knot", ops.interp, ([0.0, 1.0, 3.0], KNOTS, VALUES), [1.0, 3.0, 4.0],
        ([2.0, 0.5, 0.5], [-2.0, -0.5, -0.5], [1.0, 1.0, 1.0]), ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        "the line to the right counts, at the last knot that to the left: a slope from one side, as in JAX",
    ),
    Convention(
        "interp", "x beyond the knots", ops.interp, ([-1.0, 5.0], KNOTS, VALUES), [1.0, 4.0],
        ([0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]), ([0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        "the function is constant there",
    ),
    Convention(
        "interp", "two knots at one place", ops.interp, ([1.0, 2.0], [0.0, 1.0, 1.0, 3.0], [0.0, 1.0, 5.0, 7.0]),
        [5.0, 6.0], ([1.0, 1.0], [0.0, 0.0, -1.5, -0.5], [0.0, 0.0, 1.5, 0.5]), ([0.0, 0.0], [0.0] * 4, [0.0] * 4),
        "at the jump the value to the right counts; the jump itself has no slope, and spoils nothing",
    ),
    Convention(
        "vander", "x = 0", lambda x: ops.vander(x, 4), ([0.0],), [0.0, 0.0, 0.0, 1.0], ([1.0],), ([2.0],),
        "x⁰ is 1 for every x, and all powers are smooth",
    ),
)  # fmt: skip
