"""What the tests of transforms share: numbers and vectors in float64, and the routes to a derivative."""

from __future__ import annotations

from typing import Any

import tinygrad_opt as tg

MODES = ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward")


def number(value: float, **options: Any) -> tg.Tensor:
    return tg.tensor(value, dtype=tg.float64, **options)


def vector(*values: float, **options: Any) -> tg.Tensor:
    return tg.tensor(list(values), dtype=tg.float64, **options)


def derivative_forward(fn: Any) -> Any:
    """The derivative of a function of one number, by forward mode."""
    return lambda x: tg.jvp(fn, x, tg.ones_like(x))[1]


def derivative_by_vjp(fn: Any) -> Any:
    return lambda x: tg.vjp(fn, x)[1](tg.ones_like(x))[0]


def derivative_by_linearize(fn: Any) -> Any:
    return lambda x: tg.linearize(fn, x)[1](tg.ones_like(x))


def derivative_by_checkpoint(fn: Any) -> Any:
    return tg.grad(lambda x: tg.checkpoint(fn, x))


ROUTES = [
    tg.grad, derivative_forward, derivative_by_vjp, derivative_by_linearize, tg.jacobian, derivative_by_checkpoint,
]  # fmt: skip
