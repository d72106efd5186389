"""Specifications of the functional updates, ``t.at[index].set(value)`` and its relatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops import updates
from ..sources import NONZERO, POSITIVE, REALS, Domain, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _update(domain: Domain, values: Domain) -> Callable[[Source], Sample]:
    """Any index, with repeats; a value of the shape of what it picks, or one that broadcasts to it."""

    def sample(source: Source) -> Sample:
        shape = source.shape(low=source.choose((1, 2, 0)))
        index = source.index(shape)
        there = np.empty(shape)[index].shape
        value = there if source.flip() else source.part_of(there)
        return Sample([source.array(shape, domain), source.array(value, values)], {"index": index})

    return sample


def _without_ties(source: Source) -> Sample:
    sample = _update(REALS, REALS)(source)
    return Sample(source.distinct(*(x.shape for x in sample.args)), sample.meta)


def _one_by_one(operation: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The values are applied one after the other, in the order of the index."""

    def reference(t: Any, v: Any, index: Any) -> Any:
        places = np.arange(math.prod(t.shape)).reshape(t.shape)[index]
        out = list(np.asarray(t).reshape(-1) + 0 * v.sum())
        for place, value in zip(places.ravel(), np.broadcast_to(v, places.shape).ravel(), strict=True):
            out[place] = operation(out[place], value)
        return np.array(out, dtype=np.result_type(t, v) if np.iscomplexobj(v) else t.dtype).reshape(t.shape)

    return reference


def _at(method: str) -> Callable[..., Any]:
    return lambda t, v, index: getattr(updates, f"{method}_at")(t, index, v)


def _spec(name: str, primitive: str, operation: Any, t: Domain = REALS, v: Domain = REALS) -> Spec:
    return Spec(f"{name}_at", _one_by_one(operation), _update(t, v), primitive=primitive, function=_at(name))


def _extreme(name: str, operation: Any) -> Spec:
    kinks = "values that are equal to each other, or to the element"
    return Spec(f"{name}_at", _one_by_one(operation), _without_ties, function=_at(name), analytic=False, kinks=kinks)


def _clear(source: Source) -> Sample:
    shape = source.shape(low=source.choose((1, 2, 0)))
    index = source.index(shape)
    return Sample([source.array(shape)], {"index": index if isinstance(index, tuple) else (index,)})


def _clear_reference(x: Any, index: Any) -> Any:
    out = np.array(x)
    out[index] = 0
    return out


SPECS = [
    _spec("set", "put", lambda old, new: new),
    _spec("add", "add_at", lambda old, new: old + new),
    _spec("subtract", "add_at", lambda old, new: old - new),
    _spec("multiply", "put", lambda old, new: old * new),
    _spec("divide", "put", lambda old, new: old / new, v=NONZERO),
    _spec("power", "put", lambda old, new: old**new, POSITIVE, Domain(-1.5, 1.5, avoid=(0.0,), step=0.5)),
    _extreme("min", min),
    _extreme("max", max),
    Spec("clear", _clear_reference, _clear),
]
