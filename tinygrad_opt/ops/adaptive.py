"""Adaptive pooling: so many windows that share an image evenly, whatever its size.

They may overlap, and be one element longer or shorter than each other. Written out one after the other, and filled up
to one length, they become the windows of ordinary pooling.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

from .. import backend, errors
from .arguments import as_type, wide
from .checks import pieces
from .concatenation import concatenate
from .index import getitem
from .pool import divided, max_pool, window_sum
from .windows import Windows, floating, image, slide, unbatched, whole

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]  # fmt: skip


def averaged(function: str, dims: int, input: Any, output_size: Any) -> Any:
    """The mean of evenly shared windows, for the public `function` of which errors speak."""
    x, windows, counts, batched = _shared(function, dims, input, output_size, 0.0)
    y = divided(window_sum(wide(x), windows=windows), counts)
    return unbatched(as_type(y, x.dtype), batched)


def maximal(function: str, dims: int, input: Any, output_size: Any) -> Any:
    """The maximum of evenly shared windows, for the public `function` of which errors speak."""
    x, windows, _, batched = _shared(function, dims, input, output_size, -math.inf)
    return unbatched(max_pool(x, windows=windows), batched)


def _shared(
    function: str, dims: int, input: Any, output_size: Any, filling: float
) -> tuple[Any, Windows, list[list[int]], bool]:
    """An image of windows one after the other, these windows, their lengths, and whether there was a batch axis."""
    x = floating(function, "input", input)
    size = tuple(image(function, x, dims)[0].shape[2:])
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    filled = tuple(n if m is None else m for n, m in zip(size, given, strict=False)) + given[dims:]
    wanted = whole(function, "output_size", filled, dims, 1)
    pieces(function, "output_size", max(wanted))
    if min(size) < 1:
        raise errors.ShapeError(f"{function}: input {tuple(x.shape)} has no elements to pool")
    x, batched = image(function, x, dims)
    counts = []
    for axis, (n, m) in enumerate(zip(size, wanted, strict=True), start=2):
        x, lengths = _evened(x, axis, [range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)], filling)
        counts.append(lengths)
    kernel = tuple(map(max, counts))
    return x, slide(function, x.shape[2:], kernel, kernel, 0, 1), counts, batched


def _evened(x: Any, axis: int, parts: list[range], filling: float) -> tuple[Any, list[int]]:
    """Overlapping parts of an axis, one after the other, with `filling` behind the shorter ones; their lengths."""
    lengths = [len(part) for part in parts]
    if sum(lengths) == x.shape[axis] and len(set(lengths)) == 1:
        return x, lengths
    array = getattr(x, "_array", x)
    with backend.beside(array):
        sides = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        behind = backend.namespace(array).full(sides, filling, dtype=array.dtype)
    places = [[*part, *[x.shape[axis]] * (max(lengths) - len(part))] for part in parts]
    index = (slice(None),) * axis + (list(chain(*places)),)
    return getitem(concatenate([x, behind], axis), index), lengths


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The mean of windows that share one-dimensional signals evenly: see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> tg.adaptive_avg_pool1d(tg.tensor([[1.0, 3.0, 2.0]]), 2)
    tensor([[2. , 2.5]])
    """
    return averaged("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The mean of windows that share two-dimensional images evenly, as many as are asked for.

    Window ``i`` of ``m`` along an axis of length ``n`` reaches from ``⌊i n / m⌋`` to ``⌈(i + 1) n / m⌉``.

    Parameters
    ----------
    input : tensor, shape (batch, channels, height, width), or without batch
    output_size : int, or tuple of two int or None
        The number of windows along each axis; None for as many as there are elements.

    Returns
    -------
    tensor, shape (batch, channels, *output_size)

    Examples
    --------
    >>> tg.adaptive_avg_pool2d(tg.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 1)
    tensor([[[1.5]]])
    """
    return averaged("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The mean of windows that share three-dimensional images evenly: see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> tg.adaptive_avg_pool3d(tg.ones(1, 2, 4, 4), 1).shape
    (1, 1, 1, 1)
    """
    return averaged("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Any) -> Any:
    """The largest element of windows that share one-dimensional signals evenly: see `adaptive_max_pool2d`.

    Examples
    --------
    >>> tg.adaptive_max_pool1d(tg.tensor([[1.0, 3.0, 2.0]]), 2)
    tensor([[3., 3.]])
    """
    return maximal("adaptive_max_pool1d", 1, input, output_size)


def adaptive_max_pool2d(input: Any, output_size: Any) -> Any:
    """The largest element of windows that share two-dimensional images evenly, as many as are asked for.

    The windows are those of `adaptive_avg_pool2d`; of several largest elements the first, in row-major order, receives
    the whole derivative.

    Parameters
    ----------
    input : tensor, shape (batch, channels, height, width), or without batch
    output_size : int, or tuple of two int or None
        The number of windows along each axis; None for as many as there are elements.

    Returns
    -------
    tensor, shape (batch, channels, *output_size)

    Examples
    --------
    >>> tg.adaptive_max_pool2d(tg.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 1)
    tensor([[[3.]]])
    """
    return maximal("adaptive_max_pool2d", 2, input, output_size)


def adaptive_max_pool3d(input: Any, output_size: Any) -> Any:
    """The largest element of windows that share three-dimensional images evenly: see `adaptive_max_pool2d`.

    Examples
    --------
    >>> tg.adaptive_max_pool3d(tg.ones(1, 2, 4, 4), 1).shape
    (1, 1, 1, 1)
    """
    return maximal("adaptive_max_pool3d", 3, input, output_size)
