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

from .. import errors
from ..core.kinds import General, Linear, Multilinear, broadcast_to
from ..core.primitive import wrap
from .columns import Rows, blocks, fold_block, unfolded, unfolding
from .precision import widened
from .shape import _reshape
from .windows import Windows, floating, image, slide, unbatched, whole

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

Array = Any
# Bytes of columns that are kept rather than written out again in the backward pass: no more than a cache holds, where
# reading them back is cheaper than unfolding.
KEPT = 1 << 24
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
    parts = blocks(g, n, each * math.prod(windows.rows))
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


def convolve(
    function: str, dims: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Convolution along so many spatial axes, for the public `function` of which errors speak."""
    x, weight, bias, groups = _checked(function, dims, x, weight, bias, groups, transposed=False)
    x, batched = image(function, x, dims)
    windows = slide(function, x.shape[2:], tuple(weight.shape[2:]), stride, padding, dilation)
    meta: dict[str, Any] = {"windows": windows, "groups": groups}
    size = x.shape[0] * x.shape[1] * windows.taps * windows.count * x.dtype.itemsize
    if size <= KEPT or windows.trivial:
        y = _conv_seen(seen(x, windows), weight, *(() if bias is None else (bias,)), **meta)
    else:
        y = _conv(x, weight, **meta) if bias is None else _conv_bias(x, weight, bias, **meta)
    return unbatched(y, batched)


def convolve_transposed(
    function: str, dims: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Any:  # fmt: skip
    """Transposed convolution along so many spatial axes, for the public `function` of which errors speak."""
    x, weight, bias, groups = _checked(function, dims, x, weight, bias, groups, transposed=True)
    x, batched = image(function, x, dims)
    stride, dilation = (whole(function, n, v, dims, 1) for n, v in (("stride", stride), ("dilation", dilation)))
    if isinstance(padding, str):
        raise TypeError(f"{function}: padding must be made of whole numbers; got {padding!r}")
    padding = whole(function, "padding", padding, dims, 0)
    extra = whole(function, "output_padding", output_padding, dims, 0)
    kernel, count = tuple(weight.shape[2:]), tuple(x.shape[2:])
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(
            f"{function}: output_padding must be smaller than stride or dilation; got output_padding={extra}, "
            f"stride={stride}, dilation={dilation}"
        )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(count, stride, padding, dilation, kernel, extra, strict=True)
    )
    if min(size) < 1 or min(count) < 1 or min(kernel) < 1:
        raise errors.ShapeError(
            f"{function}: the result would have no elements: size {size} from an input of {count}, a kernel of "
            f"{kernel}, stride={stride}, padding={padding}; use less padding"
        )
    windows = Windows(size, kernel, stride, tuple((p, p) for p in padding), dilation, count)
    y = _conv_input(x, weight, windows=windows, groups=groups)
    return unbatched(y if bias is None else y + _reshape(bias, shape=(bias.shape[0], *(1,) * dims)), batched)


def _checked(
    function: str, dims: int, x: Any, weight: Any, bias: Any, groups: Any, transposed: bool
) -> tuple[Any, Any, Any, int]:
    """The arguments, once shapes and dtypes are seen to fit together."""
    x, weight = floating(function, "input", x, weight), floating(function, "weight", weight, x)
    bias = bias if bias is None else floating(function, "bias", bias, weight)
    if len(weight.shape) != dims + 2:
        raise errors.ShapeError(
            f"{function}: weight must have {dims + 2} axes, {_layout(dims, transposed)}; got {tuple(weight.shape)}"
        )
    (groups,) = whole(function, "groups", groups, 1, 1)
    channels = x.shape[-dims - 1] if len(x.shape) > dims else 0
    first, second = weight.shape[:2]
    ins, outs = (first, second * groups) if transposed else (second * groups, first)
    if first % groups:
        raise errors.ShapeError(
            f"{function}: groups={groups} must divide the {first} {'input' if transposed else 'output'} channels of "
            f"weight {tuple(weight.shape)}"
        )
    if len(x.shape) in (dims + 1, dims + 2) and channels != ins:
        raise errors.ShapeError(
            f"{function}: input {tuple(x.shape)} has {channels} channels; weight {tuple(weight.shape)}, "
            f"{_layout(dims, transposed)}, with groups={groups} expects {ins}"
        )
    if bias is not None and tuple(bias.shape) != (outs,):
        raise errors.ShapeError(
            f"{function}: bias must have one value for each output channel, shape ({outs},); got {tuple(bias.shape)}"
        )
    return x, weight, bias, groups


def _layout(dims: int, transposed: bool) -> str:
    sides = ", ".join(["kernel"] * dims)
    return f"({'in, out / groups' if transposed else 'out, in / groups'}, {sides})"


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Convolution of one-dimensional signals with a bank of kernels: see `conv2d`.

    Examples
    --------
    >>> tg.conv1d(tg.tensor([[1.0, 2.0, 4.0]]), tg.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Convolution of two-dimensional images with a bank of kernels (cross-correlation: kernels are not flipped).

    ``y[n, o, i, j] = Σ x[n, c, i·stride + a·dilation, j·stride + b·dilation] w[o, c, a, b] + bias[o]``

    Parameters
    ----------
    input : tensor, shape (batch, in, height, width), or without batch
    weight : tensor, shape (out, in / groups, kernel height, kernel width)
    bias : tensor, shape (out,), optional
    stride, dilation : int or tuple of two int
        The distance between windows, and that between the elements of a window.
    padding : int, tuple of two int, "valid" or "same"
        Zeros around the image; "same" keeps height and width, with stride 1.
    groups : int
        Split the channels into so many groups, each with its own part of the kernels.

    Returns
    -------
    tensor, shape (batch, out, height', width')

    Raises
    ------
    ShapeError
        Where channels do not fit together, or the kernel does not fit into the padded image.
    TypeError, ValueError
        For arguments that are not floating, or not whole numbers in range.

    References
    ----------
    V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Examples
    --------
    >>> tg.conv2d(tg.ones(1, 1, 3, 3), tg.ones(1, 1, 2, 2), tg.tensor([0.5]))
    tensor([[[[4.5, 4.5],
              [4.5, 4.5]]]])
    """
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Convolution of three-dimensional images with a bank of kernels: see `conv2d`.

    Examples
    --------
    >>> tg.conv3d(tg.ones(1, 1, 2, 3, 3), tg.ones(4, 1, 2, 2, 2)).shape
    (1, 4, 1, 2, 2)
    """
    return convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """Transposed convolution of one-dimensional signals: see `conv_transpose2d`.

    Examples
    --------
    >>> tg.conv_transpose1d(tg.tensor([[1.0, 2.0]]), tg.tensor([[[-1.0, 1.0]]]), stride=2)
    tensor([[-1.,  1., -2.,  2.]])
    """
    return convolve_transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """Transposed convolution of two-dimensional images: the adjoint of `conv2d` in its input.

    Each element is spread out: ``y[n, o, i·stride + a·dilation - padding, ...] += x[n, c, i, ...] w[c, o, a, ...]``.

    Parameters
    ----------
    input : tensor, shape (batch, in, height, width), or without batch
    weight : tensor, shape (in, out / groups, kernel height, kernel width)
    bias : tensor, shape (out,), optional
    stride, padding, dilation : int or tuple of two int
        Those of the convolution that this one is the adjoint of.
    output_padding : int or tuple of two int
        With a stride, images of several sizes have the same windows: so much is added to the smallest of them.
    groups : int

    Returns
    -------
    tensor, shape (batch, out, height', width')
        ``height' = (height - 1) stride - 2 padding + dilation (kernel height - 1) + output_padding + 1``.

    Raises
    ------
    ShapeError
        Where channels do not fit together, or the result would have no elements.
    TypeError, ValueError
        For arguments that are not floating, or not whole numbers in range.

    Examples
    --------
    >>> tg.conv_transpose2d(tg.ones(1, 1, 2, 2), tg.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return convolve_transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """Transposed convolution of three-dimensional images: see `conv_transpose2d`.

    Examples
    --------
    >>> tg.conv_transpose3d(tg.ones(1, 1, 2, 3, 3), tg.ones(1, 4, 2, 2, 2)).shape
    (1, 4, 3, 4, 4)
    """
    return convolve_transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )
