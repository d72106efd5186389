"""What is a special case of what: two methods with the right options walk the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

STEPS = 50
START = [1.5, -0.5, 0.25]


def curved(x: tg.Tensor) -> tg.Tensor:
    return ((x - 1) ** 4).sum() + (x[0] * x[1] + x[2]) ** 2


def slope(x: tg.Tensor) -> tg.Tensor:
    """The same gradient everywhere: (1, 10, -0.1)."""
    return x[0] + 10 * x[1] - 0.1 * x[2]


def way(name: str, loss: Callable[[tg.Tensor], tg.Tensor] = curved, lr: float = 0.05, **options: Any) -> np.ndarray:
    """The points that a method visits, one a row, the start included."""
    x = tg.tensor(START, dtype=tg.float64, requires_grad=True)
    optimizer = getattr(tg.optim, name)([x], lr=lr, **options)
    points = [START]
    for _ in range(STEPS):
        optimizer.step(lambda: loss(x))
        points.append(x.tolist())
    return np.array(points)


SAME: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "the two forms of momentum, while the rate is constant": (
        ("SGD", {"momentum": 0.8}), ("SGD", {"momentum": 0.8, "form": "book"}),
    ),
    "averaged descent without its decay": (("ASGD", {"lambd": 0.0}), ("SGD", {})),
    "rates that do not change": (("DeltaBarDelta", {"kappa": 0.0, "phi": 0.0}), ("SGD", {})),
    "the book's Adagrad has another small number": (("Adagrad", {"eps": 1e-7}), ("Adagrad", {"form": "book"})),
    "small numbers of 0 are nowhere": (("RMSprop", {"eps": 0.0}), ("RMSprop", {"eps": 0.0, "form": "book"})),
    "look-ahead without weight": (
        ("RMSprop", {"form": "book", "momentum": 1e-200, "nesterov": True}),
        ("RMSprop", {"form": "book", "eps": 0.0}),
    ),
    "decoupled decay": (
        ("AdamW", {"weight_decay": 0.1}), ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ),
    "no decay": (("AdamW", {"weight_decay": 0.0}), ("Adam", {})),
    "no memory, by signs": (("Lion", {"betas": (0.0, 0.0)}), ("Adam", {"betas": (0.0, 0.0), "eps": 0.0})),
    "the largest gradient without memory": (
        ("Adamax", {"betas": (0.0, 0.0), "eps": 0.0}), ("Lion", {"betas": (0.0, 0.0)}),
    ),
    "a second moment too young for ever": (
        ("RAdam", {"betas": (0.0, 0.6)}), ("SGD", {}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_one_is_the_other(case: str) -> None:
    (name, options), (other, others) = SAME[case]
    points = way(name, **options)
    np.testing.assert_allclose(points, way(other, **others), rtol=1e-9, atol=1e-12)
    assert np.abs(points[-1] - START).max() > 0.1


def test_nesterov_of_pytorch_is_where_that_of_the_book_looks() -> None:
    x = tg.tensor(START, dtype=tg.float64, requires_grad=True)
    optimizer = tg.optim.SGD([x], lr=0.05, momentum=0.8, nesterov=True, form="book", weight_decay=0.1)
    seen = []
    for _ in range(STEPS + 1):
        optimizer.step(lambda: seen.append(x.tolist()) or curved(x))
    np.testing.assert_allclose(seen, way("SGD", momentum=0.8, nesterov=True, weight_decay=0.1), rtol=1e-9)


def test_the_old_velocity_keeps_the_old_rate_in_the_book_only() -> None:
    points = []
    for form in ("torch", "book"):
        x = tg.tensor([1.0], dtype=tg.float64, requires_grad=True)
        optimizer = tg.optim.SGD([x], lr=0.5, momentum=0.5, form=form)
        for lr in (0.5, 0.0):
            optimizer.param_groups[0]["lr"] = lr
            optimizer.step(lambda x=x: x.sum())
        points.append(x.item())
    assert points == [0.5, 0.25]


# A gradient that stays the same: every method has a way that can be told in advance.

TIMES = np.arange(1, STEPS + 1)[:, None]
SIGNS, GRADIENT = np.array([[1.0, 1.0, -1.0]]), np.array([[1.0, 10.0, -0.1]])
KNOWN: dict[str, tuple[str, dict[str, Any], np.ndarray]] = {
    "corrections are exact": ("Adam", {"eps": 0.0}, 0.05 * SIGNS + 0 * TIMES),
    "a running average starts at 0": (
        "RMSprop", {"alpha": 0.9, "eps": 0.0}, 0.05 * SIGNS / np.sqrt(1 - 0.9**TIMES),
    ),
    "a sum grows": ("Adagrad", {"eps": 0.0}, 0.05 * SIGNS / np.sqrt(TIMES)),
    "the terminal speed of momentum": ("SGD", {"momentum": 0.5}, 0.05 * GRADIENT * (1 - 0.5**TIMES) / (1 - 0.5)),
    "rates that grow": ("DeltaBarDelta", {"kappa": 0.01}, (0.05 + 0.01 * (TIMES - 1)) * GRADIENT),
    "lengths that grow to a bound": ("Rprop", {}, np.minimum(0.05 * 1.2 ** (TIMES - 1), 50.0) * SIGNS),
    "what is believed is not divided by": (
        "AdaBelief", {"betas": (0.0, 0.5), "eps": 1.0},
        0.05 * GRADIENT / (np.sqrt((2 - 2 * 0.5**TIMES) / (1 - 0.5**TIMES)) + 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", KNOWN)
def test_the_way_down_a_slope(case: str) -> None:
    name, options, steps = KNOWN[case]
    np.testing.assert_allclose(-np.diff(way(name, slope, **options), axis=0), steps, rtol=1e-9)
