"""Specifications of what belongs to broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _unbroadcast(source: Source) -> Sample:
    """Leading axes gone and sides of 1, also given as a list, or as one integer."""
    whole = source.shape()
    shape: Any = source.part_of(whole)
    if len(shape) == 1 and source.flip():
        shape = np.int64(shape[0])
    elif source.flip():
        shape = list(shape)
    return Sample([source.array(whole)], {"shape": shape})


def _reference(x: Any, shape: Any) -> Any:
    """By the definition of a transpose: each element lands where the element that was copied to it came from."""
    wanted = tuple(np.atleast_1d(np.asarray(shape, dtype=int)).tolist())
    origin = np.broadcast_to(np.arange(int(np.prod(wanted))).reshape(wanted), np.shape(x))
    total = np.zeros(int(np.prod(wanted)), dtype=x.dtype)
    np.add.at(total, origin.ravel(), np.ravel(x))
    return total.reshape(wanted)


SPECS = [Spec("unbroadcast", _reference, _unbroadcast, primitive="sum_to")]
