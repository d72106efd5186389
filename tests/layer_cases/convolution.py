"""Convolutions and their transposes."""

from __future__ import annotations

from functools import partial

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Source

MODES = ("zeros", "zeros", "reflect", "replicate", "circular")


def lead(source: Source, channels: int) -> tuple[int, ...]:
    """Batch and channels, or channels alone."""
    return (source.integer(1, 2), channels) if source.flip() else (channels,)


def convolution(source: Source, dims: int) -> Layer:
    groups = source.choose((1, 1, 2))
    ins, outs = groups * source.integer(1, 2), groups * source.integer(1, 2)
    kernel = tuple(source.integer(1, 3) for _ in range(dims))
    options = {
        "stride": source.integer(1, 2),
        "dilation": tuple(source.integer(1, 2) for _ in range(dims)),
        "groups": groups,
        "bias": source.flip(),
        "padding_mode": source.choose(MODES),
        "padding": source.choose(("valid", "same", 1, tuple(source.integer(0, 2) for _ in range(dims)))),
    }
    if options["padding"] == "same":
        options["stride"] = 1
    # With any padding the kernel fits, and a mirror shows enough.
    size = [d * (k - 1) + 1 + source.integer(2, 3) for k, d in zip(kernel, options["dilation"], strict=True)]
    x = source.array((*lead(source, ins), *size))
    return Layer(f"Conv{dims}d", (ins, outs, kernel), options, (x,))


def transposed(source: Source, dims: int) -> Layer:
    groups = source.choose((1, 1, 2))
    ins, outs = groups * source.integer(1, 2), groups * source.integer(1, 2)
    kernel = tuple(source.integer(1, 3) for _ in range(dims))
    stride = tuple(source.integer(1, 3) for _ in range(dims))
    dilation = tuple(source.integer(1, 2) for _ in range(dims))
    padding = tuple(source.integer(0, 1) for _ in range(dims))
    extra = tuple(source.integer(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    named = source.flip() and all(e < s for e, s in zip(extra, stride, strict=True))
    options = {
        "stride": stride,
        "padding": padding,
        "output_padding": 0 if named else extra,
        "dilation": dilation,
        "groups": groups,
        "bias": source.flip(),
    }
    size = [source.integer(2, 3) + 2 for _ in range(dims)]
    x = source.array((*lead(source, ins), *size))
    windows = zip(size, kernel, stride, padding, dilation, extra, strict=True)
    wanted = [(n - 1) * s - 2 * p + d * (k - 1) + 1 + e for n, k, s, p, d, e in windows]
    call = {"output_size": wanted} if named else {}
    return Layer(f"ConvTranspose{dims}d", (ins, outs, kernel), options, (x,), call)


CASES = [partial(draw, dims=dims) for draw in (convolution, transposed) for dims in (1, 2, 3)]
