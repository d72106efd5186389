"""Tables whose rows are looked up, by at least one index: PyTorch has no second derivative for none."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source


def embedding(source: Source) -> Layer:
    n, m = source.integer(1, 5), source.integer(1, 4)
    options = {
        "padding_idx": source.choose((None, source.axis(n))),
        "max_norm": source.choose((None, 0.5, 1.25)),
        "norm_type": source.choose((2.0, 1.0, float("inf"))),
    }
    return Layer("Embedding", (n, m), options, (source.labels(source.shape(0, 3, empty=False), n),))


CASES = [embedding]
