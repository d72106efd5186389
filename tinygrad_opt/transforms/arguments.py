"""What callers hand to transforms, checked: functions, positions of arguments, results, pairs of tuples."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import errors
from ..core.tensor import Tensor

__all__ = [
    "Argnums", "Fn", "as_tuples", "check_floating", "check_function", "check_tensors", "grouped", "only_scalar",
    "positions",
]  # fmt: skip

Fn = Callable[..., Any]
Argnums = int | Sequence[int]


def check_function(transform: str, fn: Any) -> None:
    """Raise where a transform is given a value, not a function."""
    if not callable(fn):
        raise TypeError(
            f"{transform}: expected a function; got {type(fn).__name__}. Hand over the function itself, f, and not its "
            "result, f(x)."
        )


def positions(transform: str, argnums: Any, count: int) -> tuple[int, ...]:
    """The arguments that `argnums` names, counted from the front, for a call with `count` of them."""
    given: list[Any] = [argnums] if _is_integer(argnums) else list(argnums) if _is_sequence(argnums) else [None]
    if not all(_is_integer(i) for i in given):
        raise TypeError(f"{transform}: argnums must be an integer or a sequence of integers; got {argnums!r}")
    wanted = [operator.index(i) for i in given]
    if any(not -count <= i < count for i in wanted):
        raise ValueError(
            f"{transform}: argnums={argnums} names an argument that is not there; the call has {count} by position. "
            "Arguments given by keyword are not differentiated."
        )
    places = tuple(i % count for i in wanted)
    if len(set(places)) != len(places):
        raise ValueError(f"{transform}: argnums={argnums} names one argument twice")
    return places


def grouped(argnums: Any, parts: Sequence[Any]) -> Any:
    """One part for each argument: as a tuple where `argnums` is a sequence, else the only one."""
    return parts[0] if _is_integer(argnums) else tuple(parts)


def _is_integer(value: Any) -> bool:
    """Whether `value` counts: an integer of Python, NumPy or an array without axes, but not a truth value."""
    return not isinstance(value, bool) and hasattr(value, "__index__") and getattr(value, "shape", ()) == ()


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def check_tensors(transform: str, what: str, values: Sequence[Any]) -> None:
    """Raise where some of `values` is not a tensor."""
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"{transform}: {what} must be tensors; got {type(value).__name__}")


def check_floating(transform: str, outputs: Sequence[Tensor]) -> None:
    """Raise where a result has no derivative because it consists of whole numbers or truth values."""
    for y in outputs:
        if y.dtype.kind != "f":
            raise TypeError(
                f"{transform}: what the function returns must be floating; got {y.dtype}, which has no derivative. "
                "Return it beside the value, with has_aux=True."
            )


def as_tuples(transform: str, primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Primals and tangents as two tuples of equal length."""
    several = isinstance(primals, tuple)
    if several != isinstance(tangents, tuple) or (several and len(primals) != len(tangents)):
        raise TypeError(
            f"{transform}: primals and tangents are one tensor each, or two tuples of equal length, as long as the "
            f"function has arguments: {transform}(f, (x, y), (dx, dy))"
        )
    return (primals, tangents) if several else ((primals,), (tangents,))


def only_scalar(transform: str, outputs: Sequence[Tensor]) -> Tensor:
    """The single scalar output that a gradient needs."""
    if len(outputs) != 1 or outputs[0].shape != ():
        shapes = ", ".join(str(y.shape) for y in outputs)
        raise errors.ShapeError(
            f"{transform}: the function must return one scalar; it returned {shapes or 'nothing'}. Reduce it "
            "(.sum(), .mean()), or use tg.vjp with a cotangent, or tg.jacobian."
        )
    check_floating(transform, outputs)
    return outputs[0]
