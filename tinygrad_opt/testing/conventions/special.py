"""Conventions of the error functions, and of sin(πx)/(πx)."""

from __future__ import annotations

from math import inf, pi

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "erf", "x = ±inf", ops.erf, ([inf, -inf],), [1.0, -1.0], ([0.0, 0.0],), ([0.0, 0.0],), "flat, as all around",
    ),
    Convention(
        "erfc", "x = ±inf", ops.erfc, ([inf, -inf],), [0.0, 2.0], ([0.0, 0.0],), ([0.0, 0.0],), "flat, as all around",
    ),
    Convention(
        "sinc", "x = 0", ops.sinc, ([0.0],), [1.0], ([0.0],), ([-(pi**2) / 3],), "smooth, as the power series shows",
    ),
)  # fmt: skip
