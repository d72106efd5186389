"""PyTorch's counterparts of sorting and of order statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .reduce import axes

__all__ = ["TORCH", "WITHOUT"]


def ordered(function: Any, x: Any, axis: Any) -> Any:
    return function(x.reshape(-1), dim=0, stable=True) if axis is None else function(x, dim=axis, stable=True)


def statistic(x: Any, axis: Any, keepdims: bool, q: Any, method: str = "linear") -> Any:
    """PyTorch knows quantiles along one axis only."""
    reduced = sorted(a % x.ndim for a in axes(x, axis)) if x.ndim else []
    rest = [i for i in range(x.ndim) if i not in reduced]
    sides = [x.shape[i] for i in rest]
    kept = [1 if i in reduced else n for i, n in enumerate(x.shape)] if keepdims else sides
    q = torch.as_tensor(q, dtype=x.dtype)
    if not x.numel():
        return torch.zeros((*q.shape, *kept), dtype=x.dtype)
    rows = x.permute((*rest, *reduced)).reshape((*sides, -1))
    return by_definition(rows, q.reshape(-1), method).reshape((*q.shape, *kept))


def by_definition(rows: Any, q: Any, method: str) -> Any:
    """What PyTorch does not know is the line through sorted elements, at the ranks that NumPy gives."""
    if method in ("linear", "lower", "higher", "midpoint", "nearest"):
        return torch.quantile(rows, q, -1, interpolation=method)
    ranks = torch.from_numpy(np.quantile(np.arange(rows.shape[-1]) * 1.0, q.numpy(), method=method))
    rows, below = torch.sort(rows, -1).values, ranks.floor().long()
    return torch.lerp(rows[..., below], rows[..., ranks.ceil().long()], ranks - below).movedim(-1, 0)


TORCH = {
    "sort": lambda x, axis: ordered(torch.sort, x, axis).values,
    "argsort": lambda x, axis: ordered(torch.argsort, x, axis),
    "median": lambda x, axis, keepdims: statistic(x, axis, keepdims, 0.5),
    "quantile": lambda x, axis, keepdims, q, method: statistic(x, axis, keepdims, q, method),
    "percentile": lambda x, axis, keepdims, q, method: statistic(
        x, axis, keepdims, torch.as_tensor(q, dtype=x.dtype) / 100, method
    ),
    "order_statistic": lambda x, axis, k: torch.sort(x, axis).values.select(axis, k),
}
WITHOUT = {
    "partition": "PyTorch has no partition, and its order is not defined",
    "argpartition": "as for partition",
}
