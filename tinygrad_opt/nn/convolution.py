"""Convolutions as layers: the windows of an image, each an affine map of its elements; and their transposes.

One class holds all that the dimensions have in common, and their number.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .. import errors
from ..core.creation import zeros
from ..core.tensor import Parameter
from ..ops.convolution import convolve, convolve_transposed
from ..ops.windows import whole
from . import init
from .arguments import positive, truth
from .functional.padding import MODES, padded
from .init import Initializer
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _Windowed(Module):
    """What a convolution and its transpose have in common: arguments, parameters, and what ``repr`` shows."""

    dims: ClassVar[int]

    def _set_up(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, dilation: Any, groups: int
    ) -> None:
        layer, dims = type(self).__name__, self.dims
        positive(layer, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{layer}: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = whole(layer, "kernel_size", kernel_size, dims, 1)
        self.stride = whole(layer, "stride", stride, dims, 1)
        self.dilation = whole(layer, "dilation", dilation, dims, 1)

    def _begin(
        self, channels: tuple[int, int], bias: bool, init: Initializer, bias_init: Initializer, **made: Any
    ) -> None:
        """Make the parameters; the weight has these two sides before those of the kernel."""
        bias = truth(type(self).__name__, "bias", bias)
        self.weight = Parameter(zeros(*channels, *self.kernel_size, **made))
        self.bias = Parameter(zeros(self.out_channels, **made)) if bias else None
        self.init, self.bias_init = init, bias_init
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        init.begin(type(self).__name__, self.weight, self.bias, self.init, self.bias_init)

    def _shown(self, **defaults: Any) -> str:
        """Sizes, what differs from the defaults, and the initializer."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={_brief(self.kernel_size)}"]
        for name, default in defaults.items():
            value = vars(self)[name]
            if value not in (default, (default,) * self.dims):
                parts.append(f"{name}={_brief(value)}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join([*parts, f"init={init.shown(self.init)}"])


def _brief(value: Any) -> str:
    """One number for a tuple of equal ones."""
    return repr(value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value)


class _Convolution(_Windowed):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", *,
        init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_", dtype: Any = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        layer = type(self).__name__
        self._set_up(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if not isinstance(padding, str):
            padding = whole(layer, "padding", padding, self.dims, 0)
        elif padding not in ("same", "valid"):
            raise ValueError(f"{layer}: padding must be 'same', 'valid' or whole numbers; got {padding!r}")
        elif padding == "same" and any(s != 1 for s in self.stride):
            raise ValueError(f"{layer}: padding='same' needs stride=1; got stride={stride}")
        modes = ("zeros", *list(MODES)[1:])
        if not isinstance(padding_mode, str) or padding_mode not in modes:
            raise ValueError(f"{layer}: padding_mode must be one of {', '.join(modes)}; got {padding_mode!r}")
        self.padding, self.padding_mode = padding, padding_mode
        self._begin((out_channels, in_channels // groups), bias, init, bias_init, dtype=dtype, device=device)

    def forward(self, x: Any) -> Any:
        """The convolution of `x`, of shape (batch, in_channels, ...) or (in_channels, ...)."""
        layer, padding = type(self).__name__, self.padding
        if self.padding_mode != "zeros" and len(x.shape) in (self.dims + 1, self.dims + 2):
            x, padding = padded(layer, x, self._edges(), self.padding_mode), 0
        return convolve(layer, self.dims, x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _edges(self) -> list[int]:
        """What is to be added before and behind each axis, the last axis first."""
        edges: list[int] = []
        for axis in reversed(range(self.dims)):
            if isinstance(self.padding, str):
                total = self.dilation[axis] * (self.kernel_size[axis] - 1) if self.padding == "same" else 0
                edges += [total // 2, total - total // 2]
            else:
                edges += [self.padding[axis]] * 2
        return edges

    def extra_repr(self) -> str:
        """The sizes, what is not as usual, and the initializer."""
        return self._shown(stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros")


class _Transposed(_Windowed):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", *,
        init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_", dtype: Any = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        layer = type(self).__name__
        self._set_up(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding = whole(layer, "padding", padding, self.dims, 0)
        self.output_padding = whole(layer, "output_padding", output_padding, self.dims, 0)
        if any(e >= max(s, d) for e, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise ValueError(
                f"{layer}: output_padding must be smaller than stride or dilation; got "
                f"output_padding={output_padding!r}, stride={stride!r}, dilation={dilation!r}"
            )
        if not isinstance(padding_mode, str) or padding_mode != "zeros":
            raise ValueError(f"{layer}: padding_mode must be 'zeros'; got {padding_mode!r}")
        self._begin((in_channels, out_channels // groups), bias, init, bias_init, dtype=dtype, device=device)

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """The transposed convolution of `x`, of shape (batch, in_channels, ...) or (in_channels, ...).

        With a stride, images of several sizes have the same windows; `output_size` names the one that is wanted, in
        place of `output_padding`: its spatial sides, or its whole shape.
        """
        extra = self.output_padding if output_size is None else self._extra(x, output_size)
        return convolve_transposed(
            type(self).__name__, self.dims, x, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
            self.dilation,
        )  # fmt: skip

    def _extra(self, x: Any, output_size: Any) -> tuple[int, ...]:
        """The output padding that leads to this size."""
        layer, dims = type(self).__name__, self.dims
        given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * dims
        wanted = whole(layer, "output_size", given[-dims:] if len(given) == len(x.shape) else given, dims, 1)
        along = zip(x.shape[-dims:], self.stride, self.padding, self.dilation, self.kernel_size, strict=False)
        least = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in along)
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=False))
        if not all(a <= n <= b for a, n, b in zip(least, wanted, most, strict=False)):
            raise errors.ShapeError(
                f"{layer}: an input of shape {tuple(x.shape)} can become an image of sides from {least} to {most}; got "
                f"output_size={output_size!r}"
            )
        return tuple(n - a for n, a in zip(wanted, least, strict=False))

    def extra_repr(self) -> str:
        """The sizes, what is not as usual, and the initializer."""
        return self._shown(stride=1, padding=0, output_padding=0, dilation=1, groups=1)


class Conv1d(_Convolution):
    """Convolution of signals, shape (batch, in_channels, length): see `Conv2d`.

    Examples
    --------
    >>> tg.nn.Conv1d(2, 3, kernel_size=5, padding="same")(tg.ones(4, 2, 10)).shape
    (4, 3, 10)
    """

    dims = 1


class Conv2d(_Convolution):
    """Convolution of images, shape (batch, in_channels, height, width), or without batch.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or tuple of two int
    stride, dilation : int or tuple of two int
        The distance between windows, and that between the elements of a window.
    padding : int, tuple of two int, "valid" or "same"
        So many elements around the image; "same" keeps height and width, with stride 1.
    groups : int
        Split the channels into so many groups, each with its own part of the kernels.
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What the elements around the image are.
    init, bias_init : str, function or number
        What the parameters start with: a name or a function of `tg.nn.init`, or a constant. The default is uniform in
        ``±1/√m``, for both, where m is the number of elements that a window has in all channels of a group.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ShapeError, TypeError, ValueError
        For arguments out of range, when the layer is made; for images that do not fit it, when it is called.

    References
    ----------
    V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Examples
    --------
    >>> layer = tg.nn.Conv2d(1, 6, kernel_size=5, padding=2)
    >>> layer
    Conv2d(1, 6, kernel_size=5, padding=2, init=fan_in_uniform_)  # 156 parameters
    >>> layer(tg.ones(10, 1, 28, 28)).shape
    (10, 6, 28, 28)
    """

    dims = 2


class Conv3d(_Convolution):
    """Convolution of volumes, shape (batch, in_channels, depth, height, width): see `Conv2d`.

    Examples
    --------
    >>> tg.nn.Conv3d(1, 2, kernel_size=(1, 3, 3), stride=2)(tg.ones(4, 1, 5, 7, 7)).shape
    (4, 2, 3, 3, 3)
    """

    dims = 3


class ConvTranspose1d(_Transposed):
    """Transposed convolution of signals, shape (batch, in_channels, length): see `ConvTranspose2d`.

    Examples
    --------
    >>> tg.nn.ConvTranspose1d(2, 3, kernel_size=4, stride=2, padding=1)(tg.ones(4, 2, 10)).shape
    (4, 3, 20)
    """

    dims = 1


class ConvTranspose2d(_Transposed):
    """Transposed convolution of images, shape (batch, in_channels, height, width), or without batch.

    It makes images larger by as much as a `Conv2d` with the same arguments makes them smaller: it is the transpose of
    that linear map, with weights of its own.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or tuple of two int
    stride, padding, dilation : int or tuple of two int
        Those of the convolution that this is the transpose of.
    output_padding : int or tuple of two int
        With a stride, images of several sizes have the same windows: so much is added to the smallest of them.
    groups : int
    bias : bool
    padding_mode : {"zeros"}
    init, bias_init : str, function or number
        As in `Conv2d`; the default is uniform in ``±1/√m``, where m is the number of elements that one element is
        spread to, in all channels of a group.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ShapeError, TypeError, ValueError
        For arguments out of range, when the layer is made; for images that do not fit it, when it is called.

    Examples
    --------
    >>> layer = tg.nn.ConvTranspose2d(6, 1, kernel_size=3, stride=2, padding=1)
    >>> layer(tg.ones(10, 6, 8, 8)).shape
    (10, 1, 15, 15)
    >>> layer(tg.ones(10, 6, 8, 8), output_size=(16, 16)).shape
    (10, 1, 16, 16)
    """

    dims = 2


class ConvTranspose3d(_Transposed):
    """Transposed convolution of volumes, shape (batch, in_channels, depth, height, width): see `ConvTranspose2d`.

    Examples
    --------
    >>> tg.nn.ConvTranspose3d(2, 1, kernel_size=2, stride=2)(tg.ones(4, 2, 3, 3, 3)).shape
    (4, 1, 6, 6, 6)
    """

    dims = 3
