"""The slow, careful mode: finite values and gradients, untouched saved arrays, and the line that is to blame.

Nothing here runs unless `detect_anomaly` is open.
"""

from __future__ import annotations

import linecache
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from .. import backend, errors

__all__ = ["Origin", "compare", "inspect_gradient", "inspect_value"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Origin:
    """Where an operation was called, and what the arrays it saved looked like then."""

    __slots__ = ("fingerprints", "line")

    def __init__(self, saved: Sequence[Any]) -> None:
        self.line = user_line()
        self.fingerprints = [_fingerprint(x) for x in saved]


def user_line() -> str:
    """The innermost line of code outside the package that led here, as ``file:line, in function: source``."""
    frame = sys._getframe(1)
    while frame.f_back is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(name, number).strip()
    return f"{name}:{number}, in {frame.f_code.co_name}: {source}"


def _fingerprint(array: Any) -> int | None:
    if not backend.is_array(array):
        return None
    host = backend.of(array).to_host(array)
    return zlib.crc32(host.tobytes())


def _is_finite(array: Any) -> bool:
    if getattr(getattr(array, "dtype", None), "kind", "") != "f":
        return True
    return bool(backend.namespace(array).isfinite(array).all())


def _kinds(array: Any) -> str:
    xp = backend.namespace(array)
    return f"{int(xp.isnan(array).sum())} nan, {int(xp.isinf(array).sum())} inf of {array.size}"


def inspect_value(operation: str, value: Any, inputs: Sequence[Any]) -> None:
    """Raise where the result of a forward computation is not finite."""
    if not _is_finite(value):
        shapes = ", ".join(f"{x.shape} {x.dtype}" if hasattr(x, "shape") else repr(x) for x in inputs)
        blame = [i for i, x in enumerate(inputs) if not _is_finite(x)]
        fed = f"; input {blame[0]} was not finite already" if blame else ""
        raise errors.anomaly("the value", operation, f"{_kinds(value)}; inputs {shapes}{fed}", f"\n  {user_line()}")


def inspect_gradient(node: Any, position: int, gradient: Any) -> None:
    """Raise where the gradient that `node` sends to its input `position` is not finite."""
    gradient = getattr(gradient, "_array", gradient)
    if not _is_finite(gradient):
        origin = getattr(node, "origin", None)
        where = f"\n  {origin.line}" if origin else "; run the forward pass inside detect_anomaly() to see the line"
        details = f"{_kinds(gradient)}; shape {gradient.shape}, output shape {node.shape}"
        raise errors.anomaly(f"the gradient for input {position}", node.primitive.name, details, where)


def compare(node: Any, saved: Sequence[Any], label: Callable[[int], str]) -> None:
    """Raise where a saved array no longer is what it was when it was saved."""
    for position, (array, before) in enumerate(zip(saved, node.origin.fingerprints, strict=True)):
        if before != _fingerprint(array):
            raise errors.changed_in_place(label(position), "a write past the package's eyes", node.primitive.name)
