"""Specifications of comparisons, of logic, and of questions about single elements."""

from __future__ import annotations

import numpy as np

from ..sources import WHOLE, Domain, Source
from .spec import Sample, Spec, binary, unary

__all__ = ["SPECS"]


def _special(source: Source) -> Sample:
    """Values of every sort, infinite ones and nan among them."""
    return Sample([source.generator().choice([0.0, 1.5, -2.0, np.inf, -np.inf, np.nan], source.shape())])


def _bits(source: Source) -> Sample:
    """Booleans, or whole numbers, or one of each."""
    a, b = source.shapes(2)
    return Sample([source.mask(s) if source.flip() else source.labels(s, 8) for s in (a, b)])


def _one_of_bits(source: Source) -> Sample:
    return Sample(_bits(source).args[:1])


SPECS = [
    binary("equal", np.equal, WHOLE, WHOLE),
    binary("not_equal", np.not_equal, WHOLE, WHOLE),
    binary("less", np.less, WHOLE, WHOLE),
    binary("less_equal", np.less_equal, WHOLE, WHOLE),
    binary("greater", np.greater, WHOLE, WHOLE),
    binary("greater_equal", np.greater_equal, WHOLE, WHOLE),
    unary("sign", np.sign, Domain(-1.0, 1.0, step=0.25)),
    Spec("isfinite", np.isfinite, _special),
    Spec("isinf", np.isinf, _special),
    Spec("isnan", np.isnan, _special),
    binary("logical_and", np.logical_and, WHOLE, WHOLE),
    binary("logical_or", np.logical_or, WHOLE, WHOLE),
    binary("logical_xor", np.logical_xor, WHOLE, WHOLE),
    Spec("logical_not", np.logical_not, _special),
    Spec("bitwise_and", np.bitwise_and, _bits),
    Spec("bitwise_or", np.bitwise_or, _bits),
    Spec("bitwise_xor", np.bitwise_xor, _bits),
    Spec("invert", np.invert, _one_of_bits),
]
