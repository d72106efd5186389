"""Conventions of exponentials, logarithms and roots."""

from __future__ import annotations

from math import inf, log

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "sqrt", "x = 0", ops.sqrt, ([0.0],), [0.0], ([inf],), ([-inf],),
        "the slope is infinite, and no finite number would be true; add a small number under the root",
    ),
    Convention(
        "rsqrt", "x = 0", ops.rsqrt, ([0.0],), [inf], ([-inf],), ([inf],), "a pole",
    ),
    Convention(
        "log", "x = 0", ops.log, ([0.0],), [-inf], ([inf],), ([-inf],),
        "as for sqrt; add a small number, or use a function that takes logits",
    ),
    Convention(
        "log2", "x = 0", ops.log2, ([0.0],), [-inf], ([inf],), ([-inf],), "as for log",
    ),
    Convention(
        "log10", "x = 0", ops.log10, ([0.0],), [-inf], ([inf],), ([-inf],), "as for log",
    ),
    Convention(
        "log1p", "x = -1", ops.log1p, ([-1.0],), [-inf], ([inf],), ([-inf],), "as for log",
    ),
    Convention(
        "logaddexp", "a = b = -inf", ops.logaddexp, ([-inf], [-inf]), [-inf], ([0.0], [0.0]), ([0.0], [0.0]),
        "as for logsumexp: an empty sum does not move",
    ),
    Convention(
        "logaddexp", "a = b = inf", ops.logaddexp, ([inf], [inf]), [inf], ([0.5], [0.5]), ([0.0], [0.0]),
        "equal arguments share equally, as everywhere else",
    ),
    Convention(
        "logaddexp", "one of the two is infinite", ops.logaddexp, ([-inf, inf], [1.0, 1.0]), [1.0, inf],
        ([0.0, 1.0], [1.0, 0.0]), ([0.0, 0.0], [0.0, 0.0]), "the larger one decides alone",
    ),
    Convention(
        "logaddexp2", "both are infinite", ops.logaddexp2, ([-inf, inf], [-inf, inf]), [-inf, inf],
        ([0.0, 0.5], [0.0, 0.5]), ([0.0, 0.0], [0.0, 0.0]), "as for logaddexp",
    ),
    Convention(
        "xlogy", "x = y = 0", ops.xlogy, ([0.0], [0.0]), [0.0], ([0.0], [0.0]), ([0.0], [0.0]),
        "0 · log 0 is read as 0, and so are its slopes: a probability of 0 adds nothing to an entropy",
    ),
    Convention(
        "xlogy", "x = 0, y = 1/2", ops.xlogy, ([0.0], [0.5]), [0.0], ([-log(2)], [0.0]), ([2.0], [2.0]),
        "nothing is singular here",
    ),
    Convention(
        "sigmoid", "x = ±10⁴", ops.sigmoid, ([-1e4, 1e4],), [0.0, 1.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "no overflow on the way to the limits",
    ),
)  # fmt: skip
