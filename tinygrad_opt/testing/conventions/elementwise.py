"""Conventions of the functions of corresponding elements."""

from __future__ import annotations

from math import inf, nan

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

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
)  # fmt: skip
