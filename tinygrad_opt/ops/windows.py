"""Windows that slide over the spatial axes of an image: where they lie, and how images become columns and back.

An image is an array of shape (batch, channels, *size), for any number of spatial axes. `unfold` writes the windows out
side by side, ``(batch, channels * prod(kernel), *out)``; `fold`, its transpose, adds them back where they came from.

Both work along one axis at a time. Unfolding the last axis copies short runs, but only ``kernel[-1]`` times as much
as there is; each further axis copies whole rows and planes. One axis at a time is therefore about twice as fast as
copying all windows out of the image directly.
"""

from __future__ import annotations

import contextlib
import math
import operator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

from .. import backend, errors
from ..core.dtypes import float16, float32
from ..core.kinds import Linear
from ..core.primitive import operand
from .shape import _reshape

__all__ = ["fold", "unfold"]

Array = Any
Sides = tuple[int, ...]
# Bytes of columns that are worked on at once: on the host they stay in the cache between being written and being
# read; on a GPU every further block costs a launch.
HOST_BLOCK = 1 << 20
DEVICE_BLOCK = 1 << 28


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
    def pitch(self) -> Sides:
        """How far apart neighbours along each axis lie in the flattened padded image."""
        return tuple(math.prod(self.padded[axis + 1 :]) for axis in range(len(self.size)))

    @cached_property
    def reach(self) -> int:
        """How far the windows' first elements are spread over the flattened padded image (see `in_rows`)."""
        return sum((n - 1) * far for n, far in zip(self.out, self.pitch, strict=True)) + 1

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each tap of the first window lies in the flattened padded image."""
        far = [d * p for d, p in zip(self.dilation, self.pitch, strict=True)]
        return tuple(sum(map(operator.mul, tap, far)) for tap in product(*map(range, self.kernel)))

    @cached_property
    def sparse(self) -> bool:
        """Whether windows start at less than half of the elements of the image."""
        return any(s != 1 for s in self.stride) or self.reach > 2 * self.count

    def along(self, axis: int, tap: int) -> slice:
        """What one tap of all windows sees along an axis of the padded image."""
        start = tap * self.dilation[axis]
        return slice(start, start + self.stride[axis] * (self.out[axis] - 1) + 1, self.stride[axis])


def blocks(x: Array, length: int, each: int) -> list[slice]:
    """The batch in slices, so that `each` bytes per image make blocks of a good size."""
    limit = HOST_BLOCK if backend.of(x) is backend.HOST else DEVICE_BLOCK
    step = max(1, limit // max(each, 1))
    return [slice(i, min(i + step, length)) for i in range(0, length, step)]


# The two kernels.


def unfold_block(xp: Any, x: Array, windows: Windows) -> Array:
    """The windows of some images: (batch, channels, *kernel, *out), a view where there is nothing to unfold."""
    if windows.trivial:
        return x
    if windows.is_padded:
        padded = xp.zeros((*x.shape[:2], *windows.padded), dtype=x.dtype)
        padded[windows.inside] = x
        x = padded
    dims = len(windows.size)
    place = 1 + dims
    for axis in reversed(range(dims)):  # x: (batch, channels, *kernel behind the axis, *size up to it, *out behind it)
        shape, strides = x.shape, x.strides
        shape = (*shape[:2], windows.kernel[axis], *shape[2:place], windows.out[axis], *shape[place + 1 :])
        far, near = strides[place] * windows.dilation[axis], strides[place] * windows.stride[axis]
        strides = (*strides[:2], far, *strides[2:place], near, *strides[place + 1 :])
        x = xp.ascontiguousarray(xp.lib.stride_tricks.as_strided(x, shape=shape, strides=strides))
    return x


def fold_block(xp: Any, columns: Array, windows: Windows) -> Array:
    """The transpose of `unfold_block`: windows of shape (batch, channels, *kernel, *out), summed into images."""
    if windows.trivial:
        return columns.reshape(*columns.shape[:2], *windows.size)
    dims = len(windows.size)
    place = 1 + dims
    for axis in range(dims):  # columns: (batch, channels, *kernel from the axis on, *sides before it, *out from it on)
        shape = columns.shape
        image = xp.zeros((*shape[:2], *shape[3 : place + 1], windows.padded[axis], *shape[place + 2 :]), columns.dtype)
        for tap in range(windows.kernel[axis]):
            image[(slice(None),) * place + (windows.along(axis, tap),)] += columns[:, :, tap]
        columns = image
    return columns[windows.inside] if windows.is_padded else columns


# Where windows lie densely, each tap of all of them is one contiguous run of the flattened image, if the windows are
# laid out in rows as long as the image's, with zeros between: adding a tap back is one long sum in place of many short
# ones.


def in_rows(xp: Any, g: Array, windows: Windows) -> Array:
    """One value per window, (batch, channels, *out), in rows of the padded image: (batch, channels, reach)."""
    rows = (windows.out[0], *windows.padded[1:])
    if rows == windows.out:
        return g.reshape(*g.shape[:2], windows.count)
    spaced = xp.zeros((*g.shape[:2], *rows), dtype=g.dtype)
    spaced[(..., *(slice(n) for n in windows.out))] = g
    return spaced.reshape(*g.shape[:2], math.prod(rows))[..., : windows.reach]


def fold_rows(xp: Any, columns: Array, windows: Windows) -> Array:
    """`fold_block` for columns in such rows: (batch, channels, taps, reach)."""
    image = xp.zeros((*columns.shape[:2], math.prod(windows.padded)), dtype=columns.dtype)
    for tap, start in enumerate(windows.offsets):
        image[..., start : start + windows.reach] += columns[:, :, tap]
    return image.reshape(*columns.shape[:2], *windows.padded)[windows.inside]


def widened(kernel: Any) -> Any:
    """A kernel that computes in float32 where all it gets is float16: sums of products would lose their digits."""

    def run(xp: Any, *arrays: Array, **meta: Any) -> Array:
        if any(x.dtype != float16 for x in arrays):
            return kernel(xp, *arrays, **meta)
        return kernel(xp, *(x.astype(float32) for x in arrays), **meta).astype(float16)

    return run


def _unfold_kernel(xp: Any, x: Array, *, windows: Windows) -> Array:
    columns = unfold_block(xp, x, windows)
    return columns.reshape(x.shape[0], x.shape[1] * windows.taps, *windows.out)


def _fold_kernel(xp: Any, columns: Array, *, windows: Windows) -> Array:
    channels = columns.shape[1] // windows.taps
    return fold_block(xp, columns.reshape(columns.shape[0], channels, *windows.kernel, *windows.out), windows)


unfolded: Linear = Linear("unfold", lambda g, like, *, windows: folded(g, windows=windows), kernel=_unfold_kernel)
folded: Linear = Linear("fold", lambda g, like, *, windows: unfolded(g, windows=windows), kernel=widened(_fold_kernel))


# Arguments.


def whole(function: str, name: str, value: Any, dims: int, low: int) -> Sides:
    """One whole number for every spatial axis, or one for each; none of them less than `low`."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * dims
    if len(given) != dims:
        raise errors.ShapeError(
            f"{function}: {name} must be one number, or one for each of the {dims} spatial axes; got {value!r}"
        )
    numbers = []
    for n in given:
        try:
            numbers.append(operator.index(None if isinstance(n, bool) else n))
        except TypeError:
            raise TypeError(f"{function}: {name} must be made of whole numbers; got {value!r}") from None
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
    with contextlib.suppress(TypeError):  # of lists, which cannot be looked up, and of mistakes, which are found again
        return _slide(function, size, kernel, stride, padding, dilation, ceil_mode)
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


# The public pair.


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Windows of an image, written out as columns (im2col).

    Parameters
    ----------
    input : tensor, shape (batch, channels, height, width), or without batch
    kernel_size, dilation, padding, stride : int or tuple of two int

    Returns
    -------
    tensor, shape (batch, channels * kernel height * kernel width, windows)

    Raises
    ------
    ShapeError
        Where the window is larger than the padded image.

    Examples
    --------
    >>> tg.unfold(tg.reshape(tg.arange(4.0), (1, 1, 2, 2)), (1, 2))
    tensor([[[0., 2.],
             [1., 3.]]])
    """
    x, batched = image("unfold", operand("unfold", input), 2)
    windows = slide("unfold", x.shape[2:], kernel_size, stride, _no_words("unfold", padding), dilation)
    columns = unfolded(x, windows=windows)
    return unbatched(_reshape(columns, shape=(*columns.shape[:2], windows.count)), batched)


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns, summed into the image that `unfold` would have taken them from (col2im): its transpose.

    Parameters
    ----------
    input : tensor, shape (batch, channels * kernel height * kernel width, windows), or without batch
    output_size : int or tuple of two int
        Height and width of the image.
    kernel_size, dilation, padding, stride : int or tuple of two int

    Returns
    -------
    tensor, shape (batch, channels, *output_size)

    Raises
    ------
    ShapeError
        Where `input` has not as many rows and columns as these windows.

    Examples
    --------
    >>> tg.fold(tg.ones(1, 2, 3), (1, 4), (1, 2))
    tensor([[[[1., 2., 2., 1.]]]])
    """
    x, batched = image("fold", operand("fold", input), 1)
    size = whole("fold", "output_size", output_size, 2, 1)
    windows = slide("fold", size, kernel_size, stride, _no_words("fold", padding), dilation)
    n, rows, columns = x.shape
    if columns != windows.count or rows % windows.taps:
        raise errors.ShapeError(
            f"fold: input must have the shape (batch, a multiple of {windows.taps}, {windows.count}) for these "
            f"windows: {windows.taps} elements each, {windows.count} in an image of {size}; got {tuple(input.shape)}"
        )
    return unbatched(folded(_reshape(x, shape=(n, rows, *windows.out)), windows=windows), batched)


def _no_words(function: str, padding: Any) -> Any:
    if isinstance(padding, str):
        raise TypeError(f"{function}: padding must be made of whole numbers; got {padding!r}")
    return padding
