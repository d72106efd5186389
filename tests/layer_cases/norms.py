"""Normalization layers."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source


def batch_norm_1d(source: Source) -> Layer:
    features = source.integer(1, 4)
    shape = (source.integer(2, 5), features, *((source.integer(1, 4),) if source.flip() else ()))
    options = {
        "eps": source.choose((1e-5, 0.1)),
        "momentum": source.choose((0.1, 0.75, None)),
        "affine": source.flip(),
        "track_running_stats": source.flip(),
    }
    (x,) = source.distinct(shape)
    return Layer("BatchNorm1d", (features,), options, (x,))


CASES = [batch_norm_1d]
