"""Specifications of choosing: by a mask, the larger, the smaller, within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import Domain, Source
from .spec import Sample, Spec, unary

__all__ = ["SPECS"]

QUARTERS = Domain(-3.0, 3.0, step=0.25)
GRID = tuple(k / 4 for k in range(-12, 13))


def _where(source: Source) -> Sample:
    mask, a, b = source.shapes(3)
    arrays = [source.mask(mask), source.array(a), source.array(b)]
    scalar = source.integer(0, 3)
    return Sample([source.number() if i == scalar > 0 else x for i, x in enumerate(arrays)])


def _pair_without_ties(source: Source) -> Sample:
    return Sample(source.distinct(*source.shapes(2)))


def _pair_with_nan(source: Source) -> Sample:
    """Now and then one of the two is nan."""
    a, b = (x.copy() for x in source.distinct(*source.shapes(2)))
    if not source.tied:
        spoilt = source.choose((a, b))
        spoilt[source.mask(spoilt.shape)] = np.nan
    return Sample([a, b])


def _clip(source: Source) -> Sample:
    """Bounds an eighth away from all values, in either order; arrays or numbers, and under either name."""
    shape = source.shape()
    if source.tied:
        low, high = source.choose(((-1.0, 0.0), (-1.0, 1.0), (0.0, 1.0)))
        return Sample([source.array(shape), np.full(shape, low), np.full(shape, high)])
    x = source.array(shape, QUARTERS)
    low = source.array(source.part_of(shape), Domain(-2.875, -0.125, avoid=GRID))
    high = source.array(source.part_of(shape), Domain(0.125, 2.875, avoid=GRID))
    form = source.choose(("arrays", "numbers", "above", "keywords", "wrong order"))
    if form == "above":
        return Sample([x, None, high])
    if form == "arrays":
        return Sample([x, low, high])
    if form == "wrong order":
        return Sample([x, high, low])
    bounds = source.choose((-0.625, -1.125)), source.choose((0.375, 1.125))
    return Sample([x, *bounds] if form == "numbers" else [x], {} if form == "numbers" else {"max": bounds[1]})


def _clip_reference(a: Any, a_min: Any = None, a_max: Any = None, *, max: Any = None) -> Any:
    return np.clip(a, a_min, a_max if max is None else max)


def _nan_to_num(source: Source) -> Sample:
    shape = source.shape()
    x = source.array(shape)
    x[source.mask(shape)] = source.choose((np.nan, np.inf, -np.inf))
    return Sample([x], {name: source.number() for name in ("nan", "posinf", "neginf")})


SPECS = [
    Spec("where", np.where, _where),
    unary("relu", lambda x: np.maximum(x, 0), Domain(-3.0, 3.0, avoid=(0.0,)), analytic=False, kinks="0"),
    Spec("maximum", np.maximum, _pair_without_ties, analytic=False, kinks="a = b"),
    Spec("minimum", np.minimum, _pair_without_ties, analytic=False, kinks="a = b"),
    Spec("fmax", np.fmax, _pair_with_nan, analytic=False, kinks="a = b"),
    Spec("fmin", np.fmin, _pair_with_nan, analytic=False, kinks="a = b"),
    Spec("clip", _clip_reference, _clip, primitive="clip_high", analytic=False, kinks="x is on a bound"),
    Spec("clip_low", np.maximum, _pair_without_ties, function=ops.clip, analytic=False, kinks="a = b"),
    Spec("clip_high", np.minimum, _pair_without_ties, analytic=False, kinks="a = b"),
    Spec("nan_to_num", np.nan_to_num, _nan_to_num, primitive="where", analytic=False),
]
