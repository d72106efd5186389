"""Windows that slide over the spatial axes of an image: where they lie, and the arguments that say so.

An image is an array of shape (batch, channels, *size), for any number of spatial axes.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from .. import errors
from ..core.primitive import operand
from .shape import _reshape

__all__ = ["Windows", "floating", "image", "slide", "unbatched", "whole"]

Sides = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """Where the windows lie, axis by axis.

    Attributes
    ----------
    size : tuple of int
        The spatial shape of the image.
    kernel, stride, dilation : tuple of int
        The taps of a window, the distance between windows, and that between taps.
    padding : tuple of (int, int)
        Zeros before and behind the image.
    out : tuple of int
        The number of windows.
    written : bool
        Whether what comes is the columns of an image in place of the image.
    """

    size: Sides
    kernel: Sides
    stride: Sides
    padding: tuple[tuple[int, int], ...]
    dilation: Sides
    out: Sides
    written: bool = False

    @cached_property
    def as_columns(self) -> Windows:
        """The same windows, of an image that is written out as columns already."""
        return replace(self, written=True)

    @cached_property
    def padded(self) -> Sides:
        """The spatial shape of the padded image."""
        return tuple(n + low + high for n, (low, high) in zip(self.size, self.padding, strict=True))

    @cached_property
    def taps(self) -> int:
        """The number of elements of a window."""
        return math.prod(self.kernel)

    @cached_property
    def count(self) -> int:
        """The number of windows in an image."""
        return math.prod(self.out)

    @cached_property
    def inside(self) -> tuple[Any, ...]:
        """The index of the image within the padded one."""
        edges = zip(self.padding, self.size, strict=True)
        return (..., *(slice(low, low + n) for (low, _), n in edges))

    @cached_property
    def is_padded(self) -> bool:
        """Whether there is any padding."""
        return self.padded != self.size

    @cached_property
    def trivial(self) -> bool:
        """Whether unfolding changes nothing: a window is one element, each element a window, or all is done."""
        return self.written or (self.taps == 1 and self.out == self.size and not self.is_padded)

    @cached_property
    def rows(self) -> Sides:
        """The shape of the padded image where the zeros behind a row are also those before the next one."""
        return (*self.padded[:-1], max(self.out[-1], self.size[-1] + max(self.padding[-1])))

    @cached_property
    def pitch(self) -> Sides:
        """How far apart neighbours along each axis lie where these rows are flattened."""
        return tuple(math.prod(self.rows[axis + 1 :]) for axis in range(len(self.size)))

    @cached_property
    def reach(self) -> int:
        """How far the windows' first elements are spread over the flattened rows."""
        return sum((n - 1) * far for n, far in zip(self.out, self.pitch, strict=True)) + 1

    @cached_property
    def span(self) -> int:
        """How far the taps of a window are spread over the flattened rows."""
        taps = zip(self.kernel, self.dilation, self.pitch, strict=True)
        return sum((k - 1) * d * far for k, d, far in taps)

    @cached_property
    def sparse(self) -> bool:
        """Whether windows start at less than half of the elements of the image."""
        return any(s != 1 for s in self.stride) or self.reach > 2 * self.count

    @cached_property
    def falling(self) -> list[tuple[int, tuple[Any, ...], tuple[Any, ...]]]:
        """Where the taps of the last axis fall into the image, and not into the padding.

        For each tap its number, the index of the windows (and of the image in the other axes, which are padded), and
        that of what these windows see there.
        """
        found = []
        size, count, step, low = self.size[-1], self.out[-1], self.stride[-1], self.padding[-1][0]
        for tap in range(self.kernel[-1]):
            start = tap * self.dilation[-1] - low  # what the first window sees
            first = max(0, -(start // step))
            end = min(count, (size - 1 - start) // step + 1)
            if first < end:
                here = slice(start + first * step, start + (end - 1) * step + 1, step)
                found.append((tap, (*self.inside[:-1], slice(first, end)), (..., here)))
        return found

    def along(self, axis: int, tap: int) -> slice:
        """What one tap of all windows sees along an axis of the padded image."""
        start = tap * self.dilation[axis]
        return slice(start, start + self.stride[axis] * (self.out[axis] - 1) + 1, self.stride[axis])


# The arguments of a call, in PyTorch's terms.


def whole(function: str, name: str, value: Any, dims: int, low: int) -> Sides:
    """One whole number for every spatial axis, or one for each; none of them less than `low`."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(given) == 1:  # PyTorch also takes the one number in a tuple
        given *= dims
    if len(given) != dims:
        raise errors.ShapeError(
            f"{function}: {name} must be one number, or one for each of the {dims} spatial axes; got {value!r}"
        )
    numbers: list[Any] = []
    for n in given:
        try:
            numbers.append(operator.index(n))
        except TypeError:
            numbers.append(None)
        if numbers[-1] is None or isinstance(n, bool):
            raise TypeError(f"{function}: {name} must be made of whole numbers; got {value!r}")
        if numbers[-1] >= 1 << 31:
            raise ValueError(f"{function}: {name} is too large; got {value!r}")
        if numbers[-1] < low:
            raise ValueError(f"{function}: {name} must be at least {low}; got {value!r}")
    return tuple(numbers)


def floating(function: str, name: str, x: Any, beside: Any = None) -> Any:
    """`x` as an operand, which must be floating."""
    x = operand(function, x, beside)
    if x.dtype.kind != "f":
        raise TypeError(f"{function}: {name} must be floating; got {x.dtype}. Write {name}.astype(tg.float32).")
    return x


def image(function: str, x: Any, dims: int, name: str = "input") -> tuple[Any, bool]:
    """`x` with a batch axis, and whether it had one."""
    shape = tuple(x.shape)
    if len(shape) not in (dims + 1, dims + 2):
        sides = ", ".join(("length",) if dims == 1 else ("height", "width") if dims == 2 else ("side",) * dims)
        raise errors.ShapeError(
            f"{function}: {name} must have the shape (batch, channels, {sides}), or (channels, {sides}) for a single "
            f"one; got {shape}"
        )
    batched = len(shape) == dims + 2
    return (x if batched else _reshape(x, shape=(1, *shape))), batched


def unbatched(y: Any, batched: bool) -> Any:
    """`y` without its batch axis, where the input had none."""
    return y if batched else _reshape(y, shape=tuple(y.shape[1:]))


def slide(
    function: str, size: Sides, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool = False
) -> Windows:
    """The windows that these arguments describe, in PyTorch's terms, or an error that names the wrong one."""
    try:
        return _slide(function, size, kernel, stride, padding, dilation, ceil_mode)
    except TypeError:  # of lists, which cannot be looked up, and of mistakes, which are found again
        pass
    return _slide.__wrapped__(function, size, kernel, stride, padding, dilation, ceil_mode)


@lru_cache(maxsize=1024, typed=True)
def _slide(
    function: str, size: Sides, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    dims = len(size)
    kernel = whole(function, "kernel_size", kernel, dims, 1)
    stride = whole(function, "stride", stride, dims, 1)
    dilation = whole(function, "dilation", dilation, dims, 1)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    edges = _edges(function, padding, stride, reach)
    out = []
    for n, r, s, (low, high) in zip(size, reach, stride, edges, strict=True):
        if n + low + high < r:
            raise errors.ShapeError(
                f"{function}: a kernel that reaches over {reach} elements does not fit into an image of {size} with "
                f"padding {padding!r}; use a smaller kernel, or more padding"
            )
        count = (n + low + high - r + (s - 1 if ceil_mode else 0)) // s + 1
        # With ceil_mode the last window may reach beyond the padding, but not start in the padding behind the image.
        out.append(count - 1 if ceil_mode and (count - 1) * s >= n + low else count)
    sides = zip(size, edges, stride, out, reach, strict=True)
    edges = tuple((low, max(high, (m - 1) * s + r - n - low)) for n, (low, high), s, m, r in sides)
    return Windows(size, kernel, stride, edges, dilation, tuple(out))


def _edges(function: str, padding: Any, stride: Sides, reach: Sides) -> tuple[tuple[int, int], ...]:
    """Zeros before and behind the image, along each axis."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in whole(function, "padding", padding, len(stride), 0))
    if padding not in ("same", "valid"):
        raise ValueError(f"{function}: padding must be 'same', 'valid' or whole numbers; got {padding!r}")
    if padding == "valid":
        return ((0, 0),) * len(stride)
    if any(s != 1 for s in stride):
        raise ValueError(f"{function}: padding='same' needs stride=1; got stride={stride}. Write padding=(k - 1) // 2.")
    return tuple(((r - 1) // 2, r - 1 - (r - 1) // 2) for r in reach)
