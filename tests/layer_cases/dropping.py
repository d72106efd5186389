"""Dropout, which is compared in evaluation mode."""

from __future__ import annotations

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import Source


def dropping(name: str, low: int, high: int) -> Draw:
    """A kind of dropout, for inputs of `low` to `high` axes."""

    def draw(source: Source) -> Layer:
        options = {"p": source.choose((0.0, 0.5, 1.0))}
        return Layer(name, (), options, (source.array(source.shape(low, high, empty=False)),), random=True)

    return draw


CASES = [
    dropping("Dropout", 0, 4),
    dropping("AlphaDropout", 0, 4),
    dropping("Dropout1d", 2, 3),
    dropping("Dropout2d", 4, 4),
]
