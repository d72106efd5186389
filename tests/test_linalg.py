"""Linear algebra beyond the property suite: what raises, what is undefined, singular and degenerate matrices.

A function that the signs and turns of the factors leave alone is its own oracle: a matrix put together again from its
factors has the identity as derivative, and nothing as second derivative.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import ROUTES, host
from tinygrad_opt import errors, linalg
from tinygrad_opt.core.tape import reachable

RNG = np.random.default_rng(7)
SQUARE = RNG.standard_normal((2, 4, 4))
TALL, WIDE = RNG.standard_normal((2, 5, 3)), RNG.standard_normal((2, 3, 5))
POSITIVE = SQUARE @ SQUARE.swapaxes(-1, -2) + np.eye(4)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def symmetric(x):
    return (x + x.mT) * 0.5


def from_svd(x, **meta):
    u, s, vh = linalg.svd(x, **meta)
    return (u * s[..., None, :]) @ vh


def from_qr(x):
    q, r = linalg.qr(x)
    return q @ r


def from_eigh(x):
    w, v = linalg.eigh(x)
    return (v * w[..., None, :]) @ v.mT


def from_cholesky(x, upper=False):
    y = linalg.cholesky(x, upper=upper)
    return y.mT @ y if upper else y @ y.mT


PUT_TOGETHER = [
    *(pytest.param(f, x, id=f"{f.__name__} {x.shape[-2:]}") for f in (from_qr,) for x in (SQUARE, TALL, WIDE)),
    *(pytest.param(lambda x: from_svd(x, full_matrices=False), x, id=f"svd {x.shape[-2:]}") for x in (TALL, WIDE)),
    pytest.param(from_svd, SQUARE, id="svd, full"),
    pytest.param(lambda x: from_svd(symmetric(x), hermitian=True), SQUARE + SQUARE.swapaxes(-1, -2), id="svd, eigh"),
    pytest.param(lambda x: from_eigh(symmetric(x)), SQUARE + SQUARE.swapaxes(-1, -2), id="eigh"),
    pytest.param(lambda x: from_cholesky(symmetric(x)), POSITIVE, id="cholesky"),
    pytest.param(lambda x: from_cholesky(symmetric(x), upper=True), POSITIVE, id="cholesky, upper"),
    pytest.param(lambda x: linalg.inv(linalg.inv(x)), SQUARE, id="inv"),
    pytest.param(lambda x: linalg.pinv(linalg.pinv(x)), TALL, id="pinv"),
    pytest.param(lambda x: linalg.solve(linalg.inv(x), np.eye(4).tolist()), SQUARE, id="solve"),
]


@pytest.mark.parametrize(("function", "matrix"), PUT_TOGETHER)
def test_put_together_again(function, matrix, device):
    x = tg.tensor(matrix, device=device)
    c, u = (tg.tensor(RNG.standard_normal(matrix.shape), device=device) for _ in range(2))
    same = np.allclose(matrix, matrix.swapaxes(-1, -2)) if matrix.shape[-1] == matrix.shape[-2] else False
    expected = host(symmetric(c)) if same else host(c)
    y, pullback = tg.vjp(function, x)
    assert np.allclose(host(y), matrix)
    assert np.allclose(host(pullback(c)[0]), expected)
    assert np.allclose(host(tg.jvp(function, (x,), (u,))[1]), host(symmetric(u)) if same else host(u))
    for route in ROUTES:
        product = tg.hvp(lambda x: (function(x) * c).sum(), (x,), (u,), mode=route)
        assert np.allclose(host(product[0]), 0.0, atol=1e-9)


def test_gradients_of_symmetric_decompositions_are_symmetric(device):
    """2 Σ log of Cholesky's diagonal, Σ log of the eigenvalues, log of the determinant: one function, gradient A⁻¹."""
    n = POSITIVE.shape[-1]
    x = tg.tensor(POSITIVE, device=device)
    unit = tg.eye(n, dtype=tg.float64, device=device)
    functions = [
        lambda x: 2 * tg.log((linalg.cholesky(x) * unit).sum(-1)).sum(),
        lambda x: 2 * tg.log((linalg.cholesky(x, upper=True) * unit).sum(-1)).sum(),
        lambda x: tg.log(linalg.eigvalsh(x)).sum(),
        lambda x: tg.log(linalg.eigh(x, "U").eigenvalues).sum(),
        lambda x: linalg.slogdet(x).logabsdet.sum(),
        lambda x: tg.log(linalg.svdvals(x)).sum(),
        lambda x: tg.log(linalg.det(x)).sum(),
    ]
    inverse = np.linalg.inv(POSITIVE)
    u = tg.tensor(POSITIVE + 1.0, device=device)
    for function in functions:
        assert np.allclose(host(tg.grad(function)(x)), inverse)
        assert np.allclose(host(tg.hvp(function, (x,), (u,))[0]), -inverse @ host(u) @ inverse)


def test_one_matrix_is_factorized_once_for_many_right_sides(monkeypatch):
    calls = []
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda a, b: calls.append((a.shape, b.shape)) or solve(a, b))
    a, b = SQUARE[0], RNG.standard_normal((5, 2, 4, 3))
    assert np.allclose(linalg.solve(a, b), solve(a, b))
    assert calls == [((4, 4), (4, 30))]


def test_only_one_triangle_is_read(device):
    spoilt = {"L": np.triu(np.full((4, 4), np.nan), 1), "U": np.tril(np.full((4, 4), np.nan), -1)}
    for triangle, junk in spoilt.items():
        x = tg.tensor(POSITIVE + junk, device=device)
        assert np.allclose(host(linalg.eigvalsh(x, triangle)), np.linalg.eigvalsh(POSITIVE))
        factor = host(linalg.cholesky(x, upper=triangle == "U"))
        assert np.allclose(factor, np.linalg.cholesky(POSITIVE, upper=triangle == "U"))


# Results, on arrays and numbers of every kind.

NUMPYS = {
    "cholesky": (POSITIVE,), "det": (SQUARE,), "eigh": (POSITIVE,), "eigvalsh": (POSITIVE,), "inv": (SQUARE,),
    "lstsq": (TALL[0], TALL[0, :, 0]), "matrix_power": (SQUARE, -2), "matrix_rank": (TALL,),
    "multi_dot": ([TALL[0], WIDE[0], TALL[0]],), "norm": (TALL,), "pinv": (TALL,), "qr": (TALL,), "slogdet": (SQUARE,),
    "solve": (SQUARE, SQUARE), "svd": (TALL,), "svdvals": (WIDE,),
}  # fmt: skip


def parts(result):
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("name", NUMPYS)
def test_arrays_in_arrays_out_and_integers_as_in_numpy(name):
    assert set(NUMPYS) == set(linalg.__all__) - {"LinAlgError"}
    ours, theirs = getattr(linalg, name), getattr(np.linalg, name)
    rounded = [np.round(x * 4).astype(int) if isinstance(x, np.ndarray) else x for x in NUMPYS[name]]
    if name == "cholesky":
        rounded = [np.array([[4, 2], [2, 5]])]
    for args in (NUMPYS[name], rounded):
        results, expected = ours(*args), theirs(*args)
        assert getattr(results, "_fields", None) == getattr(expected, "_fields", None)
        for a, b in zip(parts(results), parts(expected), strict=True):
            assert not isinstance(a, tg.Tensor)
            assert np.asarray(a).dtype.kind == np.asarray(b).dtype.kind
            assert np.allclose(a, b)
        if name == "multi_dot":
            continue
        tensors = [tg.tensor(x) if isinstance(x, np.ndarray) else x for x in args]
        for a, b in zip(parts(ours(*tensors)), parts(expected), strict=True):
            assert isinstance(a, (tg.Tensor, int))
            assert np.allclose(host(a), b)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3), (1, 1), (0, 3), (3, 0), (2, 0, 3)])
def test_nothing_to_compute_with(shape, device):
    """As NumPy answers; and the derivatives have the shape of nothing."""
    x = tg.ones(shape, dtype=tg.float64, device=device, requires_grad=True)
    square = shape[-1] == shape[-2]
    for name in ("svdvals", "qr", "pinv", "matrix_rank", *(("inv", "det", "slogdet", "eigh", "cholesky") * square)):
        if name == "inv" and shape == (0, 3, 3):
            continue
        for a, b in zip(
            parts(getattr(linalg, name)(x)), parts(getattr(np.linalg, name)(host(x.detach()))), strict=True
        ):
            assert a.shape == np.shape(b)
            if a.requires_grad and 0 in shape:
                assert tg.gradients(a.sum(), [x])[0].shape == shape
    thin = linalg.svd(x, full_matrices=False)
    assert [a.shape for a in thin] == [b.shape for b in np.linalg.svd(np.ones(shape), full_matrices=False)]
    full = linalg.svd(x.detach())
    assert [a.shape for a in full] == [b.shape for b in np.linalg.svd(np.ones(shape))]


def test_bases_that_are_completed_have_no_derivative(device):
    for function, instead in ((linalg.svd, "full_matrices=False"), (lambda x: linalg.qr(x, "complete"), "qr(x)")):
        x = tg.tensor(TALL, device=device, requires_grad=True)
        with pytest.raises(errors.GraphError, match=re.escape(instead)):
            function(x)
        with tg.no_grad():
            assert function(x)[0].shape == (2, 5, 5)
        full = function(x.detach())
        again = (
            host(full[0])[..., :3]
            @ (host(full[1]) if len(full) == 2 else host(full[1])[..., None] * host(full[2]))[..., :3, :]
        )
        assert np.allclose(again, TALL)
    x = tg.tensor(TALL, device=device, requires_grad=True)
    assert linalg.svd(x, compute_uv=False).requires_grad
    assert linalg.qr(x, "r").shape == (2, 3, 3)
    square = tg.tensor(SQUARE, requires_grad=True)
    assert linalg.svd(square).U.requires_grad
    assert linalg.qr(square, "complete").Q.requires_grad
    assert linalg.qr(tg.tensor(WIDE, requires_grad=True), "complete").R.requires_grad


# What raises, on every device.

NOT_POSITIVE = np.array([[1.0, 2.0], [2.0, 1.0]])
FAILURES = [
    (linalg.inv, SINGULAR, "inv: Singular matrix. Use linalg.pinv"),
    (lambda x: linalg.solve(x, x), SINGULAR, "solve: Singular matrix"),
    (lambda x: linalg.matrix_power(x, -1), SINGULAR, "Singular matrix"),
    (lambda x: linalg.svdvals(x * np.nan), SINGULAR, "svd: SVD did not converge"),
    (lambda x: linalg.lstsq(x * np.nan, x), SINGULAR, "SVD did not converge"),
    (linalg.cholesky, NOT_POSITIVE, "cholesky: Matrix is not positive definite: its eigenvalues must be positive"),
    (linalg.cholesky, np.stack([np.eye(2), NOT_POSITIVE]), "cholesky: Matrix is not positive definite"),
    (linalg.svd, np.full((2, 2), np.nan), "svd: SVD did not converge: look for nan"),
    (linalg.pinv, np.full((2, 2), np.nan), "pinv: SVD did not converge"),
]


@pytest.mark.parametrize(("function", "matrix", "said"), FAILURES)
def test_failures_raise(function, matrix, said, device):
    with np.errstate(all="ignore"), pytest.raises(np.linalg.LinAlgError, match=re.escape(said)):
        function(tg.tensor(matrix, device=device))


@pytest.mark.parametrize("name", ["cholesky", "det", "eigh", "eigvalsh", "inv", "slogdet", "solve", "matrix_power"])
def test_not_square(name):
    second = {"solve": (np.ones(2),), "matrix_power": (2,)}.get(name, ())
    for x in (np.ones((2, 3)), tg.ones(2, 3), np.ones(2), 1.0, [1.0, 2.0]):
        for kind in (np.linalg.LinAlgError, errors.ShapeError):
            with pytest.raises(kind, match=f"{name}: a must be a square matrix"):
                getattr(linalg, name)(x, *second)
    with pytest.raises(TypeError, match=rf"{name}: a is float16, .*{name}\(a.astype|must be an integer"):
        getattr(linalg, name)(np.eye(2, dtype="float16"), *(second if name == "solve" else (0.5,) if second else ()))
    for x in ("ab", None, np.array([["a"]]), np.array([[None]]), np.eye(2) * 1j):
        with pytest.raises(TypeError):
            getattr(linalg, name)(x, *second)


def test_other_arguments():
    a = tg.eye(3)
    for call, kind, said in [
        (lambda: linalg.solve(a, tg.ones(2)), errors.ShapeError, "b must have as many rows as a"),
        (lambda: linalg.solve(a, 1.0), errors.ShapeError, "b must have as many rows as a"),
        (lambda: linalg.solve(tg.ones(3, 2, 2), tg.ones(3, 3)), errors.ShapeError, "b[..., None]"),
        (lambda: linalg.solve(tg.ones(3, 2, 2), tg.ones(4, 2, 1)), errors.ShapeError, "solve"),
        (lambda: linalg.eigh(a, "X"), ValueError, "UPLO must be 'L' or 'U'; got 'X'"),
        (lambda: linalg.eigh(a, None), ValueError, "UPLO must be 'L' or 'U'; got None"),
        (lambda: linalg.qr(a, "full"), ValueError, "mode must be 'reduced', 'complete' or 'r'; got 'full'"),
        (lambda: linalg.svdvals(tg.ones(3)), errors.ShapeError, "must be a matrix, or a stack"),
        (lambda: linalg.pinv(a, 0.1, rtol=0.1), ValueError, "only one of rcond and rtol"),
        (lambda: linalg.matrix_rank(a, 0.1, rtol=0.1), ValueError, "only one of tol and rtol"),
        (lambda: linalg.matrix_power(a, 1.5), TypeError, "n must be an integer; got 1.5"),
        (lambda: linalg.lstsq(tg.ones(2, 3, 3), tg.ones(3)), errors.MatrixError, "lstsq: a must be a matrix"),
        (lambda: linalg.lstsq(a, tg.ones(2)), errors.ShapeError, "b must have as many rows as a"),
        (lambda: linalg.multi_dot([a]), errors.MatrixError, "expected two or more matrices"),
        (lambda: linalg.multi_dot([]), errors.MatrixError, "got shapes none"),
        (lambda: linalg.multi_dot([a, tg.ones(3), a]), errors.MatrixError, "got shapes (3, 3), (3,), (3, 3)"),
        (lambda: linalg.multi_dot([a, tg.ones(2, 3), a]), errors.ShapeError, "factor 0 of shape (3, 3) does not fit"),
        (lambda: linalg.multi_dot(a), TypeError, "expected a list of matrices; got a Tensor"),
        (lambda: linalg.pinv(a, "x"), TypeError, "pinv: a tolerance is a number"),
        (lambda: linalg.lstsq(a, a, "x"), TypeError, "lstsq: a tolerance is a number"),
        (lambda: linalg.matrix_rank(a, "x"), TypeError, "matrix_rank: a tolerance is a number"),
        (lambda: linalg.norm(a, np.ones(2)), ValueError, "ord must be one number or name; got an array of shape (2,)"),
        (lambda: linalg.norm(a, "max"), ValueError, "ord='max' is no norm of matrices"),
        (lambda: linalg.norm(a, 3), ValueError, "ord=3 is no norm of matrices"),
        (lambda: linalg.norm(a, "fro", axis=0), ValueError, "ord='fro' is no norm of vectors"),
        (lambda: linalg.norm(tg.ones(2, 2, 2), 2), errors.ShapeError, "needs a vector or a matrix"),
        (lambda: linalg.norm(tg.ones(2, 2, 2), axis=(0, 1, 2)), errors.ShapeError, "one axis (of vectors) or two"),
        (lambda: linalg.norm(a, axis=(0, 0)), errors.ShapeError, "twice"),
        (lambda: linalg.norm(a, axis=2), errors.ShapeError, "axis 2 is out of bounds"),
    ]:
        with pytest.raises(kind, match=re.escape(said)):
            call()


def test_nan_comes_through(device):
    x = tg.tensor(np.stack([np.eye(2), np.full((2, 2), np.nan)]), device=device, requires_grad=True)
    with np.errstate(all="ignore"):
        for name in ("inv", "det", "cholesky", "eigvalsh", "norm"):
            y = getattr(linalg, name)(x)
            assert np.isnan(host(y.detach())).any()
        (gradient,) = tg.gradients(linalg.det(x).sum(), [x])
    assert np.array_equal(host(gradient)[0], np.eye(2))
    assert np.isnan(host(gradient)[1]).all()


# Singular and degenerate matrices.


@pytest.mark.parametrize("rank", range(5))
def test_determinants_of_every_rank(rank, device):
    """Against the definition, which knows no rank: the gradient is made of minors, and so is the second derivative."""
    matrix = RNG.integers(-3, 4, (4, rank)) @ RNG.integers(-3, 4, (rank, 4)) * 1.0
    u, w = RNG.standard_normal((2, 4, 4))
    x = tg.tensor(matrix, device=device)
    step = 1e-30
    slopes = np.array(
        [[np.linalg.det(matrix + 1j * step * np.outer(i, j)).imag / step for j in np.eye(4)] for i in np.eye(4)]
    )
    minors = np.array(
        [
            [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(matrix, i, 0), j, 1)) for j in range(4)]
            for i in range(4)
        ]
    )
    gradient = host(tg.grad(linalg.det)(x))
    assert np.allclose(gradient, minors, atol=1e-11 * (1 + abs(minors).max()))
    if rank == 4:
        assert np.allclose(gradient, slopes)
    curvature = sum(
        np.linalg.det(mixed(matrix, u, w, i, j)) for i in range(4) for j in range(4) if i != j
    )  # fmt: skip
    for route in ROUTES:
        product = host(tg.hvp(linalg.det, (x,), (tg.tensor(u, device=device),), mode=route)[0])
        assert np.isclose((product * w).sum(), curvature)


@pytest.mark.parametrize("smallest", [1e-2, 1e-6, 1e-12, 0.0])
def test_cofactors_of_badly_conditioned_matrices(smallest, device):
    """What is divided by a small determinant, and multiplied by it again, is lost: not here."""
    q, _ = np.linalg.qr(SQUARE[0])
    matrix = q @ np.diag([3.0, 2.0, 1.0, smallest]) @ q[::-1]
    rest = [np.arange(4) != i for i in range(4)]
    minors = [[(-1) ** (i + j) * np.linalg.det(matrix[rest[i]][:, rest[j]]) for j in range(4)] for i in range(4)]
    gradient = tg.grad(lambda x: linalg.det(x).sum())(tg.tensor([matrix, np.eye(4)], dtype="float64", device=device))
    assert np.allclose(host(gradient), [minors, np.eye(4)], rtol=0, atol=1e-13)


def mixed(matrix, u, w, i, j):
    """The matrix with row i of u and row j of w: the determinant is linear in each row."""
    rows = matrix.copy()
    rows[i], rows[j] = u[i], w[j]
    return rows


def test_the_sign_of_a_determinant_has_no_derivative(device):
    x = tg.tensor(SQUARE, device=device, requires_grad=True)
    sign, logarithm = linalg.slogdet(x)
    assert logarithm.requires_grad
    assert not sign.requires_grad
    singular = tg.tensor(SINGULAR, device=device)
    assert linalg.slogdet(singular).logabsdet.item() == -np.inf
    slope = tg.grad(lambda x: linalg.slogdet(x).logabsdet)
    if device == "cpu":
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            slope(singular)
    else:
        assert not np.isfinite(host(slope(singular))).any()


def test_equal_eigenvalues(device):
    """What treats them alike has its gradient; how the vectors turn is not told as if it were known."""
    x = tg.tensor(3.0 * np.eye(3), device=device)
    for function in (linalg.eigvalsh, linalg.svdvals):
        assert np.allclose(host(tg.grad(lambda x, f=function: (f(x) ** 2).sum())(x)), 6 * np.eye(3))
    with np.errstate(all="ignore"):
        turned = tg.grad(lambda x: (linalg.eigh(x).eigenvectors[0] * [1.0, 2.0, 3.0]).sum())(x)
    assert not np.isfinite(host(turned)).all()


def test_ties_among_vectors_that_are_not_used(device):
    """A matrix of rank 2 from its first two triplets; the projector on the one vector whose eigenvalue stands alone."""
    matrix = RNG.standard_normal((6, 2)) @ RNG.standard_normal((2, 5))

    def leading(x):
        u, s, vh = linalg.svd(x, full_matrices=False)
        return (u[:, :2] * s[:2]) @ vh[:2]

    def along(x):
        v = linalg.eigh(x).eigenvectors[:, -1:]
        return v @ v.mT

    c = RNG.standard_normal((6, 5))
    gradient = host(
        tg.grad(lambda x: (leading(x) * tg.tensor(c, device=device)).sum())(tg.tensor(matrix, device=device))
    )
    left, right = np.linalg.pinv(matrix) @ matrix, matrix @ np.linalg.pinv(matrix)
    outside = (np.eye(6) - right) @ c @ (np.eye(5) - left)  # moving out of both spaces changes only what is cut off
    assert np.allclose(gradient, c - outside)
    d = RNG.standard_normal((3, 3))
    x = tg.tensor(np.diag([1.0, 1.0, 3.0]), device=device)
    expected = np.zeros((3, 3))
    expected[:2, 2] = expected[2, :2] = (d[:2, 2] + d[2, :2]) / 4
    assert np.allclose(host(tg.grad(lambda x: (along(x) * tg.tensor(d, device=device)).sum())(x)), expected)


def test_pseudoinverses_of_lower_rank(device):
    b, c = RNG.standard_normal((4, 2)), RNG.standard_normal((2, 3))
    x = tg.tensor(b @ c, device=device)
    assert np.allclose(host(linalg.pinv(x, rtol=None)), np.linalg.pinv(b @ c, rtol=1e-12))
    assert linalg.matrix_rank(x).item() == 2
    many = tg.tensor(np.stack([np.diag([1.0, 0.1]), np.diag([1.0, 0.01])]), device=device)
    assert host(linalg.matrix_rank(many, tg.tensor([0.05, 0.05], device=device))).tolist() == [2, 1]
    assert np.allclose(host(linalg.pinv(many, tg.tensor([0.5, 0.001], device=device)))[:, 1, 1], [0.0, 100.0])
    right = tg.ones(4, dtype=tg.float64, device=device)
    solution, residuals, rank, s = linalg.lstsq(x, right)
    assert np.allclose(host(solution), np.linalg.lstsq(b @ c, np.ones(4), rcond=None)[0])
    assert (residuals.shape, rank, s.shape) == ((0,), 2, (3,))


# Products of many.


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, -1, -4, np.int64(5)])
def test_matrix_powers(n, device):
    x = tg.tensor(SQUARE, device=device)
    expected = np.linalg.matrix_power(SQUARE, n)
    assert np.allclose(host(linalg.matrix_power(x, n)), expected)
    slope = host(tg.jvp(lambda x: linalg.matrix_power(x, n), (x,), (x,))[1])  # along x itself: n xⁿ
    assert np.allclose(slope, int(n) * expected)
    whole = np.array([[2, 1], [1, 1]])
    assert linalg.matrix_power(tg.tensor(whole), max(n, 0)).dtype == np.int64


def test_a_power_takes_few_products():
    x = tg.tensor(SQUARE, requires_grad=True)
    nodes = reachable([linalg.matrix_power(x, 100)._node])
    assert sum(node.primitive is not None and node.primitive.name == "matmul" for node in nodes) == 8


def test_a_chain_in_its_best_order():
    """A textbook's example: 15,125 multiplications, and not the 26,500 of going from the left."""
    sides = [30, 35, 15, 5, 10, 20, 25]
    factors = [tg.ones(n, m, requires_grad=True) for n, m in itertools.pairwise(sides)]
    nodes = [node for node in reachable([linalg.multi_dot(factors)._node]) if len(node.parents) == 2]
    cost = sum(node.shape[0] * node.shape[1] * node.parents[0].shape[1] for node in nodes)
    assert cost == 15125


# Norms.


def test_norms_do_not_overflow(device):
    for dtype, large in (("float16", 6e4), ("float32", 3e38), ("float64", 1e308)):
        for ord in (None, 2, 3):
            for size in (large / 2, 1 / large):
                x = tg.tensor([size, -size], dtype=dtype, device=device)
                found, gradient = tg.value_and_grad(lambda x, ord=ord: linalg.norm(x, ord))(x)
                assert found.dtype == x.dtype
                assert found.item() == pytest.approx(
                    size * 2 ** (1 / (ord or 2)), rel=2e-3, abs=1e-7 * (dtype == "float16")
                )
                power = 1 - 1 / (ord or 2)
                assert np.allclose(host(gradient), np.array([1, -1]) * 2**-power, rtol=2e-3)


def test_norms_of_numbers_integers_and_nothing(device):
    assert linalg.norm(-3.0).item() == 3.0
    assert tg.grad(linalg.norm)(tg.tensor(-3.0, device=device)).item() == -1.0
    whole = tg.tensor([[3, 4], [0, 0]], device=device)
    for ord in (None, 1, 2, np.inf, -np.inf, "nuc"):
        assert linalg.norm(whole, ord).dtype == tg.float64
    for ord in (0, 0.0, np.float64(0)):
        assert host(linalg.norm(whole, ord, axis=1)).tolist() == [2.0, 0.0]
    for shape, axis in (((2, 0), 1), ((0,), None), ((0, 2), (0, 1)), ((2, 0), (0, 1)), ((3, 0, 2), (0, 1))):
        x = tg.zeros(shape, device=device)
        for ord in (None, 1, 2, np.inf, *(() if len(shape) == 1 or axis == 1 else ("fro", "nuc"))):
            expected = np.linalg.norm(np.zeros(shape, "float32"), ord, axis)
            y = linalg.norm(x, ord, axis)
            assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
            assert not host(y).any()
    assert tg.ones(4).norm().item() == 2.0
