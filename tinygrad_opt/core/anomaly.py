"""The slow, careful mode: finite values and gradients, untouched saved arrays, and the line that is to blame.

What goes wrong in a derivative was caused by an operation of the forward pass. So a gradient or a tangent that is not
finite, and any exception inside a rule, is told with that operation, its shapes, and the line that called it.

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

__all__ = [
    "Origin", "compare", "inspect_seed", "inspect_sum", "inspect_update", "inspect_value", "inspected", "is_inside",
]  # fmt: skip

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Origin:
    """Where an operation was called, and what the arrays it saved looked like then."""

    __slots__ = ("fingerprints", "line")

    def __init__(self, saved: Sequence[Any]) -> None:
        self.line = user_line()
        self.fingerprints = [_fingerprint(x) for x in saved]


def is_inside(filename: str) -> bool:
    """Whether a source file belongs to the package."""
    return os.path.abspath(filename).startswith(_PACKAGE)


def user_line() -> str:
    """The innermost line of code outside the package that led here, as ``file:line, in function: source``."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_inside(frame.f_code.co_filename):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(name, number).strip()
    return f"{name}:{number}, in {frame.f_code.co_name}: {source}"


def _fingerprint(array: Any) -> int | None:
    if not backend.is_array(array):
        return None
    host = backend.of(array).to_host(array)
    return zlib.crc32(host.tobytes())


def _is_finite(value: Any) -> bool:
    array = getattr(value, "_array", value)
    if getattr(getattr(array, "dtype", None), "kind", "") != "f":
        return True
    with backend.beside(array):
        return bool(backend.namespace(array).isfinite(array).all())


def _kinds(value: Any) -> str:
    array = getattr(value, "_array", value)
    xp = backend.namespace(array)
    with backend.beside(array):
        return f"{int(xp.isnan(array).sum())} nan, {int(xp.isinf(array).sum())} inf of {array.size}"


def _described(value: Any) -> str:
    """An argument of an operation: its name, if it has one, its shape and dtype."""
    if not hasattr(value, "shape"):
        return repr(value)
    name = getattr(value, "name", None)
    return f"{repr(name) + ' ' if name else ''}{tuple(value.shape)} {value.dtype}"


def inspect_value(operation: str, value: Any, inputs: Sequence[Any]) -> None:
    """Raise where the result of a forward computation is not finite."""
    if not _is_finite(value):
        described = ", ".join(map(_described, inputs))
        blame = [i for i, x in enumerate(inputs) if not _is_finite(x)]
        fed = f"; input {blame[0]} was not finite already" if blame else ""
        raise errors.anomaly(
            f"the value of '{operation}'", f"{_kinds(value)}; inputs {described}{fed}", f"\n  {user_line()}"
        )


def inspect_seed(node: Any, seed: Any, what: str) -> None:
    """Raise where a walk is started with a vector that is not finite: nothing on the tape is to blame then."""
    if not _is_finite(seed):
        details = f"{_kinds(seed)}; shape {tuple(seed.shape)}"
        raise errors.anomaly(f"the {what} given for {node.label}", details, f"\n  {user_line()}")


def inspect_sum(node: Any, cotangent: Any) -> None:
    """Raise where finite gradients, from several uses of one value, have a sum that is not."""
    if not _is_finite(cotangent):
        details = f"{_kinds(cotangent)}; shape {tuple(cotangent.shape)}"
        raise errors.anomaly(f"the gradient of {node.label}, summed over all its uses,", details, _where(node))


def inspect_update(parameters: Sequence[Any], writer: str) -> None:
    """Raise where an optimizer's step has left a parameter that is not finite."""
    for position, parameter in enumerate(parameters):
        if not _is_finite(parameter):
            name = f"'{parameter.name}'" if parameter.name else f"parameter {position}"
            fed = (
                "" if parameter.grad is None or _is_finite(parameter.grad) else "; its gradient was not finite already"
            )
            details = f"{_kinds(parameter)}; shape {parameter.shape}{fed}"
            raise errors.anomaly(f"the value of {name} after {writer}", details, f"\n  {user_line()}")


def inspected(rule: Callable[..., Any], mode: str) -> Callable[..., Any]:
    """A primitive's `pull` or `push` whose product must be finite, and whose exceptions name the forward call."""

    def run(node: Any, which: Any, *rest: Any) -> Any:
        product = f"the gradient for input {which} of" if mode == "reverse" else "the tangent of"
        try:
            found = rule(node, which, *rest)
        except errors.AnomalyError as error:  # of an operation inside the rule, which was recorded itself
            raise errors.anomaly(f"{product} '{node.primitive.name}'", _shapes(node), _where(node)) from error
        except Exception as error:
            raise errors.rule_failed(node.primitive.name, mode, _shapes(node), _where(node), error) from error
        if not _is_finite(found):
            details = f"{_kinds(found)}; {_shapes(node)}"
            raise errors.anomaly(f"{product} '{node.primitive.name}'", details, _where(node))
        return found

    return run


def _shapes(node: Any) -> str:
    inputs = ["a constant" if parent is None else parent.described for parent in node.parents]
    return f"inputs {', '.join(inputs)}, output shape {node.shape}"


def _where(node: Any) -> str:
    origin = getattr(node, "origin", None)
    if origin is not None:
        return f"\n  {origin.line}"
    return "" if node.primitive is None else "; run the forward pass inside detect_anomaly() to see the line"


def compare(node: Any, saved: Sequence[Any], label: Callable[[int], str]) -> None:
    """Raise where a saved array no longer is what it was when it was saved."""
    for position, (array, before) in enumerate(zip(saved, node.origin.fingerprints, strict=True)):
        if before != _fingerprint(array):
            raise errors.changed_in_place(label(position), "a write past the package's eyes", node.primitive.name)
