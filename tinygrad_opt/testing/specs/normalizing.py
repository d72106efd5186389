"""Specifications of normalization and of the maps that it consists of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _along_axes(source: Source) -> Sample:
    """Elements, and axes along which there is one at least, counted from the front."""
    shape, axis = source.reducible()
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return Sample([source.array(shape)], {"axis": tuple(i % len(shape) for i in axes)})


def _normalize(source: Source) -> Sample:
    """Elements, and after them a weight, or a weight and a bias, each repeated along some axes."""
    shape, axis = source.reducible()
    parameters = []
    for _ in range(source.integer(0, 2)):
        sides = tuple(n if source.flip() else 1 for n in shape)
        parameters.append(source.array(sides[source.integer(0, len(sides)) :]))
    return Sample([source.array(shape), *parameters], {"axis": axis, "eps": source.choose((0.5, 0.0625))})


def _normalize_call(x: Any, weight: Any = None, bias: Any = None, axis: Any = None, eps: float = 1e-5) -> Any:
    return ops.normalize(x, axis, eps, weight, bias)


def _normalize_reference(x: Any, weight: Any = 1.0, bias: Any = 0.0, *, axis: Any, eps: float) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=axis, keepdims=True) + eps) * weight + bias


SPECS = [
    Spec("normalize", _normalize_reference, _normalize, function=_normalize_call),
    Spec("sum_kept", lambda x, axis: np.sum(x, axis=axis, keepdims=True), _along_axes),
    Spec("centre", lambda x, axis: x - np.mean(x, axis=axis, keepdims=True), _along_axes),
    Spec("mean_square", lambda c, axis: np.mean(c * c, axis=axis, keepdims=True), _along_axes),
]
