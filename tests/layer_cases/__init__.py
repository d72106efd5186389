"""The table of layers: how to draw one of each kind, and a call of it. A layer without an entry fails the suite."""

from __future__ import annotations

from layer_cases import activations, affine, losses, norms, recurrent
from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import RandomSource

__all__ = ["CASES", "WITHOUT", "Layer"]

CASES: dict[str, list[Draw]] = {}
for _family in (activations, affine, losses, norms, recurrent):
    for _draw in _family.CASES:
        CASES.setdefault(_draw(RandomSource(0)).name, []).append(_draw)

# Layers that are not compared one by one, and why.
WITHOUT = {
    "Module": "the base class",
    "Parameter": "no layer",
    "Sequential": "made of other layers",
}
