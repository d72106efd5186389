"""Universal functions and operators: the operands are numbers and arrays of the double, the options CuPy's few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import indexing
from .array import lift, ndarray, operand, run
from .devices import launch


def compute(function: np.ufunc, *operands: Any, **options: Any) -> Any:
    """Call a ufunc: the operands are numbers and arrays of the double."""
    arrays = [value for value in (*operands, options.get("out")) if isinstance(value, ndarray)]
    launch(array._device for array in arrays)
    options = {name: operand(value) if name == "out" else value for name, value in options.items()}
    with np.errstate(all="ignore"):
        return lift(function(*[operand(value) for value in operands], **options), arrays)


class ufunc:
    """What stands where CuPy's universal functions stand."""

    def __init__(self, host: np.ufunc) -> None:
        self.__name__, self.host = host.__name__, host
        self.nin, self.nout, self.nargs, self.types = host.nin, host.nout, host.nargs, host.types

    def __call__(self, *args: Any, out: Any = None, dtype: Any = None, casting: str = "same_kind") -> Any:
        if len(args) == self.nin + 1 and self.nout == 1:
            *args, out = args  # type: ignore[assignment]
        options = {name: value for name, value in (("out", out), ("dtype", dtype)) if value is not None}
        return compute(self.host, *args, casting=casting, **options)

    def at(self, a: ndarray, indices: Any, b: Any = None) -> None:
        """In place, once for each time that an index is named."""
        launch(array._device for array in (a, b) if isinstance(array, ndarray))
        indexing.at(self.host, a, indices, operand(b))

    def outer(self, A: ndarray, B: ndarray, **options: Any) -> Any:
        """The function of all pairs."""
        return self(A.reshape(A.shape + (1,) * B.ndim), B, **options)

    def reduce(
        self, array: ndarray, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> ndarray:
        """Sums and products only."""
        return run(self._only_sums("reduce"), array, axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def accumulate(self, array: ndarray, axis: int = 0, dtype: Any = None, out: Any = None) -> ndarray:
        """Sums and products only."""
        return run(self._only_sums("accumulate"), array, axis=axis, dtype=dtype, out=out)

    def _only_sums(self, method: str) -> Callable[..., Any]:
        if self.__name__ not in ("add", "multiply"):
            raise NotImplementedError(f"`cupy_{self.__name__}.{method}` is not supported yet")
        return getattr(self.host, method)


_KNOWN = (ndarray, np.ndarray, np.generic, bool, int, float, complex)


def _defers(other: Any) -> bool:
    """Whether `other` has declared that it takes over, as CuPy asks it."""
    return not isinstance(other, ndarray) and getattr(other, "__array_ufunc__", _defers) is None


def _answers(self: ndarray, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """What NumPy asks for: foreign classes have their turn, NumPy's scalars take part, anything else is a mistake."""
    if not all(isinstance(value, _KNOWN) for value in inputs):
        return NotImplemented
    if method == "__call__" and any(isinstance(value, np.generic) for value in inputs):
        return compute(function, *inputs, **options)
    raise TypeError(f"np.{function.__name__} was called on an array of the double: take the namespace from the array")


def _binary(function: np.ufunc) -> tuple[Any, Any, Any]:
    def plain(self: ndarray, other: Any) -> Any:
        if _defers(other):
            return NotImplemented
        foreign = not isinstance(other, _KNOWN) and hasattr(other, "__array_ufunc__")
        return function(self, other) if foreign else compute(function, self, other)

    def reflected(self: ndarray, other: Any) -> Any:
        return NotImplemented if _defers(other) else compute(function, other, self)

    def in_place(self: ndarray, other: Any) -> Any:
        return compute(function, self, other, out=self)

    return plain, reflected, in_place


_BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
_COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
_UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def _complete() -> None:
    """Give the class its operators, and its answer to NumPy's."""
    ndarray.__array_ufunc__ = _answers
    for name, function in _BINARY.items():
        for prefix, method in zip(("", "r", "i"), _binary(function), strict=True):
            setattr(ndarray, f"__{prefix}{name}__", method)
    for name, function in _COMPARISONS.items():
        setattr(ndarray, f"__{name}__", _binary(function)[0])
    for name, function in _UNARY.items():
        setattr(ndarray, f"__{name}__", lambda self, function=function: compute(function, self))


_complete()
