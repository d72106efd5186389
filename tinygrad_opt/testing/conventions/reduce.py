"""Conventions of the reductions."""

from __future__ import annotations

from math import inf

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "max", "several elements are largest", lambda x: ops.max(x, axis=0, keepdims=True), ([2.0, 1.0, 2.0],), [2.0],
        ([0.5, 0.0, 0.5],), ([0.0, 0.0, 0.0],), "tied elements share equally",
    ),
    Convention(
        "min", "several elements are smallest", lambda x: ops.min(x, axis=0, keepdims=True), ([1.0, 1.0, 1.0, 2.0],),
        [1.0], ([1 / 3, 1 / 3, 1 / 3, 0.0],), ([0.0] * 4,), "tied elements share equally",
    ),
    Convention(
        "logsumexp", "all x are -inf", lambda x: ops.logsumexp(x, axis=0, keepdims=True), ([-inf, -inf],), [-inf],
        ([0.0, 0.0],), ([0.0, 0.0],), "an empty sum does not move: a row that is masked out entirely stays silent",
    ),
    Convention(
        "logsumexp", "some x are -inf", lambda x: ops.logsumexp(x, axis=0, keepdims=True), ([-inf, 0.0, 0.0],),
        [0.6931471805599453], ([0.0, 0.5, 0.5],), ([0.0, 0.0, 0.0],), "a masked element has weight 0",
    ),
)  # fmt: skip
