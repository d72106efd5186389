"""PyTorch's counterparts of the statistics."""

from __future__ import annotations

import math
from typing import Any

import torch

from .reduce import axes, reduced

__all__ = ["TORCH", "WITHOUT"]


def var(x: Any, axis: Any, ddof: Any, keepdims: bool) -> Any:
    """PyTorch's own corrections are whole numbers."""
    n = math.prod(x.shape[i] for i in axes(x, axis))
    distances = x - reduced(torch.mean)(x, axis, True)
    return reduced(torch.sum)(distances * distances, axis, keepdims) / (n - ddof)


def average(a: Any, weights: Any, axis: Any, keepdims: bool) -> Any:
    if weights.shape != a.shape:
        places = [i % a.ndim for i in axes(a, axis)]
        order = sorted(range(len(places)), key=places.__getitem__)
        weights = weights.permute(order).reshape([n if i in places else 1 for i, n in enumerate(a.shape)])
    total = reduced(torch.sum)
    weights = weights.expand(a.shape)
    return total(a * weights, axis, keepdims) / total(weights, axis, keepdims)


def cov(*tables: Any, rowvar: bool, ddof: Any = None, bias: bool = False, **weights: Any) -> Any:
    return torch.cov(variables(tables, rowvar), correction=(0 if bias else 1) if ddof is None else ddof, **weights)


def variables(tables: Any, rowvar: bool) -> Any:
    return torch.cat([x[None] if x.ndim == 1 else x if rowvar else x.T for x in tables])


TORCH = {
    "within_one": lambda x: x.clamp(-1, 1),
    "var": var,
    "std": lambda *args, **meta: torch.sqrt(var(*args, **meta)),
    "ptp": lambda x, axis, keepdims: reduced(torch.amax)(x, axis, keepdims) - reduced(torch.amin)(x, axis, keepdims),
    "average": average,
    "cov": cov,
    "corrcoef": lambda *tables, rowvar: torch.corrcoef(variables(tables, rowvar)),
    "weighted_cov": lambda m, aweights, fweights, ddof: torch.cov(
        m, correction=ddof, fweights=fweights, aweights=aweights
    ),
}
WITHOUT: dict[str, str] = {}
