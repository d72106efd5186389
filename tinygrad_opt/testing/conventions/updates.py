"""Conventions of the functional updates."""

from __future__ import annotations

from ...ops import updates
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "at[i].set", "an element is named twice", lambda t, v: updates.set_at(t, [0, 0], v), ([1.0, 2.0], [5.0, 6.0]),
        [6.0, 2.0], ([0.0, 1.0], [0.0, 1.0]), ([0.0, 0.0], [0.0, 0.0]),
        "the last value stays, as in NumPy, on every device; what was written over has derivative 0",
    ),
    Convention(
        "at[i].max", "values tied with the element", lambda t, v: updates.max_at(t, [0, 0], v), ([1.0], [1.0, 1.0]),
        [1.0], ([1 / 3], [1 / 3, 1 / 3]), ([0.0], [0.0, 0.0]), "all that are tied share equally, as in max",
    ),
    Convention(
        "at[i].multiply", "zeros among the factors", lambda t, v: updates.multiply_at(t, [0, 0], v),
        ([3.0], [0.0, 0.0]), [0.0], ([0.0], [0.0, 0.0]), ([0.0], [3.0, 3.0]), "nothing is divided, as in prod",
    ),
)  # fmt: skip
