"""Kernels that compute in float32 what they get in float16: in between, its range and its digits would not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import float16, float32

__all__ = ["wider", "widened"]


def wider(dtype: Any) -> Any:
    """The dtype to compute sums and products in: float32 for float16, else the same."""
    return float32 if dtype == float16 else dtype


def widened(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that computes in float32 where all it gets is float16; the result is float16 again."""

    def run(xp: Any, *arrays: Any, **meta: Any) -> Any:
        for x in arrays:
            if getattr(x, "dtype", None) != float16:
                return kernel(xp, *arrays, **meta)
        return kernel(xp, *(x.astype(float32) for x in arrays), **meta).astype(float16)

    return run
