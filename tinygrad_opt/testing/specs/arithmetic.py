"""Specifications of arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import NONZERO, POSITIVE, REALS, WHOLE, Domain, Source
from .spec import Sample, Spec, binary, unary

__all__ = ["SPECS"]

EXPONENTS = Domain(-2.0, 3.0, step=0.5)


def _power(source: Source) -> Sample:
    """A positive base with any exponent, a negative one with a whole exponent, a number on either side."""
    base, exponent = source.shapes(2)
    form = source.choose(("both", "whole exponents", "number above", "whole number above", "number below"))
    if form == "both":
        return Sample([source.array(base, POSITIVE), source.array(exponent, EXPONENTS)])
    if form == "whole exponents":
        return Sample([source.array(base, NONZERO), source.array(exponent, WHOLE)], differentiable=(0,))
    if form == "number above":
        return Sample([source.array(base, POSITIVE), source.number(EXPONENTS)])
    if form == "whole number above":
        return Sample([source.array(base, REALS), source.integer(0, 3)])
    return Sample([source.number(POSITIVE), source.array(exponent, EXPONENTS)])


def _astype(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"dtype": np.dtype(source.choose(["float32", "float64"]))})


def _cast_away(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"dtype": np.dtype(source.choose(["int32", "int64", "bool"]))})


def _astype_reference(x: Any, dtype: Any) -> Any:
    return x if np.iscomplexobj(x) else x.astype(dtype)


SPECS = [
    binary("add", np.add),
    binary("subtract", np.subtract),
    binary("multiply", np.multiply),
    binary("divide", np.divide, right=NONZERO),
    unary("negative", np.negative),
    unary("reciprocal", np.reciprocal, NONZERO),
    unary("square", lambda x: x * x),
    unary("absolute", np.abs, Domain(-3.0, 3.0, avoid=(0.0,)), analytic=False, kinks="0"),
    Spec("power", np.power, _power),
    Spec("astype", _astype_reference, _astype, primitive="cast"),
    Spec("cast_away", lambda x, dtype: x.astype(dtype), _cast_away, function=ops.astype),
]
