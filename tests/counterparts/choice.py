"""PyTorch's counterparts of choosing: by a mask, the larger, the smaller, within bounds."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def number_beats_nan(function: Any) -> Any:
    """PyTorch's fmax gives the first of two tied arguments the whole derivative; its maximum shares, as ours do."""

    def call(a: Any, b: Any) -> Any:
        a, b = torch.broadcast_tensors(a, b)
        return torch.where(torch.isnan(a), b, torch.where(torch.isnan(b), a, function(a, b)))

    return call


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, max: Any = None) -> Any:
    return torch.clamp(a, a_min, a_max if max is None else max)


TORCH: dict[str, Any] = {
    "clip": clip,
    "clip_low": lambda x, low: torch.clamp(x, min=low),
    "clip_high": lambda x, high: torch.clamp(x, max=high),
    "fmax": number_beats_nan(torch.maximum),
    "fmin": number_beats_nan(torch.minimum),
}
WITHOUT: dict[str, str] = {}
