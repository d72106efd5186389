"""Specifications of the reductions that pass over nan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .scan import FACTORS
from .spec import Sample, Spec

__all__ = ["SPECS"]

# The elements to pass over are a mask beside numbers, so that they can be shifted to take a derivative.


def _gaps(source: Source) -> Sample:
    """Gaps anywhere, but not everywhere along the axes."""
    shape, axis = source.reducible()
    named = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gaps = source.mask(shape)
    first = tuple(0 if i in {a % len(shape) for a in named} else slice(None) for i in range(len(shape)))
    gaps[first] = False
    meta = {"axis": axis, "keepdims": source.flip()}
    return Sample([gaps, *source.distinct(shape)], meta)


def _factors(source: Source) -> Sample:
    """Numbers whose product neither overflows nor vanishes."""
    sample = _gaps(source)
    return Sample([sample.args[0], source.array(sample.args[0].shape, FACTORS)], sample.meta)


def _few(source: Source) -> Sample:
    """At least two different elements along the last axis."""
    shape = (*source.shape(high=2), source.integer(2, 4))
    gaps = source.mask(shape)
    gaps[..., :2] = False
    return Sample([gaps, *source.distinct(shape)], {"axis": -1, "keepdims": source.flip()})


def _ours(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda gaps, x, axis, keepdims: function(ops.where(gaps, float("nan"), x), axis=axis, keepdims=keepdims)


def _numpys(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's; of complex numbers over those that are there, where in place of the gaps stands what does not count."""

    def reference(gaps: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        if np.iscomplexobj(x):
            return function(~gaps, x, {"axis": axis, "keepdims": keepdims})
        return getattr(np, name)(np.where(gaps, np.nan, x), axis=axis, keepdims=keepdims)

    return reference


def _var(there: Any, x: Any, options: dict[str, Any]) -> Any:
    along = {"axis": options["axis"], "keepdims": True}
    n = np.sum(there, **options)
    distances = np.where(there, x - np.where(there, x, 0).sum(**along) / np.sum(there, **along), 0)
    return (np.square(distances).sum(**options) / n).astype(x.dtype)


def _mean(there: Any, x: Any, options: dict[str, Any]) -> Any:
    return (np.where(there, x, 0).sum(**options) / np.sum(there, **options)).astype(x.dtype)


def _spec(name: str, primitive: str, reference: Callable[..., Any], sample: Any = _gaps, **more: Any) -> Spec:
    return Spec(name, _numpys(name, reference), sample, primitive=primitive, function=_ours(getattr(ops, name)), **more)


SPECS = [
    _spec("nansum", "sum", lambda there, x, options: np.where(there, x, 0).sum(**options)),
    _spec("nanprod", "prod", lambda there, x, options: np.where(there, x, 1).prod(**options), _factors),
    _spec("nanmean", "sum", _mean),
    _spec("nanvar", "sum", _var),
    _spec("nanstd", "sum", lambda there, x, options: np.sqrt(_var(there, x, options)), _few),
    _spec("nanmax", "max", lambda there, x, options: np.where(there, x, -9999).max(**options), analytic=False),
    _spec("nanmin", "min", lambda there, x, options: np.where(there, x, 9999).min(**options), analytic=False),
]
