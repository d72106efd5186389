"""Conventions of arithmetic."""

from __future__ import annotations

from math import inf

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "absolute", "x = 0", ops.absolute, ([0.0],), [0.0], ([0.0],), ([0.0],),
        "the subgradient in the middle; both slopes are as far away",
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
        "power", "0 ** 1, by the base", lambda x: x**1, ([0.0],), [0.0], ([1.0],), ([0.0],), "x¹ is x",
    ),
    Convention(
        "power", "0 ** 1, by both", ops.power, ([0.0], [1.0]), [0.0], ([1.0], [0.0]), ([1.0], [1.0]),
        "x⁰ is 1 and 0 · log 0 is read as 0, in either order",
    ),
    Convention(
        "power", "0 ** 0.5, by the base", lambda x: x**0.5, ([0.0],), [0.0], ([inf],), ([-inf],), "as for sqrt",
    ),
    Convention(
        "power", "0 ** -1, by the base", lambda x: x**-1, ([0.0],), [inf], ([-inf],), ([inf],), "a pole",
    ),
    Convention(
        "power", "0 ** -1, by the exponent", lambda p: 0.0**p, ([-1.0],), [inf], ([-inf],), ([inf],),
        "what is infinite already has an infinite slope",
    ),
    Convention(
        "power", "the number 0, by the exponent", lambda p: 0.0**p, ([0.0, 2.0],), [1.0, 0.0], ([0.0, 0.0],),
        ([0.0, 0.0],), "0 · log 0 is read as 0",
    ),
)  # fmt: skip
