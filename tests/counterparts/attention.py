"""PyTorch's counterparts of what attention needs."""

from __future__ import annotations

import math
from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def masked_softmax(x: Any, mask: Any) -> Any:
    if mask is False:
        return torch.softmax(x, -1)
    if mask.dtype != torch.bool:
        return torch.softmax(x + mask, -1)
    return torch.softmax(torch.where(mask, -math.inf, x), -1).masked_fill(mask.expand(x.shape).all(-1, keepdim=True), 0)


TORCH: dict[str, Any] = {
    "masked_softmax": masked_softmax,
    "row_dot": lambda a, b: (a * b).sum(-1, keepdim=True),
}
WITHOUT: dict[str, str] = {}
