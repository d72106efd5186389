"""Conventions of activations, and of the softmax of attention."""

from __future__ import annotations

from math import inf

from ...ops import activations, attention
from .convention import Convention

__all__ = ["CONVENTIONS"]


def _elu(x: object) -> object:
    return activations.elu_like(x, alpha=0.5, scale=1.0, steepness=1.0)


def _hardtanh(x: object) -> object:
    return activations.hardtanh_between(x, low=-1.0, high=1.0)


CONVENTIONS = (
    Convention(
        "prelu", "x = 0", activations.leaky, ([0.0], [0.25]), [0.0], ([0.25], [0.0]), ([1.0], [1.0]),
        "as in PyTorch: the slope on the left, which is a subgradient; learned slopes are seen there too",
    ),
    Convention(
        "elu", "x = 0, α = 1/2", _elu, ([0.0],), [0.0], ([0.5],), ([0.5],), "as in PyTorch: the exponential's slope",
    ),
    Convention(
        "hardtanh", "x is on a bound", _hardtanh, ([-1.0, 1.0],), [-1.0, 1.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "as for relu, and as in PyTorch",
    ),
    Convention(
        "hardswish", "x = ±3", activations.hardswish, ([-3.0, 3.0],), [0.0, 3.0], ([0.0, 1.0],), ([0.0, 0.0],),
        "the slopes of the straight lines, as in PyTorch",
    ),
    Convention(
        "softsign", "x = 0", activations.softsign, ([0.0],), [0.0], ([1.0],), ([0.0],),
        "the curvature in the middle: it is -2 on the right, 2 on the left",
    ),
    Convention(
        "softsign", "x is infinite", activations.softsign, ([-inf, inf],), [-1.0, 1.0], ([0.0, 0.0],), ([0.0, 0.0],),
        "the limits",
    ),
    Convention(
        "silu", "x is infinite", activations.silu, ([-inf, inf],), [0.0, inf], ([0.0, 1.0],), ([0.0, 0.0],),
        "the limits; so for gelu, gelu_tanh and mish",
    ),
    Convention(
        "masked_softmax", "a whole row is left out", attention.masked_softmax,
        ([1.0, 2.0], [-inf, -inf]), [0.0, 0.0], ([0.0, 0.0], [0.0, 0.0]), ([0.0, 0.0], [0.0, 0.0]),
        "a query without keys has weights 0, so that a padded sequence spoils no gradient",
    ),
)  # fmt: skip
