"""Specifications of convolution, of windows, and of pooling: every window written out by a loop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from ... import ops
from ...core.primitive import named
from ...ops.windows import Windows, slide
from ..sources import Source
from .spec import Sample, Spec, each_axis

__all__ = ["SPECS"]

Array = Any


def _windows(source: Source, dims: int, stride: bool = True) -> Windows:
    """Some windows that fit into some image."""
    kernel = [source.choose((2, 1, 3)) for _ in range(dims)]
    dilation = [source.choose((1, 1, 2)) for _ in range(dims)]
    strides = [source.choose((1, 2, 3)) if stride else 1 for _ in range(dims)]
    padding = [source.choose((0, 1, 0)) for _ in range(dims)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = [max(1, r - 2 * p) + source.choose((1, 0, 2)) for r, p in zip(reach, padding, strict=True)]
    return slide("spec", tuple(size), tuple(kernel), tuple(strides), tuple(padding), tuple(dilation))


def _meta(windows: Windows) -> dict[str, Any]:
    """The arguments that describe these windows in a call."""
    padding = tuple(low for low, _ in windows.padding)
    return {"stride": windows.stride, "padding": padding, "dilation": windows.dilation}


def _channels(source: Source) -> tuple[int, int, int, int]:
    """A batch, channels of the image and of the result for each group, and groups."""
    return source.choose((1, 2, 0)), source.choose((1, 2)), source.choose((1, 2)), source.choose((1, 1, 2))


# Windows, one after the other.


def _each(windows: Windows) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Every window, every tap of it, and where in the padded image that tap lies."""
    for window in product(*map(range, windows.out)):
        for tap in product(*map(range, windows.kernel)):
            parts = zip(window, windows.stride, tap, windows.dilation, strict=True)
            yield window, tap, tuple(i * s + a * d for i, s, a, d in parts)


def _padded(x: Array, windows: Windows) -> Array:
    return np.pad(x, ((0, 0), (0, 0), *windows.padding))


def _cropped(x: Array, windows: Windows) -> Array:
    edges = zip(windows.padding, windows.size, strict=True)
    return x[(..., *(slice(low, low + n) for (low, _), n in edges))]


def _zeros(shape: tuple[int, ...], *arrays: Array) -> Array:
    return np.zeros(shape, dtype=np.result_type(*arrays))


def _per_group(x: Array, groups: int) -> Array:
    """Channels (axis 1) apart into groups and channels of one."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def _by_group(weight: Array, groups: int) -> Array:
    return weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])


def _conv_reference(x: Array, weight: Array, windows: Windows, groups: int) -> Array:
    y = _zeros((x.shape[0], weight.shape[0], *windows.out), x, weight)
    image, kernels, out = _per_group(_padded(x, windows), groups), _by_group(weight, groups), _per_group(y, groups)
    for window, tap, place in _each(windows):
        out[(..., *window)] += np.einsum("ngc,goc->ngo", image[(..., *place)], kernels[(..., *tap)])
    return y


def _conv_weight_reference(x: Array, g: Array, windows: Windows, groups: int) -> Array:
    weight = _zeros((g.shape[1], x.shape[1] // groups, *windows.kernel), x, g)
    image, kernels, out = _per_group(_padded(x, windows), groups), _by_group(weight, groups), _per_group(g, groups)
    for window, tap, place in _each(windows):
        kernels[(..., *tap)] += np.einsum("ngc,ngo->goc", image[(..., *place)], out[(..., *window)])
    return weight


def _conv_input_reference(g: Array, weight: Array, windows: Windows, groups: int) -> Array:
    x = _zeros((g.shape[0], weight.shape[1] * groups, *windows.padded), g, weight)
    image, kernels, out = _per_group(x, groups), _by_group(weight, groups), _per_group(g, groups)
    for window, tap, place in _each(windows):
        image[(..., *place)] += np.einsum("ngo,goc->ngc", out[(..., *window)], kernels[(..., *tap)])
    return _cropped(x, windows)


def _unfold_reference(x: Array, windows: Windows) -> Array:
    columns = _zeros((*x.shape[:2], *windows.kernel, *windows.out), x)
    for window, tap, place in _each(windows):
        columns[(..., *tap, *window)] = _padded(x, windows)[(..., *place)]
    return columns.reshape(x.shape[0], x.shape[1] * math.prod(windows.kernel), *windows.out)


def _fold_reference(columns: Array, windows: Windows) -> Array:
    channels = columns.shape[1] // math.prod(windows.kernel)
    x = _zeros((columns.shape[0], channels, *windows.padded), columns)
    columns = columns.reshape(columns.shape[0], channels, *windows.kernel, *windows.out)
    for window, tap, place in _each(windows):
        x[(..., *place)] += columns[(..., *tap, *window)]
    return _cropped(x, windows)


# The primitives, on windows of one or two axes.


def _trilinear(source: Source, *roles: str) -> Sample:
    """Arrays for two or three of the roles: image, weight, result, bias."""
    n, ins, outs, groups = _channels(source)
    windows = _windows(source, source.choose((2, 1)))
    made = {
        "image": lambda: source.array((n, ins * groups, *windows.size)),
        "weight": lambda: source.array((outs * groups, ins, *windows.kernel)),
        "result": lambda: source.array((n, outs * groups, *windows.out)),
        "bias": lambda: source.array((outs * groups,)),
    }
    return Sample([made[role]() for role in roles], {"windows": windows, "groups": groups})


def _conv_bias(x: Array, weight: Array, bias: Array, windows: Windows, groups: int) -> Array:
    return _conv_reference(x, weight, windows, groups) + bias.reshape(-1, *(1,) * (x.ndim - 2))


def _of_seen(name: str) -> Any:
    """The primitive that takes an image with its columns written out, on the image."""
    return lambda x, *others, windows, groups: named(name)(
        ops.conv.seen(x, windows), *others, windows=windows, groups=groups
    )


# The public functions, on any number of spatial axes.


def _layer(source: Source, dims: int, bias: bool) -> Sample:
    n, ins, outs, groups = _channels(source)
    windows = _windows(source, dims, stride=source.flip())
    meta: dict[str, Any] = {**_meta(windows), "groups": groups}
    if source.flip():
        meta["padding"] = "same" if all(s == 1 for s in windows.stride) and source.flip() else "valid"
    size = [max(n, d * (k - 1) + 1) for n, d, k in zip(windows.size, windows.dilation, windows.kernel, strict=True)]
    shape = (n, ins * groups, *size) if source.flip() else (ins * groups, *size)
    weight = source.array((outs * groups, ins, *windows.kernel))
    return Sample([source.array(shape), weight, *([source.array((outs * groups,))] if bias else [])], meta)


def _layer_reference(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    batch = x if x.ndim == weight.ndim else x[None]
    windows = slide("spec", batch.shape[2:], weight.shape[2:], stride, padding, dilation)
    y = _conv_reference(batch, weight, windows, groups)
    y = y if bias is None else y + bias.reshape(-1, *(1,) * (weight.ndim - 2))
    return y if x.ndim == weight.ndim else y[0]


def _transposed(source: Source, dims: int, bias: bool) -> Sample:
    n, ins, outs, groups = _channels(source)
    windows = _windows(source, dims)
    extra = tuple(source.integer(0, max(s, d) - 1) for s, d in zip(windows.stride, windows.dilation, strict=True))
    meta: dict[str, Any] = {**_meta(windows), "output_padding": extra, "groups": groups}
    sides = tuple(m + 2 * p for m, p in zip(windows.out, meta["padding"], strict=True))
    shape = (n, ins * groups, *sides) if source.flip() else (ins * groups, *sides)
    weight = source.array((ins * groups, outs, *windows.kernel))
    return Sample([source.array(shape), weight, *([source.array((outs * groups,))] if bias else [])], meta)


def _transposed_reference(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Any, padding: Any, output_padding: Any,
    dilation: Any, groups: int,
) -> Array:  # fmt: skip
    batch = x if x.ndim == weight.ndim else x[None]
    dims = weight.ndim - 2
    stride, padding, output_padding, dilation = (
        each_axis(value, dims) for value in (stride, padding, output_padding, dilation)
    )
    sides = zip(batch.shape[2:], stride, padding, output_padding, dilation, weight.shape[2:], strict=True)
    size = tuple((n - 1) * s - 2 * p + e + d * (k - 1) + 1 for n, s, p, e, d, k in sides)
    edges = tuple((p, p + e) for p, e in zip(padding, output_padding, strict=True))
    windows = Windows(size, weight.shape[2:], stride, edges, dilation, batch.shape[2:])
    y = _conv_input_reference(batch, weight, windows, groups)
    y = y if bias is None else y + bias.reshape(-1, *(1,) * (weight.ndim - 2))
    return y if x.ndim == weight.ndim else y[0]


def _unfold_call(source: Source) -> Sample:
    windows = _windows(source, 2)
    shape = (source.choose((2, 1, 0)), source.choose((1, 2)), *windows.size)
    meta = {"kernel_size": windows.kernel, **_meta(windows)}
    return Sample([source.array(shape if source.flip() else shape[1:])], meta)


def _unfold_call_reference(x: Array, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Array:
    batch = x if x.ndim == 4 else x[None]
    windows = slide("spec", batch.shape[2:], kernel_size, stride, padding, dilation)
    columns = _unfold_reference(batch, windows)
    columns = columns.reshape(*columns.shape[:2], math.prod(windows.out))
    return columns if x.ndim == 4 else columns[0]


def _fold_call(source: Source) -> Sample:
    windows = _windows(source, 2)
    shape = (source.choose((2, 1, 0)), source.choose((1, 2)) * windows.taps, windows.count)
    meta = {"output_size": windows.size, "kernel_size": windows.kernel, **_meta(windows)}
    return Sample([source.array(shape if source.flip() else shape[1:])], meta)


def _fold_call_reference(
    x: Array, output_size: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> Array:
    batch = x if x.ndim == 3 else x[None]
    windows = slide("spec", output_size, kernel_size, stride, padding, dilation)
    image = _fold_reference(batch.reshape(*batch.shape[:2], *windows.out), windows)
    return image if x.ndim == 3 else image[0]


def _columns(source: Source) -> Sample:
    windows = _windows(source, source.choose((2, 1)))
    shape = (source.choose((1, 2, 0)), source.choose((1, 2)) * windows.taps, *windows.out)
    return Sample([source.array(shape)], {"windows": windows})


def _images(source: Source) -> Sample:
    windows = _windows(source, source.choose((2, 1)))
    return Sample(
        [source.array((source.choose((1, 2, 0)), source.choose((1, 2)), *windows.size))], {"windows": windows}
    )


SPECS = [
    Spec("conv", _conv_reference, lambda source: _trilinear(source, "image", "weight"), function=named("conv")),
    Spec("conv_input", _conv_input_reference, lambda source: _trilinear(source, "result", "weight")),
    Spec("conv_weight", _conv_weight_reference, lambda source: _trilinear(source, "image", "result")),
    Spec("conv_bias", _conv_bias, lambda source: _trilinear(source, "image", "weight", "bias")),
    Spec(
        "conv_seen",
        _conv_bias,
        lambda source: _trilinear(source, "image", "weight", "bias"),
        function=_of_seen("conv_seen"),
    ),
    Spec(
        "conv_weight_seen",
        _conv_weight_reference,
        lambda source: _trilinear(source, "image", "result"),
        function=_of_seen("conv_weight_seen"),
    ),
    Spec(
        "channel_sum",
        lambda x: x.sum(axis=(0, *range(2, x.ndim))),
        lambda source: Sample([source.array(source.shape(low=2))]),
    ),
    *(
        Spec(f"conv{n}d", _layer_reference, partial(_layer, dims=n, bias=True), primitive="conv_seen")
        for n in (1, 2, 3)
    ),
    Spec(
        "conv2d_without_bias",
        _layer_reference,
        partial(_layer, dims=2, bias=False),
        primitive="conv_seen",
        function=ops.conv2d,
    ),
    *(
        Spec(f"conv_transpose{n}d", _transposed_reference, partial(_transposed, dims=n, bias=True), primitive="add")
        for n in (1, 2, 3)
    ),
    Spec(
        "conv_transpose2d_without_bias",
        _transposed_reference,
        partial(_transposed, dims=2, bias=False),
        primitive="conv_input",
        function=ops.conv_transpose2d,
    ),
    Spec("unfold", _unfold_call_reference, _unfold_call),
    Spec("fold", _fold_call_reference, _fold_call),
    Spec("unfold_images", _unfold_reference, _images, primitive="unfold", function=ops.columns.unfolded),
    Spec("fold_columns", _fold_reference, _columns, primitive="fold", function=ops.columns.folded),
]
