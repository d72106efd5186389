"""Specifications of turning, shifting and repeating."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _flip(source: Source) -> Sample:
    shape = source.shape()
    return Sample([source.array(shape)], {"axis": source.axes(len(shape))})


def _matrix(least: int) -> Any:
    return lambda source: Sample([source.array(source.shape(low=least))])


def _roll(source: Source) -> Sample:
    """Along no axis, one, or several: one of them twice, perhaps."""
    shape = source.shape()
    kind = source.integer(0, 3)
    if kind == 0 or not shape:
        return Sample([source.array(shape)], {"shift": source.integer(-5, 5), "axis": None})
    if kind == 1:
        return Sample([source.array(shape)], {"shift": source.integer(-5, 5), "axis": source.axis(len(shape))})
    axes = tuple(source.axis(len(shape)) for _ in range(source.integer(1, 3)))
    shifts = tuple(source.integer(-5, 5) for _ in axes)
    return Sample([source.array(shape)], {"shift": shifts if kind == 2 else shifts[0], "axis": axes})


def _rot90(source: Source) -> Sample:
    shape = source.shape(low=2)
    axes = [a - len(shape) if source.flip() else a for a in source.permutation(len(shape))[:2]]
    return Sample([source.array(shape)], {"k": source.choose((1, 2, 3, -1, 5)), "axes": tuple(axes)})


def _tile(source: Source) -> Sample:
    reps: Any = tuple(source.choose((2, 1, 3, 0)) for _ in range(source.integer(0, 4)))
    return Sample([source.array(source.shape(high=3))], {"reps": reps[0] if len(reps) == 1 else reps})


def _repeat(source: Source) -> Sample:
    """Each element as often as the others."""
    shape = source.shape()
    axis = source.axis(len(shape)) if shape and source.flip() else None
    return Sample([source.array(shape)], {"repeats": source.choose((2, 1, 3, 0)), "axis": axis})


def _repeat_each(source: Source) -> Sample:
    """Each element as often as its own number says."""
    shape = source.shape(low=1)
    axis = source.axis(len(shape)) if source.flip() else None
    length = int(np.prod(shape)) if axis is None else shape[axis]
    if length == 1:
        shape, length, axis = (2, *shape[1:]), 2, 0
    counts = source.generator().integers(0, 3, length)
    return Sample([source.array(shape)], {"repeats": tuple(counts.tolist()), "axis": axis})


SPECS = [
    Spec("flip", np.flip, _flip),
    Spec("flipud", np.flipud, _matrix(1), primitive="flip"),
    Spec("fliplr", np.fliplr, _matrix(2), primitive="flip"),
    Spec("roll", np.roll, _roll),
    Spec("rot90", np.rot90, _rot90, primitive="flip"),
    Spec("tile", np.tile, _tile, primitive="broadcast_to"),
    Spec("repeat", np.repeat, _repeat, primitive="broadcast_to"),
    Spec("repeat_each", np.repeat, _repeat_each, primitive="getitem", function=ops.repeat),
]
