"""Conventions of what division leaves over."""

from __future__ import annotations

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "remainder", "a is a multiple of b", ops.remainder, ([4.0, -4.0], [2.0, 2.0]), [0.0, 0.0],
        ([1.0, 1.0], [-2.0, 2.0]), ([0.0, 0.0], [0.0, 0.0]), "a jump: the slope of the side that it belongs to",
    ),
    Convention(
        "fmod", "a is a multiple of b", ops.fmod, ([4.0, -4.0], [2.0, 2.0]), [0.0, 0.0], ([1.0, 1.0], [-2.0, 2.0]),
        ([0.0, 0.0], [0.0, 0.0]), "as for remainder",
    ),
)  # fmt: skip
