"""Arguments that are neither arrays nor axes: one of a few words, a number, how much of something."""

from __future__ import annotations

import math
from typing import Any

__all__: list[str] = []  # for the families, not for users


def one_of(function: str, argument: str, value: Any, words: tuple[str, ...]) -> Any:
    """`value`, which has to be one of the words. An array is none of them, and is not compared with them."""
    if isinstance(value, str) and value in words:
        return value
    listed = ", ".join(map(repr, words[:-1]))
    raise (ValueError if isinstance(value, str) else TypeError)(
        f"{function}: {argument} must be {listed} or {words[-1]!r}; got {value!r}"
    )


def as_number(function: str, argument: str, value: Any) -> float:
    """As one of Python's own numbers: NumPy's would decide the dtype of the result."""
    shape = getattr(value, "shape", ())
    number = value.item() if hasattr(value, "item") and tuple(shape) == () else value
    if not isinstance(number, (int, float)):
        raise TypeError(f"{function}: {argument} must be a number; got {value!r}")
    return number


def holdable(function: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a result, unless no machine has addresses for so many elements: said before anything is tried."""
    if max(shape, default=0) >= 1 << 62 or math.prod(shape) >= 1 << 46:
        raise MemoryError(f"{function}: the result is too large: shape {shape}")
    return shape


def pieces(function: str, argument: str, count: int) -> int:
    """A number of pieces that are made one by one, unless that would never end."""
    if count >= 1 << 24:
        raise MemoryError(f"{function}: {argument}={count} is more than can be made one by one")
    return count
