"""Specifications of the products of two tensors, and of Einstein's notation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]

_LABELS = "ijkl"


def _side(source: Source) -> int:
    return source.choose((2, 1, 3, 0, 4, 2, 3))


def _any_pair(source: Source) -> Sample:
    return Sample([source.array(source.shape(high=3)) for _ in range(2)])


def _dot(source: Source) -> Sample:
    """Numbers, vectors, matrices and stacks; what is summed over is the last axis, and the last but one."""
    k = _side(source)
    a = source.shape(high=3)
    b = source.shape(high=3)
    if a and b:
        a, b = (*a[:-1], k), (*b[:-2], k, *b[-1:]) if len(b) > 1 else (k,)
    return Sample([source.array(a), source.array(b)])


def _inner(source: Source) -> Sample:
    k = _side(source)
    a, b = source.shape(high=3), source.shape(high=3)
    if a and b:
        a, b = (*a[:-1], k), (*b[:-1], k)
    return Sample([source.array(a), source.array(b)])


def _vdot(source: Source) -> Sample:
    shape = source.shape(high=3)
    return Sample([source.array(shape), source.array(tuple(shape[i] for i in source.permutation(len(shape))))])


def _vecdot(source: Source) -> Sample:
    """Vectors in stacks that broadcast, along the last axis or, where both have as many axes, along any."""
    k = _side(source)
    a, b = source.shapes(2)
    a, b = (*a[-2:], k), (*b[-2:], k)
    axis = source.axis(len(a)) if len(a) == len(b) else -1
    arrays = [np.moveaxis(source.array(shape), -1, axis) for shape in (a, b)]
    return Sample([np.ascontiguousarray(x) for x in arrays], {"axis": axis})


def _tensordot(source: Source) -> Sample:
    """Axes as a number, or as a pair; axes of either sign, in any order."""
    shared = [_side(source) for _ in range(source.integer(0, 2))]
    a, b = [*source.shape(high=2), *shared], [*shared, *source.shape(high=2)]
    if source.flip():
        return Sample([source.array(tuple(a)), source.array(tuple(b))], {"axes": len(shared)})
    left, right = source.permutation(len(a)), source.permutation(len(b))  # where each axis goes
    count = len(shared)
    axes_a, axes_b = left[len(a) - count :], right[:count]
    x, y = (
        source.array(tuple(n for _, n in sorted(zip(p, s, strict=True)))) for p, s in ((left, a), (right, b))
    )  # fmt: skip
    order = source.permutation(count)
    pair = tuple(
        tuple(axes[i] - (ndim if source.flip() else 0) for i in order)
        for axes, ndim in ((axes_a, len(a)), (axes_b, len(b)))
    )
    if count == 1 and source.flip():
        return Sample([x, y], {"axes": (pair[0][0], pair[1][0])})
    return Sample([x, y], {"axes": pair})


def _term(source: Source, sides: dict[str, int], further: tuple[int, ...], repeats: bool) -> tuple[str, Any]:
    """Some labels, with the array that they fit: twice the same one, axes of length 1, and further axes."""
    labels = [_LABELS[i] for i in source.permutation(len(_LABELS))[: source.integer(0, 3)]]
    if labels and repeats and source.flip():
        labels.append(labels[0])
    shape = [sides[c] if labels.count(c) > 1 or source.integer(0, 5) else 1 for c in labels]
    if further and source.flip():
        place, most = source.integer(0, len(labels)), source.part_of(further)
        labels.insert(place, "...")
        shape[place:place] = most
    return "".join(labels), source.array(tuple(shape))


def _notation(source: Source, low: int, high: int) -> Sample:
    sides = {c: _side(source) for c in _LABELS}
    further = source.shape(high=2)
    terms, arrays = zip(
        *(_term(source, sides, further, True) for _ in range(source.integer(low, high))), strict=True
    )  # fmt: skip
    text = ",".join(terms)
    used = sorted(set(text) - set(".,"))
    if source.flip():
        kept = [used[i] for i in source.permutation(len(used))[: source.integer(0, len(used))]]
        if "..." in text:
            kept.insert(source.integer(0, len(kept)), "...")
        text += "->" + "".join(kept)
    if source.integer(0, 3) == 3:
        return Sample(_as_lists(text, arrays))
    return Sample([text.replace(",", " , ") if source.flip() else text, *arrays])


def _as_lists(text: str, arrays: Any) -> list[Any]:
    """The same call with lists of integers in place of letters."""
    inputs, arrow, out = text.partition("->")
    lists = [
        [Ellipsis if c == "." else _LABELS.index(c) for c in term.replace("...", ".")]
        for term in [*inputs.split(","), *([out] if arrow else [])]
    ]
    paired = [item for pair in zip(arrays, lists, strict=False) for item in pair]
    return [*paired, *lists[len(arrays) :]]


def _vecdot_reference(a: Any, b: Any, axis: int) -> Any:
    """NumPy's, but linear: it conjugates the first."""
    vecdot: Any = np.vecdot
    return vecdot(a.conj(), b, axis=axis)


SPECS = [
    Spec("dot", np.dot, _dot, primitive="einsum"),
    Spec("vdot", lambda a, b: np.dot(a.ravel(), b.ravel()), _vdot, primitive="einsum"),
    Spec("inner", np.inner, _inner, primitive="einsum"),
    Spec("outer", np.outer, _any_pair, primitive="einsum"),
    Spec("vecdot", _vecdot_reference, _vecdot, primitive="einsum"),
    Spec("tensordot", np.tensordot, _tensordot, primitive="einsum"),
    Spec("kron", np.kron, _any_pair, primitive="einsum"),
    Spec("einsum", np.einsum, lambda source: _notation(source, 2, 4)),
    Spec(
        "einsum of one tensor",
        np.einsum,
        lambda source: _notation(source, 1, 1),
        primitive="permute_dims",
        function=ops.einsum,
    ),
]
