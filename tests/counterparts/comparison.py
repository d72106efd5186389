"""PyTorch's counterparts of comparisons, of logic, and of questions about single elements."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT", "tensors"]


def tensors(function: Any) -> Any:
    """For functions of PyTorch that take no numbers."""
    return lambda a, b: function(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))


_COMPARISONS = "not_equal less less_equal greater greater_equal logical_and logical_or logical_xor".split()

TORCH: dict[str, Any] = {
    **{name: tensors(getattr(torch, name)) for name in _COMPARISONS},
    "equal": tensors(torch.eq),
    "invert": torch.bitwise_not,
}
WITHOUT: dict[str, str] = {}
