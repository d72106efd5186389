"""Losses."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source

REDUCTIONS = ("mean", "sum", "none")


def cross_entropy(source: Source) -> Layer:
    batch, classes = source.integer(1, 4), source.integer(1, 4)
    inputs = source.array((batch, classes)), source.labels((batch,), classes)
    return Layer("CrossEntropyLoss", options={"reduction": source.choose(REDUCTIONS)}, inputs=inputs)


CASES = [cross_entropy]
