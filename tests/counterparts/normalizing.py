"""PyTorch's counterparts of normalization and of the maps that it consists of."""

from __future__ import annotations

from typing import Any

import torch

from .reduce import reduced

__all__ = ["TORCH", "WITHOUT"]

mean = reduced(torch.mean)


def normalize(x: Any, weight: Any = 1.0, bias: Any = 0.0, *, axis: Any, eps: float) -> Any:
    centred = x - mean(x, axis, True)
    return centred / torch.sqrt(mean(centred * centred, axis, True) + eps) * weight + bias


TORCH = {
    "normalize": normalize,
    "sum_kept": lambda x, axis: reduced(torch.sum)(x, axis, True),
    "centre": lambda x, axis: x - mean(x, axis, True),
    "mean_square": lambda c, axis: mean(c * c, axis, True),
}
WITHOUT: dict[str, str] = {}
