"""PyTorch's counterparts of arithmetic."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]

TORCH: dict[str, Any] = {
    "subtract": lambda a, b: a - b,
    "multiply": torch.mul,
    "divide": lambda a, b: a / b,
    "power": torch.pow,
    "astype": lambda x, dtype: x.to(getattr(torch, str(dtype))),
    "cast_away": lambda x, dtype: x.to(getattr(torch, str(dtype))),
}
WITHOUT: dict[str, str] = {}
