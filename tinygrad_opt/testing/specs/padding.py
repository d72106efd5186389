"""Specifications of padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import NONZERO, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _pair(source: Source) -> tuple[int, int]:
    return source.choose((1, 0, 2, 5)), source.choose((2, 0, 1, 7))


def _widths(source: Source, ndim: int) -> Any:
    """A number, a pair, or a pair for each axis; by axis, perhaps."""
    kind = source.integer(0, 4)
    if kind == 0 or ndim == 0:
        return source.choose((1, 2, 0))
    if kind == 1:
        return _pair(source)
    if kind == 2:
        return (_pair(source),)
    if kind == 3:
        return {source.axis(ndim): source.choose((_pair(source), 3))}
    return tuple(_pair(source) for _ in range(ndim))


def _zeros(source: Source) -> Sample:
    shape = source.shape(high=3)
    return Sample([source.array(shape)], {"pad_width": _widths(source, len(shape))})


def _continued(source: Source) -> Sample:
    shape = source.shape(low=1, high=3, empty=False)
    widths = [(source.choose((1, 0, 3, 9)), source.choose((1, 2, 7))) for _ in shape]
    mode = source.choose(("edge", "wrap", "symmetric", "reflect"))
    return Sample([source.array(shape)], {"pad_width": tuple(widths), "mode": mode})


def _values(source: Source) -> Sample:
    """One value, one before and one after, or such a pair for each axis: differentiated as well."""
    shape = source.shape(low=1, high=3)
    kind = source.choose(((), (2,), (1, 2), (len(shape), 1), (len(shape), 2), None))
    if kind is None:
        widths = tuple((0, 2) if i == 0 or source.flip() else (0, 0) for i in range(len(shape)))
        return Sample([source.array(shape), source.number(NONZERO)], {"pad_width": widths})
    return Sample([source.array(shape), source.array(kind)], {"pad_width": _widths(source, len(shape))})


def _padded(x: Any, values: Any, pad_width: Any) -> Any:
    x = x.astype(complex) if np.iscomplexobj(values) else x  # NumPy's result has the dtype of x
    return np.pad(x, pad_width, constant_values=values)


SPECS = [
    Spec("pad", np.pad, _zeros, primitive="scatter_add"),
    Spec("pad_continued", np.pad, _continued, primitive="concatenate", function=ops.pad),
    Spec(
        "pad_values",
        _padded,
        _values,
        primitive="concatenate",
        function=lambda x, values, pad_width: ops.pad(x, pad_width, constant_values=values),
    ),
]
