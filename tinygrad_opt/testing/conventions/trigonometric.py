"""Conventions of circular and hyperbolic functions."""

from __future__ import annotations

from math import inf, pi

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "arcsin", "x = ±1", ops.arcsin, ([-1.0, 1.0],), [-pi / 2, pi / 2], ([inf, inf],), ([-inf, inf],),
        "the slope is infinite",
    ),
    Convention(
        "arccos", "x = ±1", ops.arccos, ([-1.0, 1.0],), [pi, 0.0], ([-inf, -inf],), ([inf, -inf],), "as for arcsin",
    ),
    Convention(
        "arccosh", "x = 1", ops.arccosh, ([1.0],), [0.0], ([inf],), ([-inf],), "as for arcsin",
    ),
    Convention(
        "arctanh", "x = ±1", ops.arctanh, ([-1.0, 1.0],), [-inf, inf], ([inf, inf],), ([-inf, inf],), "a pole",
    ),
    Convention(
        "arctan2", "a = b = 0", ops.arctan2, ([0.0], [0.0]), [0.0], ([0.0], [0.0]), ([0.0], [0.0]),
        "the origin has no angle; as in PyTorch",
    ),
    Convention(
        "arctan2", "a = 0, b = -1", ops.arctan2, ([0.0], [-1.0]), [pi], ([-1.0], [0.0]), ([-1.0], [-1.0]),
        "the angle jumps by a whole turn, and its slope does not",
    ),
    Convention(
        "hypot", "a = b = 0", ops.hypot, ([0.0], [0.0]), [0.0], ([0.0], [0.0]), ([0.0], [0.0]),
        "the subgradient in the middle, as for absolute",
    ),
)  # fmt: skip
