"""Specifications of the cumulative functions and of products."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import scan
from ..sources import Domain, Source
from .spec import Sample, Spec, unary

__all__ = ["SPECS"]

FACTORS = Domain(-1.5, 1.5, step=0.25)  # zeros among them, also several


def _scanned(source: Source, domain: Domain | None = None) -> Sample:
    shape = source.shape()
    array = source.array(shape, domain) if domain else source.array(shape)
    return Sample([array], {"axis": source.axis(len(shape)) if shape and source.flip() else None})


def _prod(source: Source) -> Sample:
    shape = source.shape()
    return Sample([source.array(shape, FACTORS)], {"axis": source.axes(len(shape)), "keepdims": source.flip()})


def _recurrence(source: Source) -> Sample:
    """Links between elements, and what is added at each; along any axis, from either end."""
    shape = source.shape(low=1, empty=False)
    axis = source.integer(0, len(shape) - 1)
    links = (*shape[:axis], shape[axis] - 1, *shape[axis + 1 :])
    arrays = [source.array(links, FACTORS), source.array(shape)]
    return Sample(arrays, {"axis": axis, "reverse": source.flip()})


def _recurrence_reference(c: Any, b: Any, axis: int, reverse: bool) -> Any:
    c, b = np.moveaxis(c, axis, 0), np.moveaxis(b, axis, 0)
    c, b = (c[::-1], b[::-1]) if reverse else (c, b)
    s = [b[0] + np.zeros((), c.dtype)]
    for link, added in zip(c, b[1:], strict=True):
        s.append(link * s[-1] + added)
    return np.moveaxis(np.stack(s[::-1] if reverse else s), 0, axis)


def _others(source: Source) -> Sample:
    shape = source.shape(low=1)
    return Sample([source.array(shape, FACTORS)], {"axis": source.integer(0, len(shape) - 1)})


def _others_reference(x: Any, axis: int) -> Any:
    kept = [np.delete(x, i, axis).prod(axis) for i in range(x.shape[axis])]
    return np.stack(kept, axis) if kept else x


SPECS = [
    Spec("cumsum", lambda x, axis: np.cumsum(x, axis=axis), _scanned),
    Spec("cumprod", lambda x, axis: np.cumprod(x, axis=axis), lambda source: _scanned(source, FACTORS)),
    Spec("prod", lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims), _prod),
    Spec("others", _others_reference, _others, function=scan.others),
    Spec("recurrence", _recurrence_reference, _recurrence, function=scan.recurrence),
    unary("ones_like", np.ones_like),
]
