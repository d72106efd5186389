"""Pooling as layers: one number for every window of an image."""

from __future__ import annotations

from typing import Any, ClassVar

from ..ops.adaptive import averaged, maximal
from ..ops.pool import avg_pooled, max_pooled
from ..ops.windows import whole
from .arguments import truth
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d",
]  # fmt: skip


class _Pool(Module):
    """What windows of a fixed size have in common: their arguments."""

    dims: ClassVar[int]

    def _set_up(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool) -> None:
        layer, dims = type(self).__name__, self.dims
        self.kernel_size = whole(layer, "kernel_size", kernel_size, dims, 1)
        self.stride = self.kernel_size if stride is None else whole(layer, "stride", stride, dims, 1)
        self.padding = whole(layer, "padding", padding, dims, 0)
        self.ceil_mode = truth(layer, "ceil_mode", ceil_mode)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(
                f"{layer}: padding must be at most half of the window; got padding={padding!r} with "
                f"kernel_size={kernel_size!r}"
            )

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _no_indices(layer: str, return_indices: bool) -> None:
    if truth(layer, "return_indices", return_indices):
        raise NotImplementedError(f"{layer}: return_indices=True is not supported; leave it out")


class _MaxPool(_Pool):
    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        self._set_up(kernel_size, stride, padding, ceil_mode)
        self.dilation = whole(type(self).__name__, "dilation", dilation, self.dims, 1)
        _no_indices(type(self).__name__, return_indices)

    def forward(self, x: Any) -> Any:
        """The largest element of every window."""
        return max_pooled(
            type(self).__name__, self.dims, x, self.kernel_size, self.stride, self.padding, self.dilation,
            self.ceil_mode,
        )  # fmt: skip


class _AvgPool(_Pool):
    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        self._set_up(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = truth(type(self).__name__, "count_include_pad", count_include_pad)
        self.divisor_override = divisor_override
        if divisor_override is not None:
            (self.divisor_override,) = whole(type(self).__name__, "divisor_override", divisor_override, 1, 1)

    def forward(self, x: Any) -> Any:
        """The mean of every window."""
        return avg_pooled(
            type(self).__name__, self.dims, x, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class _Adaptive(Module):
    """What windows in a fixed number have in common."""

    dims: ClassVar[int]

    def _set_up(self, output_size: Any) -> None:
        given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * self.dims
        whole(type(self).__name__, "output_size", tuple(1 if n is None else n for n in given), self.dims, 1)
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The number of windows."""
        return f"output_size={self.output_size}"


class _AdaptiveAvgPool(_Adaptive):
    def __init__(self, output_size: Any) -> None:
        self._set_up(output_size)

    def forward(self, x: Any) -> Any:
        """The mean of every window."""
        return averaged(type(self).__name__, self.dims, x, self.output_size)


class _AdaptiveMaxPool(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        self._set_up(output_size)
        _no_indices(type(self).__name__, return_indices)

    def forward(self, x: Any) -> Any:
        """The largest element of every window."""
        return maximal(type(self).__name__, self.dims, x, self.output_size)


class MaxPool1d(_MaxPool):
    """The largest element of every window of signals, shape (batch, channels, length): see `MaxPool2d`.

    Examples
    --------
    >>> tg.nn.MaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    dims = 1


class MaxPool2d(_MaxPool):
    """The largest element of every window of images, shape (batch, channels, height, width), or without batch.

    Parameters
    ----------
    kernel_size, stride, dilation : int or tuple of two int
        The elements of a window, the distance between windows (default: `kernel_size`), and that between elements.
    padding : int or tuple of two int
        Elements around the image, which are never the largest; at most half of the window.
    return_indices : bool
        Not supported: there is no unpooling.
    ceil_mode : bool
        Let the last window reach beyond the image.

    Examples
    --------
    >>> tg.nn.MaxPool2d(2)(tg.ones(10, 6, 28, 28)).shape
    (10, 6, 14, 14)
    """

    dims = 2


class MaxPool3d(_MaxPool):
    """The largest element of every window of volumes, shape (batch, channels, depth, height, width): see `MaxPool2d`.

    Examples
    --------
    >>> tg.nn.MaxPool3d((1, 2, 2))(tg.ones(1, 2, 3, 4, 4)).shape
    (1, 2, 3, 2, 2)
    """

    dims = 3


class AvgPool1d(_AvgPool):
    """The mean of every window of signals, shape (batch, channels, length): see `AvgPool2d`.

    Examples
    --------
    >>> tg.nn.AvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    dims = 1

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)


class AvgPool2d(_AvgPool):
    """The mean of every window of images, shape (batch, channels, height, width), or without batch.

    Parameters
    ----------
    kernel_size, stride, padding : int or tuple of two int
        The elements of a window, the distance between windows (default: `kernel_size`), and zeros around the image,
        at most half of the window.
    ceil_mode : bool
        Let the last window reach beyond the padded image; what lies there does not count.
    count_include_pad : bool
        Whether the zeros of the padding count as elements.
    divisor_override : int, optional
        Divide the sum by this number instead.

    Examples
    --------
    >>> tg.nn.AvgPool2d(2)(tg.ones(10, 6, 28, 28)).shape
    (10, 6, 14, 14)
    """

    dims = 2


class AvgPool3d(_AvgPool):
    """The mean of every window of volumes, shape (batch, channels, depth, height, width): see `AvgPool2d`.

    Examples
    --------
    >>> tg.nn.AvgPool3d((1, 2, 2))(tg.ones(1, 2, 3, 4, 4)).shape
    (1, 2, 3, 2, 2)
    """

    dims = 3


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of windows that share signals, shape (batch, channels, length), evenly: see `AdaptiveAvgPool2d`.

    Examples
    --------
    >>> tg.nn.AdaptiveAvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0]]))
    tensor([[2. , 2.5]])
    """

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of windows that share images, shape (batch, channels, height, width), evenly.

    Parameters
    ----------
    output_size : int, or tuple of two int or None
        The number of windows along each axis; None for as many as there are elements.

    Examples
    --------
    >>> tg.nn.AdaptiveAvgPool2d(1)(tg.ones(10, 6, 5, 7)).shape
    (10, 6, 1, 1)
    """

    dims = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean of windows that share volumes evenly: see `AdaptiveAvgPool2d`.

    Examples
    --------
    >>> tg.nn.AdaptiveAvgPool3d((1, 2, None))(tg.ones(10, 6, 3, 5, 7)).shape
    (10, 6, 1, 2, 7)
    """

    dims = 3


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest element of windows that share signals, shape (batch, channels, length), evenly.

    See `AdaptiveMaxPool2d`.

    Examples
    --------
    >>> tg.nn.AdaptiveMaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0]]))
    tensor([[3., 3.]])
    """

    dims = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest element of windows that share images, shape (batch, channels, height, width), evenly.

    Parameters
    ----------
    output_size : int, or tuple of two int or None
        The number of windows along each axis; None for as many as there are elements.
    return_indices : bool
        Not supported: there is no unpooling.

    Examples
    --------
    >>> tg.nn.AdaptiveMaxPool2d(1)(tg.ones(10, 6, 5, 7)).shape
    (10, 6, 1, 1)
    """

    dims = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest element of windows that share volumes evenly: see `AdaptiveMaxPool2d`.

    Examples
    --------
    >>> tg.nn.AdaptiveMaxPool3d((1, 2, None))(tg.ones(10, 6, 3, 5, 7)).shape
    (10, 6, 1, 2, 7)
    """

    dims = 3
