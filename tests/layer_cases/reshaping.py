"""Layers that only rearrange axes."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source


def flatten(source: Source) -> Layer:
    shape = source.shape(1, 4)
    first = source.integer(0, len(shape) - 1)
    last = source.integer(first, len(shape) - 1)
    axes = [axis - len(shape) if source.flip() else axis for axis in (first, last)]
    return Layer("Flatten", tuple(axes), inputs=(source.array(shape),))


def unflatten(source: Source) -> Layer:
    before, sides, behind = source.shape(0, 2), source.shape(1, 3, empty=False), source.shape(0, 1)
    n = 1
    for side in sides:
        n *= side
    free = source.integer(0, len(sides))
    wanted = tuple(-1 if i == free else side for i, side in enumerate(sides))
    axis = len(before) - (len(before) + 1 + len(behind) if source.flip() else 0)
    return Layer("Unflatten", (axis, wanted), inputs=(source.array((*before, n, *behind)),))


CASES = [flatten, unflatten]
