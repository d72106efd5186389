"""PyTorch's counterparts of diagonals and triangles."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    """PyTorch refuses diagonals outside the matrix."""
    n, m = x.shape[axis1], x.shape[axis2]
    if -n <= offset <= m:
        return torch.diagonal(x, offset, axis1, axis2)
    return torch.diagonal(x, 0, axis1, axis2)[..., :0]


TORCH = {
    "diagonal": diagonal,
    "trace": lambda x, offset, axis1, axis2: diagonal(x, offset, axis1, axis2).sum(-1),
    "diag": lambda x, k: torch.diag(x, k),
    "diag_of_matrix": lambda x, k: diagonal(x, k, 0, 1),
    "diagflat": lambda x, k: torch.diagflat(x, k),
    "triu": lambda x, k: torch.triu(x.expand(len(x), -1) if x.ndim == 1 else x, k),
    "tril": lambda x, k: torch.tril(x.expand(len(x), -1) if x.ndim == 1 else x, k),
}
WITHOUT: dict[str, str] = {}
