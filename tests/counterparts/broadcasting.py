"""PyTorch's counterparts of what belongs to broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["TORCH", "WITHOUT"]

TORCH: dict[str, Any] = {
    "unbroadcast": lambda x, shape: x.sum_to_size(tuple(np.atleast_1d(np.asarray(shape, dtype=int)).tolist())),
}
WITHOUT: dict[str, str] = {}
