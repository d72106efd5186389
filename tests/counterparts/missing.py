"""PyTorch's counterparts of the reductions that pass over nan."""

from __future__ import annotations

from typing import Any

import torch

from .reduce import reduced
from .scan import prod

__all__ = ["TORCH", "WITHOUT"]


def over(function: Any, instead: float = 0.0) -> Any:
    return lambda gaps, x, axis, keepdims: function(torch.where(gaps, instead, x), axis, keepdims)


def mean(gaps: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    total = reduced(torch.sum)
    return total(torch.where(gaps, 0.0, x), axis, keepdims) / total(~gaps, axis, keepdims)


def var(gaps: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    distances = x - mean(gaps, x, axis, True) if axis != () else x - x
    return mean(gaps, distances * distances, axis, keepdims)


TORCH = {
    "nansum": over(reduced(torch.sum)),
    "nanprod": over(prod, 1.0),
    "nanmean": mean,
    "nanvar": var,
    "nanstd": lambda *args, **meta: torch.sqrt(var(*args, **meta)),
    "nanmax": over(reduced(torch.amax), -9999.0),
    "nanmin": over(reduced(torch.amin), 9999.0),
}
WITHOUT: dict[str, str] = {}
