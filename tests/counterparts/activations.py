"""PyTorch's counterparts of activations."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["TORCH", "WITHOUT"]


def slope(function: Any) -> Any:
    """The slope of a function of elements, by PyTorch's own derivative."""

    def call(x: Any) -> Any:
        return torch.func.grad(lambda z: function(z).sum())(x)

    return call


def gelu(x: Any) -> Any:
    return x * torch.special.erfc(-x * math.sqrt(0.5)) / 2


def elu(x: Any, alpha: float, scale: float, steepness: float) -> Any:
    return torch.where(x > 0, scale * x, scale * alpha * (torch.exp(steepness * x) - 1))


TORCH: dict[str, Any] = {
    "silu": F.silu,
    "silu_slope": lambda x: torch.sigmoid(x) * (1 + x * torch.sigmoid(-x)),
    "gelu": gelu,
    "gelu_slope": slope(gelu),
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_tanh_slope": slope(lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    "mish": F.mish,
    "mish_slope": slope(lambda x: x * torch.tanh(F.softplus(x))),
    "elu": elu,
    "elu_slope": lambda x, alpha, scale, steepness: torch.where(
        x > 0, scale, scale * alpha * steepness * torch.exp(steepness * x)
    ),
    "prelu": lambda x, slope: torch.where(x > 0, x, x * slope),
    "hardtanh": lambda x, low, high: F.hardtanh(x, low, high),
    "hardswish": F.hardswish,
    "softsign": F.softsign,
}
WITHOUT: dict[str, str] = {}
