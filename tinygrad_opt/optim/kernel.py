"""A traced update rule as one kernel for a GPU: every element is read once and written once.

The rule becomes the C text of a CuPy `ElementwiseKernel`, whose parameters have the dtype of the vectors: numbers too,
so that nothing is computed in double precision by accident. CuPy compiles it at the first call and keeps the result.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from .. import backend
from .source import in_c
from .tracing import Structure

__all__ = ["Kernel", "fused"]

Array = Any


class Kernel:
    """What a structure does to vectors of one dtype on a device."""

    def __init__(self, structure: Structure, text: str, dtype: Any, library: Any) -> None:
        self.scalar = dtype.type
        # Parameters that are written may be read too, before.
        written = [f"{dtype} x{target}" for target in structure.targets]
        read = [f"{dtype} x1", *(f"{dtype} c{k}" for k in range(structure.slots))]
        # A product and a sum are not contracted into one rounding: the numbers are those of the host.
        self.function = library.ElementwiseKernel(
            ", ".join(read), ", ".join(written), text, "update_rule", options=("--fmad=false",)
        )

    def __call__(self, vectors: Sequence[Array], numbers: Sequence[float]) -> None:
        """Apply the rule to whole vectors, in place."""
        theta, gradient, *state = vectors
        self.function(gradient, *map(self.scalar, numbers), theta, *state)


def fused(structure: Structure, like: Array) -> Kernel | None:
    """The kernel for vectors such as `like`; None for a rule that uses what has no name in C."""
    return _kernel(structure, like.dtype, backend.of(like).kind)


@functools.cache
def _kernel(structure: Structure, dtype: Any, kind: str) -> Kernel | None:
    text = in_c(structure, str(dtype))
    return None if text is None else Kernel(structure, text, dtype, backend.for_device(kind).namespace)
