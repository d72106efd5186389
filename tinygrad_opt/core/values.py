"""How values get out of a tensor: as numbers, lists, NumPy arrays and text; and what Python asks of objects.

All of this ends the graph, and on a GPU it waits for the computation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend, errors, ops
from . import running_sum
from .tape import Leaf, Variable

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Values"]


class Values(Variable):
    """The base of Tensor that hands out its values."""

    __slots__ = ()

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a NumPy array; on the CPU it shares this tensor's memory.

        Raises
        ------
        TypeError
            For a tensor that requires gradients (write ``t.detach().numpy()``) or lives on a GPU (``t.cpu()``).
        """
        if self._node is not None or backend.of(self._array) is not backend.HOST:
            raise errors.not_an_array(self._node is not None, backend.device_of(self._array))
        return self._array

    def item(self) -> float | int | bool:
        """The only element, as a Python number. On a GPU this waits for the computation to finish."""
        if self._array.size != 1:
            raise errors.ShapeError(f"item() needs exactly one element; this tensor has shape {self._array.shape}")
        if self._node is not None:
            running_sum.warn(self._node)
        return backend.of(self._array).to_host(self._array).item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return backend.of(self._array).to_host(self._array).tolist()

    # Python's own protocols.

    def __len__(self) -> int:
        if not self._array.shape:
            raise TypeError("a tensor without axes has no length")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.shape:
            raise TypeError("a tensor without axes cannot be iterated over; use .item() for its value")
        return (ops.getitem(self, i) for i in range(self._array.shape[0]))

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise ValueError(
                f"a tensor of shape {self._array.shape} is neither true nor false as a whole; use .any() or .all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iu":
            raise TypeError(f"only an integer tensor can serve as an index; got {self._array.dtype}")
        return int(self.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self._node is not None or backend.of(self._array) is not backend.HOST:
            raise errors.not_an_array(self._node is not None, backend.device_of(self._array))
        return np.array(self._array, dtype=dtype, copy=copy)

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec else str(self), spec)

    def __repr__(self) -> str:
        notes = []
        host = backend.of(self._array).to_host(self._array)
        if self._array.dtype.kind in "iuf" and self._array.dtype not in (np.dtype("float32"), np.dtype("int64")):
            notes.append(f"dtype={self._array.dtype}")
        if backend.device_of(self._array) != "cpu":
            notes.append(f"device='{backend.device_of(self._array)}'")
        if isinstance(self._node, Leaf):
            notes.append("requires_grad=True")
        elif self._node is not None:
            notes.append(f"grad_fn='{self._node.primitive.name}'")
            running_sum.warn(self._node)
        body = np.array2string(host, separator=", ", prefix="tensor(")
        return f"tensor({', '.join([body, *notes])})"
