"""Specifications of sorting and of order statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import order
from ..sources import WHOLE, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]

# Ties have tests of their own: at them these functions are neither convex nor concave, and the slopes on either side
# do not enclose the generalized derivative.


def _sorted(source: Source) -> Sample:
    shape = source.shape()
    return Sample(source.distinct(shape), {"axis": source.axis(len(shape)) if shape and source.flip() else None})


def _argsort(source: Source) -> Sample:
    """With ties: what is tied keeps its order."""
    sample = _sorted(source)
    return Sample([source.array(sample.args[0].shape, WHOLE)], sample.meta)


def _partition(source: Source) -> Sample:
    shape = source.shape(low=1, empty=False)
    axis = source.axis(len(shape))
    kth = source.axis(shape[axis])
    return Sample(source.distinct(shape), {"kth": [kth, 0] if source.flip() else kth, "axis": axis})


def _partition_reference(x: Any, kth: Any, axis: int) -> Any:
    return np.take_along_axis(x, np.argpartition(x, kth, axis=axis), axis)


def _middle(source: Source) -> Sample:
    shape, axis = source.reducible()
    if not isinstance(axis, int):  # NumPy cannot, where there is nothing
        shape = tuple(max(n, 1) for n in shape)
    return Sample(source.distinct(shape), {"axis": axis, "keepdims": source.flip()})


def _quantile(source: Source) -> Sample:
    sample = _middle(source)
    shares = (0.5, 0.25, 0.0, 1.0, [0.75, 0.125], [[0.5], [0.0625]])
    more = {"q": source.choose(shares), "method": source.choose(order.METHODS)}
    return Sample(sample.args, sample.meta | more)


def _percentile(source: Source) -> Sample:
    sample = _quantile(source)
    return Sample(sample.args, sample.meta | {"q": (np.asarray(sample.meta["q"]) * 100).tolist()})


def _order_statistic(source: Source) -> Sample:
    shape = source.shape(low=1, empty=False)
    axis = source.integer(0, len(shape) - 1)
    return Sample(source.distinct(shape), {"axis": axis, "k": source.integer(0, shape[axis] - 1)})


def _in_the_dtype_of_x(function: Any) -> Any:
    """NumPy's quantiles are float64 wherever q is a sequence; ours are in the dtype of the elements."""

    def quantiles(x: Any, **meta: Any) -> Any:
        found = np.asarray(function(x, **meta))
        return found.astype(x.dtype) if x.dtype.kind == "f" else found

    return quantiles


SPECS = [
    Spec("sort", lambda x, axis: np.sort(x, axis=axis), _sorted, analytic=False),
    Spec("argsort", lambda x, axis: np.argsort(x, axis=axis, kind="stable"), _argsort),
    Spec("argpartition", lambda x, kth, axis: np.argpartition(x, kth, axis=axis), _partition),
    Spec("partition", _partition_reference, _partition, analytic=False),
    Spec("median", np.median, _middle, primitive="order_statistic", analytic=False),
    Spec("quantile", _in_the_dtype_of_x(np.quantile), _quantile, primitive="order_statistic", analytic=False),
    Spec("percentile", _in_the_dtype_of_x(np.percentile), _percentile, primitive="order_statistic", analytic=False),
    Spec(
        "order_statistic", lambda x, axis, k: np.sort(x, axis=axis).take(k, axis=axis), _order_statistic, analytic=False
    ),
]
