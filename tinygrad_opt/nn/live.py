"""A tensor that shows what another one holds now, wherever that has moved to.

PyTorch's ``state_dict()`` shares memory with the model, so a state that was taken once follows the training. Here an
optimizer moves the parameters into its own vector, and batch normalization gives its running averages new arrays: a
tensor that kept the old array would silently stop following. So a state holds the tensors, not their arrays.
"""

from __future__ import annotations

import copy
from typing import Any

from ..core.primitive import wrap
from ..core.tensor import Tensor

__all__ = ["Live"]


class Live(Tensor):
    """A detached view of `source`, for reading and writing; what is pickled or copied deeply is a plain tensor."""

    __slots__ = ("_source",)

    def __init__(self, source: Tensor) -> None:
        self._source = source
        self._node = None

    @property
    def _array(self) -> Any:
        return self._source._array

    @_array.setter
    def _array(self, array: Any) -> None:  # to hold something else from now on is to follow no more
        self._source = wrap(array)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return copy.deepcopy(self.detach(), memo)

    def __reduce__(self) -> Any:
        return self.detach().__reduce__()
