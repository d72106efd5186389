"""Activations, away from their kinks."""

from __future__ import annotations

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import NONZERO, Source


def simple(name: str) -> Draw:
    """An activation without arguments."""

    def draw(source: Source) -> Layer:
        return Layer(name, inputs=(source.array(source.shape(), NONZERO),))

    return draw


CASES = [simple("ReLU"), simple("Tanh")]
