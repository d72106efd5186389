"""PyTorch's counterparts of padding, which its own function does for few modes, ranks and widths."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

__all__ = ["TORCH", "WITHOUT"]


def continued(x: Any, pad_width: Any, mode: str) -> Any:
    """Each axis read at the places that NumPy's function gives for whole numbers."""
    for axis, widths in enumerate(pad_width):
        x = x.index_select(axis, torch.from_numpy(np.pad(np.arange(x.shape[axis]), widths, mode)))
    return x


def between(x: Any, values: Any, pad_width: Any) -> Any:
    """Each element read from a row of the elements and the constants."""
    values = torch.as_tensor(values, dtype=x.dtype).expand(x.ndim, 2)
    places = np.arange(x.numel()).reshape(x.shape)
    constants = x.numel() + np.arange(2 * x.ndim).reshape(x.ndim, 2)
    places = torch.from_numpy(np.pad(places, pad_width, constant_values=constants))
    return torch.cat([x.ravel(), values.ravel()])[places]


TORCH = {
    "pad": lambda x, pad_width: between(x, 0.0, pad_width),
    "pad_continued": continued,
    "pad_values": between,
}
WITHOUT: dict[str, str] = {}
