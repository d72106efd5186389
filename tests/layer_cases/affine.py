"""Layers that are affine maps."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source


def linear(source: Source) -> Layer:
    n, m = source.integer(1, 4), source.integer(1, 4)
    return Layer("Linear", (n, m), {"bias": source.flip()}, (source.array((*source.shape(0, 3), n)),))


CASES = [linear]
