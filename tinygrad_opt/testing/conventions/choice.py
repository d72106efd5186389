"""Conventions of choosing."""

from __future__ import annotations

from math import inf, nan

from ... import ops
from .convention import Convention

__all__ = ["CONVENTIONS"]

CONVENTIONS = (
    Convention(
        "relu", "x = 0", ops.relu, ([0.0, -0.0],), [0.0, 0.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "0 is a subgradient, and the one that the field uses",
    ),
    Convention(
        "relu", "x is nan", ops.relu, ([nan],), [nan], ([1.0],), ([0.0],), "as in PyTorch: nan is not below 0",
    ),
    Convention(
        "maximum", "a = b", ops.maximum, ([1.0], [1.0]), [1.0], ([0.5], [0.5]), ([0.0], [0.0]),
        "tied arguments share equally, so that exchanging them changes nothing",
    ),
    Convention(
        "minimum", "a = b", ops.minimum, ([1.0], [1.0]), [1.0], ([0.5], [0.5]), ([0.0], [0.0]),
        "as for maximum",
    ),
    Convention(
        "maximum", "an argument is nan", ops.maximum, ([nan, 1.0], [1.0, nan]), [nan, nan], ([1.0, 1.0], [1.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0]), "as in PyTorch: neither is the smaller one",
    ),
    Convention(
        "minimum", "an argument is nan", ops.minimum, ([nan, 1.0], [1.0, nan]), [nan, nan], ([1.0, 1.0], [1.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0]), "as for maximum",
    ),
    Convention(
        "fmax", "a = b, or one is nan", ops.fmax, ([1.0, nan, 1.0], [1.0, 1.0, nan]), [1.0, 1.0, 1.0],
        ([0.5, 0.0, 1.0], [0.5, 1.0, 0.0]), ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        "as for maximum; a number beats nan, in the derivative too",
    ),
    Convention(
        "fmin", "a = b, or one is nan", ops.fmin, ([1.0, nan, 1.0], [1.0, 1.0, nan]), [1.0, 1.0, 1.0],
        ([0.5, 0.0, 1.0], [0.5, 1.0, 0.0]), ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]), "as for fmax",
    ),
    Convention(
        "clip", "x is on a bound", ops.clip, ([0.0, 1.0], [0.0, 0.0], [1.0, 1.0]), [0.0, 1.0],
        ([1.0, 1.0], [0.0, 0.0], [0.0, 0.0]), ([0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
        "as in PyTorch: x is free to move inwards, and keeps its derivative",
    ),
    Convention(
        "clip", "the lower bound is above the upper one", ops.clip, ([0.5], [2.0], [1.0]), [1.0],
        ([0.0], [0.0], [1.0]), ([0.0], [0.0], [0.0]), "as in NumPy, the upper bound has the last word",
    ),
    Convention(
        "clip", "x is nan", ops.clip, ([nan], [0.0], [1.0]), [nan], ([0.0], [0.0], [0.0]), ([0.0], [0.0], [0.0]),
        "as in PyTorch: nan is not within the bounds",
    ),
    Convention(
        "nan_to_num", "x is infinite or nan", lambda x: ops.nan_to_num(x, nan=0.0, posinf=9.0, neginf=-9.0),
        ([nan, inf, -inf, 2.0],), [0.0, 9.0, -9.0, 2.0], ([0.0, 0.0, 0.0, 1.0],), ([0.0, 0.0, 0.0, 0.0],),
        "what is replaced has no say",
    ),
    Convention(
        "where", "the branch not chosen is infinite or nan",
        lambda a, b: ops.where(a < 5, a, b), ([1.0, inf], [nan, 2.0]), [1.0, 2.0], ([1.0, 0.0], [0.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0]), "what was not chosen has derivative 0, whatever its value",
    ),
    Convention(
        "where", "where(x > 0, log(x), 0) at x = 0", lambda x: ops.where(x > 0, ops.log(x), 0.0), ([1.0, 0.0],),
        [0.0, 0.0], ([1.0, nan],), ([-1.0, nan],),
        "where sends log a derivative of 0, and log multiplies it by its infinite slope: guard the argument, as below",
    ),
    Convention(
        "where", "where(x > 0, log(where(x > 0, x, 1)), 0) at x = 0",
        lambda x: ops.where(x > 0, ops.log(ops.where(x > 0, x, 1.0)), 0.0), ([1.0, 0.0],), [0.0, 0.0], ([1.0, 0.0],),
        ([-1.0, 0.0],), "the logarithm never sees the zero",
    ),
)  # fmt: skip
