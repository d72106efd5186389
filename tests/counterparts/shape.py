"""PyTorch's counterparts of the maps that move elements around."""

from __future__ import annotations

import math
from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def expand_dims(x: Any, axis: Any) -> Any:
    new = axis if isinstance(axis, tuple) else (axis,)
    places = {a % (x.ndim + len(new)) for a in new}
    return x[tuple(None if i in places else slice(None) for i in range(x.ndim + len(new)))]


def reshape(x: Any, shape: Any, order: str) -> Any:
    if order == "C":
        return x.reshape(shape)
    known = math.prod(n for n in shape if n >= 0)
    shape = [x.numel() // known if n < 0 else n for n in shape]
    return x.permute(tuple(range(x.ndim))[::-1]).reshape(shape[::-1]).permute(tuple(range(len(shape)))[::-1])


TORCH = {
    "reshape": reshape,
    "ravel": lambda x, order: (x if order == "C" else x.permute(tuple(range(x.ndim))[::-1])).reshape(-1),
    "permute_dims": lambda x, axes: x.permute(axes),
    "transpose": lambda x, axes: x.permute(tuple(range(x.ndim))[::-1] if axes is None else axes),
    "swapaxes": lambda x, axis1, axis2: x.swapaxes(axis1, axis2),
    "expand_dims": expand_dims,
    "squeeze": lambda x, axis: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "sum_to": lambda x, shape: x.sum_to_size(shape),
    "copy": torch.clone,
    "alias": lambda x: x.view_as(x),
    "gate": lambda x, meet: x.view_as(x),
}
WITHOUT: dict[str, str] = {"move": "PyTorch's devices are not ours"}
