"""Specifications of diagonals and triangles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _offset(source: Source) -> int:
    return source.choose((0, 1, -1, 2, -2, 4, -5))


def _diagonal(source: Source) -> Sample:
    shape = source.shape(low=2)
    rows, columns = (a - len(shape) if source.flip() else a for a in source.permutation(len(shape))[:2])
    return Sample([source.array(shape)], {"offset": _offset(source), "axis1": rows, "axis2": columns})


def _of_rank(low: int, high: int) -> Any:
    return lambda source: Sample([source.array(source.shape(low, high))], {"k": _offset(source)})


SPECS = [
    Spec("diagonal", np.diagonal, _diagonal, primitive="getitem"),
    Spec("trace", np.trace, _diagonal, primitive="sum"),
    Spec("diag", np.diag, _of_rank(1, 1), primitive="scatter_add"),
    Spec("diag_of_matrix", np.diag, _of_rank(2, 2), primitive="getitem", function=ops.diag),
    Spec("diagflat", np.diagflat, _of_rank(0, 3), primitive="scatter_add"),
    Spec("triu", np.triu, _of_rank(1, 4)),
    Spec("tril", np.tril, _of_rank(1, 4)),
]
