"""Specifications of what is done with the samples of a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import POSITIVE, Domain, Source
from .join import in_a_row, row_of
from .spec import Sample, Spec

__all__ = ["SPECS"]

_BETWEEN = Domain(-1.5, 4.5, avoid=tuple(range(-2, 6)))  # knots are whole numbers


def _diff(source: Source) -> Sample:
    shape = source.shape(low=1, high=3)
    return Sample([source.array(shape)], {"n": source.integer(1, 3), "axis": source.axis(len(shape))})


def _extended(source: Source) -> Sample:
    shape = source.shape(low=1, high=3)
    axis = source.axis(len(shape))
    place = axis % len(shape)
    beside = [
        source.array(() if source.flip() else (*shape[:place], source.integer(1, 2), *shape[place + 1 :]))
        for _ in range(2)
    ]
    return Sample([source.array(shape), *beside], {"n": source.integer(1, 2), "axis": axis})


def _places(source: Source, length: int) -> Any:
    return np.cumsum(source.array((length,), Domain(0.5, 2.0)))


def _trapezoid(source: Source) -> Sample:
    shape = source.shape(low=1, high=3)
    axis = source.axis(len(shape))
    kind = source.integer(0, 3)
    if kind == 0:
        return Sample([source.array(shape)], {"axis": axis})
    x = source.array(shape) if kind == 1 else _places(source, shape[axis])
    return Sample([source.array(shape), x], {"axis": axis})


def _gradient(source: Source) -> Sample:
    """Along all axes or some, with distances, places, or neither."""
    edge_order = source.integer(1, 2)
    shape = tuple(n + edge_order + 1 for n in source.shape(low=1, high=3))
    axis = source.axes(len(shape)) if source.flip() else None
    axis = None if axis == () else axis
    named = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    spacings = [_places(source, shape[a]) if source.flip() else source.array((), POSITIVE) for a in named]
    spacings = [[], [source.array((), POSITIVE)], spacings][source.integer(0, 2)]
    return Sample([source.array(shape), *spacings], {"axis": axis, "edge_order": edge_order})


def _gradient_reference(f: Any, *spacings: Any, axis: Any, edge_order: int) -> Any:
    f = f.astype(complex) if any(map(np.iscomplexobj, spacings)) else f  # NumPy's result has the dtype of f
    slopes: Any = np.gradient(f, *spacings, axis=axis, edge_order=edge_order)  # type: ignore[call-overload]
    return slopes if isinstance(slopes, tuple) else (slopes,)


def _gradient_call(*args: Any, **meta: Any) -> Any:
    slopes = ops.gradient(*args, **meta)
    return slopes if isinstance(slopes, tuple) else (slopes,)


def _interp(source: Source) -> Sample:
    count = source.integer(1, 4)
    ends = {name: source.number() for name in ("left", "right") if source.flip() and not source.tied}  # they jump
    args = [source.array(source.shape(), _BETWEEN), np.arange(count) * 1.0, source.array((count,))]
    return Sample(args, ends, differentiable=(0,) if source.tied else None)  # what is linear has exact slopes


def _periodic(source: Source) -> Sample:
    knots = np.array(source.permutation(5)[: source.integer(1, 4)]) * 1.0
    return Sample([source.array(source.shape(), _BETWEEN), knots, source.array(knots.shape)], {"period": 5.0})


def _interp_reference(x: Any, xp: Any, fp: Any, **options: Any) -> Any:
    return np.interp(x, xp, fp, **options).astype(np.result_type(x, xp, fp))


def _segment_reference(x: Any, knots: Any) -> Any:
    return np.clip((x[..., None] >= knots).sum(-1) - 1, 0, max(len(knots) - 2, 0))


SPECS = [
    Spec("diff", np.diff, _diff, primitive="getitem"),
    Spec(
        "diff_extended",
        lambda x, first, last, n, axis: np.diff(x, n, axis, prepend=first, append=last),
        _extended,
        primitive="concatenate",
        function=lambda x, first, last, n, axis: ops.diff(x, n, axis, prepend=first, append=last),
    ),
    Spec("trapezoid", np.trapezoid, _trapezoid, primitive="sum"),
    Spec(
        "gradient", row_of(_gradient_reference), _gradient, primitive="concatenate", function=in_a_row(_gradient_call)
    ),
    Spec("interp", _interp_reference, _interp, primitive="where", analytic=False, kinks="x at a knot"),
    Spec("interp_periodic", _interp_reference, _periodic, primitive="where", function=ops.interp, analytic=False),
    Spec("segment", _segment_reference, lambda source: Sample(_interp(source).args[:2])),
]
