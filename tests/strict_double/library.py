"""The double's namespace: the names of `cupy_names.txt`, with CuPy's parameters, and nothing else.

A function of the list is NumPy's of the same name, under the rules of `array.call`; those that CuPy does in its own
way are in `functions.py`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from . import functions
from .arithmetic import ufunc
from .array import call, lift, ndarray
from .devices import Cuda, synchronize
from .names import signatures, words
from .random import Generator

# What the host knows without asking the device.
_ABOUT_ARRAYS = frozenset(
    "broadcast_shapes byte_bounds iscomplexobj isfortran isrealobj may_share_memory ndim result_type shape "
    "shares_memory size".split()
)
# What the host has to wait for, because the shape of the result depends on values.
_WAITING = frozenset(
    "argwhere bincount flatnonzero histogram unique unique_all unique_counts unique_inverse unique_values".split()
)
_FROM_NOTHING = frozenset(
    "arange broadcast_shapes diag_indices eye full identity indices linspace logspace ones result_type tri "
    "tril_indices triu_indices zeros".split()
)
_NO_LISTS = frozenset("a b x y x1 x2 m v arr array element".split())


def _own(signature: inspect.Signature, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `functions.py`, called with no more than CuPy's parameters."""

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        return function(*bound.args, **bound.kwargs)

    return checked


def _numpys(name: str, signature: inspect.Signature, function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function, under the rules of a GPU and with CuPy's parameters."""

    def ruled(*args: Any, **kwargs: Any) -> Any:
        positional, options = _bind(name, signature, args, kwargs)
        result, arrays = call(function, *positional, **options)
        if not arrays and name not in _FROM_NOTHING:
            raise TypeError(f"{name}: there is no array of the double among the arguments")
        if name in _WAITING:
            synchronize(f"{name}()")
        return result if name in _ABOUT_ARRAYS else lift(result, arrays)

    ruled.__name__ = name
    return ruled


def _bind(name: str, signature: inspect.Signature, args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by CuPy's names: what it requires by position, the rest by keyword."""
    positional: list[Any] = []
    options: dict[str, Any] = {}
    for key, value in signature.bind(*args, **kwargs).arguments.items():
        parameter = signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            options.update(value)
        elif parameter.default is not parameter.empty:
            options[key] = value
        elif isinstance(value, (list, tuple)) and key in _NO_LISTS:
            raise TypeError(f"{name}: a list is not an array")
        else:
            positional.append(value)
    return positional, options


class Namespace:
    """A place for names, with a clear word about those that it does not have."""

    def __init__(self, **names: Any) -> None:
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"CuPy has no {name!r}, or the double does not know it yet: see cupy_names.txt")


def _made(section: str, host: Any, change: Callable[..., Any] | None = None) -> dict[str, Any]:
    """The functions of a section: the double's own, else NumPy's (where this NumPy has them)."""
    made: dict[str, Any] = {}
    for name, signature in signatures(section).items():
        if host is np and name in functions.OWN:
            made[name] = _own(signature, functions.OWN[name])
        elif hasattr(host, name):
            function = getattr(host, name)
            made[name] = _numpys(name, signature, function if change is None else change(function))
    return made


def _give_methods() -> None:
    """The methods of the array that are not written out in its class."""
    for name, signature in signatures("ndarray", "self, ").items():
        if name in ("nonzero", "squeeze", "take"):
            setattr(ndarray, name, _own(signature, functions.OWN[name]))
        elif name not in vars(ndarray):
            setattr(ndarray, name, _numpys(name, signature, getattr(np.ndarray, name)))


_give_methods()
library = Namespace(
    **{name: getattr(np, name) for name in words("values")},
    **{name: ufunc(getattr(np, name)) for name in words("ufuncs") if hasattr(np, name)},
    **_made("functions", np),
    byte_bounds=lambda a: np.lib.array_utils.byte_bounds(a._host),
    ndarray=ndarray,
    ufunc=ufunc,
    linalg=Namespace(**_made("linalg", np.linalg, functions.lenient)),
    lib=Namespace(stride_tricks=Namespace(**_made("lib.stride_tricks", np.lib.stride_tricks))),
    random=Namespace(Generator=Generator, default_rng=Generator),
    cuda=Cuda,
)
