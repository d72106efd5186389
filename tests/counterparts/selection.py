"""PyTorch's counterparts of choosing by conditions."""

from __future__ import annotations

from typing import Any

import torch

from .reduce import reduced

__all__ = ["TORCH", "WITHOUT"]


def select(*args: Any) -> Any:
    *lists, result = args
    half = len(lists) // 2
    for condition, choice in zip(lists[half - 1 :: -1] if half else [], lists[: half - 1 : -1], strict=True):
        result = torch.where(condition, choice, torch.as_tensor(result, dtype=choice.dtype))
    return result


TORCH = {
    "nonzero": lambda x: torch.cat(torch.nonzero(x, as_tuple=True)[::-1]),
    "count_nonzero": lambda x, axis, keepdims: reduced(torch.sum)(x != 0, axis, keepdims),
    "select": select,
}
WITHOUT: dict[str, str] = {}
