"""Convolution and its transpose, as PyTorch calls them, for one, two and three spatial axes."""

from __future__ import annotations

from typing import Any

from .. import errors
from .conv import convolved, transposed
from .windows import Windows, floating, image, slide, unbatched, whole

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip


def convolve(
    function: str, dims: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Convolution along so many spatial axes, for the public `function` of which errors speak."""
    x, weight, bias, groups = _checked(function, dims, x, weight, bias, groups, transposed=False)
    x, batched = image(function, x, dims)
    windows = slide(function, x.shape[2:], tuple(weight.shape[2:]), stride, padding, dilation)
    return unbatched(convolved(x, weight, bias, windows, groups), batched)


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
    return unbatched(transposed(x, weight, bias, windows, groups), batched)


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
