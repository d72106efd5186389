"""PyTorch's counterparts of the sums of products."""

from __future__ import annotations

import torch.nn.functional as F

__all__ = ["TORCH", "WITHOUT"]

TORCH = {
    "affine": F.linear,
}
WITHOUT: dict[str, str] = {}
