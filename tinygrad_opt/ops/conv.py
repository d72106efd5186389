"""Convolution as one trilinear form, for any number of spatial axes.

``⟨g, conv(x, w)⟩ = Σ g[n, o, i] x[n, c, i·stride + a·dilation] w[o, c, a]`` is linear in the image `x`, in the weight
`w` and in `g`. Leaving one of the three out gives the three contractions `conv`, `conv_input` and `conv_weight`; the
adjoint of each in either argument is one of the other two, which makes derivatives of every order.

All three are products of matrices with the windows of the image, written out as columns. These take `taps` times the
memory of the image, so the batch goes through in blocks that stay in the cache, and the columns are not kept. Where
they are small altogether, they are written out once: what is kept for the gradient of the weight is then the columns,
in place of the image (see `seen`).

The gradient of the image is a product as well, whose columns are summed back. With stride 1 the cotangent is first laid
out in rows as long as the image's (see `Rows`), which wastes a few products and makes the sum several times faster.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.kinds import General, Linear, Multilinear, broadcast_to
from ..core.primitive import wrap
from .columns import Rows, blocks, fold_block, unfolded, unfolding
from .precision import widened
from .windows import Windows

__all__: list[str] = []  # for `convolution`, not for users

Array = Any
# Bytes of columns that are kept rather than written out again in the backward pass: no more than a cache holds, where
# reading them back is cheaper than unfolding.
KEPT = 1 << 23
# An image is small beside the weight where it has so many times fewer windows than the weight has rows.
FEW = 4
# With so many times more rows than windows, a product gains more from a contiguous factor than turning that one costs.
WIDE = 2


def _side_by_side(xp: Any, values: Array, groups: int, rows: int, axes: int) -> Array:
    """The images of a block (axis 0) moved beside their windows, the last `axes`: (groups, rows, batch * windows)."""
    moved = xp.moveaxis(values, 0, values.ndim - 1 - axes)
    return moved.reshape(groups, rows, math.prod(moved.shape[-1 - axes :]))


def _conv_kernel(xp: Any, x: Array, weight: Array, *bias: Array, windows: Windows, groups: int) -> Array:
    n, outs, rows = x.shape[0], weight.shape[0] // groups, weight.shape[1] * windows.taps
    dtype = xp.result_type(x, weight, *bias)
    matrix = weight.reshape(groups, outs, rows)
    y = xp.empty((n, groups, outs, windows.count), dtype=dtype)
    if bias:  # repeated over the windows, it is added in one run per image rather than in many short ones
        repeated = xp.repeat(bias[0], windows.count)
    beside = outs > FEW * windows.count  # rather than read a large weight anew for each small image
    parts = blocks(x, n, groups * (outs if windows.trivial else rows) * windows.count * x.dtype.itemsize)
    for part, columns in unfolding(xp, x, windows, parts, beside):
        block = y[part]
        if beside:
            product = xp.matmul(matrix, _side_by_side(xp, columns, groups, rows, len(windows.out)))
            block[...] = product.reshape(groups, outs, len(block), windows.count).transpose(2, 0, 1, 3)
        else:
            xp.matmul(matrix, columns.reshape(len(block), groups, rows, windows.count), out=block)
        if bias:
            flat = block.reshape(len(block), repeated.size)
            flat += repeated
    return y.reshape(n, groups * outs, *windows.out)


def _conv_weight_kernel(xp: Any, x: Array, g: Array, *, windows: Windows, groups: int) -> Array:
    n, outs = x.shape[0], g.shape[1] // groups
    channels = x.shape[1] // (windows.taps if windows.written else 1) // groups
    rows = channels * windows.taps
    weight = xp.zeros((groups * outs, channels, *windows.kernel), dtype=xp.result_type(x, g))
    total = weight.reshape(groups, outs, rows).swapaxes(1, 2)
    beside = min(rows, outs) > FEW * windows.count  # rather than write a large product for each small image
    parts = blocks(x, n, groups * rows * (windows.count + (not beside) * outs) * x.dtype.itemsize)
    for part, columns in unfolding(xp, x, windows, parts, beside):
        right = xp.ascontiguousarray(g[part]).reshape(len(columns), groups, outs, windows.count)
        if beside:
            right = _side_by_side(xp, right, groups, outs, 1).swapaxes(1, 2)
            total += xp.matmul(_side_by_side(xp, columns, groups, rows, len(windows.out)), right)
        else:
            right = right.swapaxes(2, 3)
            if rows > WIDE * windows.count:
                right = xp.ascontiguousarray(right)
            columns = columns.reshape(len(columns), groups, rows, windows.count)
            total += xp.matmul(columns, right).sum(axis=0)
    return weight


def _taps_first(xp: Any, matrix: Array, taps: int) -> Array:
    """The rows of (groups, channels * taps, outs) in the order (taps, channels)."""
    groups, rows, outs = matrix.shape
    return matrix.reshape(groups, rows // taps, taps, outs).swapaxes(1, 2).reshape(groups, rows, outs)


def _conv_input_kernel(xp: Any, g: Array, weight: Array, *, windows: Windows, groups: int) -> Array:
    n, outs, channels = g.shape[0], weight.shape[0] // groups, weight.shape[1] * groups
    matrix = weight.reshape(groups, outs, weight.shape[1] * windows.taps).swapaxes(1, 2)
    if windows.trivial:
        columns = xp.matmul(matrix, xp.ascontiguousarray(g).reshape(n, groups, outs, windows.count))
        return columns.reshape(n, channels * windows.taps, *windows.out)
    x = xp.empty((n, channels, *windows.size), dtype=xp.result_type(g, weight))
    each = channels * windows.taps * x.dtype.itemsize
    if windows.sparse or weight.shape[1] * windows.taps <= outs:  # the columns are fewer than what makes them
        for part in blocks(g, n, each * windows.count):
            block = xp.ascontiguousarray(g[part]).reshape(part.stop - part.start, groups, outs, windows.count)
            columns = xp.matmul(matrix, block).reshape(len(block), channels, *windows.kernel, *windows.out)
            x[part] = fold_block(xp, columns, windows)
        return x
    parts = blocks(g, n, 2 * each * math.prod(windows.rows))  # so that what lies beside stays in the cache too
    matrix = _taps_first(xp, matrix, windows.taps)
    if parts:
        rows = Rows(xp, windows, parts[0].stop, groups, channels, groups * outs, x.dtype)
    for part in parts:
        spaced = rows.spaced(g[part])
        count = len(spaced)
        xp.matmul(matrix, spaced.reshape(count, groups, outs, windows.reach), out=rows.columns[:count])
        x[part] = rows.folded(count)
    return x


_conv: Multilinear = Multilinear(
    "conv",
    lambda g, _x, weight, *, windows, groups: _conv_input(g, weight, windows=windows, groups=groups),
    lambda g, x, _weight, *, windows, groups: _conv_weight(x, g, windows=windows, groups=groups),
    kernel=widened(_conv_kernel),
)
_conv_input: Multilinear = Multilinear(
    "conv_input",
    lambda x, _g, weight, *, windows, groups: _conv(x, weight, windows=windows, groups=groups),
    lambda x, g, _weight, *, windows, groups: _conv_weight(x, g, windows=windows, groups=groups),
    kernel=widened(_conv_input_kernel),
)
_conv_weight: Multilinear = Multilinear(
    "conv_weight",
    lambda weight, _x, g, *, windows, groups: _conv_input(g, weight, windows=windows, groups=groups),
    lambda weight, x, _g, *, windows, groups: _conv(x, weight, windows=windows, groups=groups),
    kernel=widened(_conv_weight_kernel),
)


# The bias is added while a block is in the cache; its gradient is a product with ones, which is quicker than a sum.


def _per_channel(bias: Any, dims: int) -> Any:
    return bias.reshape((1, bias.shape[0]) + (1,) * dims)


def _channel_sum_kernel(xp: Any, x: Array) -> Array:
    n, channels, *size = x.shape
    ones = xp.ones(math.prod(size), dtype=x.dtype)
    return xp.matmul(x.reshape(n * channels, len(ones)), ones).reshape(n, channels).sum(axis=0)


_channel_sum: Linear = Linear(
    "channel_sum",
    lambda g, like: broadcast_to(_per_channel(g, len(like.shape) - 2), shape=like.shape),
    kernel=widened(_channel_sum_kernel),
)
_conv_bias: General = General(
    "conv_bias",
    pushes=[
        lambda t, _y, _x, weight, _b, *, windows, groups: _conv(t, weight, windows=windows, groups=groups),
        lambda t, _y, x, _w, _b, *, windows, groups: _conv(x, t, windows=windows, groups=groups),
        lambda t, _y, _x, _w, _b, *, windows, groups: _per_channel(t, len(windows.size)),
    ],
    pulls=[
        lambda g, _y, _x, weight, _b, *, windows, groups: _conv_input(g, weight, windows=windows, groups=groups),
        lambda g, _y, x, _w, _b, *, windows, groups: _conv_weight(x, g, windows=windows, groups=groups),
        lambda g, _y, _x, _w, _b, *, windows, groups: _channel_sum(g),
    ],
    kernel=widened(_conv_kernel),
)


# An image whose columns are written out already, for the forward pass and for the gradient of the weight.


def seen(x: Any, windows: Windows) -> Any:
    """The windows of the image `x` in its place: their array, at the node of `x`.

    Rules hand it on, and get the image's cotangent and tangent, in the shape of the image.
    """
    if windows.trivial:
        return x
    if not hasattr(x, "_array"):
        return unfolded(x, windows=windows)
    return wrap(unfolded(x._array, windows=windows), x._node)


_conv_seen: General = General(
    "conv_seen",
    pushes=[
        lambda t, _y, _x, weight, *_b, windows, groups: _conv(t, weight, windows=windows, groups=groups),
        lambda t, _y, x, _w, *_b, windows, groups: _conv_seen(x, t, windows=windows, groups=groups),
        lambda t, _y, _x, _w, *_b, windows, groups: _per_channel(t, len(windows.size)),
    ],
    pulls=[
        lambda g, _y, _x, weight, *_b, windows, groups: _conv_input(g, weight, windows=windows, groups=groups),
        lambda g, _y, x, _w, *_b, windows, groups: _conv_weight_seen(x, g, windows=windows, groups=groups),
        lambda g, _y, _x, _w, *_b, windows, groups: _channel_sum(g),
    ],
    kernel=widened(
        lambda xp, x, weight, *bias, windows, groups: _conv_kernel(
            xp, x, weight, *bias, windows=windows.as_columns, groups=groups
        )
    ),
)
_conv_weight_seen: General = General(
    "conv_weight_seen",
    pushes=[
        lambda t, _y, _x, g, *, windows, groups: _conv_weight(t, g, windows=windows, groups=groups),
        lambda t, _y, x, _g, *, windows, groups: _conv_weight_seen(x, t, windows=windows, groups=groups),
    ],
    pulls=[
        lambda weight, _y, _x, g, *, windows, groups: _conv_input(g, weight, windows=windows, groups=groups),
        lambda weight, _y, x, _g, *, windows, groups: _conv_seen(x, weight, windows=windows, groups=groups),
    ],
    kernel=widened(
        lambda xp, x, g, *, windows, groups: _conv_weight_kernel(xp, x, g, windows=windows.as_columns, groups=groups)
    ),
)


# What the public functions are made of.


def convolved(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """The convolution of a batch of images, with or without bias, in the way that suits its size."""
    size = x.shape[0] * x.shape[1] * windows.taps * windows.count * x.dtype.itemsize
    if size <= KEPT or windows.trivial:
        rest = () if bias is None else (bias,)
        return _conv_seen(seen(x, windows), weight, *rest, windows=windows, groups=groups)
    if bias is None:
        return _conv(x, weight, windows=windows, groups=groups)
    return _conv_bias(x, weight, bias, windows=windows, groups=groups)


def transposed(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """The transpose of that map of images, applied to a batch of what comes out of it."""
    y = _conv_input(x, weight, windows=windows, groups=groups)
    return y if bias is None else y + _per_channel(bias, len(windows.size))
