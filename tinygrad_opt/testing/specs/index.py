"""Specifications of indexing and of its transpose."""

from __future__ import annotations

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


def _scatter_sum(source: Source) -> Sample:
    """Several patches, which may overlap."""
    shape = source.shape(low=source.choose((1, 2, 0)))
    drawn = [source.index(shape) for _ in range(source.integer(1, 3))]
    indices = [index if isinstance(index, tuple) else (index,) for index in drawn]
    arrays = [source.array(np.empty(shape)[index].shape) for index in indices]
    return Sample(arrays, {"shape": shape, "indices": tuple(indices)})


def _scatter_sum_reference(*gs: Any, shape: tuple[int, ...], indices: Any) -> Any:
    return sum(_scatter_add_reference(g, shape, index) for g, index in zip(gs, indices, strict=True))


SPECS = [
    Spec("getitem", lambda x, index: x[index], _getitem),
    Spec("scatter_add", _scatter_add_reference, _scatter_add),
    Spec("scatter_sum", _scatter_sum_reference, _scatter_sum),
]
