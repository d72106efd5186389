"""The table of layers: how to draw one of each kind, and a call of it. A layer without an entry fails the suite.

Each file beside this one is a family; what it adds stands in its list ``CASES``.
"""

from __future__ import annotations

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.families import families
from tinygrad_opt.testing.sources import RandomSource

__all__ = ["CASES", "WITHOUT", "Layer"]

CASES: dict[str, list[Draw]] = {}
for _family in families(__name__, __path__, "CASES"):
    for _draw in _family:
        CASES.setdefault(_draw(RandomSource(0)).name, []).append(_draw)

# Layers that are not compared one by one, and why.
WITHOUT = {
    "Hardsigmoid": "PyTorch's has no second derivative, and rounds the first one to float32",
    "Maxout": "PyTorch has no such layer",
    "Module": "the base class",
    "ModuleDict": "computes nothing",
    "ModuleList": "computes nothing",
    "Parameter": "no layer",
    "ParameterDict": "computes nothing",
    "ParameterList": "computes nothing",
    "Sequential": "made of other layers",
}
