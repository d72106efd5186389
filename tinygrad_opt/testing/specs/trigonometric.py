"""Specifications of circular and hyperbolic functions."""

from __future__ import annotations

import numpy as np

from ..sources import NONZERO, Domain
from .spec import binary, unary

__all__ = ["SPECS"]

INSIDE = Domain(-0.75, 0.75)

SPECS = [
    unary("sin", np.sin),
    unary("cos", np.cos),
    unary("tan", np.tan, Domain(-1.25, 1.25)),
    unary("arcsin", np.arcsin, INSIDE),
    unary("arccos", np.arccos, INSIDE),
    unary("arctan", np.arctan),
    binary("arctan2", np.arctan2, NONZERO, analytic=False),
    binary("hypot", np.hypot, right=NONZERO, analytic=False),
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("tanh", np.tanh),
    unary("arcsinh", np.arcsinh),
    unary("arccosh", np.arccosh, Domain(1.5, 4.0)),
    unary("arctanh", np.arctanh, INSIDE),
    unary("arcsin_slope", lambda x: 1 / np.sqrt(1 - x * x), INSIDE),
    unary("arccosh_slope", lambda x: 1 / np.sqrt(x * x - 1), Domain(1.5, 4.0)),
    unary("arctanh_slope", lambda x: 1 / (1 - x * x), INSIDE),
    unary("deg2rad", lambda x: x * (np.pi / 180) if np.iscomplexobj(x) else np.deg2rad(x)),
    unary("rad2deg", lambda x: x * (180 / np.pi) if np.iscomplexobj(x) else np.rad2deg(x)),
]
