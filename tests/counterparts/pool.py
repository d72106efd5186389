"""PyTorch's counterparts of pooling."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["TORCH", "WITHOUT"]


def with_some(function: Any, dims: int) -> Any:
    """PyTorch's pooling refuses some empty batches; zeros stand in for them."""

    def call(x: Any, *args: Any, **meta: Any) -> Any:
        if x.ndim == dims + 2 and not x.shape[0]:
            return function(torch.cat([x, x.new_zeros(1, *x.shape[1:])]), *args, **meta)[:0]
        return function(x, *args, **meta)

    return call


def average(function: Any) -> Any:
    def call(x: Any, *, divisor_override: int | None = None, **meta: Any) -> Any:
        override = {} if divisor_override is None else {"divisor_override": divisor_override}
        return function(x, **meta, **override)

    return call


def seen(x: Any, windows: Any) -> Any:
    """What every tap of all windows sees, as one tensor: (taps, batch, channels, *out)."""
    edges = [side for pair in reversed(windows.padding) for side in pair]
    padded = F.pad(x, edges)
    slices = [[windows.along(axis, tap) for tap in range(k)] for axis, k in enumerate(windows.kernel)]
    return torch.stack([padded[(..., *place)] for place in product(*slices)])


def picked(x: Any, tap: Any, windows: Any) -> Any:
    return torch.take_along_dim(seen(x, windows), tap[None].long(), 0)[0]


def transposed(function: Any) -> Any:
    """The transpose of a linear map of images, by PyTorch's own derivative."""

    def call(g: Any, *args: Any, windows: Any) -> Any:
        x = torch.zeros((*g.shape[:2], *windows.size), dtype=g.dtype, requires_grad=True)
        return torch.autograd.grad(function(x, *args, windows=windows), x, g, create_graph=True)[0]

    return call


def window_sum(x: Any, windows: Any) -> Any:
    return seen(x, windows).sum(0)


def largest_tap(x: Any, y: Any, windows: Any) -> Any:
    inside = seen(torch.ones_like(x), windows) == 1
    return ((seen(x, windows) == y) & inside).to(torch.int64).argmax(0).to(torch.uint8)


TORCH = {
    **{f"max_pool{n}d": with_some(getattr(F, f"max_pool{n}d"), n) for n in (1, 2, 3)},
    **{f"avg_pool{n}d": with_some(average(getattr(F, f"avg_pool{n}d")), n) for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": with_some(getattr(F, f"adaptive_avg_pool{n}d"), n) for n in (2, 3)},
    "adaptive_avg_pool1d": with_some(lambda x, output_size: F.adaptive_avg_pool1d(x, output_size[0] or x.shape[-1]), 1),
    **{f"adaptive_max_pool{n}d": with_some(getattr(F, f"adaptive_max_pool{n}d"), n) for n in (2, 3)},
    "adaptive_max_pool1d": with_some(lambda x, output_size: F.adaptive_max_pool1d(x, output_size[0] or x.shape[-1]), 1),
    "window_sum": window_sum,
    "window_spread": transposed(window_sum),
    "largest_tap": largest_tap,
    "picked": picked,
    "placed": transposed(picked),
}
WITHOUT: dict[str, str] = {}
