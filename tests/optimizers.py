"""The optimizers that the tests of what all optimizers share run over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_opt as tg

Maker = Callable[..., tg.optim.Optimizer]
MAKERS: dict[str, Maker] = {
    "sgd": lambda params, **options: tg.optim.SGD(params, **options),
    "momentum": lambda params, **options: tg.optim.SGD(params, momentum=0.9, **options),
    "adam": lambda params, **options: tg.optim.Adam(params, **options),
}
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def leaf(*values: float, dtype: Any = tg.float64) -> tg.Tensor:
    return tg.tensor(values, dtype=dtype, requires_grad=True)
