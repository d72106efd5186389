"""The words of a drawing: shapes, values, gradients and arguments, each short enough for a box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend

__all__ = ["arguments_text", "gradient_text", "number_text", "shape_text", "shortened", "value_lines"]

_SMALL = 4  # arrays of at most so many elements are shown in full


def shortened(text: str, limit: int = 40) -> str:
    """The beginning of a text, with dots where the rest is missing."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape, as NumPy writes it; that of a single number in a word."""
    return str(tuple(shape)) if len(shape) else "scalar"


def _host(array: Any) -> np.ndarray[Any, Any]:
    return np.asarray(backend.of(array).to_host(array))


def _norm(array: Any) -> float:
    """The Euclidean length of an array, taken as one vector."""
    return float(np.linalg.norm(_host(array).astype(np.float64, copy=False).ravel()))


def value_lines(array: Any) -> list[str]:
    """What an array holds: all of it where it is small; else mean, standard deviation and range.

    Elements that are not finite are counted, and left out of the statistics.
    """
    host = _host(array)
    if host.size == 0:
        return ["empty"]
    if host.size <= _SMALL:
        numbers = ", ".join(number_text(x) for x in host.ravel().tolist())
        return [f"= {numbers}" if host.size == 1 else f"= [{numbers}]"]
    if host.dtype.kind in "biu":
        return [f"from {host.min()} to {host.max()}"]
    finite = host[np.isfinite(host)].astype(np.float64)
    lines = []
    if finite.size:
        low, high = finite.min(), finite.max()
        if low == high and finite.size == host.size:
            return [f"all {number_text(low)}"]
        lines.append(f"mean {number_text(finite.mean())}, std {number_text(finite.std())}")
        lines.append(f"from {number_text(low)} to {number_text(high)}")
    if finite.size < host.size:
        lines.append(f"{host.size - finite.size} of {host.size} not finite")
    return lines


def number_text(number: Any) -> str:
    """A number, in three digits where it is not whole."""
    return str(number) if isinstance(number, (bool, int)) else f"{number:.3g}"


def gradient_text(gradients: Sequence[Any]) -> str:
    """What is known of the gradients of some values: None stands for one that was not computed yet."""
    if any(g is None for g in gradients):
        return "gradient: not computed yet"
    if len(gradients) == 1 and math.prod(gradients[0].shape) == 1:
        return f"grad = {number_text(gradients[0].item())}"
    norms = [_norm(g.data) for g in gradients]
    low, high = number_text(min(norms)), number_text(max(norms))
    return f"|grad| = {low}" if low == high else f"|grad| from {low} to {high}"


def arguments_text(meta: dict[str, Any]) -> str:
    """The arguments of an operation, less those that are off, and less the shape, which is shown anyhow."""
    texts = ((name, _argument(value)) for name, value in meta.items() if name != "shape")
    return ", ".join(f"{name}={text}" for name, text in texts if text not in ("None", "False", "()"))


def _argument(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        inside = ", ".join(_argument(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, slice):
        ends = [("" if end is None else str(end)) for end in (value.start, value.stop)]
        return ":".join(ends) + (f":{value.step}" if value.step not in (None, 1) else "")
    if value is Ellipsis:
        return "..."
    if isinstance(value, float):
        return f"{value:g}"
    if backend.is_array(value):
        return f"{value.dtype}{list(value.shape)}"
    return str(value)
