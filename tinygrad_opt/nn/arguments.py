"""What layers ask of their arguments."""

from __future__ import annotations

import operator

__all__ = ["positive"]


def positive(layer: str, **sizes: int) -> None:
    """Refuse what is not a positive integer, by the name of the layer and of the argument."""
    for name, size in sizes.items():
        try:
            fits = not isinstance(size, bool) and operator.index(size) > 0
        except TypeError:
            fits = False
        if not fits:
            raise ValueError(f"{layer}: {name} must be a positive integer; got {size!r}")
