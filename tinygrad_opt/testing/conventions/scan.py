"""Conventions of products: there is a derivative at zeros, but a division would not find it."""

from __future__ import annotations

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "prod", "one x is 0", lambda x: ops.prod(x, axis=0, keepdims=True), ([0.0, 2.0, 3.0],), [0.0],
        ([6.0, 0.0, 0.0],), ([5.0, 3.0, 2.0],), "the product of the others; nothing is divided",
    ),
    Convention(
        "prod", "two x are 0", lambda x: ops.prod(x, axis=0, keepdims=True), ([0.0, 0.0, 3.0],), [0.0],
        ([0.0, 0.0, 0.0],), ([3.0, 3.0, 0.0],), "the same: the second derivative is not 0",
    ),
    Convention(
        "cumprod", "two x are 0", ops.cumprod, ([0.0, 2.0, 0.0],), [0.0, 0.0, 0.0], ([3.0, 0.0, 0.0],),
        ([3.0, 1.0, 2.0],), "as for prod",
    ),
)  # fmt: skip
