"""Specifications of the maps that move elements around."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _any(source: Source) -> Sample:
    return Sample([source.array(source.shape())])


def _reshape(source: Source) -> Sample:
    """The sides in another order, two of them merged, ones put in, one left to be found out."""
    shape = source.shape()
    sides = [shape[i] for i in source.permutation(len(shape))]
    if len(sides) > 1 and source.flip():
        sides[:2] = [sides[0] * sides[1]]
    if source.flip():
        sides.insert(source.integer(0, len(sides)), 1)
    if sides and 0 not in sides and source.flip():
        sides[source.integer(0, len(sides) - 1)] = -1
    return Sample([source.array(shape)], {"shape": tuple(sides), "order": source.choose("CF")})


def _ravel(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"order": source.choose("CF")})


def _permutation(source: Source) -> Sample:
    shape = source.shape()
    axes = [a - len(shape) if source.flip() else a for a in source.permutation(len(shape))]
    return Sample([source.array(shape)], {"axes": tuple(axes)})


def _transpose(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"axes": None}) if source.flip() else _permutation(source)


def _swapaxes(source: Source) -> Sample:
    shape = source.shape(low=1)
    return Sample([source.array(shape)], {"axis1": source.axis(len(shape)), "axis2": source.axis(len(shape))})


def _moveaxis(source: Source) -> Sample:
    shape = source.shape(low=1)
    if source.flip():
        return Sample(
            [source.array(shape)], {"source": source.axis(len(shape)), "destination": source.axis(len(shape))}
        )
    count = source.integer(1, len(shape))
    places = [tuple(source.permutation(len(shape))[:count]) for _ in range(2)]
    return Sample([source.array(shape)], {"source": places[0], "destination": places[1]})


def _expand_dims(source: Source) -> Sample:
    shape = source.shape(high=3)
    if source.flip():
        return Sample([source.array(shape)], {"axis": source.axis(len(shape) + 1)})
    return Sample([source.array(shape)], {"axis": tuple(source.permutation(len(shape) + 2)[:2])})


def _squeeze(source: Source) -> Sample:
    shape = source.shape()
    ones = [i for i, n in enumerate(shape) if n == 1]
    axis: Any = None
    if ones and source.flip():
        axis = source.choose(ones) - (len(shape) if source.flip() else 0)
    elif source.flip():
        axis = tuple(ones[::-1])
    return Sample([source.array(shape)], {"axis": axis})


def _broadcast_to(source: Source) -> Sample:
    shape = source.shape()
    return Sample([source.array(source.part_of(shape))], {"shape": shape})


def _sum_to(source: Source) -> Sample:
    shape = source.shape()
    return Sample([source.array(shape)], {"shape": source.part_of(shape)})


def _sum_to_reference(x: Any, shape: tuple[int, ...]) -> Any:
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    for axis, side in enumerate(shape):
        if side != x.shape[axis]:
            x = x.sum(axis=axis, keepdims=True)
    return x


def _let_pass(g: Any) -> Any:
    return g


def _gate(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"meet": _let_pass})


def _move(source: Source) -> Sample:
    return Sample([source.array(source.shape())], {"device": source.device, "source": source.device})


SPECS = [
    Spec("reshape", np.reshape, _reshape),
    Spec("ravel", np.ravel, _ravel, primitive="reshape"),
    Spec("permute_dims", lambda x, axes: np.transpose(x, axes), _permutation),
    Spec("transpose", np.transpose, _transpose, primitive="permute_dims"),
    Spec("swapaxes", np.swapaxes, _swapaxes, primitive="permute_dims"),
    Spec("moveaxis", np.moveaxis, _moveaxis, primitive="permute_dims"),
    Spec("expand_dims", np.expand_dims, _expand_dims, primitive="reshape"),
    Spec("squeeze", np.squeeze, _squeeze, primitive="reshape"),
    Spec("broadcast_to", np.broadcast_to, _broadcast_to),
    Spec("sum_to", _sum_to_reference, _sum_to),
    Spec("copy", np.copy, _any),
    Spec("alias", lambda x: x, _any),
    Spec("gate", lambda x, meet: x, _gate),
    Spec("move", lambda x, device, source: x, _move),
]
