"""Specifications of linear algebra. The matrices are well conditioned, and their spectra simple, by construction.

Several results are compared as one row, as they are packed; signs that are free are made unique on both sides.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ...ops import linalg, sign
from ...ops.matrices import identity, pack, symmetric
from ..sources import NONZERO, Domain, Source
from . import analytic
from .spec import Sample, Spec

__all__ = ["SPECS"]

Array = Any
_LARGE = Domain(4.0, 6.0)


# Matrices.


def _side(source: Source) -> int:
    return source.choose((2, 3, 1, 0, 4, 2, 3))


def _stack(source: Source) -> tuple[int, ...]:
    return source.choose(((), (), (2,), (0,), (1, 2), ()))


def _small(source: Source, shape: tuple[int, ...]) -> Array:
    return source.array(shape) / 8


def _regular(source: Source, stack: tuple[int, ...], n: int) -> Array:
    """Dominated by the diagonal, then with rows exchanged and signs changed."""
    x = _small(source, (*stack, n, n)) + np.eye(n) * source.array((*stack, n, 1), _LARGE)
    return x[..., source.permutation(n), :] * source.choose((1.0, -1.0))


def _tall_or_wide(source: Source, stack: tuple[int, ...], m: int, n: int) -> Array:
    """Near a diagonal whose elements are far apart, then with rows exchanged: distinct singular values."""
    ladder = 3.0 * (1 + np.array(source.permutation(min(m, n)), dtype=float))
    x = _small(source, (*stack, m, n))
    x[..., range(min(m, n)), range(min(m, n))] += ladder
    return x[..., source.permutation(m), :]


def _spaced(source: Source) -> Array:
    """Symmetric, with distinct eigenvalues."""
    stack, n = _stack(source), _side(source)
    x = _small(source, (*stack, n, n))
    return x + analytic.transposed(x) + np.diag(4.0 * (np.array(source.permutation(n)) - n // 2))


def _square(source: Source) -> Sample:
    return Sample([_regular(source, _stack(source), _side(source))])


def _any_rank(source: Source) -> Sample:
    """Regular, or of any lower rank."""
    stack, n = _stack(source), _side(source)
    if source.flip():
        return Sample([_regular(source, stack, n)])
    rank = source.integer(0, n)
    return Sample([source.array((*stack, n, rank)) @ source.array((*stack, rank, n))])


def _solve(source: Source) -> Sample:
    """A vector, or stacks of matrices that broadcast."""
    n, stack = _side(source), _stack(source)
    a = _regular(source, stack, n)
    if source.flip():
        return Sample([a, source.array((n,))])
    return Sample([a, source.array((*source.part_of(stack), n, source.integer(0, 3)))])


def _rectangular(source: Source) -> Sample:
    return Sample([_tall_or_wide(source, _stack(source), _side(source), _side(source))])


def _distinct(source: Source) -> Sample:
    stack, n = _stack(source), _side(source)
    return Sample([_tall_or_wide(source, stack, n, n)])


# Several results as one, and the conventions about signs.


def _eigh(x: Any, UPLO: str) -> Any:
    w, v = linalg.eigh(symmetric(x), UPLO)
    return pack(len(x.shape) - 2, w, v * sign((v * v * v).sum(-2, keepdims=True)))


def _joined(stack: int, *parts: Array) -> Array:
    return np.concatenate([x.reshape(*x.shape[:stack], math.prod(x.shape[stack:])) for x in parts], axis=-1)


def _eigh_reference(x: Array, UPLO: str) -> Array:
    return _joined(x.ndim - 2, *analytic.eigh((x + analytic.transposed(x)) * 0.5))


def _svd(x: Any, **meta: Any) -> Any:
    u, s, vh = linalg.svd(x, **meta)
    signs = sign((u * u * u).sum(-2, keepdims=True))
    return pack(len(x.shape) - 2, u * signs, s, vh * signs.mT)


def _svd_sample(source: Source) -> Sample:
    sample = _rectangular(source)
    m, n = sample.args[0].shape[-2:]
    return Sample(sample.args, {"full_matrices": m == n and source.flip()})


def _qr(x: Any, mode: str) -> Any:
    q, r = linalg.qr(x, mode)
    k = q.shape[-1]
    signs = sign((r[..., :k] * identity(r[..., :k])).sum(-1))
    return pack(len(x.shape) - 2, q * signs[..., None, :], r * signs[..., None])


def _slogdet(x: Any) -> Any:
    result = linalg.slogdet(x)
    return pack(len(x.shape) - 2, result.sign[..., None], result.logabsdet[..., None])


def _slogdet_reference(x: Array) -> Array:
    d = np.linalg.det(x)
    signs = np.where(d.real < 0, -1, 1).astype(x.real.dtype)
    return np.stack([signs, np.log(d * signs)], axis=-1)


def _cholesky(x: Any, upper: bool) -> Any:
    return linalg.cholesky(symmetric(x), upper=upper)


def _cholesky_sample(source: Source) -> Sample:
    x = _small(source, (*_stack(source), *[_side(source)] * 2))
    x = x + analytic.transposed(x) + np.eye(x.shape[-1]) * source.array((*x.shape[:-1], 1), _LARGE)
    return Sample([x], {"upper": source.flip()})


def _cholesky_reference(x: Array, upper: bool) -> Array:
    y = analytic.cholesky((x + analytic.transposed(x)) * 0.5)
    return analytic.transposed(y) if upper else y


# Least squares.


def _pinv_sample(source: Source) -> Sample:
    """Two factors of one rank, whose product has that rank."""
    stack, m, n = _stack(source), _side(source), _side(source)
    rank = source.integer(0, min(m, n))
    return Sample([_tall_or_wide(source, stack, m, rank), _tall_or_wide(source, stack, rank, n)])


def _pinv_reference(b: Array, c: Array) -> Array:
    bt, ct = analytic.transposed(b), analytic.transposed(c)
    return ct @ np.linalg.inv(c @ ct) @ np.linalg.inv(bt @ b) @ bt


def _lstsq_sample(source: Source) -> Sample:
    m, n = _side(source), _side(source)
    b = (m,) if source.flip() else (m, source.integer(0, 3))
    return Sample([_tall_or_wide(source, (), m, n), source.array(b)])


def _lstsq_reference(a: Array, b: Array) -> Array:
    if a.shape[0] >= a.shape[1]:
        return np.linalg.solve(a.T @ a, a.T @ b)
    return a.T @ np.linalg.solve(a @ a.T, b)


def _rank_sample(source: Source) -> Sample:
    if source.integer(0, 3) == 3:
        return Sample([source.array(source.shape(high=1))], {"rtol": 1e-3})
    b, c = _pinv_sample(source).args
    return Sample([b @ c], {"rtol": 1e-3})


# Products of many.


def _power_sample(source: Source) -> Sample:
    n = source.choose((2, 3, 5, -2, -3))
    return Sample([_regular(source, _stack(source), _side(source)) / 4], {"n": n})


def _chain(source: Source) -> Sample:
    sides = [source.choose((2, 1, 3, 0, 4, 2, 3)) for _ in range(source.integer(3, 6))]
    shapes = list(itertools.pairwise(sides))
    first = shapes[0][1:] if source.flip() else shapes[0]
    last = shapes[-1][:1] if source.flip() else shapes[-1]
    return Sample([source.array(shape) for shape in (first, *shapes[1:-1], last)])


# Norms.


def _vectors(source: Source, orders: tuple[Any, ...]) -> Sample:
    """Along one axis that has elements; magnitudes neither 0 nor tied."""
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    place = axis % len(shape)
    shape = tuple(max(n, 1) if i == place else n for i, n in enumerate(shape))
    (values,) = source.distinct(shape)
    x = (values - values.min(initial=0.0) + 0.5) * source.generator().choice([-1.0, 1.0], shape)
    return Sample([x], {"ord": source.choose(orders), "axis": axis, "keepdims": source.flip()})


def _norm(source: Source) -> Sample:
    """Of everything, of vectors, or of matrices, by sums of powers."""
    kind = source.integer(0, 2)
    if kind == 0:
        return Sample([source.array(source.shape(), NONZERO)], {"keepdims": source.flip()})
    if kind == 1:
        return _vectors(source, (None, 2, 3, 0.5, 2.5, -1, -2))
    shape = source.shape(low=2)
    axes = tuple(source.permutation(len(shape))[:2])
    ord = source.choose((None, "fro"))
    return Sample([source.array(shape, NONZERO)], {"ord": ord, "axis": axes, "keepdims": source.flip()})


def _norm_reference(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    if not np.iscomplexobj(x):
        return np.linalg.norm(x, ord, axis, keepdims)
    p = 2 if ord in (None, "fro") else ord
    total = (analytic.magnitude(x) ** p).sum(axis=axis, keepdims=keepdims)
    return total ** (1 / p)


def _sums(source: Source) -> Sample:
    """Norms that are sums or extremes of magnitudes."""
    if source.flip():
        return _vectors(source, (1, math.inf, -math.inf))
    sample = _vectors(source, (1, -1, math.inf, -math.inf))
    x = sample.args[0][..., None] * np.array([0.75, -0.5, 1.25])  # sums of rows and columns do not tie either
    axes = (len(x.shape) - 1, sample.meta["axis"] % (len(x.shape) - 1))
    return Sample([x], {**sample.meta, "axis": axes[:: source.choose((1, -1))]})


def _sums_reference(x: Array, ord: float, axis: Any, keepdims: bool) -> Array:
    size = analytic.magnitude(x)
    if isinstance(axis, tuple):
        rows, columns = axis
        summed, axis = (rows, columns) if abs(ord) == 1 else (columns, rows)
        size = size.sum(summed, keepdims=True)
        ord = math.copysign(math.inf, ord)
        kept = np.take_along_axis(size, _extreme(size, ord, axis), axis)
        return kept if keepdims else kept.squeeze((summed, axis))
    if ord == 1:
        return size.sum(axis, keepdims=keepdims)
    kept = np.take_along_axis(size, _extreme(size, ord, axis), axis)
    return kept if keepdims else kept.squeeze(axis)


def _extreme(size: Array, ord: float, axis: int) -> Array:
    return (np.argmax if ord > 0 else np.argmin)(size.real, axis, keepdims=True)


def _spectral(source: Source) -> Sample:
    m, n = max(_side(source), 1), max(_side(source), 1)
    x = _tall_or_wide(source, _stack(source), m, n)
    order = source.choose(("nuc", 2, -2))
    places = source.choose(((-2, -1), (0, -1), (x.ndim - 1, 0)))
    axes = [a % x.ndim for a in places]
    return Sample(
        [np.ascontiguousarray(np.moveaxis(x, (-2, -1), axes))],
        {"ord": order, "axis": places, "keepdims": source.flip()},
    )


def _spectral_reference(x: Array, ord: Any, axis: tuple[int, int], keepdims: bool) -> Array:
    s = analytic.svd(np.moveaxis(x, axis, (-2, -1)))[1]
    y = s.sum(-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
    return np.expand_dims(y, tuple(a % x.ndim for a in axis)) if keepdims else y


SPECS = [
    Spec("linalg.inv", np.linalg.inv, _square, primitive="inv"),
    Spec(
        "linalg.solve",
        lambda a, b: np.linalg.solve(a, b),
        _solve,
        primitive="solve",
    ),
    Spec("linalg.det", np.linalg.det, _any_rank, primitive="det"),
    Spec("cofactor", analytic.cofactors, _distinct),
    Spec("linalg.slogdet", _slogdet_reference, _square, primitive="slogdet", function=_slogdet),
    Spec("linalg.cholesky", _cholesky_reference, _cholesky_sample, primitive="cholesky", function=_cholesky),
    Spec(
        "linalg.eigh",
        _eigh_reference,
        lambda source: Sample([_spaced(source)], {"UPLO": source.choose(("L", "U"))}),
        primitive="eigh",
        function=_eigh,
    ),
    Spec(
        "linalg.eigvalsh",
        lambda x: analytic.eigh((x + analytic.transposed(x)) * 0.5)[0],
        lambda source: Sample([_spaced(source)]),
        primitive="eigh",
        function=lambda x: linalg.eigvalsh(symmetric(x)),
    ),
    Spec(
        "linalg.svd",
        lambda x, full_matrices: _joined(x.ndim - 2, *analytic.svd(x)),
        _svd_sample,
        primitive="svd",
        function=_svd,
    ),
    Spec("linalg.svdvals", lambda x: analytic.svd(x)[1], _rectangular, primitive="svd"),
    Spec(
        "linalg.qr",
        lambda x, mode: _joined(x.ndim - 2, *analytic.qr(x)),
        lambda source: Sample(_rectangular(source).args, {"mode": "reduced"}),
        primitive="qr",
        function=_qr,
    ),
    Spec(
        "linalg.pinv",
        _pinv_reference,
        _pinv_sample,
        primitive="pinv",
        function=lambda b, c: linalg.pinv(b @ c, rcond=1e-3),
    ),
    Spec(
        "linalg.lstsq",
        _lstsq_reference,
        _lstsq_sample,
        primitive="matmul",
        function=lambda a, b: linalg.lstsq(a, b)[0],
    ),
    Spec("linalg.matrix_rank", np.linalg.matrix_rank, _rank_sample, primitive="matrix_rank"),
    Spec("linalg.matrix_power", np.linalg.matrix_power, _power_sample, primitive="matmul"),
    Spec(
        "linalg.multi_dot",
        lambda *arrays: np.linalg.multi_dot(arrays),
        _chain,
        primitive="matmul",
        function=lambda *arrays: linalg.multi_dot(arrays),
    ),
    Spec("norm", _norm_reference, _norm),
    Spec("norm by sums", _sums_reference, _sums, primitive="absolute", function=linalg.norm),
    Spec("norm by singular values", _spectral_reference, _spectral, primitive="svd", function=linalg.norm),
]
