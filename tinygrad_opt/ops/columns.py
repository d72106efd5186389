"""The windows of images, written out side by side as columns, and columns summed back into images.

`unfold` turns (batch, channels, *size) into ``(batch, channels * prod(kernel), *out)``; `fold` is its transpose.

Both work along one axis at a time. Unfolding the last axis copies short runs, but only ``kernel[-1]`` times as much
as there is; each further axis copies whole rows and planes. One axis at a time is therefore about twice as fast as
copying all windows out of the image directly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import backend, errors
from ..core.kinds import Linear
from ..core.primitive import operand
from .precision import widened
from .shape import _reshape
from .windows import Windows, image, slide, unbatched, whole

__all__ = ["fold", "unfold"]

Array = Any
# Bytes of columns that are worked on at once: on the host they stay in the cache between being written and being
# read; on a GPU every further block costs a launch.
HOST_BLOCK = 1 << 20
DEVICE_BLOCK = 1 << 28


def blocks(x: Array, length: int, each: int) -> list[slice]:
    """The batch in slices, so that `each` bytes per image make blocks of a good size."""
    limit = HOST_BLOCK if backend.of(x) is backend.HOST else DEVICE_BLOCK
    step = max(1, limit // max(each, 1))
    return [slice(i, min(i + step, length)) for i in range(0, length, step)]


# The two kernels. The memory of a block is taken once and used for all of them: fresh memory costs more than what is
# written there.


def unfolding(
    xp: Any, x: Array, windows: Windows, parts: list[slice], beside: bool = False, into: Array | None = None
) -> Iterator[tuple[slice, Array]]:
    """For each part of the batch its windows, to be used before the next are asked for.

    They have the shape (batch, channels, *kernel, *out), and lie in this order in memory; with `beside` the images lie
    side by side, in the order of (channels, *kernel, batch, *out). Where nothing is to unfold: the images themselves.
    With `into` all windows are written there, and stay.
    """
    if windows.trivial or not parts:
        yield from ((part, x[part]) for part in parts)
        return
    longest, last = parts[0].stop, len(windows.size) - 1
    stages: list[tuple[Array, Array]] = []  # (memory, what is copied there)
    source = x
    for axis in range(last, -1, -1):
        # source: (batch, channels, *kernel behind the axis, *size up to the axis, *out behind it)
        shape = (x.shape[1], *windows.kernel[axis:], *windows.padded[:axis], *windows.out[axis:])
        make = xp.zeros if axis == last and windows.is_padded else xp.empty
        if into is not None and axis == 0:
            memory = into
            if windows.is_padded and axis == last:
                memory.fill(0)
        elif beside and axis == 0:
            memory = xp.moveaxis(make((*shape[: last + 2], longest, *shape[last + 2 :]), dtype=x.dtype), last + 2, 0)
        else:
            memory = make((longest, *shape), dtype=x.dtype)
        if axis == last and windows.is_padded:
            stages += [(memory[:, :, tap][there], x[here]) for tap, there, here in windows.falling]
        else:
            stages.append((memory, _seen(xp, source, memory.shape, windows, axis)))
        source = memory
    for part in parts:
        count = part.stop - part.start
        for memory, seen in stages:  # each of the whole batch, or of a block
            xp.copyto(*(a[part] if a.shape[0] == x.shape[0] else a[:count] for a in (memory, seen)))
        yield part, source[:count]


def _seen(xp: Any, source: Array, shape: tuple[int, ...], windows: Windows, axis: int) -> Array:
    """What all windows see along one axis, as a view: the axis becomes that of the windows, one of taps is put in."""
    strides, place = source.strides, 1 + len(windows.size)
    far, near = strides[place] * windows.dilation[axis], strides[place] * windows.stride[axis]
    strides = (*strides[:2], far, *strides[2:place], near, *strides[place + 1 :])
    return xp.lib.stride_tricks.as_strided(source, shape=(source.shape[0], *shape[1:]), strides=strides)


def fold_block(xp: Any, columns: Array, windows: Windows) -> Array:
    """The transpose of unfolding: windows of shape (batch, channels, *kernel, *out), summed into images."""
    if windows.trivial:
        return columns.reshape(*columns.shape[:2], *windows.size)
    dims = len(windows.size)
    place = 1 + dims
    for axis in range(dims):  # columns: (batch, channels, *kernel from the axis on, *sides before it, *out from it on)
        shape = columns.shape
        total = xp.zeros((*shape[:2], *shape[3 : place + 1], windows.padded[axis], *shape[place + 2 :]), columns.dtype)
        before = (slice(None),) * place
        total[(*before, windows.along(axis, 0))] = columns[:, :, 0]
        for tap in range(1, windows.kernel[axis]):
            total[(*before, windows.along(axis, tap))] += columns[:, :, tap]
        columns = total
    return columns[windows.inside]


class Rows:
    """Memory for windows that lie densely, laid out so that folding them is a single sum of long runs.

    The windows' values stand in rows as long as those of the padded image, with zeros between. Then what one tap of
    all windows sees, in all channels, is one contiguous run of the flattened images, and these are the sum over the
    taps of such runs, each moved by the place of its tap: ``image[q] = Σ columns[tap, q - place(tap)]``. Zeros between
    the rows of `columns` stand for what lies outside, so that the sum reads a strided view. What falls into the
    padding is not wanted, so the padding behind a row and that before the next one may be the same memory.

    Attributes
    ----------
    columns : array, shape (batch, groups, taps * channels in a group, reach)
        To be filled.
    """

    def __init__(
        self, xp: Any, windows: Windows, longest: int, groups: int, channels: int, outs: int, dtype: Any
    ) -> None:
        self.windows = windows
        self._xp = xp
        self._spaced = xp.zeros((longest, outs, windows.out[0], *windows.rows[1:]), dtype=dtype)
        span, taps, each = windows.span, windows.taps, channels // groups
        self._long = max(math.prod(windows.rows), span + windows.reach)  # a row of `columns`, with its zeros
        flat = xp.zeros(longest * channels * taps * self._long + span, dtype=dtype)
        rows = flat[: len(flat) - span].reshape(longest, groups, taps * each, self._long)
        self.columns = rows[..., span : span + windows.reach]
        run = each * self._long
        steps, inner = [groups * taps * run, taps * run], taps
        for k, d, far in zip(windows.kernel, windows.dilation, windows.pitch, strict=True):
            inner //= k
            steps.append(inner * run - d * far)
        shape = (longest, groups, *windows.kernel, run)
        strides = tuple(step * flat.itemsize for step in (*steps, 1))
        self._moved = xp.lib.stride_tricks.as_strided(flat[span:], shape=shape, strides=strides)

    def spaced(self, g: Array) -> Array:
        """One value for each window, in rows: (batch, outs, reach)."""
        spaced = self._spaced[: len(g)]
        spaced[(..., *(slice(n) for n in self.windows.out))] = g
        return spaced.reshape(*g.shape[:2], math.prod(spaced.shape[2:]))[..., : self.windows.reach]

    def folded(self, count: int) -> Array:
        """The first so many images."""
        moved, rows = self._moved[:count], self.windows.rows
        taps = "abdefghijk"[: moved.ndim - 3]
        total = self._xp.einsum(f"nc{taps}q->ncq", moved)  # quicker than sum()
        total = total.reshape(count, -1, self._long)
        strides = *total.strides[:2], *(far * total.itemsize for far in self.windows.pitch)
        images = self._xp.lib.stride_tricks.as_strided(total, shape=(*total.shape[:2], *rows), strides=strides)
        return images[self.windows.inside]


def _unfold_kernel(xp: Any, x: Array, *, windows: Windows) -> Array:
    columns = xp.empty((*x.shape[:2], *windows.kernel, *windows.out), dtype=x.dtype)
    parts = blocks(x, x.shape[0], x.shape[1] * windows.taps * windows.count * x.dtype.itemsize)
    for part, images in unfolding(xp, x, windows, parts, into=columns):
        if windows.trivial:
            columns[part] = images.reshape(columns[part].shape)
    return columns.reshape(x.shape[0], x.shape[1] * windows.taps, *windows.out)


def _fold_kernel(xp: Any, columns: Array, *, windows: Windows) -> Array:
    channels = columns.shape[1] // windows.taps
    return fold_block(xp, columns.reshape(columns.shape[0], channels, *windows.kernel, *windows.out), windows)


unfolded: Linear = Linear("unfold", lambda g, like, *, windows: folded(g, windows=windows), kernel=_unfold_kernel)
folded: Linear = Linear("fold", lambda g, like, *, windows: unfolded(g, windows=windows), kernel=widened(_fold_kernel))


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
