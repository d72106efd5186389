"""Specifications of the reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..sources import WHOLE, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _any_axes(source: Source) -> Sample:
    shape = source.shape()
    return Sample([source.array(shape)], {"axis": source.axes(len(shape)), "keepdims": source.flip()})


def _some_elements(source: Source) -> Sample:
    shape, axis = source.reducible()
    return Sample([source.array(shape)], {"axis": axis, "keepdims": source.flip()})


def _without_ties(source: Source) -> Sample:
    shape, axis = source.reducible()
    return Sample(source.distinct(shape), {"axis": axis, "keepdims": source.flip()})


def _truth(source: Source) -> Sample:
    shape = source.shape()
    values = source.mask(shape) if source.flip() else source.array(shape, WHOLE)
    return Sample([values], {"axis": source.axes(len(shape)), "keepdims": source.flip()})


def _one_axis(source: Source) -> Sample:
    shape = source.shape(empty=False)
    axis = source.axis(len(shape)) if shape and source.flip() else None
    return Sample([source.array(shape, WHOLE)], {"axis": axis, "keepdims": source.flip()})


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    with np.errstate(divide="ignore"):  # the sum over no elements is 0, and its logarithm -inf
        return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def _of(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, keepdims: function(x, axis=axis, keepdims=keepdims)


SPECS = [
    Spec("sum", _of(np.sum), _any_axes),
    Spec("mean", _of(np.mean), _some_elements),
    Spec("max", _of(np.max), _without_ties, analytic=False, kinks="two elements are largest"),
    Spec("min", _of(np.min), _without_ties, analytic=False, kinks="two elements are smallest"),
    Spec("logsumexp", _logsumexp, _any_axes),
    Spec("argmax", _of(np.argmax), _one_axis),
    Spec("argmin", _of(np.argmin), _one_axis),
    Spec("any", _of(np.any), _truth),
    Spec("all", _of(np.all), _truth),
]
