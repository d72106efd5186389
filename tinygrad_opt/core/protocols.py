"""NumPy's own functions on Tensors: ``np.sin(t)``, ``np.concatenate([t, a])``, ``array + t``.

NumPy asks the arguments of its functions whether one of them takes over, by `__array_ufunc__` (NEP 13: universal
functions, hence the operators of arrays) and `__array_function__` (NEP 18: the others). Ours answer with the function
*of the same name* of this package. Nothing is listed: whatever `ops` and `ops.linalg` make public is found when it is
asked for. What a name leaves open stands in `numpy_names`.

The operators of a Tensor do not come here, only those of an array on their left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, errors, ops
from . import numpy_names as names
from .numpy_arguments import parameters, same, translated
from .primitive import operand, wrap
from .tape import Variable

__all__ = ["Protocols"]

_found: dict[Any, Callable[..., Any]] = {}  # NumPy's function -> ours, as they are asked for
_plain: set[type] = {np.ndarray, float, int, bool, list, tuple, str, type(None)}  # types that leave the work to us


class Protocols(Variable):
    """What NumPy and other array libraries ask a Tensor for."""

    __slots__ = ()
    __array_priority__ = 1000.0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        for x in inputs:
            kind = type(x)
            if kind not in _plain and hasattr(kind, "__array_ufunc__") and _takes_over(names.spelled(ufunc), kind):
                return NotImplemented
        if method == "__call__" and not options:
            return (_found.get(ufunc) or _ours(ufunc))(*inputs)
        if "out" in options:
            return _in_place(ufunc, method, inputs, options)
        if method == "__call__":
            return _with_options(ufunc, inputs, options)
        return _method(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        name = names.spelled(function)
        for kind in types:
            if kind not in _plain and _takes_over(name, kind):
                return NotImplemented
        return _call(function, args, kwargs)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """The memory itself, for another library: see https://dmlc.github.io/dlpack.

        Memory that is walked backwards (``t[::-1]``) is copied, unless ``copy=False``: PyTorch cannot hold it, and
        ends the program.
        """
        if self._node is not None:
            raise errors.not_exported()
        array = self._array
        with backend.beside(array):
            if any(step < 0 for step in array.strides):
                if copy is False:
                    raise errors.backwards()
                array = backend.namespace(array).ascontiguousarray(array)
            wanted = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
            return array.__dlpack__(**{name: value for name, value in wanted.items() if value is not None})

    def __dlpack_device__(self) -> tuple[int, int]:
        """The kind of memory and the number of the device, in DLPack's numbers."""
        kind, index = self._array.__dlpack_device__()
        return int(kind), int(index)


# Who else might answer.


def _takes_over(name: str, kind: type) -> bool:
    """Whether a class is neither ours nor an array that our functions take, and so has its turn; others are noted."""
    if backend.has_own_rules(kind):
        raise errors.special_array(name, kind.__name__)
    known = issubclass(kind, (Variable, np.generic)) or backend.is_array_type(kind)
    if known:
        _plain.add(kind)
    return not known


# NumPy's function, and ours.


def _ours(function: Any) -> Callable[..., Any]:
    """Our function of the same name, or one that answers from the values, or an error that says what to write."""
    for module, name in names.candidates(function):
        library = getattr(ops, "linalg", None) if module == "linalg" else ops
        if name in getattr(library, "__all__", ()):
            found: Callable[..., Any] = getattr(library, name)
            break
    else:
        found = names.STRUCTURAL.get(names.spelled(function)) or _from_values(function)
    return _found.setdefault(function, found)


def _call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """NumPy's call of a function, as a call of ours."""
    ours = _found.get(function) or _ours(function)
    if isinstance(ours, _FromValues) or (len(args) == 1 and kwargs.keys() <= (parameters(ours) or {}).keys()):
        return ours(*args, **kwargs)
    return translated(function, ours, args, kwargs)


class _FromValues:
    """NumPy's function itself, on the arrays: right for what has no derivative."""

    def __init__(self, function: Any) -> None:
        self.function, self.name = function, names.spelled(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise errors.no_numpy_argument(self.name, "out")
        if isinstance(self.function, np.ufunc):
            args = tuple(operand(self.name, x) for x in args)
        lowered, function = _lowered(args), self.function
        array = next((x for x in lowered if backend.is_array(x)), None)
        if array is not None and backend.of(array) is not backend.HOST:
            function = getattr(backend.namespace(array), function.__name__, None)
            if function is None:
                raise errors.no_numpy_function(self.name)
        with contextlib.nullcontext() if array is None else backend.beside(array):
            return _lifted(function(*lowered, **_lowered(kwargs)))


def _from_values(function: Any) -> Callable[..., Any]:
    if not names.is_constant(function):
        raise errors.no_numpy_function(names.spelled(function))
    return _FromValues(function)


def _lowered(value: Any) -> Any:
    """The arrays of the tensors inside an argument."""
    if isinstance(value, Variable):
        return value._array
    if isinstance(value, dict):
        return {key: _lowered(item) for key, item in value.items()}
    return type(value)(map(_lowered, value)) if type(value) in (list, tuple) else value


def _lifted(value: Any) -> Any:
    """The arrays in a result as tensors; sizes, flags, dtypes and texts as they are."""
    if isinstance(value, tuple):
        return tuple(map(_lifted, value))
    return wrap(value) if backend.is_array(value) else value


def _records(values: Any) -> bool:
    """Whether a tensor among the arguments requires gradients."""
    if isinstance(values, (list, tuple)):
        return any(map(_records, values))
    return isinstance(values, Variable) and values._node is not None


# What universal functions have beside their call.


def _in_place(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """``a += t`` and ``out=``: values are written into an array, which no derivative would reach."""
    out = options["out"]
    if _records(inputs) or any(isinstance(x, Variable) for x in out):
        raise errors.written_by_numpy(names.spelled(ufunc), any(isinstance(x, Variable) for x in out))
    return getattr(ufunc, method)(*_lowered(inputs), **_lowered(options))


def _with_options(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A call with keywords: ours has them, or casts first (`dtype`), or they say what is the case anyway."""
    ours = _found.get(ufunc) or _ours(ufunc)
    accepted = parameters(ours) or {}
    known = {name: value for name, value in options.items() if name in accepted}
    for name, value in options.items():
        if name not in known and name != "dtype" and not same(value, names.UFUNC_DEFAULTS.get(name, ...)):
            raise errors.no_numpy_argument(names.spelled(ufunc), name)
    if "dtype" not in known and options.get("dtype") is not None:
        inputs = tuple(ops.astype(x, options["dtype"]) if hasattr(x, "dtype") else x for x in inputs)
    return ours(*inputs, **known)


def _method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`reduce` and `accumulate` are functions of their own names, `outer` is broadcasting."""
    if method == "outer" and len(inputs) == 2:
        a, b = (operand(names.spelled(ufunc), x, other) for x, other in zip(inputs, inputs[::-1], strict=True))
        column = a.reshape((*a.shape, *(1,) * len(b.shape)))
        return _with_options(ufunc, (column, b), options)
    if method in ("at", "reduceat"):
        raise errors.no_ufunc_method(names.spelled(ufunc), method)
    function = names.METHODS.get((method, ufunc.__name__))
    if function is None:
        raise errors.no_numpy_function(f"{names.spelled(ufunc)}.{method}")
    return _call(function, inputs, {"axis": 0, **options})
