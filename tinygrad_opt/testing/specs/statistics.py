"""Specifications of the statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import POSITIVE, Domain, Source
from .spec import Sample, Spec, unary

__all__ = ["SPECS"]


def _spread(source: Source) -> Sample:
    shape, axis = source.reducible()
    named = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    ddof = source.choose((0, 1, 0.5)) if np.prod([shape[i] for i in named]) > 1 else 0
    return Sample(source.distinct(shape), {"axis": axis, "ddof": ddof, "keepdims": source.flip()})


def _var(x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    """NumPy's, but analytic: it takes the squares of complex distances for their magnitudes."""
    n = x.size / max(np.sum(x, axis=axis, keepdims=True).size, 1)
    y = np.square(x - np.mean(x, axis=axis, keepdims=True)).sum(axis=axis, keepdims=keepdims) / (n - ddof)
    return y if np.iscomplexobj(x) else np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)


def _several(source: Source) -> Sample:
    """Rows of at least two elements that differ: one of them alone has no standard deviation to differentiate."""
    shape = (*source.shape(high=2), source.integer(2, 4))
    axis = source.choose((-1, len(shape) - 1))
    return Sample(source.distinct(shape), {"axis": axis, "ddof": source.choose((0, 1)), "keepdims": source.flip()})


def _std(x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    return np.sqrt(_var(x, axis, ddof, keepdims))


def _ptp(source: Source) -> Sample:
    shape, axis = source.reducible()
    return Sample(source.distinct(shape), {"axis": axis, "keepdims": source.flip()})


def _average(source: Source) -> Sample:
    """Weights of the same shape, or along the axes."""
    shape, axis = source.reducible()
    along = shape
    if axis is not None and source.flip():
        along = tuple(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,))) or shape
    arrays = [source.array(shape), source.array(along, POSITIVE)]
    return Sample(arrays, {"axis": axis, "keepdims": source.flip()})


def _average_call(function: Any) -> Any:
    return lambda a, weights, axis, keepdims: function(a, axis, weights, keepdims=keepdims)


def _average_reference(a: Any, weights: Any, axis: Any, keepdims: bool) -> Any:
    w = np.ones_like(a) if weights is None else weights
    if w.shape != a.shape:
        places = [i % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,))]
        w = w.transpose(np.argsort(places)).reshape([n if i in places else 1 for i, n in enumerate(a.shape)])
    w = np.broadcast_to(w, a.shape)
    return (a * w).sum(axis=axis, keepdims=keepdims) / w.sum(axis=axis, keepdims=keepdims)


def _table(source: Source) -> Sample:
    """Variables in rows or in columns, perhaps some more of them, perhaps with weights."""
    observations, rowvar = source.integer(3, 5), source.flip()
    tables = []
    for _ in range(source.integer(1, 2)):
        count = source.integer(1, 3)
        shape = (count, observations) if rowvar else (observations, count)
        tables.append(shape if source.integer(0, 3) else (observations,))
    return Sample(source.distinct(*tables), {"rowvar": rowvar})


def _cov(source: Source) -> Sample:
    sample = _table(source)
    return Sample(sample.args, sample.meta | {"ddof": source.choose((None, 0, 1)), "bias": source.flip()})


def _cov_reference(*tables: Any, rowvar: bool, ddof: Any = None, bias: bool = False) -> Any:
    rows = [np.atleast_2d(x if rowvar or x.ndim == 1 else x.T) for x in tables if x is not None]
    x = np.concatenate(rows)
    x = x - x.mean(axis=1, keepdims=True)
    return np.squeeze(x @ x.T / (x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)))


def _corrcoef_reference(*tables: Any, rowvar: bool) -> Any:
    c = np.atleast_2d(_cov_reference(*tables, rowvar=rowvar, bias=True))
    spread = np.sqrt(np.diag(c))
    return np.squeeze(c / spread / spread[:, None])


def _weighted(source: Source) -> Sample:
    observations = source.integer(2, 4)
    shape = (source.integer(1, 3), observations)
    often = source.generator().integers(1, 4, observations) if source.flip() else None
    arrays = [*source.distinct(shape), source.array((observations,), POSITIVE)]
    return Sample(arrays, {"fweights": often, "ddof": source.choose((0, 1))})


def _weighted_reference(m: Any, aweights: Any, fweights: Any, ddof: int) -> Any:
    w = aweights if fweights is None else aweights * fweights
    x = m - (m * w).sum(axis=1, keepdims=True) / w.sum()
    c = np.squeeze((x * w) @ x.T / (w.sum() - ddof * (w * aweights).sum() / w.sum()))
    return c if np.iscomplexobj(c) else c.astype(m.dtype)


SPECS = [
    unary("within_one", lambda x: x, Domain(-0.75, 0.75)),
    Spec("var", _var, _spread),
    Spec("std", _std, _several, primitive="var"),
    Spec("ptp", np.ptp, _ptp, primitive="max", analytic=False, kinks="two elements are largest, or smallest"),
    Spec("average", _average_reference, _average, primitive="sum", function=_average_call(ops.average)),
    Spec("cov", _cov_reference, _cov, primitive="matmul"),
    Spec("corrcoef", _corrcoef_reference, _table, primitive="matmul"),
    Spec(
        "weighted_cov", _weighted_reference, _weighted, primitive="matmul",
        function=lambda m, aweights, fweights, ddof: ops.cov(m, fweights=fweights, aweights=aweights, ddof=ddof),
    ),
]  # fmt: skip
