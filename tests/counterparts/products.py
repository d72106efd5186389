"""PyTorch's counterparts of the products of two tensors, and of Einstein's notation."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def einsum(*operands: Any) -> Any:
    return torch.einsum(*operands)


def dot(a: Any, b: Any) -> Any:
    if not (a.ndim and b.ndim):
        return a * b
    return torch.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def tensordot(a: Any, b: Any, axes: Any) -> Any:
    dims = axes if isinstance(axes, int) else [[d] if isinstance(d, int) else list(d) for d in axes]
    return torch.tensordot(a, b, dims)


TORCH = {
    "dot": dot,
    "vdot": lambda a, b: torch.dot(a.ravel(), b.ravel()),
    "outer": lambda a, b: torch.outer(a.ravel(), b.ravel()),
    "vecdot": lambda a, b, axis: torch.linalg.vecdot(a, b, dim=axis),
    "tensordot": tensordot,
    "einsum": einsum,
    "einsum of one tensor": einsum,
}
WITHOUT: dict[str, str] = {}
