"""PyTorch's counterparts of the maps that rescale a whole group of elements."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["TORCH", "WITHOUT"]


def nll(x: Any, labels: Any, reduction: str) -> Any:
    rows = F.nll_loss(x.reshape(labels.numel(), x.shape[-1]), labels.reshape(-1), reduction=reduction)
    return rows.reshape(labels.shape) if reduction == "none" else rows


def nll_transposed(g: Any, labels: Any, reduction: str, classes: int) -> Any:
    x = torch.zeros((*labels.shape, classes), dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(nll(x, torch.as_tensor(labels), reduction), x, g, create_graph=True)[0]


TORCH = {
    "one_hot": lambda labels, classes, dtype: F.one_hot(labels, classes).to(getattr(torch, str(dtype))),
    "softmax_cross_entropy": lambda x, labels, reduction: nll(torch.log_softmax(x, -1), labels, reduction),
    "nll": lambda x, labels, reduction: nll(x, torch.as_tensor(labels), reduction),
    "nll_transposed": nll_transposed,
}
WITHOUT: dict[str, str] = {}
