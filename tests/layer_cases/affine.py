"""Layers that are affine or bilinear maps."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source


def linear(source: Source) -> Layer:
    n, m = source.integer(1, 4), source.integer(1, 4)
    return Layer("Linear", (n, m), {"bias": source.flip()}, (source.array((*source.shape(0, 3), n)),))


def bilinear(source: Source) -> Layer:
    n, m, p = (source.integer(1, 4) for _ in range(3))
    lead = source.shape(0, 3)
    inputs = source.array((*lead, n)), source.array((*lead, m))
    return Layer("Bilinear", (n, m, p), {"bias": source.flip()}, inputs)


CASES = [bilinear, linear]
