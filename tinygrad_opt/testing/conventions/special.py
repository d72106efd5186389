"""Conventions of the error functions, and of sin(πx)/(πx)."""

from __future__ import annotations

from math import pi

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "sinc", "x = 0", ops.sinc, ([0.0],), [1.0], ([0.0],), ([-(pi**2) / 3],), "smooth, as the power series shows",
    ),
)  # fmt: skip
