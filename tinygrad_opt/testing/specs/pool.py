"""Specifications of pooling: every window looked at by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from ...ops.windows import Windows, slide
from ..sources import Source
from .spec import Sample, Spec, each_axis

__all__ = ["SPECS"]

Array = Any


def _windows(source: Source, dims: int, dilated: bool = True) -> dict[str, Any]:
    """The arguments of a call."""
    kernel = tuple(source.choose((2, 1, 3)) for _ in range(dims))
    meta: dict[str, Any] = {
        "kernel_size": kernel,
        "stride": None if source.flip() else tuple(source.choose((1, 2, 3)) for _ in range(dims)),
        "padding": tuple(source.choose((k // 2, 0)) for k in kernel),
        "ceil_mode": source.flip(),
    }
    if dilated:
        meta["dilation"] = tuple(source.choose((1, 1, 2)) for _ in range(dims))
    return meta


def _shape(source: Source, meta: dict[str, Any]) -> tuple[int, ...]:
    """A shape into which these windows fit, with or without a batch."""
    dilation = meta.get("dilation", (1,) * len(meta["kernel_size"]))
    size = [d * (k - 1) + 1 + source.choose((0, 1, 2)) for k, d in zip(meta["kernel_size"], dilation, strict=True)]
    lead = (source.choose((1, 2, 0)), source.choose((1, 2)))
    return (*(lead if source.flip() else lead[1:]), *size)


def _max_pool(source: Source, dims: int) -> Sample:
    meta = _windows(source, dims)
    return Sample(source.distinct(_shape(source, meta)), meta)


def _avg_pool(source: Source, dims: int) -> Sample:
    meta = {**_windows(source, dims, dilated=False), "count_include_pad": source.flip()}
    if dims > 1:
        meta["divisor_override"] = source.choose((None, None, 3))
    return Sample([source.array(_shape(source, meta))], meta)


def _starts(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> list[int]:
    """Where windows start along an axis: those that fit, and with `ceil_mode` one more that starts in the image."""
    reach = d * (k - 1) + 1
    last = n + p - reach
    starts = list(range(-p, last + 1, s))
    if ceil_mode and starts[-1] < last and starts[-1] + s < n:
        starts.append(starts[-1] + s)
    return starts


def _pooled(
    choose: Callable[..., Array], x: Array, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Array:
    """``choose(elements of a window, how many of its elements lie in the padded image)``, for all windows."""
    dims = len(kernel_size)
    stride, padding, dilation = (each_axis(value, dims) for value in (stride or kernel_size, padding, dilation))
    sizes = x.shape[-dims:]
    steps = zip(sizes, kernel_size, stride, padding, dilation, strict=True)
    starts = [_starts(*each, ceil_mode) for each in steps]
    out = np.zeros((*x.shape[:-dims], *map(len, starts)), dtype=x.dtype)
    for place in product(*(range(len(along)) for along in starts)):
        index: list[list[int]] = []
        counted = 1
        for i, along, n, k, p, d in zip(place, starts, sizes, kernel_size, padding, dilation, strict=True):
            taps = [along[i] + a * d for a in range(k)]
            index.append([t for t in taps if 0 <= t < n])
            counted *= sum(t < n + p for t in taps)
        chosen: Any = (..., *np.ix_(*index))
        window = x[chosen]
        out[(slice(None),) * (x.ndim - dims) + place] = choose(
            window.reshape(*x.shape[:-dims], math.prod(map(len, index))), counted
        )
    return out


def _max_pool_reference(x: Array, **meta: Any) -> Array:
    return _pooled(lambda window, _: window.max(axis=-1), x, **meta)


def _avg_pool_reference(
    x: Array, *, count_include_pad: bool, divisor_override: int | None = None, **meta: Any
) -> Array:
    def mean(window: Array, counted: int) -> Array:
        return window.sum(axis=-1) / (divisor_override or (counted if count_include_pad else window.shape[-1]))

    return _pooled(mean, x, dilation=(1,) * len(meta["kernel_size"]), **meta)


def _adaptive(source: Source, dims: int) -> Sample:
    lead = (source.choose((1, 2, 0)), source.choose((1, 2)))
    size = [source.integer(1, 4) for _ in range(dims)]
    wanted = tuple(None if source.integer(0, 3) == 3 else source.integer(1, 4) for _ in range(dims))
    return Sample([source.array((*(lead if source.flip() else lead[1:]), *size))], {"output_size": wanted})


def _adaptive_max(source: Source, dims: int) -> Sample:
    sample = _adaptive(source, dims)
    return Sample(source.distinct(sample.args[0].shape), sample.meta)


def _adaptive_reference(x: Array, output_size: Any, dims: int, reduce: str) -> Array:
    output_size = each_axis(output_size, dims)
    for axis, m in enumerate(output_size, start=x.ndim - len(output_size)):
        n = x.shape[axis]
        edges = [(int(np.floor(i * n / (m or n))), int(np.ceil((i + 1) * n / (m or n)))) for i in range(m or n)]
        x = np.stack([getattr(x.take(range(low, high), axis), reduce)(axis) for low, high in edges], axis)
    return x


# The primitives behind them.


def _padded_windows(source: Source) -> tuple[Windows, tuple[int, int]]:
    meta = _windows(source, source.choose((2, 1)))
    size = _shape(source, meta)[-len(meta["kernel_size"]) :]
    stride = meta["stride"] or meta["kernel_size"]
    windows = slide("spec", size, meta["kernel_size"], stride, meta["padding"], meta["dilation"], meta["ceil_mode"])
    return windows, (source.choose((1, 2, 0)), source.choose((1, 2)))


def _places(windows: Windows) -> list[Any]:
    """What every tap sees of a padded image."""
    slices = [[windows.along(axis, tap) for tap in range(k)] for axis, k in enumerate(windows.kernel)]
    return [(..., *place) for place in product(*slices)]


def _seen(x: Array, windows: Windows, padding: float = 0.0) -> Array:
    """What every tap sees: (taps, batch, channels, *out)."""
    padded = np.pad(x, ((0, 0), (0, 0), *windows.padding), constant_values=padding)
    return np.stack([padded[place] for place in _places(windows)])


def _spread(seen: Array, windows: Windows) -> Array:
    """The transpose of `_seen`."""
    padded = np.zeros((*seen.shape[1:3], *windows.padded), dtype=seen.dtype)
    for values, place in zip(seen, _places(windows), strict=True):
        padded[place] += values
    edges = zip(windows.padding, windows.size, strict=True)
    inside: Any = (..., *(slice(low, low + n) for (low, _), n in edges))
    return padded[inside]


def _images(source: Source) -> Sample:
    windows, lead = _padded_windows(source)
    return Sample([source.array((*lead, *windows.size))], {"windows": windows})


def _results(source: Source) -> Sample:
    windows, lead = _padded_windows(source)
    return Sample([source.array((*lead, *windows.out))], {"windows": windows})


def _tapped(source: Source, spread: bool) -> Sample:
    windows, lead = _padded_windows(source)
    taps = source.labels((*lead, *windows.out), windows.taps)
    return Sample([source.array((*lead, *(windows.out if spread else windows.size))), taps], {"windows": windows})


def _chosen(tap: Array, windows: Windows) -> Array:
    return np.arange(windows.taps).reshape(-1, *(1,) * tap.ndim) == tap


def _largest(source: Source) -> Sample:
    windows, lead = _padded_windows(source)
    x = source.array((*lead, *windows.size))
    return Sample([x, _seen(x, windows, padding=-np.inf).max(axis=0)], {"windows": windows})


def _largest_reference(x: Array, y: Array, windows: Windows) -> Array:
    inside = _seen(np.ones_like(x), windows) == 1
    return np.argmax((_seen(x, windows) == y) & inside, axis=0).astype("uint8")


SPECS = [
    *(
        Spec(
            f"max_pool{n}d", _max_pool_reference, partial(_max_pool, dims=n), primitive="max_pool", analytic=False,
            kinks="two elements of a window are largest",
        )
        for n in (1, 2, 3)
    ),
    *(
        Spec(f"avg_pool{n}d", _avg_pool_reference, partial(_avg_pool, dims=n), primitive="window_sum")
        for n in (1, 2, 3)
    ),
    *(
        Spec(
            f"adaptive_avg_pool{n}d", partial(_adaptive_reference, dims=n, reduce="mean"), partial(_adaptive, dims=n),
            primitive="window_sum",
        )
        for n in (1, 2, 3)
    ),
    *(
        Spec(
            f"adaptive_max_pool{n}d", partial(_adaptive_reference, dims=n, reduce="max"),
            partial(_adaptive_max, dims=n), primitive="max_pool", analytic=False,
            kinks="two elements of a window are largest",
        )
        for n in (1, 2, 3)
    ),
    Spec("window_sum", lambda x, windows: _seen(x, windows).sum(axis=0), _images),
    Spec(
        "window_spread",
        lambda g, windows: _spread(np.broadcast_to(g, (windows.taps, *g.shape)), windows),
        _results,
    ),
    Spec("largest_tap", _largest_reference, _largest),
    Spec(
        "picked",
        lambda x, tap, windows: (_seen(x, windows) * _chosen(tap, windows)).sum(axis=0),
        partial(_tapped, spread=False),
    ),
    Spec("placed", lambda g, tap, windows: _spread(g * _chosen(tap, windows), windows), partial(_tapped, spread=True)),
]  # fmt: skip
