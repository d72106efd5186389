"""Arguments that are neither arrays nor axes: one of a few words, a number, how much of something."""

from __future__ import annotations

import math
from typing import Any

from .. import backend, errors

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


def as_real(function: str, argument: str, value: Any) -> float:
    """As a float, which stands beside floating arrays of any size."""
    try:
        return float(as_number(function, argument, value))
    except OverflowError:
        raise ValueError(f"{function}: {argument} is larger than any floating number") from None


def together(function: str, **tensors: Any) -> None:
    """Refuse tensors on different devices, by the names of the arguments; None is anywhere."""
    arrays = {name: getattr(x, "_array", x) for name, x in tensors.items() if x is not None}
    places = [(name, backend.device_of(array)) for name, array in arrays.items()]
    if len({place for _, place in places}) > 1:
        raise errors.mixed_devices(function, places)


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
