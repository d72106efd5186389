"""What stands where a layer might."""

from __future__ import annotations

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source


def identity(source: Source) -> Layer:
    return Layer("Identity", inputs=(source.array(source.shape()),))


CASES = [identity]
