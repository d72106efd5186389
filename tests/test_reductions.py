"""Reductions, scans and statistics take NumPy's arguments, and give its results: dtype, where, initial, ddof."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.errors import ShapeError

NAMES = """all amax amin any argmax argmin argpartition argsort average corrcoef count_nonzero cov cumprod cumsum
histogram max mean median min nanmax nanmean nanmin nanprod nanstd nansum nanvar nonzero partition percentile prod ptp
quantile searchsorted select sort std sum take take_along_axis var""".split()
MASKED = ["sum", "prod", "mean", "var", "std", "max", "min", "any", "all", "nansum", "nanprod", "nanmean", "nanmax"]
TABLE = np.random.default_rng(0).permutation(24).reshape(2, 3, 4) / 4 - 2.0
MASK = np.random.default_rng(1).integers(0, 2, (3, 4)).astype(bool) | (np.arange(4) == 1)


def same(found: Any, expected: Any, eps: float = 1e-12) -> None:
    expected = np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(host(found), expected, rtol=eps, atol=eps)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_have_numpys_names_and_order(name: str) -> None:
    ours, numpys = (inspect.signature(getattr(library, name)).parameters for library in (tg, np))
    dropped = {"interpolation"} if name in ("quantile", "percentile") else set()  # deprecated there
    assert [(p.name, p.kind) for p in ours.values()] == [
        (p.name, p.kind) for p in numpys.values() if p.name not in dropped
    ]
    for p in numpys.values():
        if isinstance(p.default, (bool, int, str, type(None))):  # the others say that nothing was given
            assert ours[p.name].default == p.default


def test_one_function_has_several_names() -> None:
    assert (tg.amax, tg.amin) == (tg.max, tg.min)


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("axis", [None, 0, (1, -1), np.int64(2)])
def test_masks(name: str, axis: Any, device: str) -> None:
    more = {"initial": -5.0} if "max" in name else {"initial": 9.0} if "min" in name else {}
    x, mask = tg.tensor(TABLE, device=device), tg.tensor(MASK, device=device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of means of nothing
        expected = getattr(np, name)(TABLE, axis=axis, where=MASK, keepdims=True, **more)
    same(getattr(tg, name)(x, axis=axis, where=mask, keepdims=True, **more), expected)
    raw = getattr(tg, name)(x._array, axis=axis, where=mask._array, keepdims=True, **more)
    assert type(raw) is type(x._array) or np.isscalar(raw)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "max", "nansum"])
def test_what_a_mask_leaves_out_has_derivative_0_even_where_it_is_nan(name: str, device: str) -> None:
    values = np.where(MASK, TABLE, np.nan)
    more = {"initial": -9.0} if name == "max" else {}
    gradient = host(
        tg.grad(lambda x: getattr(tg, name)(x, where=tg.tensor(MASK, device=device), **more))(
            tg.tensor(values, device=device)
        )
    )
    assert np.isfinite(gradient).all()
    assert (gradient[np.broadcast_to(~MASK, TABLE.shape)] == 0).all()
    assert gradient.any()


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "nansum", "nanmax"])
@pytest.mark.parametrize("initial", [0, 1.5, -7.0])
def test_initial_values(name: str, initial: float, device: str) -> None:
    for values in (TABLE, TABLE[:0], TABLE.astype("float32")):
        found = getattr(tg, name)(tg.tensor(values, device=device), axis=0, initial=initial)
        same(found, getattr(np, name)(values, axis=0, initial=initial), 1e-6)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "cumsum", "cumprod", "nansum", "nanmean"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "int32", "bool", "int8"])
def test_dtypes_of_results(name: str, dtype: str, device: str) -> None:
    values = (TABLE > 0).astype(dtype)
    x = tg.tensor(values, device=device)
    same(getattr(tg, name)(x, 1), getattr(np, name)(values, 1), 1e-3)
    for wanted in ("float64", "float32"):
        same(getattr(tg, name)(x, 1, dtype=wanted), getattr(np, name)(values, 1, dtype=wanted), 1e-6)
    if name in ("sum", "prod", "cumsum"):
        same(getattr(tg, name)(x, 1, dtype="int8"), getattr(np, name)(values, 1, dtype="int8"))


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
def test_degrees_of_freedom_by_either_name_and_a_known_mean(name: str, device: str) -> None:
    x = tg.tensor(TABLE, device=device)
    ours, numpys = getattr(tg, name), getattr(np, name)
    same(ours(x, 1, ddof=1), numpys(TABLE, 1, ddof=1))
    same(ours(x, 1, correction=np.float64(1)), numpys(TABLE, 1, correction=1))
    known = TABLE.mean(1, keepdims=True)
    same(ours(x, 1, mean=tg.tensor(known, device=device)), numpys(TABLE, 1, mean=known))
    assert ours(x.astype(tg.float32), ddof=np.float64(1)).dtype == tg.float32


def test_float16_does_not_overflow_on_the_way(device: str) -> None:
    many = tg.tensor(np.tile([200.0, -200.0], 50_000), dtype=tg.float16, device=device)
    assert tg.std(many).item() == 200.0
    assert tg.var(many / 10).item() == pytest.approx(400.0, rel=1e-2)
    assert np.isfinite(host(tg.grad(tg.std)(many))).all()
    ones = tg.ones(100_000, dtype=tg.float16, device=device)
    assert tg.mean(ones, where=ones > 0).item() == 1.0
    assert tg.nanmean(ones).item() == 1.0
    assert tg.logsumexp(ones * 0).item() == pytest.approx(np.log(100_000), rel=1e-3)
    assert tg.median(ones).item() == 1.0
    assert host(tg.grad(tg.median)(ones)).sum(dtype=float) == pytest.approx(1.0, rel=1e-2)
    factors = tg.tensor([0.0, 300.0, 300.0], dtype=tg.float16, device=device)
    with np.errstate(over="ignore"):
        assert tg.grad(tg.prod)(factors).tolist() == [np.inf, 0.0, 0.0]  # 90,000 is beyond float16


def test_long_scans_agree_with_numpy_and_are_transposes_of_each_other(device: str) -> None:
    rng = np.random.default_rng(0)
    x, g = (tg.tensor(rng.uniform(0.9, 1.1, 5000), device=device) for _ in range(2))
    same(tg.cumprod(x), np.cumprod(host(x)), 1e-9)
    _, pullback = tg.vjp(tg.cumprod, x)
    gradient = host(pullback(g)[0])
    tail = np.cumsum((host(g) * np.cumprod(host(x)))[::-1])[::-1] / host(x)  # no zeros here: dividing is allowed
    np.testing.assert_allclose(gradient, tail, rtol=1e-9)
    np.testing.assert_allclose(host(tg.vjp(tg.cumsum, x)[1](g)[0]), np.cumsum(host(g)[::-1])[::-1], rtol=1e-12)
    np.testing.assert_allclose(host(tg.grad(tg.prod)(x)), np.prod(host(x)) / host(x), rtol=1e-9)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_all_derivatives_of_a_product_with_zeros(zeros: int) -> None:
    """Of five factors the mixed derivative by two is the product of the other three, whatever is 0."""
    values = np.array([2.0, -3.0, 0.5, 4.0, 1.5])
    values[:zeros] = 0.0
    for function in (tg.prod, lambda x: tg.cumprod(x)[-1]):
        x = tg.tensor(values)
        hessian = np.array([host(tg.hvp(function, x, e)) for e in tg.eye(5, dtype=tg.float64)])
        third = host(tg.grad(lambda x, f=function: tg.hvp(f, x, tg.ones_like(x)).sum())(x))
        for i in range(5):
            others = [k for k in range(5) if k != i]
            for j in others:
                assert hessian[i, j] == pytest.approx(np.prod([values[k] for k in others if k != j]), abs=1e-12)
            pairs = [(j, k) for j in others for k in others if j != k]
            expected = sum(np.prod([values[m] for m in others if m not in pair]) for pair in pairs)
            assert third[i] == pytest.approx(expected, abs=1e-12)
        assert np.diag(hessian).tolist() == [0.0] * 5


def test_perfect_correlations_curve(device: str) -> None:
    """Rounding does not push a correlation beyond 1, and its curvature is not lost in being pushed back."""
    x = np.array([0.375, -0.25, 0.875])
    table = tg.tensor(np.stack([x, -3 * x]), dtype=tg.float32, device=device)
    assert (abs(host(tg.corrcoef(table))) <= 1).all()
    v = tg.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], device=device)
    product = host(tg.hvp(lambda t: tg.corrcoef(t)[0, 1], table, v))[0, 0]
    centred = x - x.mean()
    scale = (centred**2).sum()
    assert product == pytest.approx((1 - 1 / 3 - centred[0] ** 2 / scale) / scale, rel=1e-4)


@pytest.mark.parametrize("returned", [False, True])
def test_weighted_means(returned: bool, device: str) -> None:
    x = tg.tensor(TABLE, device=device)
    for axis, weights in (
        (1, [1.0, 2.0, 3.0]),
        ((2, 0), np.arange(1.0, 9.0).reshape(4, 2)),
        (None, TABLE**2),
        (0, None),
    ):
        given = weights if weights is None else tg.tensor(weights, dtype=tg.float64, device=device)
        found = tg.average(x, axis, given, returned)
        expected = np.average(TABLE, axis, weights, returned)
        for ours, numpys in zip(found, expected, strict=True) if returned else [(found, expected)]:
            same(ours, numpys)


def test_covariances_have_numpys_values(device: str) -> None:
    table = tg.tensor(TABLE[0], device=device)
    for meta in ({}, {"rowvar": False}, {"bias": True}, {"ddof": 0}, {"y": TABLE[1]}):
        ours = meta | ({"y": tg.tensor(TABLE[1], device=device)} if "y" in meta else {})
        same(tg.cov(table, **ours), np.cov(TABLE[0], **meta))
        if not {"bias", "ddof"} & set(meta):
            same(tg.corrcoef(table, **ours), np.corrcoef(TABLE[0], **meta))
    weights = {"fweights": np.array([1, 2, 1, 3]), "aweights": np.array([0.5, 1.0, 2.0, 1.0])}
    ours = {key: tg.tensor(value, device=device) for key, value in weights.items()}
    same(tg.cov(table, **ours), np.cov(TABLE[0], **weights))
    assert tg.cov(table.astype(tg.float32)).dtype == tg.float32


REFUSED = [
    (lambda x: tg.sum(x, out=x), TypeError, "sum: out= is not supported"),
    (lambda x: tg.sum(x, 0, True), TypeError, "sum: got dtype=True; it comes before keepdims. Write keepdims=True."),
    (lambda x: tg.argmax(x, 0, x), TypeError, "argmax: out= is not supported"),
    (lambda x: tg.sum(x, where=x), TypeError, "sum: where= takes a mask of bool; got float32"),
    (lambda x: tg.sum(x, where=tg.ones(4, device=x.device) > 0), ShapeError, "sum: where= of shape (4,) does not"),
    (lambda x: tg.sum(x, where=tg.ones(1, 2, 3, device=x.device) > 0), ShapeError, "does not broadcast to the shape"),
    (lambda x: tg.max(x, where=x > 0), ValueError, "max: where= may leave nothing; pass initial="),
    (lambda x: tg.var(x[:0]), ShapeError, "var: no elements"),
    (lambda x: tg.var(x, 0, ddof=2), ShapeError, "var: 2 elements along axis (0,) and ddof=2 leave nothing"),
    (lambda x: tg.std(x, ddof="1"), TypeError, "std: ddof must be a number; got '1'"),
    (lambda x: tg.std(x, ddof=1, correction=1), ValueError, "std: ddof and correction are two names"),
    (lambda x: tg.argmin(x[:0]), ShapeError, "argmin: no elements"),
    (lambda x: tg.cumsum(x, axis=2), ShapeError, "cumsum: axis 2 is out of bounds"),
    (lambda x: tg.cumprod(x, axis=(0, 1)), TypeError, "cumprod: axis must be an integer"),
    (lambda x: tg.prod(x, axis="rows"), TypeError, "prod: axis must be an integer; got 'rows'"),
    (lambda x: tg.sum(x, dtype="complex64"), TypeError, "complex tensors are out of scope"),
    (lambda x: tg.prod(None), TypeError, "prod: argument 0 is a NoneType"),
    (lambda x: tg.average(x, weights=tg.ones(5)), ShapeError, "average: weights of shape (5,) fit neither"),
    (lambda x: tg.average(x, weights=x * 0), ZeroDivisionError, "average: the weights sum to 0"),
    (lambda x: tg.cov(x.reshape(1, 2, 3)), ShapeError, "cov: variables have at most 2 axes; got shape (1, 2, 3)"),
    (lambda x: tg.cov(x[:, :1]), ShapeError, "cov: 1 observations and ddof=1 leave nothing to divide by"),
    (lambda x: tg.cov(x, x[:, :2]), ShapeError, "cov: m and y need as many observations; got 3 and 2"),
    (lambda x: tg.cov(x, aweights=[1.0]), ShapeError, "cov: aweights has one number for each of the 3 observations"),
    (lambda x: tg.ptp(x[:0]), ShapeError, "ptp: no elements"),
    (lambda x: tg.histogram(x, bins="auto"), TypeError, "histogram: bins is a number of bins, or their edges"),
    (lambda x: tg.histogram(x, bins=0), ValueError, "histogram: there is at least one bin; got bins=0"),
    (lambda x: tg.histogram(x, bins=[2.0, 1.0]), ValueError, "histogram: the edges of bins are two numbers or more"),
    (lambda x: tg.histogram(x * float("nan")), ValueError, "histogram: bins need a finite range"),
    (lambda x: tg.histogram(x, weights=x[0]), ShapeError, "histogram: weights of shape (3,)"),
    (lambda x: tg.searchsorted(x, 1.0), ShapeError, "searchsorted: a has one axis"),
    (lambda x: tg.searchsorted(x[0], 1.0, side="middle"), ValueError, "searchsorted: side must be 'left' or 'right'"),
    (lambda x: tg.select([x > 0], [x, x]), ValueError, "select: as many choices as conditions"),
    (lambda x: tg.select([], []), ValueError, "select: as many choices as conditions, and at least one"),
    (lambda x: tg.select([x], [x]), TypeError, "select: conditions are arrays of bool; got float32"),
    (lambda x: tg.where(x > 0, x), ValueError, "where: give both x and y"),
    (lambda x: tg.nonzero(x[0, 0]), ShapeError, "nonzero: a number has no axes"),
    (lambda x: tg.take(x, [0, 9]), IndexError, "take: index 9 is out of bounds for axis 0 of length 6"),
    (lambda x: tg.take(x, [0.5]), TypeError, "take: indices are whole numbers; got float"),
    (lambda x: tg.take(x, None), TypeError, "take: argument 0 is a NoneType"),
    (lambda x: tg.take(x, [0], mode="drop"), ValueError, "take: mode must be 'raise', 'wrap' or 'clip'; got 'drop'"),
    (lambda x: tg.take(x[:0], [0], 0, mode="clip"), IndexError, "take: index 0 is out of bounds for axis 0 of"),
    (lambda x: tg.take_along_axis(x, tg.zeros(2, 3), 1), TypeError, "take_along_axis: indices are whole numbers"),
    (lambda x: tg.take_along_axis(x, [0, 1], 1), ShapeError, "take_along_axis: indices of shape (2,) do not fit"),
    (lambda x: tg.take_along_axis(x, [[0], [3]], 1), IndexError, "take_along_axis: index 3 is out of bounds"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "said"), REFUSED, ids=[said[:60] for _, _, said in REFUSED])
def test_what_is_refused(call: Any, kind: type[Exception], said: str, device: str) -> None:
    with pytest.raises(kind, match=re.escape(said)):
        call(tg.ones(2, 3, device=device))
