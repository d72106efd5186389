"""PyTorch's counterparts of the functions of corresponding elements."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def tensors(function: Any) -> Any:
    """For functions of PyTorch that take no numbers."""
    return lambda a, b: function(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))


TORCH = {
    "subtract": lambda a, b: a - b,
    "multiply": torch.mul,
    "divide": lambda a, b: a / b,
    "power": torch.pow,
    **{name: tensors(getattr(torch, name)) for name in ("not_equal", "less", "less_equal", "greater", "greater_equal")},
    "equal": tensors(torch.eq),
    "astype": lambda x, dtype: x.to(getattr(torch, str(dtype))),
    "cast_away": lambda x, dtype: x.to(getattr(torch, str(dtype))),
}
WITHOUT: dict[str, str] = {}
