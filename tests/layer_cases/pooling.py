"""Pooling: by windows of a size, and in a number of windows."""

from __future__ import annotations

from functools import partial
from typing import Any

from layer_cases.case import Array, Layer
from layer_cases.convolution import lead
from tinygrad_opt.testing.sources import Source


def image(source: Source, size: list[int]) -> Array:
    """Without two equal elements, which could both be the largest."""
    (x,) = source.distinct((*lead(source, source.integer(1, 2)), *size))
    return x / 4


def windows(source: Source, dims: int) -> dict[str, Any]:
    kernel = tuple(source.integer(1, 3) for _ in range(dims))
    return {
        "kernel_size": kernel,
        "stride": source.choose((None, 1, tuple(source.integer(1, 3) for _ in range(dims)))),
        "padding": tuple(source.integer(0, k // 2) for k in kernel),
        "ceil_mode": source.flip(),
    }


def max_pool(source: Source, dims: int) -> Layer:
    options = {**windows(source, dims), "dilation": tuple(source.integer(1, 2) for _ in range(dims))}
    reach = [d * (k - 1) + 1 for k, d in zip(options["kernel_size"], options["dilation"], strict=True)]
    x = image(source, [r + source.integer(0, 2) for r in reach])
    return Layer(f"MaxPool{dims}d", (), options, (x,))


def avg_pool(source: Source, dims: int) -> Layer:
    options = {**windows(source, dims), "count_include_pad": source.flip()}
    if dims > 1:
        options["divisor_override"] = source.choose((None, None, 3))
    x = image(source, [k + source.integer(0, 2) for k in options["kernel_size"]])
    return Layer(f"AvgPool{dims}d", (), options, (x,))


def adaptive(source: Source, dims: int, kind: str) -> Layer:
    least = 1 if dims == 1 else 0  # PyTorch's layers of one dimension take no None; 0 stands for it here
    wanted = tuple(source.integer(least, 4) or None for _ in range(dims))
    x = image(source, [source.integer(1, 4) for _ in range(dims)])
    return Layer(f"Adaptive{kind}Pool{dims}d", (wanted,), inputs=(x,))


CASES = [partial(draw, dims=dims) for draw in (max_pool, avg_pool) for dims in (1, 2, 3)]
CASES += [partial(adaptive, dims=dims, kind=kind) for kind in ("Avg", "Max") for dims in (1, 2, 3)]
