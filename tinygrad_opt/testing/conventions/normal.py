"""Conventions of the maps that rescale a whole group of elements."""

from __future__ import annotations

from math import inf

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "softmax", "some x are -inf", lambda x: ops.softmax(x)[1:2], ([-inf, 0.0, 0.0],), [0.5],
        ([0.0, 0.25, -0.25],), ([0.0, 0.0, 0.0],), "a masked element has weight 0",
    ),
    Convention(
        "normalize", "all x are equal", ops.normalize, ([1.0, 1.0],), [0.0, 0.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "finite thanks to eps; nan with eps=0",
    ),
)  # fmt: skip
