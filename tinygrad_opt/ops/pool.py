"""Pooling: the maximum, or the mean, of every window of an image.

A window is seen tap by tap: ``x[..., tap::stride]`` is what one tap of all windows sees, a view without a copy. The
mean is a sum over taps, linear, and its transpose adds the cotangent to the same views. The maximum picks one tap of
each window; once picked, it is linear as well, and its derivatives of every order follow from `picked` and `placed`.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from .. import backend
from ..core.kinds import Constant, General, Linear
from .arguments import as_type, wide
from .blend import BITS, bits_where
from .precision import widened
from .windows import Windows, floating, image, slide, unbatched, whole

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d", "max_pool3d"]

Array = Any


def _padded(xp: Any, x: Array, windows: Windows, filling: float) -> Array:
    if not windows.is_padded:
        return x
    padded = xp.full((*x.shape[:2], *windows.padded), filling, dtype=x.dtype)
    padded[windows.inside] = x
    return padded


def _places(windows: Windows) -> list[tuple[Any, ...]]:
    """For each tap, the index of what it sees in a padded image."""
    along = [[windows.along(axis, tap) for tap in range(k)] for axis, k in enumerate(windows.kernel)]
    return [(..., *slices) for slices in product(*along)]


# The sum over the windows, and its transpose.


def _window_sum_kernel(xp: Any, x: Array, *, windows: Windows) -> Array:
    x = _padded(xp, x, windows, 0.0)
    first, *others = _places(windows)
    total = xp.array(x[first], order="C")
    for place in others:
        total += x[place]
    return total


def _window_spread_kernel(xp: Any, g: Array, *, windows: Windows) -> Array:
    spread = xp.zeros((*g.shape[:2], *windows.padded), dtype=g.dtype)
    for place in _places(windows):
        spread[place] += g
    return spread[windows.inside]


window_sum: Linear = Linear(
    "window_sum", lambda g, like, *, windows: _window_spread(g, windows=windows), kernel=widened(_window_sum_kernel)
)
_window_spread: Linear = Linear(
    "window_spread", lambda g, like, *, windows: window_sum(g, windows=windows), kernel=widened(_window_spread_kernel)
)


# The maximum: which tap it is, the element there, and the transpose of that.


def _max_pool_kernel(xp: Any, x: Array, *, windows: Windows) -> Array:
    x = _padded(xp, x, windows, -math.inf)
    first, *others = _places(windows)
    best = xp.array(x[first], order="C")
    for place in others:
        xp.maximum(best, x[place], out=best)
    return best


def _largest_tap_kernel(xp: Any, x: Array, y: Array, *, windows: Windows) -> Array:
    """The number of the first tap that sees the largest element `y` of its window (0 where that is nan)."""
    x = _padded(xp, x, windows, math.nan)  # which equals nothing: no padding is picked, not even beside -inf
    dtype = xp.dtype("uint8" if windows.taps < 256 else "int32")
    left = xp.zeros(y.shape, dtype=dtype)  # how many taps there are from the first such one on
    for number, place in enumerate(_places(windows)):
        xp.maximum(left, (x[place] == y) * dtype.type(windows.taps - number), out=left)
    return (dtype.type(windows.taps) - left) * (left != 0)


def _picked_kernel(xp: Any, x: Array, tap: Array, *, windows: Windows) -> Array:
    """The element of each window that its tap of this number sees."""
    x = _padded(xp, x, windows, 0.0)
    picked = xp.zeros(tap.shape, dtype=BITS[x.dtype.itemsize])
    for number, place in enumerate(_places(windows)):
        picked |= bits_where(x[place], tap == number)
    return picked.view(x.dtype)


def _placed_kernel(xp: Any, g: Array, tap: Array, *, windows: Windows) -> Array:
    """The transpose of `_picked_kernel`: zeros, and each value added where it was picked."""
    placed = xp.zeros((*g.shape[:2], *windows.padded), dtype=g.dtype)
    for number, place in enumerate(_places(windows)):
        placed[place] += bits_where(g, tap == number).view(g.dtype)
    return placed[windows.inside]


_largest_tap: Constant = Constant("largest_tap", kernel=_largest_tap_kernel)
_picked: General = General(
    "picked",
    pushes=[lambda t, _y, _x, tap, *, windows: _picked(t, tap, windows=windows), None],
    pulls=[lambda g, _y, _x, tap, *, windows: _placed(g, tap, windows=windows), None],
    kernel=_picked_kernel,
)
_placed: General = General(
    "placed",
    pushes=[lambda t, _y, _g, tap, *, windows: _placed(t, tap, windows=windows), None],
    pulls=[lambda g, _y, _g, tap, *, windows: _picked(g, tap, windows=windows), None],
    kernel=_placed_kernel,
)
max_pool: General = General(
    "max_pool",
    pushes=[lambda t, y, x, *, windows: _picked(t, _largest_tap(x, y, windows=windows), windows=windows)],
    pulls=[lambda g, y, x, *, windows: _placed(g, _largest_tap(x, y, windows=windows), windows=windows)],
    kernel=_max_pool_kernel,
)


def _pooled(
    function: str, dims: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, Windows, bool]:
    """A batch of images, the windows, and whether there was a batch axis."""
    x, batched = image(function, floating(function, "input", input), dims)
    kernel = whole(function, "kernel_size", kernel_size, dims, 1)
    edges = whole(function, "padding", padding, dims, 0)
    dilations = whole(function, "dilation", dilation, dims, 1)
    if any(2 * p > k for p, k in zip(edges, kernel, strict=True)):
        raise ValueError(
            f"{function}: padding must be at most half of the window, or a window would see nothing but padding; got "
            f"padding={padding!r} with kernel_size={kernel_size!r}"
        )
    stride = kernel if stride is None else stride
    return x, slide(function, x.shape[2:], kernel, stride, edges, dilations, bool(ceil_mode)), batched


def max_pooled(function: str, dims: int, *arguments: Any) -> Any:
    """The maximum along so many spatial axes, for the public `function` of which errors speak."""
    x, windows, batched = _pooled(function, dims, *arguments)
    return unbatched(max_pool(x, windows=windows), batched)


def avg_pooled(
    function: str, dims: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Any:  # fmt: skip
    """The mean along so many spatial axes, for the public `function` of which errors speak."""
    x, windows, batched = _pooled(function, dims, input, kernel_size, stride, padding, 1, ceil_mode)
    total = window_sum(wide(x), windows=windows)
    if divisor_override is not None:
        (divisor,) = whole(function, "divisor_override", divisor_override, 1, 1)
        y = total * (1 / divisor)
    else:
        edges = whole(function, "padding", padding, dims, 0) if count_include_pad else (0,) * dims
        y = divided(total, _counts(windows, edges))
    return unbatched(as_type(y, x.dtype), batched)


def divided(total: Any, counts: list[list[int]]) -> Any:
    """Sums, divided by the number of elements along each axis."""
    if all(len(set(along)) == 1 for along in counts):
        return total * (1 / math.prod(along[0] for along in counts))
    array = getattr(total, "_array", total)
    with backend.beside(array):
        for behind, along in enumerate(reversed(counts)):
            shares = backend.namespace(array).asarray([1 / n for n in along], dtype=array.dtype)
            total = total * shares.reshape((-1,) + (1,) * behind)
    return total


def _counts(windows: Windows, edges: tuple[int, ...]) -> list[list[int]]:
    """How many elements each window has along each axis, when so much around the image counts as well."""
    counts = []
    for axis, (n, (low, _)) in enumerate(zip(windows.size, windows.padding, strict=True)):
        starts = [i * windows.stride[axis] - low for i in range(windows.out[axis])]
        counts.append([min(s + windows.kernel[axis], n + edges[axis]) - max(s, -edges[axis]) for s in starts])
    return counts


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest element of every window of one-dimensional signals: see `max_pool2d`.

    Examples
    --------
    >>> tg.max_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return max_pooled("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest element of every window of two-dimensional images.

    Of several largest elements the first, in row-major order, receives the whole derivative. A nan makes its window
    nan.

    Parameters
    ----------
    input : tensor, shape (batch, channels, height, width), or without batch
    kernel_size, stride, dilation : int or tuple of two int
        The elements of a window, the distance between windows (default: `kernel_size`), and that between elements.
    padding : int or tuple of two int
        Elements around the image, which are never the largest; at most half of the window.
    ceil_mode : bool
        Let the last window reach beyond the image.

    Returns
    -------
    tensor, shape (batch, channels, height', width')

    Raises
    ------
    ShapeError
        Where the window does not fit into the padded image.

    Examples
    --------
    >>> tg.max_pool2d(tg.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    tensor([[[3.]]])
    """
    return max_pooled("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest element of every window of three-dimensional images: see `max_pool2d`.

    Examples
    --------
    >>> tg.max_pool3d(tg.ones(1, 2, 4, 4), 2).shape
    (1, 1, 2, 2)
    """
    return max_pooled("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of every window of one-dimensional signals: see `avg_pool2d`.

    Examples
    --------
    >>> tg.avg_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return avg_pooled("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of every window of two-dimensional images.

    Parameters
    ----------
    input : tensor, shape (batch, channels, height, width), or without batch
    kernel_size, stride, padding : int or tuple of two int
        The elements of a window, the distance between windows (default: `kernel_size`), and zeros around the image,
        at most half of the window.
    ceil_mode : bool
        Let the last window reach beyond the padded image; what lies there does not count.
    count_include_pad : bool
        Whether the zeros of the padding count as elements.
    divisor_override : int, optional
        Divide the sum by this number instead.

    Returns
    -------
    tensor, shape (batch, channels, height', width')

    Raises
    ------
    ShapeError
        Where the window does not fit into the padded image.

    Examples
    --------
    >>> tg.avg_pool2d(tg.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    tensor([[[1.5]]])
    """
    return avg_pooled(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of every window of three-dimensional images: see `avg_pool2d`.

    Examples
    --------
    >>> tg.avg_pool3d(tg.ones(1, 2, 4, 4), 2).shape
    (1, 1, 2, 2)
    """
    return avg_pooled(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
