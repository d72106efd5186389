"""PyTorch's counterparts of convolution and windows."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["TORCH", "WITHOUT"]

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def quiet(function: Any) -> Any:
    """PyTorch warns that padding="same" may copy the image."""

    def call(*args: Any, **meta: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return function(*args, **meta)

    return call


def convolved(x: Any, weight: Any, bias: Any = None, *, windows: Any, groups: int) -> Any:
    padding = [low for low, _ in windows.padding]
    return CONV[len(windows.size)](x, weight, bias, windows.stride, padding, windows.dilation, groups)


def conv_input(g: Any, weight: Any, windows: Any, groups: int) -> Any:
    """The adjoint in the image, by PyTorch's own derivative."""
    x = torch.zeros((g.shape[0], weight.shape[1] * groups, *windows.size), dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(convolved(x, weight, windows=windows, groups=groups), x, g, create_graph=True)[0]


def conv_weight(x: Any, g: Any, windows: Any, groups: int) -> Any:
    """The adjoint in the weight, by PyTorch's own derivative."""
    weight = torch.zeros((g.shape[1], x.shape[1] // groups, *windows.kernel), dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(convolved(x, weight, windows=windows, groups=groups), weight, g, create_graph=True)[0]


def lifted(windows: Any) -> Any:
    """Windows of one axis as windows of two, the first of length 1."""

    class Lifted:
        size, kernel, stride = (1, *windows.size), (1, *windows.kernel), (1, *windows.stride)
        dilation, padding, out = (1, *windows.dilation), ((0, 0), *windows.padding), (1, *windows.out)

    return windows if len(windows.size) == 2 else Lifted


def described(windows: Any) -> dict[str, Any]:
    return {
        "kernel_size": windows.kernel,
        "stride": windows.stride,
        "dilation": windows.dilation,
        "padding": [low for low, _ in windows.padding],
    }


def unfold_images(x: Any, windows: Any) -> Any:
    two = lifted(windows)
    columns = F.unfold(x.reshape(*x.shape[:2], *two.size), **described(two))
    return columns.reshape(*columns.shape[:2], *windows.out)


def fold_columns(x: Any, windows: Any) -> Any:
    two = lifted(windows)
    image = F.fold(x.reshape(*x.shape[:2], math.prod(windows.out)), two.size, **described(two))
    return image.reshape(*image.shape[:2], *windows.size)


def without_batch(function: Any, axes: int) -> Any:
    """PyTorch's fold and unfold refuse an empty batch, which has an empty result; a zero row stands in for it."""

    def call(x: Any, *args: Any, **meta: Any) -> Any:
        if not x.shape[0] and x.ndim >= axes:
            return function(torch.cat([x, x.new_zeros(1, *x.shape[1:])]), *args, **meta)[:0]
        return function(x, *args, **meta)

    return call


TORCH = {
    "conv": convolved,
    "conv_bias": convolved,
    "conv_input": conv_input,
    "conv_weight": conv_weight,
    "conv_seen": convolved,
    "conv_weight_seen": conv_weight,
    "channel_sum": lambda x: x.sum((0, *range(2, x.ndim))),
    "conv1d": quiet(F.conv1d),
    "conv2d": quiet(F.conv2d),
    "conv3d": quiet(F.conv3d),
    "conv2d_without_bias": quiet(F.conv2d),
    "conv_transpose1d": F.conv_transpose1d,
    "conv_transpose2d": F.conv_transpose2d,
    "conv_transpose3d": F.conv_transpose3d,
    "conv_transpose2d_without_bias": F.conv_transpose2d,
    "unfold": without_batch(F.unfold, 4),
    "fold": without_batch(F.fold, 3),
    "unfold_images": without_batch(unfold_images, 3),
    "fold_columns": without_batch(fold_columns, 3),
}
WITHOUT: dict[str, str] = {}
