"""Specifications of exponentials, logarithms and roots."""

from __future__ import annotations

import math

import numpy as np

from ..sources import POSITIVE, Domain, Source
from .spec import Sample, Spec, binary, unary

__all__ = ["SPECS"]


def _share(source: Source) -> Sample:
    return Sample([source.array(shape) for shape in source.shapes(2)], {"unit": source.choose((1.0, math.log(2)))})


SPECS = [
    unary("sqrt", np.sqrt, POSITIVE),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), POSITIVE),
    unary("exp", np.exp),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, POSITIVE),
    unary("log2", np.log2, POSITIVE),
    unary("log10", np.log10, POSITIVE),
    unary("log1p", np.log1p, Domain(-0.75, 3.0)),
    unary("sigmoid", lambda x: 1 / (1 + np.exp(-1.0 * x))),
    unary("sigmoid_slope", lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    unary("softplus", lambda x: np.log1p(np.exp(x))),
    binary("logaddexp", lambda a, b: b + np.log1p(np.exp(a - b))),
    binary("logaddexp2", lambda a, b: b + np.log2(1 + np.exp2(a - b))),
    Spec("share", lambda a, b, unit: 1 / (1 + np.exp(unit * (b - a))), _share),
    binary("xlogy", lambda x, y: x * np.log(y + 0 * x), right=POSITIVE),
]
