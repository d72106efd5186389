"""Arguments that are neither arrays nor axes: one of a few words, a number. Each error names function and argument."""

from __future__ import annotations

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
