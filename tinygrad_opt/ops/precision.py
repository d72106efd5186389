"""Kernels that compute in float32 what they get in float16: in between, its range and its digits would not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import float16, float32

__all__ = ["wide"]


def wide(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of one array that computes in float32 what it gets in float16; the result is float16 again."""

    def run(xp: Any, x: Any, **meta: Any) -> Any:
        if getattr(x, "dtype", None) != float16:
            return kernel(xp, x, **meta)
        return kernel(xp, x.astype(float32), **meta).astype(float16)

    return run
