"""Specifications of elementwise losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sources import POSITIVE, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]

_OFF_THE_GRID = (0.8125, 1.5625)  # where a Huber loss turns into a line, its second derivative jumps


def _residual(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"delta": source.choose(_OFF_THE_GRID)})


def _logit_and_chance(source: Source) -> Sample:
    return Sample([source.array(shape) for shape in source.shapes(2)])


def _near_one(source: Source) -> Sample:
    meta = {"offset": source.integer(0, 1), "floor": 1e-12}
    return Sample([source.array(source.shape(), POSITIVE)], meta)


def _huber(z: Any, delta: float) -> Any:
    return np.where(np.abs(z) < delta, z * z / 2, delta * (np.abs(z) - delta / 2))


SPECS = [
    Spec("huber", _huber, _residual, analytic=False),
    Spec("cut_off", lambda z, delta: np.minimum(np.maximum(z, -delta), delta), _residual, analytic=False),
    Spec("logistic_loss", lambda x, p: np.log(1 + np.exp(x)) - p * x, _logit_and_chance),
    Spec("logistic_excess", lambda x, p: 1 / (1 + np.exp(-x)) - p, _logit_and_chance),
    Spec("clamped_log", lambda x, offset, floor: np.log(x + offset), _near_one),
]
