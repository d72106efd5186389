"""The array of the double: NumPy memory inside, a GPU's manners outside.

Every operation takes its arguments down to NumPy (`lower`, `operand`) and its results up again (`lift`). On the way
down it refuses what CuPy refuses: NumPy arrays and lists among the operands, arrays of another device. On the way up
it hides what CuPy hides: NumPy's scalars and floating-point warnings.
"""

from __future__ import annotations

import threading
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import indexing
from .devices import Device, launch, synchronize

_one_at_a_time = threading.RLock()  # the warnings filters belong to all threads
_NUMBERS = (bool, int, float, complex, np.bool_, np.number)


class ndarray:
    """An array on one of the double's devices.

    Made by the functions of the library, never directly: `host` is the NumPy array that plays the device's memory.
    """

    __slots__ = ("__weakref__", "_base", "_device", "_host")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: np.ndarray, device: int, base: ndarray | None = None) -> None:
        check_dtype(host.dtype)
        self._host, self._device, self._base = host, device, base

    # What it is.

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    strides = property(lambda self: self._host.strides)
    base = property(lambda self: self._base)
    device = property(lambda self: Device(self._device))
    real = property(lambda self: run(np.real, self))
    imag = property(lambda self: run(np.imag, self))
    mT = property(lambda self: run(lambda x: x.mT, self))

    @property
    def T(self) -> ndarray:
        """All axes in reversed order; the array itself where there is nothing to reverse."""
        return run(np.transpose, self) if self.ndim > 1 else self

    @property
    def flags(self) -> types.SimpleNamespace:
        """CuPy's three flags: `writeable` is not among them."""
        host = self._host.flags
        return types.SimpleNamespace(
            c_contiguous=host.c_contiguous, f_contiguous=host.f_contiguous, owndata=self._base is None
        )

    # Elements.

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[ndarray]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> ndarray:
        lowered, arrays = indexing.lower(self, index)
        return lift(self._host[lowered], [self, *arrays])

    def __setitem__(self, index: Any, value: Any) -> None:
        lowered, arrays = indexing.lower(self, index)
        launch(array._device for array in [self, *arrays, value] if isinstance(array, ndarray))
        with np.errstate(all="ignore"):
            indexing.assign(self._host, lowered, operand(value))

    # The ways to the host, all of them explicit.

    def get(self, stream: None = None, order: str = "C", out: None = None, blocking: bool = True) -> np.ndarray:
        """A copy in host memory."""
        synchronize("get()")
        return np.array(self._host, order=order)

    def item(self) -> Any:
        """The only element, as a Python number."""
        synchronize("item()")
        return self._host.item()

    def tolist(self) -> Any:
        """The elements as nested lists."""
        synchronize("tolist()")
        return self._host.tolist()

    def tobytes(self, order: str = "C") -> bytes:
        """The elements as bytes."""
        synchronize("tobytes()")
        return self._host.tobytes(order)

    def __bool__(self) -> bool:
        synchronize("bool()")
        return bool(self._host)

    def __int__(self) -> int:
        synchronize("int()")
        return int(self._host)

    def __float__(self) -> float:
        synchronize("float()")
        return float(self._host)

    def __complex__(self) -> complex:
        synchronize("complex()")
        return complex(self._host)

    def __repr__(self) -> str:
        synchronize("repr()")
        return repr(self._host)

    def __str__(self) -> str:
        synchronize("str()")
        return str(self._host)

    def __format__(self, spec: str) -> str:
        synchronize("format()")
        return format(self._host, spec)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(
            f"np.{function.__name__} was called on an array of the double: take the namespace from the array"
        )

    # Copies.

    def copy(self, order: str = "C") -> ndarray:
        """A copy on the *current* device, wherever this array is."""
        return ndarray(np.array(self._host, order=order), launch(()))

    def __copy__(self) -> ndarray:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> ndarray:
        with self.device:
            return self.copy()

    def __reduce__(self) -> Any:
        return _restore, (self.get(),)


def _restore(host: np.ndarray) -> ndarray:
    return ndarray(host, launch(()))


def check_dtype(dtype: np.dtype) -> None:
    """Refuse numbers that a GPU does not have."""
    if dtype.kind not in "biufc" or not dtype.isnative or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise ValueError(f"Unsupported dtype {dtype}")


def operand(value: Any) -> Any:
    """A number, or the memory of an array of the double; nothing else takes part in arithmetic."""
    if isinstance(value, ndarray):
        return value._host
    if not isinstance(value, _NUMBERS):
        raise TypeError(f"Unsupported type {type(value)}")
    return value


def lower(value: Any, arrays: list[ndarray]) -> Any:
    """An argument as NumPy may have it; the double's arrays in it are noted in `arrays`."""
    if isinstance(value, ndarray):
        arrays.append(value)
        return value._host
    if isinstance(value, (np.ndarray, np.void)):
        raise TypeError(f"Unsupported type {type(value)}: NumPy arrays and arrays of the double do not mix")
    if isinstance(value, (list, tuple)):
        leaves = list(_leaves(value))
        if len({isinstance(leaf, ndarray) for leaf in leaves}) > 1:
            raise TypeError("a sequence of arrays holds nothing but arrays of the double")
        lowered = [lower(item, arrays) for item in value]
        return lowered if isinstance(value, list) else tuple(lowered)
    return value


def _leaves(value: Any) -> Iterator[Any]:
    for item in value:
        if isinstance(item, (list, tuple)):
            yield from _leaves(item)
        else:
            yield item


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, list[ndarray]]:
    """What a NumPy function makes of the memory of the double's arrays, and the arrays that took part."""
    arrays: list[ndarray] = []
    lowered = [lower(value, arrays) for value in args]
    options = {name: lower(value, arrays) for name, value in kwargs.items()}
    if len({array._device for array in arrays}) > 1 or kwargs.get("out") is not None:
        launch(array._device for array in arrays)
    with _one_at_a_time, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(*lowered, **options), arrays


def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a NumPy function under the rules of a GPU; arrays of the double in, arrays of the double out."""
    return lift(*call(function, *args, **kwargs))


def lift(result: Any, arrays: list[ndarray]) -> Any:
    """Results as arrays of the double: views of their arguments where they share memory, else on the current device."""
    if result is None:  # the work was done in place
        launch(array._device for array in arrays)
        return None
    if isinstance(result, (tuple, list)):
        parts = [lift(part, arrays) for part in result]
        return parts if isinstance(result, list) else tuple(parts)  # NumPy's named tuples are CuPy's plain ones
    host = np.asarray(result)
    for array in arrays:
        if array._host is host:
            return array
    for array in arrays:
        if _owner(array._host) is _owner(host):
            return ndarray(host, array._device, array if array._base is None else array._base)
    return ndarray(host, launch(array._device for array in arrays))


def _owner(host: Any) -> Any:
    """The object whose memory a NumPy array shows."""
    while getattr(host, "base", None) is not None:
        host = host.base
    return host
