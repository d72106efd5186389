"""Hypothesis strategies for the property suite: one example is a call, and how its arrays lie in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_opt import backend
from tinygrad_opt.testing.sources import Source
from tinygrad_opt.testing.specs import Sample, Spec

Array = Any
LAYOUTS = ("C", "Fortran", "reversed", "every second element", "read-only")


class Drawn(Source):
    """A source whose integers Hypothesis draws, and shrinks."""

    def __init__(self, draw: Callable[[Any], Any], *, tied: bool = False, device: str = "cpu") -> None:
        super().__init__(tied=tied, device=device)
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


@dataclass
class Example:
    """One call of an operation.

    `dtypes` and `layouts` are given for each argument; `wanted` are the arguments to differentiate; `seed` decides
    tangents, cotangents and weights; `thorough` examples are differentiated twice.
    """

    spec: Spec
    sample: Sample
    dtypes: list[str]
    layouts: list[str]
    wanted: tuple[int, ...]
    device: str = "cpu"
    seed: int = 0
    thorough: bool = True

    def __repr__(self) -> str:
        args = [
            f"{x.tolist()} {x.shape} {dtype} {layout}" if isinstance(x, np.ndarray) else repr(x)
            for x, dtype, layout in zip(self.sample.args, self.dtypes, self.layouts, strict=True)
        ]
        wanted = f"wanted={self.wanted} device={self.device} seed={self.seed}"
        return f"{self.spec.name}({', '.join(args)}, **{self.sample.meta}) {wanted}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # what Hypothesis prints
        printer.text(repr(self))


@st.composite
def examples(draw: Callable[[Any], Any], spec: Spec, device: str = "cpu", tied: bool = False) -> Example:
    """Calls of one operation, in every dtype and layout, differentiated by any of its arguments."""
    source = Drawn(draw, tied=tied, device=device)
    sample = spec.sample(source)
    count = len(sample.args)
    choices = source.choose((("float32",), ("float64",), ("float32", "float64")))
    inputs = sample.inputs
    some = [chosen for count in range(len(inputs), 0, -1) for chosen in itertools.combinations(inputs, count)]
    return Example(
        spec,
        sample,
        dtypes=[source.choose(choices) for _ in range(count)],
        layouts=[source.choose(LAYOUTS) for _ in range(count)],
        wanted=source.choose(some or [()]),  # each argument alone, too: what broadcasts it shows only then
        device=device,
        seed=source.integer(0, 2**16),
        thorough=not source.flip(),
    )


def laid_out(array: Array, layout: str) -> Array:
    """The same values in another memory layout, on the array's own device."""
    xp = backend.namespace(array)
    if layout == "read-only" and backend.of(array) is backend.HOST:  # elsewhere arrays cannot be locked
        array.setflags(write=False)
    if array.ndim == 0:
        return array
    if layout == "Fortran":
        return xp.ascontiguousarray(array.T).T
    if layout == "reversed":
        turned = (slice(None, None, -1),) * array.ndim
        return xp.ascontiguousarray(array[turned])[turned]
    if layout == "every second element":
        gap = {"f": 1e30, "b": True}.get(array.dtype.kind, 10**6)
        buffer = xp.full(tuple(2 * n for n in array.shape), gap, dtype=array.dtype)
        buffer[(slice(None, None, 2),) * array.ndim] = array
        return buffer[(slice(None, None, 2),) * array.ndim]
    return array
