"""Conventions of the statistics, and of the reductions that pass over nan."""

from __future__ import annotations

from math import nan

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "std", "all x are equal", lambda x: ops.std(x, axis=0, keepdims=True), ([2.0, 2.0],), [0.0], ([0.0, 0.0],),
        ([0.0, 0.0],), "the smallest subgradient of a norm at its kink, and no difference between the elements",
    ),
    Convention(
        "max", "initial is as large as the largest element", lambda x: ops.max(x, axis=0, keepdims=True, initial=2.0),
        ([2.0, 1.0],), [2.0], ([0.5, 0.0],), ([0.0, 0.0],), "tied with a constant, as in maximum",
    ),
    Convention(
        "nansum", "some x are nan", lambda x: ops.nansum(x, axis=0, keepdims=True), ([nan, 1.0],), [1.0],
        ([0.0, 1.0],), ([0.0, 0.0],), "what is passed over has derivative 0",
    ),
    Convention(
        "nanvar", "some x are nan", lambda x: ops.nanvar(x, axis=0, keepdims=True), ([nan, 1.0, 3.0],), [1.0],
        ([0.0, -1.0, 1.0],), ([0.0, 0.0, 0.0],), "as for nansum",
    ),
    Convention(
        "nanmean", "all x are nan", lambda x: ops.nanmean(x, axis=0, keepdims=True), ([nan, nan],), [nan],
        ([0.0, 0.0],), ([0.0, 0.0],), "there is nothing to take a mean of, and nothing to move it",
    ),
)  # fmt: skip
