"""Cotangents that fill a part of their tensor, gathered before they are written out.

The cotangent of a slice is zero outside the slice. If every slice wrote its own zeros, the gradient of a tensor that
is read in n pieces would cost n times the tensor. So the transpose of indexing answers with a patch; the walk gathers
the patches of one tensor, and writes them into one array once somebody reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Patches", "gathered"]


class Patches:
    """The sum of some patches in a tensor of zeros.

    Parameters
    ----------
    value, index
        The first patch, an array or a Tensor, and its place.
    like
        Has the shape of the whole.
    write : callable
        ``write(values, indices, shape)`` makes the whole.
    """

    __slots__ = ("dtype", "indices", "rest", "shape", "values", "write")

    def __init__(self, value: Any, index: Any, like: Any, write: Callable[[Sequence[Any], Sequence[Any], Any], Any]):
        self.values, self.indices = [value], [index]
        self.rest: Any = None  # what fills the whole, and is to be added
        self.shape, self.dtype = like.shape, value.dtype
        self.write = write

    @property
    def _array(self) -> Any:
        """An array that is where the whole will be."""
        return getattr(self.values[0], "_array", self.values[0])

    def whole(self) -> Any:
        """The sum, as an array or a Tensor."""
        written = self.write(self.values, self.indices, self.shape)
        return written if self.rest is None else self.rest + written


def gathered(held: Any, cotangent: Any) -> Patches:
    """The sum of two cotangents, at least one of which is in patches."""
    if not isinstance(held, Patches):
        held, cotangent = cotangent, held
    if isinstance(cotangent, Patches):
        held.values += cotangent.values
        held.indices += cotangent.indices
    else:
        held.rest = cotangent if held.rest is None else held.rest + cotangent
    patches: Patches = held
    return patches
