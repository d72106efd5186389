"""Moves of a module's tensors between devices and dtypes: all or none, and the tensors stay the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.tensor import Tensor

__all__ = ["move"]


def move(named: Sequence[tuple[str, Tensor]], *targets: Any) -> None:
    """Move tensors to each of the targets (devices and dtypes; None is none); integers keep their dtype."""
    steps = [step for target in targets for step in _steps(target)]
    moves = []
    for name, tensor in named:
        moved = tensor.detach()
        for step in steps:
            further = moved.to(step)
            if moved.dtype.kind == "f" and further.dtype.kind != "f":
                raise TypeError(
                    f"to: '{name}' is floating and cannot become {further.dtype}; write model.to(tg.float64)"
                )
            if further.dtype == moved.dtype or moved.dtype.kind == "f":
                moved = further
        moves.append((tensor, moved))
    for tensor, moved in moves:
        if moved.data is not tensor.data:
            tensor.rehome(moved.data)


def _steps(target: Any) -> tuple[Any, ...]:
    if target is None:
        return ()
    return (target.device, target.dtype) if isinstance(target, Tensor) else (target,)
