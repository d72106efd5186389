"""Conventions of sorting and of order statistics."""

from __future__ import annotations

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "sort", "sort(x) · (1, 10, 100), several elements are equal", lambda x: ops.sort(x) * [1.0, 10.0, 100.0],
        ([2.0, 1.0, 2.0],), [1.0, 20.0, 200.0], ([10.0, 1.0, 100.0],), ([0.0, 0.0, 0.0],),
        "tied elements keep the order in which they came, and each place has one of them",
    ),
    Convention(
        "median", "several elements are in the middle", lambda x: ops.median(x, axis=0, keepdims=True),
        ([1.0, 1.0, 0.0, 1.0, 2.0],), [1.0], ([1 / 3, 1 / 3, 0.0, 1 / 3, 0.0],), ([0.0] * 5,),
        "tied elements share equally, as in max",
    ),
    Convention(
        "quantile", "several elements are next to it", lambda x: ops.quantile(x, [0.25], axis=0),
        ([0.0, 1.0, 1.0],), [0.5], ([0.5, 0.25, 0.25],), ([0.0, 0.0, 0.0],), "as for median",
    ),
)  # fmt: skip
