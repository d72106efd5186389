"""Conventions of elementwise losses, where their pieces meet."""

from __future__ import annotations

from functools import partial

from ...ops.losses import clamped_log, huber
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "huber_loss", "residual ±delta", partial(huber, delta=1.0), ([1.0, -1.0],), [0.5, 0.5], ([1.0, -1.0],),
        ([0.0, 0.0],), "smooth; its second derivative is that of the line, as in PyTorch",
    ),
    Convention(
        "binary_cross_entropy", "p = 0, y = 1", lambda p: -clamped_log(p, offset=0, floor=1e-12), ([0.0],), [100.0],
        ([-1e12],), ([0.0],), "the logarithm is clamped; the slope, clamped later, still leads away, as in PyTorch",
    ),
    Convention(
        "binary_cross_entropy", "p = 1, y = 0", lambda p: -clamped_log(-p, offset=1, floor=1e-12), ([1.0],), [100.0],
        ([1e12],), ([0.0],), "the same",
    ),
)  # fmt: skip
