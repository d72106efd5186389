"""PyTorch's counterparts of places and counts."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def histogram(x: Any, *weights: Any, bins: Any, density: bool = False, range: Any = None) -> Any:
    bins = torch.tensor(bins, dtype=x.dtype) if isinstance(bins, list) else bins
    x = x.detach()
    if range is None and isinstance(bins, int) and x.min() == x.max():
        range = (x.min().item() - 0.5, x.max().item() + 0.5)
    options = {"weight": weights[0].detach()} if weights else {}
    if range is not None:
        options["range"] = range
    counts = torch.histogram(x, bins, density=density, **options).hist
    return counts if weights or density else counts.to(torch.int64)


TORCH = {
    "searchsorted": lambda row, v, side: torch.searchsorted(row, v, side=side),
    "histogram": histogram,
}
WITHOUT = {"bin_edges": "PyTorch treats an empty range in another way"}
