"""Layers that only rearrange axes."""

from __future__ import annotations

import math
from typing import Any

from .. import errors
from ..core.primitive import operand
from ..ops.shape import _reshape, as_integer, normalize_axis
from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Several axes as one: from images to vectors.

    Parameters
    ----------
    start_dim, end_dim : int
        The first and the last of them. By default all but the batch axis.

    Examples
    --------
    >>> tg.nn.Flatten()(tg.ones(10, 3, 4, 4)).shape
    (10, 48)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = as_integer("Flatten", "start_dim", start_dim)
        self.end_dim = as_integer("Flatten", "end_dim", end_dim)

    def forward(self, x: Any) -> Any:
        """`x` with one axis in the place of several."""
        x = operand("Flatten", x)
        shape = tuple(x.shape) or (1,)
        first = normalize_axis("Flatten", self.start_dim, len(shape), "start_dim")
        last = normalize_axis("Flatten", self.end_dim, len(shape), "end_dim")
        if first > last:
            raise errors.ShapeError(
                f"Flatten: start_dim={self.start_dim} lies behind end_dim={self.end_dim} in an input of shape {shape}"
            )
        return _reshape(x, shape=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis as several: from vectors to images.

    Parameters
    ----------
    dim : int
        The axis.
    unflattened_size : tuple of int
        What comes in its place; one of the numbers may be -1.

    Examples
    --------
    >>> tg.nn.Unflatten(1, (3, 4, 4))(tg.ones(10, 48)).shape
    (10, 3, 4, 4)
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        self.dim = as_integer("Unflatten", "dim", dim)
        if not isinstance(unflattened_size, (tuple, list)) or not unflattened_size:
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of whole numbers; got {unflattened_size!r}")
        self.unflattened_size = tuple(as_integer("Unflatten", "unflattened_size", n) for n in unflattened_size)
        if any(n < -1 for n in self.unflattened_size) or self.unflattened_size.count(-1) > 1:
            raise ValueError(
                f"Unflatten: unflattened_size has sides of 0 or more, and -1 at most once; got {unflattened_size!r}"
            )

    def forward(self, x: Any) -> Any:
        """`x` with several axes in the place of one."""
        x = operand("Unflatten", x)
        shape = tuple(x.shape)
        axis = normalize_axis("Unflatten", self.dim, len(shape), "dim")
        sides, n = self.unflattened_size, shape[axis]
        known = math.prod(side for side in sides if side != -1)
        if -1 in sides and known and n % known == 0:
            sides = tuple(n // known if side == -1 else side for side in sides)
        if -1 in sides or math.prod(sides) != n:
            raise errors.ShapeError(
                f"Unflatten: axis {axis} of shape {shape} has {n} elements, which cannot be written as "
                f"{self.unflattened_size}"
            )
        return _reshape(x, shape=(*shape[:axis], *sides, *shape[axis + 1 :]))

    def extra_repr(self) -> str:
        """The axis and the sides."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
