"""Specifications of what puts tensors together and takes them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS", "in_a_row", "row_of"]


def in_a_row(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with several results, as one with a single one: the last result first, all in one row."""
    return lambda *args, **meta: ops.concatenate(function(*args, **meta)[::-1], axis=None)


def row_of(reference: Callable[..., Any]) -> Callable[..., Any]:
    """The same of NumPy's function."""
    return lambda *args, **meta: np.concatenate(list(reference(*args, **meta))[::-1], axis=None)


def _concatenate(source: Source) -> Sample:
    """Several arrays that differ in one axis, or in all where axis=None ravels them."""
    count = source.integer(1, 3)
    if source.flip():
        return Sample([source.array(source.shape(high=3)) for _ in range(count)], {"axis": None})
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    place = axis % len(shape)
    sides = [source.choose((2, 1, 0, 3)) for _ in range(count)]
    return Sample([source.array((*shape[:place], n, *shape[place + 1 :])) for n in sides], {"axis": axis})


def _same(low: int = 0, high: int = 3) -> Callable[[Source], Sample]:
    def sample(source: Source) -> Sample:
        shape = source.shape(low=low, high=high)
        return Sample([source.array(shape) for _ in range(source.integer(1, 3))])

    return sample


def _stack(source: Source) -> Sample:
    sample = _same()(source)
    return Sample(sample.args, {"axis": source.axis(sample.args[0].ndim + 1)})


def _append(source: Source) -> Sample:
    if source.flip():
        return Sample([source.array(source.shape()), source.array(source.shape())])
    shape = source.shape(low=1)
    return Sample([source.array(shape), source.array(shape)], {"axis": source.axis(len(shape))})


def _sections(source: Source, length: int, even: bool) -> Any:
    if source.flip():
        return tuple(sorted(source.integer(-length, length + 1) for _ in range(source.integer(0, 3))))
    return source.choose([n for n in range(1, max(length, 1) + 2) if not even or length % n == 0])


def _splitting(even: bool, axis: int | None = None, low: int = 1) -> Callable[[Source], Sample]:
    def sample(source: Source) -> Sample:
        shape = source.shape(low=low)
        along = source.axis(len(shape)) if axis is None else min(axis, len(shape) - 1)
        meta = {"indices_or_sections": _sections(source, shape[along], even)}
        return Sample([source.array(shape)], meta | ({"axis": along} if axis is None else {}))

    return sample


def _unstack(source: Source) -> Sample:
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    shape = tuple(max(n, 1) if i == axis % len(shape) else n for i, n in enumerate(shape))
    return Sample([source.array(shape)], {"axis": axis})


def _taking_apart(name: str, reference: Callable[..., Any], sample: Callable[[Source], Sample]) -> Spec:
    function = in_a_row(getattr(ops, name))
    return Spec(name, row_of(reference), sample, primitive="getitem", function=function)


def _putting_together(name: str, sample: Callable[[Source], Sample]) -> Spec:
    ours, numpys = getattr(ops, name), getattr(np, name)
    return Spec(
        name,
        lambda *arrays, **meta: numpys(arrays, **meta),
        sample,
        primitive="concatenate",
        function=lambda *arrays, **meta: ours(arrays, **meta),
    )


SPECS = [
    _putting_together("concatenate", _concatenate),
    _putting_together("concat", _concatenate),
    _putting_together("stack", _stack),
    _putting_together("hstack", _same()),
    _putting_together("vstack", _same()),
    _putting_together("dstack", _same(high=4)),
    _putting_together("column_stack", _same(high=2)),
    Spec("append", np.append, _append, primitive="concatenate"),
    _taking_apart("split", np.split, _splitting(even=True)),
    _taking_apart("array_split", np.array_split, _splitting(even=False)),
    _taking_apart("hsplit", np.hsplit, _splitting(even=True, axis=1)),
    _taking_apart("vsplit", np.vsplit, _splitting(even=True, axis=0, low=2)),
    _taking_apart("dsplit", np.dsplit, _splitting(even=True, axis=2, low=3)),
    _taking_apart("unstack", np.unstack, _unstack),
]
