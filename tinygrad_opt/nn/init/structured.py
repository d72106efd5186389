"""Starting values with a structure: orthogonal, sparse, and those that let their input through."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import backend, errors
from ...core.tensor import Tensor
from .filling import fill, number, writable

__all__ = ["dirac_", "eye_", "orthogonal_", "sparse_"]


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """A random orthogonal matrix times `gain`, in place: it keeps lengths, or as many of them as its shape allows.

    A tensor of more axes is taken as a matrix (n, product of the others). Where that has no more rows than columns, its
    rows are orthonormal, else its columns. All such matrices are equally likely: it is the Q of a normal matrix, with
    the signs that make the diagonal of R positive.

    References
    ----------
    A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR 2014. F. Mezzadri, "How to generate random matrices from the classical compact groups", 2007.

    Examples
    --------
    >>> w = tg.nn.init.orthogonal_(tg.zeros(2, 3, dtype=tg.float64))
    >>> (w @ w.T).numpy().round(12) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    writable("orthogonal_", tensor)
    gain = number("orthogonal_", "gain", gain)
    if tensor.ndim < 2:
        raise errors.ShapeError(f"orthogonal_: expected a matrix, or more axes; got shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(backend.generator("cpu").standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(
    tensor: Tensor, sparsity: float | None = None, std: float | None = None, *, connections: int = 15
) -> Tensor:
    """Zeros, but for some normal random numbers in every row (or column), in place.

    Parameters
    ----------
    tensor : Tensor, shape (n, m)
    sparsity : float, optional
        PyTorch's way: this share of each *column* is zero, rounded up.
    std : float, optional
        Of the numbers that are not zero: 0.01 with `sparsity`, as in PyTorch, else 1, as Martens has it.
    connections : int
        Without `sparsity`, Martens' way: each unit (a row) is connected with that many of its m inputs, or all of them.

    References
    ----------
    J. Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5.

    Examples
    --------
    >>> w = tg.nn.init.sparse_(tg.zeros(4, 100))
    >>> (w != 0).sum(axis=1)
    tensor([15, 15, 15, 15])
    """
    writable("sparse_", tensor)
    if tensor.ndim != 2:
        raise errors.ShapeError(f"sparse_: expected a matrix; got shape {tensor.shape}")
    n, m = tensor.shape
    if sparsity is None:
        if isinstance(connections, bool) or not isinstance(connections, int) or connections < 0:
            raise ValueError(f"sparse_: connections must be a number of inputs; got {connections!r}")
        kept = _some_of_each_row(n, m, min(connections, m))
    else:
        share = number("sparse_", "sparsity", sparsity, 0)
        if share > 1:
            raise ValueError(f"sparse_: sparsity is a share, from 0 to 1; got {sparsity!r}")
        kept = ~_some_of_each_row(m, n, math.ceil(share * n)).T
    std = number("sparse_", "std", (1.0 if sparsity is None else 0.01) if std is None else std, 0)
    return fill(tensor, np.where(kept, std * backend.generator("cpu").standard_normal(kept.shape), 0.0))


def _some_of_each_row(rows: int, columns: int, count: int) -> np.ndarray[Any, Any]:
    """A mask with `count` true in each row, at random."""
    ranks = backend.generator("cpu").random((rows, columns)).argsort(axis=1).argsort(axis=1)
    return ranks < count


def eye_(tensor: Tensor) -> Tensor:
    """The unit matrix, in place: the layer lets its inputs through, as many as there are outputs.

    Examples
    --------
    >>> tg.nn.init.eye_(tg.zeros(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    writable("eye_", tensor)
    if tensor.ndim != 2:
        raise errors.ShapeError(f"eye_: expected a matrix; got shape {tensor.shape}. For convolutions: dirac_")
    return fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that lets its channels through, in place: 1 in the middle of the kernel from each to its like.

    Parameters
    ----------
    tensor : Tensor, shape (n, m, ...), of 3 to 5 axes
        The weight of a convolution, with `groups` groups of n / groups outputs and m inputs.
    groups : int

    Examples
    --------
    >>> tg.nn.init.dirac_(tg.zeros(2, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
    <BLANKLINE>
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    writable("dirac_", tensor)
    if tensor.ndim not in (3, 4, 5):
        raise errors.ShapeError(f"dirac_: expected the weight of a convolution, 3 to 5 axes; got shape {tensor.shape}")
    n, m = tensor.shape[:2]
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or n % groups:
        raise ValueError(f"dirac_: groups must divide the number of outputs, {n}; got {groups!r}")
    values = np.zeros(tensor.shape)
    middle = tuple(side // 2 for side in tensor.shape[2:])
    if values.size:
        for output in range(n):
            if (channel := output % (n // groups)) < m:
                values[(output, channel, *middle)] = 1.0
    return fill(tensor, values)
