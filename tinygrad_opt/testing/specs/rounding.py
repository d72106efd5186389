"""Specifications of rounding, and of what division leaves over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..sources import Domain, Source
from .spec import Sample, Spec, binary, unary

__all__ = ["SPECS"]

EIGHTHS = Domain(-2.0, 2.0)
DIVISORS = Domain(-2.5, 2.5, step=0.5, avoid=(0.0,), margin=1.5)
ODD_EIGHTHS = Domain(-2.875, 2.875, avoid=tuple(k / 4 for k in range(-12, 13)))


def _leftover(name: str, reference: Callable[..., Any]) -> Spec:
    """Dividends an eighth away from all multiples of the divisors, for that is where the jumps are."""

    def sample(source: Source) -> Sample:
        a, b = source.shapes(2)
        form = source.choose(("both", "both", "number above", "number below"))
        above = source.number(ODD_EIGHTHS) if form == "number above" else source.array(a, ODD_EIGHTHS)
        below = source.number(DIVISORS) if form == "number below" else source.array(b, DIVISORS)
        return Sample([above, below])

    return Spec(name, reference, sample, analytic=False)


def _round(source: Source) -> Sample:
    return Sample([source.array(source.shape(), EIGHTHS)], {"decimals": source.integer(-1, 2)} if source.flip() else {})


SPECS = [
    unary("floor", np.floor, EIGHTHS),
    unary("ceil", np.ceil, EIGHTHS),
    unary("trunc", np.trunc, EIGHTHS),
    Spec("round", np.round, _round),
    binary("floor_divide", np.floor_divide, EIGHTHS, DIVISORS),
    _leftover("remainder", np.remainder),
    _leftover("fmod", np.fmod),
]
