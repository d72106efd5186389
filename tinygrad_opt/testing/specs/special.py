"""Specifications of the error functions, and of sin(πx)/(πx)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .spec import unary

__all__ = ["SPECS"]


def _of_numbers(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of numbers, as one of arrays."""

    def of_arrays(x: Any) -> Any:
        dtype = x.dtype if x.dtype.kind == "f" else np.float64
        return np.array([function(value) for value in x.ravel()], dtype).reshape(x.shape)

    return of_arrays


SPECS = [
    unary("erf", _of_numbers(math.erf), analytic=False),
    unary("erfc", _of_numbers(math.erfc), analytic=False),
    unary("gaussian", lambda x: np.exp(-x * x)),
    unary("sinc", np.sinc),
]
