"""PyTorch's counterparts of exponentials, logarithms and roots."""

from __future__ import annotations

from typing import Any

import torch

from .comparison import tensors

__all__ = ["TORCH", "WITHOUT"]

TORCH: dict[str, Any] = {
    "logaddexp": tensors(torch.logaddexp),
    "logaddexp2": tensors(torch.logaddexp2),
    "share": lambda a, b, unit: torch.sigmoid(unit * (a - b)),
    "sigmoid_slope": lambda x: torch.sigmoid(x) * torch.sigmoid(-x),
    "softplus": torch.nn.functional.softplus,
}
WITHOUT: dict[str, str] = {}
