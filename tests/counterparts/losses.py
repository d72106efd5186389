"""PyTorch's counterparts of elementwise losses."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["TORCH", "WITHOUT"]


def logistic_loss(x: Any, p: Any) -> Any:
    x, p = torch.broadcast_tensors(x, p)
    return F.binary_cross_entropy_with_logits(x, p, reduction="none")


TORCH = {
    "huber": lambda z, delta: F.huber_loss(z, torch.zeros_like(z), "none", delta),
    "cut_off": lambda z, delta: torch.clamp(z, -delta, delta),
    "logistic_loss": logistic_loss,
    "logistic_excess": lambda x, p: torch.sigmoid(x) - p,
    "clamped_log": lambda x, offset, floor: torch.log(x + offset).clamp(min=-100),
}
WITHOUT: dict[str, str] = {}
