"""PyTorch's counterparts of the maps that move elements around."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def expand_dims(x: Any, axis: Any) -> Any:
    new = axis if isinstance(axis, tuple) else (axis,)
    places = {a % (x.ndim + len(new)) for a in new}
    return x[tuple(None if i in places else slice(None) for i in range(x.ndim + len(new)))]


TORCH = {
    "permute_dims": lambda x, axes: x.permute(axes),
    "transpose": lambda x, axes: x.permute(tuple(range(x.ndim))[::-1] if axes is None else axes),
    "swapaxes": lambda x, axis1, axis2: x.swapaxes(axis1, axis2),
    "expand_dims": expand_dims,
    "squeeze": lambda x, axis: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "sum_to": lambda x, shape: x.sum_to_size(shape),
    "copy": torch.clone,
    "alias": lambda x: x.view_as(x),
    "concatenate": lambda *xs, axis: torch.cat([x.ravel() for x in xs] if axis is None else xs, axis or 0),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
}
WITHOUT: dict[str, str] = {"move": "PyTorch's devices are not ours"}
