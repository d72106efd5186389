"""Conventions of linear algebra."""

from __future__ import annotations

from math import nan

from ... import ops
from ...ops import linalg
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "norm", "x = 0", lambda x: ops.norm(x, keepdims=True), ([0.0, 0.0],), [0.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "the subgradient in the middle of them all, as for absolute",
    ),
    Convention(
        "norm", "ord=3, some x are 0", lambda x: ops.norm(x, 3, keepdims=True), ([0.0, -2.0],), [2.0], ([0.0, -1.0],),
        ([0.0, 0.0],), "smooth for ord above 1; for smaller ones 0 is a choice",
    ),
    Convention(
        "norm", "ord=1, some x are 0", lambda x: ops.norm(x, 1, keepdims=True), ([0.0, -2.0],), [2.0], ([0.0, -1.0],),
        ([0.0, 0.0],), "as for absolute",
    ),
    Convention(
        "linalg.det", "rank n - 1", lambda x: linalg.det(x.reshape((2, 2))), ([1.0, 0.0, 0.0, 0.0],), [0.0],
        ([0.0, 0.0, 0.0, 1.0],), ([1.0, -1.0, -1.0, 1.0],), "the cofactors: a determinant is smooth",
    ),
    Convention(
        "linalg.det", "x = 0", lambda x: linalg.det(x.reshape((2, 2))), ([0.0, 0.0, 0.0, 0.0],), [0.0],
        ([0.0, 0.0, 0.0, 0.0],), ([1.0, -1.0, -1.0, 1.0],), "as above",
    ),
    Convention(
        "linalg.eigvalsh", "two are equal", lambda x: linalg.eigvalsh(x.reshape((2, 2))), ([2.0, 0.0, 0.0, 2.0],),
        [2.0, 2.0], ([1.0, 0.0, 0.0, 1.0],), ([nan, nan, nan, nan],),
        "the gradient of what treats equal values alike is right; the second derivative asks how the vectors turn",
    ),
)  # fmt: skip
