"""A call with NumPy's arguments, as a call of our function of that name.

Ours have NumPy's argument names, in NumPy's order, but not always all of them. So the arguments are given their names
by NumPy's signature. Of those that ours lacks, the ones that say what is the case anyway are dropped, and any other
is an error that names it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .. import errors, ops
from . import numpy_names as names
from .primitive import Primitive

__all__ = ["parameters", "same", "translated"]

_NOTHING = object()


@functools.cache
def parameters(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Names and default values of the parameters; None where a signature has a ``*args``, or cannot be told."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return {p.name: _NOTHING if p.default is p.empty else p.default for p in found if p.kind is not p.VAR_KEYWORD}


def translated(numpy_function: Any, ours: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call `ours` with what was meant for `numpy_function`."""
    name, primitive = names.spelled(numpy_function), isinstance(ours, Primitive)
    theirs = parameters(numpy_function)
    accepted = None if theirs is None else _of_primitive(ours, theirs) if primitive else parameters(ours)
    if theirs is None or accepted is None:
        return ours(*args, **_that_matter(kwargs, theirs or {"out": None}))
    if len(args) > len(theirs):
        raise TypeError(f"{name}: takes {len(theirs)} arguments; got {len(args)}")
    given = dict(zip(theirs, args, strict=False))
    for key, value in kwargs.items():
        if key in given:
            raise TypeError(f"{name}: got two values for the argument {key!r}")
        given[key] = value
    renamed = _same_places(list(theirs), list(accepted))
    call = {renamed.get(key, key): value for key, value in given.items()}
    call = {key: call[key] for key in call if key in accepted} | _that_matter(call, theirs)
    if "dtype" in call and "dtype" not in accepted and numpy_function.__name__ == "trace":  # that of its sum
        first = next(iter(accepted))
        call[first] = ops.astype(call[first], call.pop("dtype"))
    for key in call:
        if key not in accepted and (primitive or not _takes_any(ours)):
            raise errors.no_numpy_argument(name, key)
    return ours(*[call[key] for key in accepted if key in call]) if primitive else _called(ours, call, accepted)


def _of_primitive(primitive: Any, theirs: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a primitive takes: as many arrays as it has derivatives, by NumPy's names."""
    count = len(primitive._reads) or sum(default is _NOTHING for default in theirs.values())
    return dict(list(theirs.items())[:count])


def _that_matter(given: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Without the arguments that say what is the case anyway."""
    return {key: value for key, value in given.items() if not same(value, defaults.get(key, _NOTHING))}


def same(value: Any, default: Any) -> bool:
    """Whether an argument is its own default value."""
    return value is default or (
        isinstance(value, (str, bool, int, float)) and type(value) is type(default) and value == default
    )


def _same_places(theirs: list[str], accepted: list[str]) -> dict[str, str]:
    """NumPy's names of the leading parameters that ours calls otherwise: `a` for `x`."""
    return {
        t: a
        for t, a in zip(theirs, accepted, strict=False)
        if t != a and t not in accepted and a not in theirs
    }  # fmt: skip


@functools.cache
def _takes_any(ours: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(ours).parameters.values())


def _called(ours: Callable[..., Any], call: dict[str, Any], accepted: dict[str, Any]) -> Any:
    """Leading arguments by position, so that positional-only ones are reached; the rest by name."""
    leading = []
    for key in accepted:
        if key not in call:
            break
        leading.append(key)
    positional = [call.pop(key) for key in leading if _positional(ours, key)]
    return ours(*positional, **call)


@functools.cache
def _positional(ours: Callable[..., Any], key: str) -> bool:
    return inspect.signature(ours).parameters[key].kind is not inspect.Parameter.KEYWORD_ONLY
