"""The work that everybody does: four networks, and for each the same batch and the same initial weights.

Every input occurs twice in the batch, with two different labels. No network can memorise such a batch, so the
loss stays above log 2 and the signals that flow backward keep a healthy size however many steps are timed. A
batch that can be learnt by heart would in the end lead every framework into denormal numbers, which
processors handle many times more slowly, and the table would show that instead.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LEARNING_RATE = 1e-3
SEED = 8


@dataclass(frozen=True)
class Size:
    """A tanh network by its layer widths, inputs first and classes last, and the batch it is trained on."""

    name: str
    batch: int
    widths: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.batch}×{list(self.widths)}".replace(" [", "[").replace(", ", ",")


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 32, (2, 16, 16, 2)),
        Size("small", 64, (64, 64, 64, 10)),
        Size("mid", 128, (784, 256, 128, 10)),
        Size("large", 256, (1024, 1024, 1024, 10)),
    )
}


@dataclass(frozen=True)
class Problem:
    """A batch, `x` with `labels`, and initial `parameters` W0, b0, W1, ...; a W is (outputs, inputs)."""

    x: Array
    labels: NDArray[np.int64]
    parameters: tuple[Array, ...]

    @property
    def layers(self) -> list[tuple[Array, Array]]:
        return list(zip(self.parameters[::2], self.parameters[1::2], strict=True))

    def astype(self, dtype: type[np.floating[Any]]) -> "Problem":
        parameters = tuple(p.astype(dtype) for p in self.parameters)
        return replace(self, x=self.x.astype(dtype), parameters=parameters)


def make_problem(size: Size) -> Problem:
    """Draw the float32 problem of one size; the same numbers every time."""
    rng = np.random.default_rng(SEED)
    half, classes = size.batch // 2, size.widths[-1]
    inputs = rng.standard_normal((half, size.widths[0]))
    first = rng.integers(classes, size=half)
    second = (first + rng.integers(1, classes, size=half)) % classes
    parameters = []
    for fan_in, fan_out in zip(size.widths, size.widths[1:], strict=False):
        bound = fan_in**-0.5
        parameters += [rng.uniform(-bound, bound, (fan_out, fan_in)), rng.uniform(-bound, bound, fan_out)]
    return Problem(
        x=np.concatenate([inputs, inputs]).astype(np.float32),
        labels=np.concatenate([first, second]),
        parameters=tuple(p.astype(np.float32) for p in parameters),
    )
