"""PyTorch's counterparts of the cumulative functions and of products."""

from __future__ import annotations

from typing import Any

import torch

from .reduce import axes

__all__ = ["TORCH", "WITHOUT"]


def scanned(function: Any) -> Any:
    return lambda x, axis: function(x.reshape(-1), 0) if axis is None else function(x, axis)


def prod(x: Any, axis: Any, keepdims: bool) -> Any:
    for place in sorted({a % x.ndim for a in axes(x, axis)} if x.ndim else (), reverse=True):
        x = torch.prod(x, place, keepdims)
    return x


def recurrence(c: Any, b: Any, axis: int, reverse: bool) -> Any:
    links, added = list(c.unbind(axis)), list(b.unbind(axis))
    if reverse:
        links, added = links[::-1], added[::-1]
    s = added[:1]
    for link, more in zip(links, added[1:], strict=True):
        s.append(link * s[-1] + more)
    return torch.stack(s[::-1] if reverse else s, axis)


def others(x: Any, axis: int) -> Any:
    parts = x.unbind(axis)
    kept = [torch.stack([torch.ones_like(x.sum(axis)), *parts[:i], *parts[i + 1 :]]).prod(0) for i in range(len(parts))]
    return torch.stack(kept, axis) if kept else x


TORCH = {
    "cumsum": scanned(torch.cumsum),
    "cumprod": scanned(torch.cumprod),
    "prod": prod,
    "others": others,
    "recurrence": recurrence,
}
WITHOUT: dict[str, str] = {}
