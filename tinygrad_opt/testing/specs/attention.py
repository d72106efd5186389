"""Specifications of what attention needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _masked(source: Source) -> Sample:
    """A row that is masked as a whole is drawn now and then."""
    shape = source.shape(low=1)
    x, sides = source.array(shape), source.part_of(shape)
    kind = source.choose(("numbers", "truth values", "nothing"))
    if kind == "nothing":
        return Sample([x, False])
    return Sample([x, source.array(sides) if kind == "numbers" else source.mask(sides)])


def _masked_softmax(x: Any, mask: Any) -> Any:
    if getattr(mask, "dtype", None) == "bool":
        weights = np.exp(x) * ~mask
    else:
        weights = np.exp(x if mask is False else x + mask)
    total = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def _rows(source: Source) -> Sample:
    shape = source.shape(low=1)
    return Sample([source.array(shape), source.array(shape)])


SPECS = [
    Spec("masked_softmax", _masked_softmax, _masked),
    Spec("row_dot", lambda a, b: (a * b).sum(axis=-1, keepdims=True), _rows),
]
