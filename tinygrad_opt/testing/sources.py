"""Where the inputs of a property test come from: shapes, values, axes and indices, all built on one draw.

A specification asks a `Source` for what an operation needs: a shape, an array in a domain, an axis. Every answer
comes down to drawing integers, so whoever can draw integers can be a source: a seeded generator here, a framework
that shrinks failing examples in a test suite.

The values lie on a grid that float32 represents exactly, so the same example can be computed in either precision,
and away from kinks by construction. A source that is `tied` draws from three values instead: the kinks themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

__all__ = ["NONZERO", "POSITIVE", "REALS", "WHOLE", "Domain", "RandomSource", "Source"]

T = TypeVar("T")
Array = Any
Shape = tuple[int, ...]
_SIDES = (2, 3, 1, 4, 2, 0, 3, 1, 4, 2, 3)  # now and then nothing; not at an end, where sources may draw oftener
_STEP = 0.125


@dataclass(frozen=True)
class Domain:
    """An interval, without the neighbourhoods of the points to avoid."""

    low: float
    high: float
    avoid: tuple[float, ...] = ()
    margin: float = _STEP
    step: float = _STEP

    def grid(self) -> Array:
        """The values that may be drawn."""
        points = np.arange(math.ceil(self.low / self.step), math.floor(self.high / self.step) + 1) * self.step
        far = [np.abs(points - point) >= self.margin for point in self.avoid]
        return points[np.logical_and.reduce(far)] if far else points


REALS = Domain(-3.0, 3.0)
NONZERO = Domain(-3.0, 3.0, avoid=(0.0,), margin=0.5)
POSITIVE = Domain(0.25, 4.0)
WHOLE = Domain(-2.0, 2.0, step=1.0)


class Source:
    """Draws of shapes, values, axes and indices; a subclass says how integers are drawn.

    Attributes
    ----------
    tied : bool
        Whether all values come from -1, 0 and 1.
    device : str
        The device that the operation will run on.
    """

    def __init__(self, *, tied: bool = False, device: str = "cpu") -> None:
        self.tied = tied
        self.device = device

    def integer(self, low: int, high: int) -> int:
        """An integer between the two, both included."""
        raise NotImplementedError

    def generator(self) -> np.random.Generator:
        """A seeded generator, for many values at once."""
        return np.random.default_rng(self.integer(0, 2**16))

    def choose(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[self.integer(0, len(options) - 1)]

    def flip(self) -> bool:
        """True or false."""
        return bool(self.integer(0, 1))

    # Shapes.

    def shape(self, low: int = 0, high: int = 4, empty: bool = True) -> Shape:
        """A shape of `low` to `high` axes; `empty`: sides of length 0 may occur."""
        sides = [n for n in _SIDES if n or empty]
        return tuple(self.choose(sides) for _ in range(self.integer(low, high)))

    def part_of(self, shape: Shape) -> Shape:
        """A shape that broadcasts to `shape`: some leading axes gone, some sides 1."""
        return tuple(1 if self.integer(0, 3) == 3 else n for n in shape[self.integer(0, len(shape)) :])

    def shapes(self, count: int) -> list[Shape]:
        """Several shapes that broadcast with each other."""
        whole = self.shape()
        return [whole if self.flip() else self.part_of(whole) for _ in range(count)]

    # Values.

    def array(self, shape: Shape, domain: Domain = REALS) -> Array:
        """Float64 values from a domain (from three values, where the source is tied)."""
        grid = np.array([-1.0, 0.0, 1.0]) if self.tied else domain.grid()
        return self.generator().choice(grid, shape)

    def distinct(self, *shapes: Shape) -> list[Array]:
        """Arrays of float64 values of which no two are equal (but for a tied source)."""
        if self.tied:
            return [self.array(shape) for shape in shapes]
        sizes = [math.prod(shape) for shape in shapes]
        values = (self.generator().permutation(sum(sizes)) - sum(sizes) // 2) * _STEP
        parts = np.split(values, np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def number(self, domain: Domain = REALS) -> float | int:
        """A Python number from a domain; whole ones may come as int."""
        value = float(self.choose(list(domain.grid())))
        return int(value) if value.is_integer() and self.flip() else value

    def mask(self, shape: Shape) -> Array:
        """An array of bool."""
        return self.generator().integers(0, 2, shape).astype(bool)

    def labels(self, shape: Shape, classes: int) -> Array:
        """An array of integers from 0 up to, but without, `classes`."""
        return self.generator().integers(0, classes, shape)

    # Axes.

    def axis(self, ndim: int) -> int:
        """One axis, counted from either end."""
        return self.integer(-ndim, ndim - 1)

    def axes(self, ndim: int) -> int | tuple[int, ...] | None:
        """None, one axis, or several in any order, counted from either end."""
        kind = self.integer(0, 2)
        if kind == 0 or ndim == 0:
            return None
        if kind == 1:
            return self.axis(ndim)
        return tuple(a - ndim if self.flip() else a for a in self.permutation(ndim)[: self.integer(0, ndim)])

    def permutation(self, count: int) -> list[int]:
        """The integers from 0 to ``count - 1`` in any order."""
        return [int(i) for i in self.generator().permutation(count)]

    def reducible(self) -> tuple[Shape, int | tuple[int, ...] | None]:
        """A shape, and axes along which it has at least one element."""
        shape = self.shape()
        axis = self.axes(len(shape))
        named = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
        reduced = {a % len(shape) for a in named}
        return tuple(max(n, 1) if i in reduced else n for i, n in enumerate(shape)), axis

    # Indices.

    def index(self, shape: Shape) -> Any:
        """Anything that may stand in ``x[...]``: integers, slices, None, the ellipsis, masks, integer arrays."""
        return _Index(self, shape).draw()


class _Index:
    """One index under construction, axis by axis."""

    def __init__(self, source: Source, shape: Shape) -> None:
        self.source = source
        self.shape = shape
        self.common = source.shape(source.choose((1, 2, 0)), 2)  # what the integer arrays broadcast to
        self.masks = int(source.integer(0, 2) == 2)  # not beside integer arrays: their lengths would have to agree
        self.arrays = not self.masks

    def draw(self) -> Any:
        ndim = len(self.shape)
        front = ndim if self.source.flip() else self.source.integer(0, ndim)
        back = self.source.integer(0, ndim - front)
        items = self._items(self.shape[:front])
        if front + back < ndim or self.source.flip():
            items.append(Ellipsis)
        items += self._items(self.shape[ndim - back :])
        if self.source.flip():
            items.insert(self.source.integer(0, len(items)), None)
        return items[0] if len(items) == 1 and self.source.flip() else tuple(items)

    def _items(self, sides: Shape) -> list[Any]:
        items = []
        while sides:
            used, item = self._item(sides)
            items.append(item)
            sides = sides[used:]
        return items

    def _item(self, sides: Shape) -> tuple[int, Any]:
        """How many of the axes it uses, and what to index them with."""
        n = sides[0]
        kind = self.source.choose(("array", "slice", "mask", "integer", "array"))
        if kind == "integer" and n:
            return 1, self.source.axis(n)
        if kind == "array" and n and self.arrays:
            shape = self.common if self.source.flip() else self.source.part_of(self.common)
            array = self.source.generator().integers(-n, n, shape)
            return 1, array.tolist() if shape and array.size and self.source.flip() else array
        if kind == "mask" and self.masks:
            self.masks -= 1
            used = self.source.integer(1, len(sides))
            return used, self.source.mask(sides[:used])
        return 1, self._slice(n)

    def _slice(self, n: int) -> slice:
        step = self.source.choose((None, 1, 2, 3, -1, -2, -3))
        if self.source.integer(0, 2) < 2:
            return slice(None, None, step)
        bounds = (None, *range(-n - 1, n + 2))
        return slice(self.source.choose(bounds), self.source.choose(bounds), step)


class RandomSource(Source):
    """A source that draws from a seeded generator of its own.

    Examples
    --------
    >>> from tinygrad_opt.testing.sources import RandomSource
    >>> RandomSource(0).shape() == RandomSource(0).shape()
    True
    """

    def __init__(self, seed: int = 0, *, tied: bool = False, device: str = "cpu") -> None:
        super().__init__(tied=tied, device=device)
        self._rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high + 1))
