"""PyTorch's counterparts of arithmetic."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def power(x: Any, p: Any) -> Any:
    """By way of the logarithm where both vary: PyTorch's own slope of x ** 0 does not depend on the exponent."""
    if isinstance(x, torch.Tensor) and isinstance(p, torch.Tensor) and bool((x > 0).all()):
        return torch.exp(p * torch.log(x))
    return torch.pow(x, p)


TORCH: dict[str, Any] = {
    "subtract": lambda a, b: a - b,
    "multiply": torch.mul,
    "divide": lambda a, b: a / b,
    "power": power,
    "astype": lambda x, dtype: x.to(getattr(torch, str(dtype))),
    "cast_away": lambda x, dtype: x.to(getattr(torch, str(dtype))),
}
WITHOUT: dict[str, str] = {}
