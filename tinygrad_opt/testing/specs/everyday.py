"""Specifications of what everyday work needs besides."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .join import in_a_row, row_of
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _several(source: Source) -> Sample:
    return Sample([source.array(source.shape()) for _ in range(source.integer(2, 3))])


def _broadcasting(source: Source) -> Sample:
    return Sample([source.array(shape) for shape in source.shapes(source.integer(1, 3))])


def _meshgrid(source: Source) -> Sample:
    vectors = [source.array(source.shape(high=1)) for _ in range(source.integer(1, 3))]
    options = {"indexing": source.choose(("xy", "ij")), "sparse": source.flip(), "copy": source.flip()}
    return Sample(vectors, options)


def _with_components(source: Source, shape: tuple[int, ...]) -> tuple[Any, int]:
    """Vectors of three components, which lie along some axis."""
    axis = source.integer(0, len(shape))
    return source.array((*shape[:axis], 3, *shape[axis:])), axis - (len(shape) + 1 if source.flip() else 0)


def _cross(source: Source) -> Sample:
    shape = source.shape(high=3)
    (a, axisa), (b, axisb) = (
        _with_components(source, s) for s in (shape, source.part_of(shape) if source.flip() else shape)
    )
    if source.flip():
        return Sample([a, np.roll(a, 1)], {"axis": axisa})
    return Sample([a, b], {"axisa": axisa, "axisb": axisb, "axisc": source.axis(len(shape) + 1)})


def _vander(source: Source) -> Sample:
    count = source.choose((None, 3, 1, 4, 0))
    return Sample([source.array((source.integer(0, 4),))], {"N": count, "increasing": source.flip()})


def _vander_reference(x: Any, N: int | None, increasing: bool) -> Any:
    if x.dtype.kind in "biu":
        return np.vander(x, N, increasing)
    powers = np.arange(len(x) if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1]).astype(x.real.dtype)


def _row(name: str, sample: Any, primitive: str = "concatenate") -> Spec:
    return Spec(name, row_of(getattr(np, name)), sample, primitive=primitive, function=in_a_row(getattr(ops, name)))


SPECS = [
    _row("atleast_1d", _several),
    _row("atleast_2d", _several),
    _row("atleast_3d", _several),
    _row("broadcast_arrays", _broadcasting),
    _row("meshgrid", _meshgrid),
    Spec("cross", np.cross, _cross, primitive="roll"),
    Spec("vander", _vander_reference, _vander, primitive="power"),
]
