"""Questions to the GPU, answered without touching CuPy until one of them is asked."""

from __future__ import annotations

from typing import Any

from . import backend, errors

__all__ = ["empty_cache", "is_available", "memory_summary"]


def is_available() -> bool:
    """Whether ``device="cuda"`` would work now.

    Examples
    --------
    >>> tg.cuda.is_available() in (True, False)
    True
    """
    try:
        backend.resolve("cuda")
    except errors.DeviceUnavailableError:
        return False
    return True


def memory_summary() -> str:
    """How much memory of the current GPU is in use, and how much CuPy's pool holds.

    Raises
    ------
    DeviceUnavailableError
        Without a GPU.
    """
    pool = _cupy().get_default_memory_pool()
    return f"{pool.used_bytes() / 2**20:.1f} MiB in use, {pool.total_bytes() / 2**20:.1f} MiB held by the pool"


def empty_cache() -> None:
    """Give the memory blocks that CuPy's pool holds without using back to the device.

    Raises
    ------
    DeviceUnavailableError
        Without a GPU.
    """
    _cupy().get_default_memory_pool().free_all_blocks()


def _cupy() -> Any:
    return backend.for_device(backend.resolve("cuda")).namespace
