"""PyTorch's counterparts of the reductions."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def reduced(function: Any) -> Any:
    """PyTorch takes ``dim=()`` for all axes; NumPy takes ``axis=()`` for none."""

    def call(x: Any, axis: Any, keepdims: bool) -> Any:
        dims = axes(x, axis)
        return function(x, dims, keepdims) if dims else function(x.unsqueeze(0), (0,), False)

    return call


TORCH = {
    "sum": reduced(torch.sum),
    "mean": reduced(torch.mean),
    "max": reduced(torch.amax),
    "min": reduced(torch.amin),
    "logsumexp": reduced(torch.logsumexp),
    "any": reduced(torch.any),
    "all": reduced(torch.all),
}
WITHOUT: dict[str, str] = {}
