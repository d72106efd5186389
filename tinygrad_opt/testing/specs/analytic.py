"""Decompositions of matrices as analytic functions, for the complex step: what LAPACK computes for real matrices only.

Each follows the real solution into the complex plane: without conjugates, which would not be analytic, and with the
signs that the real one has. None shares a formula with the rules that are tested.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["cholesky", "cofactors", "eigh", "magnitude", "qr", "signed", "svd", "transposed"]

Array = Any


def transposed(x: Array) -> Array:
    """Each matrix of a stack, transposed."""
    return np.swapaxes(x, -1, -2)


def magnitude(x: Array) -> Array:
    """The magnitude of real numbers, continued analytically."""
    return x * np.where(x.real < 0, -1, 1).astype(x.real.dtype)


def signed(vectors: Array) -> Array:
    """Signs that make the largest element of each column positive (the cubes leave little of the others)."""
    return np.sign((vectors.real**3).sum(-2, keepdims=True))


def _each(function: Any, x: Array, *shapes: tuple[int, ...]) -> tuple[Array, ...]:
    """A function of one matrix that has several results, of these shapes, on a stack of matrices."""
    results = tuple(np.zeros(x.shape[:-2] + shape, dtype=x.dtype) for shape in shapes)
    for place in np.ndindex(x.shape[:-2]):
        for result, part in zip(results, function(x[place]), strict=True):
            result[place] = part
    return results


def _followed(a: Array, w: Array, v: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of a complex symmetric matrix beside those of its real part, by Newton's method."""
    n, count = v.shape
    values, vectors = w.astype(complex), v.astype(complex)
    for j in range(count):
        for _ in range(2):
            x = vectors[:, j]
            system = np.block([[a - values[j] * np.eye(n), -x[:, None]], [x[None, :], np.zeros((1, 1))]])
            residual = np.append(a @ x - values[j] * x, (x @ x - 1) / 2)
            step = np.linalg.solve(system, residual)
            vectors[:, j] -= step[:n]
            values[j] -= step[n]
    return values, vectors


def eigh(x: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of symmetric matrices, with signs made unique."""
    w, v = np.linalg.eigh(x.real)
    if np.iscomplexobj(x):
        n = x.shape[-1]
        w, v = _each(lambda a: _followed(a, *np.linalg.eigh(a.real)), x, (n,), (n, n))
    return w, v * signed(v)


def _svd_of_one(x: Array) -> tuple[Array, Array, Array]:
    """By the eigenvectors of ``[[0, x], [xᵀ, 0]]``, which are those of both sides, one above the other."""
    m, n = x.shape
    u, s, vh = np.linalg.svd(x.real, full_matrices=False)
    both = np.block([[np.zeros((m, m)), x], [x.T, np.zeros((n, n))]])
    s, z = _followed(both, s, np.concatenate([u, vh.T]) / np.sqrt(2))
    return z[:m] * np.sqrt(2), s, z[m:].T * np.sqrt(2)


def svd(x: Array) -> tuple[Array, Array, Array]:
    """The thin form, with signs made unique."""
    u, s, vh = np.linalg.svd(x.real, full_matrices=False)
    if np.iscomplexobj(x):
        m, n = x.shape[-2:]
        k = min(m, n)
        u, s, vh = _each(_svd_of_one, x, (m, k), (k,), (k, n))
    signs = signed(u)
    return u * signs, s, vh * transposed(signs)


def cholesky(x: Array) -> Array:
    """The lower triangle, element by element."""
    n = x.shape[-1]
    y = np.zeros_like(x)
    for j in range(n):
        y[..., j, j] = np.sqrt(x[..., j, j] - (y[..., j, :j] ** 2).sum(-1))
        for i in range(j + 1, n):
            y[..., i, j] = (x[..., i, j] - (y[..., i, :j] * y[..., j, :j]).sum(-1)) / y[..., j, j]
    return y


def qr(x: Array) -> tuple[Array, Array]:
    """By Gram and Schmidt, with a positive diagonal."""
    m, n = x.shape[-2:]
    q = np.zeros((*x.shape[:-1], min(m, n)), dtype=x.dtype)
    for j in range(min(m, n)):
        column = x[..., j]
        for _ in range(2):
            column = column - (q @ (transposed(q) @ column[..., None]))[..., 0]
        q[..., j] = column / np.sqrt((column**2).sum(-1, keepdims=True))
    return q, transposed(q) @ x


def cofactors(x: Array) -> Array:
    """By the determinants of what is left without a row and a column."""
    y = np.zeros_like(x)
    n = x.shape[-1]
    for i in range(n):
        for j in range(n):
            rest = np.delete(np.delete(x, i, -2), j, -1)
            y[..., i, j] = (-1) ** (i + j) * np.linalg.det(rest)
    return y
