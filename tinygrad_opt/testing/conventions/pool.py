"""Conventions of pooling."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]


def _largest(x: Any) -> Any:
    return ops.reshape(ops.max_pool1d(ops.reshape(x, (1, -1)), 3, 1, 1), -1)


CONVENTIONS = (
    Convention(
        "max_pool", "several elements of a window are largest", _largest, ([2.0, 2.0, 2.0],), [2.0, 2.0, 2.0],
        ([2.0, 1.0, 0.0],), ([0.0] * 3,), "the first of them receives all, as in the field: one index per window",
    ),
    Convention(
        "max_pool", "all x are -inf", _largest, ([-inf, -inf],), [-inf, -inf], ([2.0, 0.0],), ([0.0, 0.0],),
        "the first element, never the padding",
    ),
    Convention(
        "max_pool", "some x are nan", _largest, ([nan, 1.0, 2.0, 3.0],), [nan, nan, 3.0, 3.0],
        ([1.0, 0.0, 0.0, 2.0],), ([0.0] * 4,), "a nan comes through; the first place of its window receives all",
    ),
)  # fmt: skip
