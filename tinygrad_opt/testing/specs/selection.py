"""Specifications of choosing by conditions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import WHOLE, Source
from .join import in_a_row, row_of
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _nonzero(source: Source) -> Sample:
    shape = source.shape(low=1)
    values = source.mask(shape) if source.flip() else source.array(shape, WHOLE)
    return Sample([values])


def _count(source: Source) -> Sample:
    shape = source.shape()
    values = source.mask(shape) if source.flip() else source.array(shape, WHOLE)
    return Sample([values], {"axis": source.axes(len(shape)), "keepdims": source.flip()})


def _select(source: Source) -> Sample:
    """One or two conditions, which overlap, and a number or an array where none is true."""
    count = source.integer(1, 2)
    whole = source.shape()
    conditions = [source.mask(source.part_of(whole)) for _ in range(count)]
    choices = [source.array(whole if i == 0 else source.part_of(whole)) for i in range(count)]
    default = source.array(source.part_of(whole)) if source.flip() else source.number()
    return Sample([*conditions, *choices, default])


def _chosen(function: Any) -> Any:
    def call(*args: Any) -> Any:
        *lists, default = args
        half = len(lists) // 2
        return function(lists[:half], lists[half:], default)

    return call


SPECS = [
    Spec("nonzero", row_of(np.nonzero), _nonzero, function=in_a_row(ops.nonzero)),
    Spec(
        "count_nonzero",
        lambda x, axis, keepdims: np.asarray(np.count_nonzero(x, axis=axis, keepdims=keepdims)),
        _count,
        primitive="not_equal",
    ),
    Spec("select", _chosen(np.select), _select, primitive="where", function=_chosen(ops.select)),
]
