"""Adam for the peers that bring no optimizers: the book's expressions, one parameter at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.workload import LEARNING_RATE

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def adam(p: Any, g: Any, m: Any, v: Any, t: Any, sqrt: Any = np.sqrt) -> tuple[Any, Any, Any]:
    """The new parameter, first and second moment, from gradient `g` in step `t` = 1, 2, ..."""
    m = BETA1 * m + (1 - BETA1) * g
    v = BETA2 * v + (1 - BETA2) * g * g
    m_hat = m / (1 - BETA1**t)
    v_hat = v / (1 - BETA2**t)
    return p - LEARNING_RATE * m_hat / (sqrt(v_hat) + EPSILON), m, v


class Adam:
    """The moments of a list of NumPy arrays."""

    def __init__(self, parameters: Sequence[Any]) -> None:
        self.t = 0
        self.m = [np.zeros_like(p) for p in parameters]
        self.v = [np.zeros_like(p) for p in parameters]

    def update(self, parameters: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        """The parameters after one step."""
        self.t += 1
        updated = []
        for i, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            p, self.m[i], self.v[i] = adam(p, g, self.m[i], self.v[i], self.t)
            updated.append(p)
        return updated
