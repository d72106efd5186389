"""Cutting data into parts: at random, or so that every part has each class in the same proportion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend, errors
from ..core.creation import asarray
from ..core.tensor import Tensor
from .batching import Indices
from .checks import checked_count, host_generator
from .datasets import Subset, TensorDataset

__all__ = ["random_split", "train_test_split"]


def random_split(dataset: Any, lengths: Sequence[float], seed: int | None = None) -> list[Subset]:
    """Divide a dataset at random into parts without overlap; nothing is copied.

    Parameters
    ----------
    dataset : anything with a length and indexing
    lengths : sequence of int or of float
        The lengths of the parts, which must add up to the length of the dataset; or fractions that add up to 1.
        Fractions are rounded down, and the examples left over go to the first parts, one to each.
    seed : int, optional
        Without it the generator that `tg.manual_seed` sets is used.

    Returns
    -------
    list of Subset

    Raises
    ------
    ValueError
        Where the lengths do not add up, or are negative.

    Examples
    --------
    >>> train, valid = tg.data.random_split(range(10), [0.8, 0.2], seed=0)
    >>> len(train), len(valid)
    (8, 2)
    """
    count = len(dataset)
    sizes = _sizes(count, list(lengths))
    order = host_generator("random_split", seed).permutation(count)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]


def _sizes(count: int, lengths: list[float]) -> list[int]:
    if not lengths or min(lengths) < 0:
        raise ValueError(f"random_split: expected lengths or fractions, none of them negative; got {lengths}")
    if all(isinstance(length, (int, np.integer)) for length in lengths):
        if sum(lengths) != count:
            raise ValueError(
                f"random_split: the lengths {lengths} add up to {sum(lengths)}, but the dataset has {count} examples"
            )
        return [int(length) for length in lengths]
    if not math.isclose(sum(lengths), 1):
        raise ValueError(
            f"random_split: the fractions {lengths} add up to {sum(lengths):g}, not to 1; write [0.8, 0.2], or whole "
            f"numbers that add up to {count}"
        )
    sizes = [_floor(fraction * count) for fraction in lengths]
    for position in range(count - sum(sizes)):
        sizes[position % len(sizes)] += 1
    return sizes


def _floor(value: float) -> int:
    """Round down, but take 28.999999999999996 (which is 0.29 * 100) for the 29 that was meant."""
    return math.floor(round(value, 9))


def train_test_split(
    *arrays: Any, test_size: float = 0.25, stratify: Any = None, seed: int | None = None
) -> list[Tensor]:
    """Divide the rows of tensors at random into a training part and a test part.

    Parameters
    ----------
    *arrays : tensor or array, shape (n, ...)
    test_size : float or int
        The share of the test part, between 0 and 1 and rounded up to a whole number of rows; or that number itself.
    stratify : tensor or array, shape (n,), optional
        Labels: both parts then contain each class, as nearly as possible in the whole's proportions.
    seed : int, optional
        Without it the generator that `tg.manual_seed` sets is used.

    Returns
    -------
    list of Tensor
        ``[train_0, test_0, train_1, test_1, ...]``: copies, in random order, on the device of each tensor.

    Raises
    ------
    ShapeError
        Where the lengths differ.
    ValueError
        For a size that leaves a part empty; with `stratify`, for a class with a single row, and for parts that are
        smaller than the number of classes.

    Examples
    --------
    >>> x, y = tg.zeros(8, 2), tg.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    >>> x_train, x_test, y_train, y_test = tg.data.train_test_split(x, y, stratify=y, seed=0)
    >>> x_train.shape, sorted(y_test.tolist())
    ((6, 2), [0, 1])
    """
    whole = TensorDataset(*arrays)
    count = len(whole)
    held_out = _test_count(count, test_size)
    chance = host_generator("train_test_split", seed)
    if stratify is None:
        test = chance.permutation(count)[:held_out]
    else:
        test = _stratified(_labels(stratify, count), held_out, chance)
    train = chance.permutation(np.setdiff1d(np.arange(count), test))
    parts = zip(whole.batch(train), whole.batch(chance.permutation(test)), strict=True)
    return [part for pair in parts for part in pair]


def _test_count(count: int, test_size: float) -> int:
    if isinstance(test_size, (float, np.floating)):
        if not 0 < test_size < 1:
            raise ValueError(
                f"train_test_split: test_size must be a fraction between 0 and 1, or a number of rows; got {test_size}"
            )
        held_out = -_floor(-test_size * count)
    else:
        held_out = checked_count("train_test_split", "test_size", test_size)
    if not 0 < held_out < count:
        raise ValueError(f"train_test_split: test_size={test_size} leaves no row of {count} to one of the parts")
    return held_out


def _labels(stratify: Any, count: int) -> Indices:
    """The class of each row as numbers 0, 1, ..., on the host."""
    tensor = asarray(stratify)
    if tensor.shape != (count,):
        raise errors.ShapeError(f"train_test_split: stratify needs one label per row, ({count},); got {tensor.shape}")
    labels = backend.of(tensor.data).to_host(tensor.data)
    return np.unique(labels, return_inverse=True)[1]


def _stratified(labels: Indices, held_out: int, chance: np.random.Generator) -> Indices:
    """Rows for the test part: a random choice from each class, of as many rows as are its share."""
    sizes = np.bincount(labels)
    if sizes.min() < 2:
        raise ValueError("train_test_split: with stratify, each class needs at least 2 rows; one has a single row")
    if min(held_out, len(labels) - held_out) < len(sizes):
        raise ValueError(
            f"train_test_split: parts of {len(labels) - held_out} and {held_out} rows cannot both contain all "
            f"{len(sizes)} classes; change test_size"
        )
    shares = _shares(sizes, held_out)
    rows = [chance.permutation(np.flatnonzero(labels == label))[:share] for label, share in enumerate(shares)]
    return np.concatenate(rows)


def _shares(sizes: Indices, held_out: int) -> Indices:
    """How many rows of each class go into the test part: in proportion, but at least one to either part."""
    total = sizes.sum()
    shares = np.clip(held_out * sizes // total, 1, sizes - 1)
    while missing := held_out - shares.sum():
        too_few = held_out * sizes - total * shares  # times `total`, so that nothing is rounded
        if missing > 0:
            shares[np.argmax(np.where(shares < sizes - 1, too_few, -np.inf))] += 1
        else:
            shares[np.argmin(np.where(shares > 1, too_few, np.inf))] -= 1
    return shares
