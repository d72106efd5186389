"""Datasets: things with a length whose examples are picked by index.

A dataset also answers for many indices at once, `Dataset.batch`. Tensors do that with one indexing operation; any
other dataset falls back on picking the examples one by one and stacking them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend, errors
from ..core.creation import asarray
from ..core.tensor import Tensor
from .batching import Indices, checked_indices, collate

__all__ = ["Dataset", "Subset", "TensorDataset", "fetch"]


class Dataset:
    """Base class of datasets: write ``__len__`` and ``__getitem__``.

    An example (what ``dataset[i]`` returns) is a tensor, array or number, or a tuple, list or dict of these. It is
    enough for `DataLoader` that an object has the two methods; this class adds `batch`, which a dataset may override
    where it can do better than one example after the other.

    Examples
    --------
    >>> class Squares(tg.data.Dataset):
    ...     def __len__(self):
    ...         return 10
    ...
    ...     def __getitem__(self, index):
    ...         return float(index), float(index) ** 2
    >>> for x, y in tg.data.DataLoader(Squares(), batch_size=4, drop_last=True):
    ...     print(y)
    tensor([0., 1., 4., 9.])
    tensor([16., 25., 36., 49.])
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__()")

    def batch(self, indices: Indices) -> Any:
        """The examples at `indices` (a NumPy array of whole numbers), stacked along a new first axis."""
        return collate([self[int(index)] for index in indices])


class TensorDataset(Dataset):
    """Tensors of equal length: example i consists of row i of each.

    Parameters
    ----------
    *tensors : tensor or array, shape (n, ...)
        They share memory with the dataset and may lie on different devices.

    Attributes
    ----------
    tensors : tuple of Tensor

    Raises
    ------
    ShapeError
        Where the lengths differ, or a tensor has no axes.
    TypeError
        For a tensor that requires gradients: a dataset holds data.

    Examples
    --------
    >>> dataset = tg.data.TensorDataset(tg.zeros(3, 2), tg.tensor([5, 6, 7]))
    >>> len(dataset)
    3
    >>> dataset[1]
    (tensor([0., 0.]), tensor(6))
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise TypeError("TensorDataset: expected at least one tensor; write TensorDataset(x, y)")
        given = [asarray(tensor) for tensor in tensors]
        shapes = [tensor.shape for tensor in given]
        if () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise errors.ShapeError(
                "TensorDataset: all tensors need the same length along their first axis, one row per example; got "
                f"shapes {', '.join(map(str, shapes))}"
            )
        for position, tensor in enumerate(given):
            if tensor.requires_grad:
                raise TypeError(
                    f"TensorDataset: tensor {position} requires gradients, and no derivative flows through a "
                    "dataset. Pass its values: x.detach()"
                )
        self.tensors = tuple(tensor.detach() for tensor in given)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def batch(self, indices: Indices) -> tuple[Tensor, ...]:
        """Copies of the rows at `indices`, from each tensor with one operation, where the tensor lies."""
        indices = checked_indices("TensorDataset.batch", indices, len(self))
        return tuple(_rows(tensor, indices) for tensor in self.tensors)

    def __repr__(self) -> str:
        return f"TensorDataset({', '.join(f'{tensor.shape} {tensor.dtype}' for tensor in self.tensors)})"


def _rows(tensor: Tensor, indices: Indices) -> Tensor:
    array, device = tensor.data, tensor.device
    with backend.for_device(device).on(device):
        return Tensor(backend.namespace(array).take(array, backend.to_device(indices, device), axis=0))


class Subset(Dataset):
    """Some examples of another dataset, in a given order; nothing is copied.

    Parameters
    ----------
    dataset : anything with a length and indexing
    indices : sequence of int
        Repeats are allowed.

    Raises
    ------
    IndexError, TypeError
        For an index outside the dataset, and for what are not whole numbers.

    Examples
    --------
    >>> tg.data.Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | Indices) -> None:
        self.dataset = dataset
        self.indices = checked_indices("Subset", np.array(indices), len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def batch(self, indices: Indices) -> Any:
        """The examples at `indices` of this subset, as the dataset behind it returns them."""
        return fetch(self.dataset, self.indices[indices])

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {self.dataset!r})"


def fetch(dataset: Any, indices: Indices) -> Any:
    """A batch from any dataset, in the quickest way that it offers."""
    if isinstance(dataset, Dataset):
        return dataset.batch(indices)
    return collate([dataset[int(index)] for index in indices])
