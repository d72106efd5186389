"""From examples to a batch: which ones are picked, and how they are stacked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors, ops
from ..core import tree
from ..core.creation import asarray
from ..core.tensor import Tensor

__all__ = ["Indices", "checked_indices", "collate"]

Indices = np.ndarray[Any, Any]


def checked_indices(function: str, indices: Any, count: int) -> Indices:
    """A row of indices as an array, if they lie within `count` examples; CuPy would wrap the others around silently."""
    array = np.asarray(indices)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(
            f"{function}: expected a list of whole numbers; got shape {array.shape}, dtype {array.dtype}. "
            "For a mask write numpy.flatnonzero(mask)."
        )
    if array.size and not -count <= array.min() <= array.max() < count:
        raise IndexError(f"{function}: indices {array.min()} to {array.max()} leave the {count} examples")
    return array.astype(np.int64, copy=False)


def collate(examples: Sequence[Any]) -> Any:
    """Stack examples into a batch: each part of them becomes one tensor with a new first axis.

    Parameters
    ----------
    examples : sequence
        Tensors, arrays or numbers, or equally built tuples, lists and dicts of these.

    Returns
    -------
    tensor, or the structure of an example with tensors in it

    Raises
    ------
    ShapeError
        Where examples differ in structure, or in the shape of a part.

    Examples
    --------
    >>> tg.data.collate([(1.0, {"label": 3}), (2.0, {"label": 4})])
    (tensor([1., 2.]), {'label': tensor([3, 4])})
    """
    if not len(examples):
        raise ValueError("collate: expected at least one example; got none")
    paths = tree.paths(examples[0])
    parts: list[list[Tensor]] = [[] for _ in paths]
    for position, example in enumerate(examples):
        if tree.paths(example) != paths:
            raise errors.ShapeError(
                f"collate: example {position} is not built like example 0; got {example!r:.80} and {examples[0]!r:.80}"
            )
        for part, leaf in zip(parts, tree.flatten(example)[0], strict=True):
            part.append(asarray(leaf))
    rebuild = tree.flatten(examples[0])[1]
    return rebuild([_stacked(part, path) for part, path in zip(parts, paths, strict=True)])


def _stacked(tensors: list[Tensor], path: str) -> Tensor:
    for position, tensor in enumerate(tensors):
        if tensor.shape != tensors[0].shape:
            raise errors.ShapeError(
                f"collate: part {path or 'x'} has shape {tensors[0].shape} in example 0 and {tensor.shape} in "
                f"example {position}. Bring them to one shape in the dataset (crop, pad), or use batch_size=1."
            )
    return ops.stack(tensors)
