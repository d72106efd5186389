"""What layers ask of their arguments."""

from __future__ import annotations

import operator
from typing import Any

from ..core.tensor import Tensor

__all__ = ["as_tensor", "new_result", "positive", "truth"]


def positive(layer: str, **sizes: int) -> None:
    """Refuse what is not a positive integer, by the name of the layer and of the argument."""
    for name, size in sizes.items():
        try:
            fits = not isinstance(size, bool) and operator.index(size) > 0
        except TypeError:
            fits = False
        if not fits:
            raise ValueError(f"{layer}: {name} must be a positive integer; got {size!r}")


def truth(layer: str, argument: str, value: Any) -> bool:
    """A switch, which is True or False (1 or 0 too, and NumPy's); nothing else is asked for its truth."""
    held = value.item() if tuple(getattr(value, "shape", (1,))) == () else value
    try:
        return bool(operator.index(held))
    except TypeError:
        raise TypeError(f"{layer}: {argument} must be True or False; got {value!r:.60}") from None


def new_result(layer: str, inplace: bool) -> None:
    """Refuse to overwrite the input: other derivatives may need it."""
    if inplace is not False:
        raise ValueError(f"{layer}: tensors are not overwritten; leave inplace={inplace!r} out, and use the result")


def as_tensor(what: str, value: Any) -> Tensor:
    """A tensor itself, or one made of an array, a number or a list; `what` begins the message where none can be."""
    if isinstance(value, Tensor):
        return value
    try:
        return Tensor(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: {error}") from None
