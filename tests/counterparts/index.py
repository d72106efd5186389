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


def take(x: Any, indices: Any, axis: Any, mode: str) -> Any:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    n, places = x.shape[axis], torch.as_tensor(indices, dtype=torch.int64)
    places = places.clamp(0, n - 1) if mode == "clip" else places % n
    rows = x.index_select(axis, places.reshape(-1))
    return rows.reshape((*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]))


def take_along_axis(x: Any, indices: Any, axis: Any) -> Any:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.take_along_dim(x, indices % x.shape[axis], axis)


TORCH = {
    "getitem": lambda x, index: x.reshape(-1)[flat_index(x.shape, index)],
    "scatter_add": scattered,
    "take": take,
    "take_along_axis": take_along_axis,
    "scatter_sum": lambda *gs, shape, indices: sum(
        scattered(g, shape, index) for g, index in zip(gs, indices, strict=True)
    ),
}
WITHOUT: dict[str, str] = {}
