"""PyTorch's counterparts of turning, shifting and repeating."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def flip(x: Any, axis: Any) -> Any:
    return torch.flip(x, tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,))


def roll(x: Any, shift: Any, axis: Any) -> Any:
    if isinstance(axis, tuple) and not isinstance(shift, tuple):
        shift = (shift,) * len(axis)
    return torch.roll(x, shift, axis)


TORCH = {
    "flip": flip,
    "roll": roll,
    "rot90": lambda x, k, axes: torch.rot90(x, k, axes),
    "tile": lambda x, reps: torch.tile(x, reps if isinstance(reps, tuple) else (reps,)),
    "repeat": lambda x, repeats, axis: torch.repeat_interleave(x, repeats, axis),
    "repeat_each": lambda x, repeats, axis: torch.repeat_interleave(x, torch.tensor(repeats, dtype=torch.int64), axis),
}
WITHOUT: dict[str, str] = {}
