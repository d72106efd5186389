"""Arguments that several functions of this folder share: counts, seeds, and the generators made from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend

__all__ = ["checked_count", "checked_seed", "host_generator"]


def checked_count(function: str, name: str, value: Any, least: int = 1) -> int:
    """The value as an int, if it is a whole number of at least `least`; else an error."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{function}: {name} must be a whole number; got {value!r} ({type(value).__name__})")
    if value < least:
        raise ValueError(f"{function}: {name} must be at least {least}; got {value}")
    return int(value)


def checked_seed(function: str, seed: Any) -> int | None:
    """The seed as an int, or None; else an error."""
    return None if seed is None else checked_count(function, "seed", seed, least=0)


def host_generator(function: str, seed: Any) -> np.random.Generator:
    """A generator of its own for a seed; without one, the package's generator on the host (`tg.manual_seed`).

    Random choices about data are always drawn on the host, so that they are the same on every device.
    """
    seed = checked_seed(function, seed)
    return backend.generator("cpu") if seed is None else np.random.default_rng(seed)
