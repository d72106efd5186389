"""PyTorch's counterparts of the indexing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

__all__ = ["TORCH", "WITHOUT"]


def flat_index(shape: Any, index: Any) -> Any:
    """Where the picked elements lie in the ravelled tensor: PyTorch has no negative steps."""
    return torch.from_numpy(np.array(np.arange(math.prod(shape)).reshape(shape)[index], order="C"))


def scattered(g: Any, shape: Any, index: Any) -> Any:
    places = flat_index(shape, index).reshape(-1)
    return torch.zeros(math.prod(shape), dtype=g.dtype).index_add(0, places, g.reshape(-1)).reshape(shape)


TORCH = {
    "getitem": lambda x, index: x.reshape(-1)[flat_index(x.shape, index)],
    "scatter_add": scattered,
    "scatter_sum": lambda *gs, shape, indices: sum(
        scattered(g, shape, index) for g, index in zip(gs, indices, strict=True)
    ),
}
WITHOUT: dict[str, str] = {}
