"""PyTorch's counterparts of circular and hyperbolic functions."""

from __future__ import annotations

from typing import Any

import torch

from .comparison import tensors

__all__ = ["TORCH", "WITHOUT"]

TORCH: dict[str, Any] = {
    "arctan2": tensors(torch.arctan2),
    "hypot": tensors(torch.hypot),
    "arcsin_slope": lambda x: torch.rsqrt(1 - x * x),
    "arccosh_slope": lambda x: torch.rsqrt(x * x - 1),
    "arctanh_slope": lambda x: 1 / (1 - x * x),
}
WITHOUT: dict[str, str] = {}
