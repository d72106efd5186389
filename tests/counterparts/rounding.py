"""PyTorch's counterparts of rounding, and of what division leaves over."""

from __future__ import annotations

from typing import Any

import torch

from .comparison import tensors

__all__ = ["TORCH", "WITHOUT"]

TORCH: dict[str, Any] = {name: tensors(getattr(torch, name)) for name in ("floor_divide", "fmod", "remainder")}
WITHOUT: dict[str, str] = {}
