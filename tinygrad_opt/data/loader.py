"""The DataLoader: a dataset in batches, in an order that depends on nothing but a seed and the number of the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend
from ..core.tensor import Tensor
from .batching import Indices
from .checks import checked_count, checked_seed
from .datasets import fetch

__all__ = ["DataLoader"]


class DataLoader:
    """Batches of a dataset; each ``for`` loop over the loader is one epoch.

    Parameters
    ----------
    dataset : TensorDataset, Dataset, or anything with a length and indexing
        A `TensorDataset` delivers whole batches with one indexing operation; the examples of other datasets are
        picked one by one and stacked (`collate`).
    batch_size : int
    shuffle : bool
        Visit the examples in a new random order in every epoch.
    drop_last : bool
        Leave out the last batch where it is smaller than the others.
    seed : int, optional
        Of the shuffling. Without it one number is drawn, now, from the generator that `tg.manual_seed` sets.

    Attributes
    ----------
    epoch : int
        The number of the epoch that the next ``for`` loop starts: 0 at first, one more with every loop.
    seed : int or None
        The seed in use; None without shuffling.

    Raises
    ------
    TypeError, ValueError
        For arguments of another kind, an empty dataset, and ``drop_last=True`` where that leaves no batch.

    Notes
    -----
    The order of epoch e is ``loader.order(e)``, a function of the seed, e and the length alone: it does not depend on
    any other random number drawn in between, and is the same on every device. A run that goes on after 7 epochs
    makes the loader with the same ``seed`` and sets ``loader.epoch = 7``.

    Batches are copies, on the device of the dataset's tensors.

    Examples
    --------
    >>> x, y = tg.arange(10).reshape(5, 2), tg.arange(5)
    >>> loader = tg.data.DataLoader(tg.data.TensorDataset(x, y), batch_size=2)
    >>> len(loader)
    3
    >>> for x, y in loader:
    ...     print(x.tolist(), y.tolist())
    [[0, 1], [2, 3]] [0, 1]
    [[4, 5], [6, 7]] [2, 3]
    [[8, 9]] [4]
    """

    def __init__(
        self, dataset: Any, batch_size: int = 1, shuffle: bool = False, drop_last: bool = False, seed: int | None = None
    ) -> None:
        if isinstance(dataset, tuple) and any(isinstance(part, Tensor) for part in dataset):
            raise TypeError(
                "DataLoader: a tuple of tensors is not a dataset: its length is the number of tensors, not that of the "
                "examples. Write DataLoader(TensorDataset(x, y), ...)"
            )
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                "DataLoader: a dataset needs a length and indexing, such as TensorDataset(x, y) or a list; "
                f"got {type(dataset).__name__}"
            )
        self.dataset = dataset
        self.batch_size = checked_count("DataLoader", "batch_size", batch_size)
        self.shuffle, self.drop_last = bool(shuffle), bool(drop_last)
        self.seed = checked_seed("DataLoader", seed)
        if self.shuffle and self.seed is None:
            self.seed = int(backend.generator("cpu").integers(2**63))
        self.epoch = 0
        if len(dataset) == 0:
            raise ValueError("DataLoader: the dataset is empty")
        if len(self) == 0:
            raise ValueError(
                f"DataLoader: drop_last=True leaves no batch, as batch_size={self.batch_size} exceeds the "
                f"{len(dataset)} examples"
            )

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def order(self, epoch: int) -> Indices:
        """The indices of the examples in the order in which an epoch (counted from 0) visits them.

        Examples
        --------
        >>> loader = tg.data.DataLoader(range(6), shuffle=True, seed=1)
        >>> sorted(loader.order(0).tolist())
        [0, 1, 2, 3, 4, 5]
        >>> loader.order(0).tolist() == loader.order(1).tolist()
        False
        """
        count = len(self.dataset)
        if not self.shuffle:
            return np.arange(count)
        source = np.random.SeedSequence(self.seed, spawn_key=(checked_count("order", "epoch", epoch, least=0),))
        return np.random.default_rng(source).permutation(count)

    def __iter__(self) -> Iterator[Any]:
        order = self.order(self.epoch)
        self.epoch += 1
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        return (fetch(self.dataset, order[start : start + self.batch_size]) for start in starts)

    def __repr__(self) -> str:
        shuffled = f", shuffle=True, seed={self.seed}" if self.shuffle else ""
        dropped = ", drop_last=True" if self.drop_last else ""
        return f"DataLoader({len(self.dataset)} examples, batch_size={self.batch_size}{shuffled}{dropped})"
