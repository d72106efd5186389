"""Specifications of indexing and of its transpose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _getitem(source: Source) -> Sample:
    shape = source.shape(low=source.choose((1, 2, 0)))
    return Sample([source.array(shape)], {"index": source.index(shape)})


def _scatter_add(source: Source) -> Sample:
    shape = source.shape(low=source.choose((1, 2, 0)))
    index = source.index(shape)
    index = index if isinstance(index, tuple) else (index,)
    return Sample([source.array(np.empty(shape)[index].shape)], {"shape": shape, "index": index})


def _scatter_add_reference(g: Any, shape: tuple[int, ...], index: Any) -> Any:
    out = np.zeros(shape, dtype=g.dtype)
    np.add.at(out, index, g)
    return out


def _take(source: Source) -> Sample:
    """Indices of any shape, with repeats; those that leave the axis only where they are wrapped or clipped."""
    shape = source.shape(empty=False)
    axis = source.axis(len(shape)) if shape and source.flip() else None
    n = math.prod(shape) if axis is None else shape[axis]
    mode = source.choose(("raise", "wrap", "clip"))
    reach = 1 if mode == "raise" else 3
    wanted = source.shape(high=2)
    indices = source.generator().integers(-n * reach, n * reach, wanted)
    given = indices.tolist() if source.flip() else indices
    return Sample([source.array(shape)], {"indices": given, "axis": axis, "mode": mode})


def _take_along_axis(source: Source) -> Sample:
    """Indices with repeats; on every other axis the sides are equal, or one of them is 1."""
    shape = source.shape(low=1, empty=False)
    if source.integer(0, 3) == 3:
        indices = source.generator().integers(-1, 1, (source.integer(0, 3),))
        return Sample([source.array(shape)], {"indices": indices, "axis": None})
    axis = source.axis(len(shape))
    n = shape[axis]
    wanted = [1 if source.integer(0, 3) == 3 else side for side in shape]
    wanted[axis] = source.integer(0, 4)
    here = [1 if i != axis % len(shape) and source.integer(0, 3) == 3 else side for i, side in enumerate(shape)]
    indices = source.generator().integers(-n, n, tuple(wanted))
    return Sample([source.array(tuple(here))], {"indices": indices, "axis": axis})


def _scatter_sum(source: Source) -> Sample:
    """Several patches, which may overlap."""
    shape = source.shape(low=source.choose((1, 2, 0)))
    drawn = [source.index(shape) for _ in range(source.integer(1, 3))]
    indices = [index if isinstance(index, tuple) else (index,) for index in drawn]
    arrays = [source.array(np.empty(shape)[index].shape) for index in indices]
    return Sample(arrays, {"shape": shape, "indices": tuple(indices)})


def _scatter_sum_reference(*gs: Any, shape: tuple[int, ...], indices: Any) -> Any:
    return sum(_scatter_add_reference(g, shape, index) for g, index in zip(gs, indices, strict=True))


def _along_axis_reference(x: Any, indices: Any, axis: Any) -> Any:
    """NumPy's, which takes no lists."""
    return np.take_along_axis(x, np.array(indices) if np.size(indices) else np.empty(np.shape(indices), int), axis)


SPECS = [
    Spec("getitem", lambda x, index: x[index], _getitem),
    Spec("scatter_add", _scatter_add_reference, _scatter_add),
    Spec("take", lambda x, indices, axis, mode: np.take(x, indices, axis, mode=mode), _take, primitive="getitem"),
    Spec("take_along_axis", _along_axis_reference, _take_along_axis, primitive="getitem"),
    Spec("scatter_sum", _scatter_sum_reference, _scatter_sum),
]
