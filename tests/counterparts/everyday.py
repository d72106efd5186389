"""PyTorch's counterparts of what everyday work needs besides."""

from __future__ import annotations

from typing import Any

import torch

from .join import row_of

__all__ = ["TORCH", "WITHOUT"]


def meshgrid(*xs: Any, indexing: str, sparse: bool, copy: bool) -> Any:
    vectors = [x.reshape(-1) for x in xs]
    if not sparse:
        return torch.meshgrid(*vectors, indexing=indexing)
    places = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        places[:2] = [1, 0]
    shapes = [[-1 if i == place else 1 for i in range(len(xs))] for place in places]
    return [x.reshape(shape) if x.numel() else x.reshape([x.numel() if n < 0 else n for n in shape])
            for x, shape in zip(vectors, shapes, strict=True)]  # fmt: skip


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = torch.broadcast_tensors(a.movedim(axisa, -1), b.movedim(axisb, -1))
    return torch.linalg.cross(a, b, dim=-1).movedim(-1, axisc)


def vander(x: Any, N: Any, increasing: bool) -> Any:
    """PyTorch's own function cannot be differentiated twice: it multiplies in place."""
    columns = [torch.ones_like(x) * 1.0]
    for _ in range(1, len(x) if N is None else N):
        columns.append(columns[-1] * x)
    columns = columns if N != 0 and len(x) else []
    return torch.stack(columns if increasing else columns[::-1], 1) if columns else x.new_zeros(len(x), N or 0)


TORCH = {
    "atleast_1d": row_of(torch.atleast_1d),
    "atleast_2d": row_of(torch.atleast_2d),
    "atleast_3d": row_of(torch.atleast_3d),
    "broadcast_arrays": row_of(torch.broadcast_tensors),
    "meshgrid": row_of(meshgrid),
    "cross": cross,
    "vander": vander,
}
WITHOUT: dict[str, str] = {}
