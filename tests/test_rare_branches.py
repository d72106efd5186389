"""Branches that no specification reaches: seldom options, dtypes beside the floating ones, and words for mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.core.primitive import named
from tinygrad_opt.errors import ShapeError

V, M = np.array([3.0, 1.0, 2.0]), np.arange(6.0).reshape(2, 3)


def same(found: Any, expected: Any) -> None:
    assert isinstance(found, tg.Tensor)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert np.array_equal(host(found), expected, equal_nan=True)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: tg.sum(np.ones(2, complex)), TypeError, "sum: "),
    (lambda: tg.sum(M, 0, False), TypeError, "sum: got dtype=False; it comes before keepdims. Write keepdims=False."),
    (lambda: tg.mean(M, 0, True), TypeError, "mean: got dtype=True; it comes before keepdims. Write keepdims=True."),
    (lambda: tg.rot90(M, 1, (0,)), ShapeError, "rot90: axes must be two different ones; got (0,)"),
    (lambda: tg.searchsorted(M, 1.0), ShapeError, "searchsorted: a has one axis"),
    (lambda: tg.searchsorted(V, 1.0, "middle"), ValueError, "searchsorted: side must be 'left' or 'right'; got"),
    (lambda: tg.histogram(V, 3, 5.0), TypeError, "histogram: range is a pair of numbers, (low, high); got 5.0"),
    (lambda: tg.histogram(V, 3, "ab"), TypeError, "histogram: range is a pair of numbers, (low, high); got 'ab'"),
    (lambda: tg.histogram(V, 3, (2.0, 1.0)), ValueError, "histogram: bins need a finite range"),
    (lambda: tg.unbroadcast(M, 2.5), TypeError, "unbroadcast: a shape is an integer or several; got 2.5"),
    (lambda: tg.unbroadcast(M > 0, 3), TypeError, "unbroadcast: expected real numbers to add up; got bool"),
    (lambda: tg.unfold(np.ones((1, 1, 3, 3)), 2, padding="same"), TypeError, "unfold: padding must be made of whole"),
    (lambda: tg.fold(np.ones((1, 4, 4)), 3, 2, padding="same"), TypeError, "fold: padding must be made of whole"),
    (lambda: tg.corrcoef(np.ones((2, 0))), ShapeError, "corrcoef: no observations; it needs at least two"),
    (lambda: tg.tril(np.float64(1.0)), ShapeError, "tril: a number has no triangle; at least one axis is needed"),
    (lambda: tg.triu(tg.tensor(1.0)), ShapeError, "triu: a number has no triangle; at least one axis is needed"),
    (lambda: tg.cross(V > 1, V > 2), TypeError, "cross: truth values have no difference"),
    (lambda: tg.vander(V, -1), ValueError, "vander: N must not be negative; got -1"),
    (lambda: tg.take(V, [0], out=V), TypeError, "take: "),
    (lambda: tg.take(V, [0], mode="no"), ValueError, "take: mode must be 'raise', 'wrap' or 'clip'; got 'no'"),
    (lambda: tg.split(V, 1.5), TypeError, "split: indices_or_sections must be an integer; got 1.5"),
    (lambda: tg.dsplit(np.ones((1, 1, 3)), 2), ShapeError, "dsplit: axis 2 of length 3 cannot be cut into 2 equal"),
    (lambda: tg.vsplit(np.ones((3, 1)), 2), ShapeError, "vsplit: axis 0 of length 3 cannot be cut into 2 equal"),
    (lambda: tg.hsplit(V, 2), ShapeError, "hsplit: axis 0 of length 3 cannot be cut into 2 equal"),
    (lambda: tg.softmax_cross_entropy(M, [0, 1], "max"), ValueError, "reduction must be 'mean', 'sum' or 'none'"),
    (lambda: tg.normalize(np.ones((0, 3)), 0), ShapeError, "normalize: no elements along axis (0,) of shape (0, 3)"),
    (lambda: tg.pad(V, 1, "reflect", reflect_type="odd"), ValueError, "pad: reflect_type must be 'even'; got 'odd'"),
    (lambda: tg.pad(V, 1, constant_values=M), ShapeError, "pad: constant_values of shape (2, 3) do not fit (1, 2)"),
    (lambda: tg.pad(V, 1, constant_values=(V, V)), ShapeError, "pad: constant_values are numbers; got shape (3,)"),
    (lambda: tg.gradient(V, edge_order=3), ValueError, "gradient: edge_order must be 1 or 2; got 3"),
    (lambda: tg.interp(1.0, V, V, left=V), ShapeError, "interp: left must be one number; got shape (3,)"),
    (lambda: tg.interp(1.0, V, V, right=M), ShapeError, "interp: right must be one number; got shape (2, 3)"),
    (lambda: tg.select(1, 2), TypeError, "select: condlist and choicelist are sequences of arrays"),
    (lambda: tg.select([], []), ValueError, "select: as many choices as conditions, and at least one"),
    (lambda: tg.transpose(M, 0), ShapeError, "transpose: axes (0,) must name each of the 2 axes once"),
    (lambda: tg.max(np.ones((0, 2)), 0), ShapeError, "max: no elements along axis (0,) of shape (0, 2)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_refused(call: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        call()


def test_searchsorted_in_a_tensor_out_of_order(device: str) -> None:
    order = np.argsort(V)
    for side in ("left", "right"):
        expected = np.searchsorted(V, [0.5, 1.0, 2.5, 3.0], side, order)
        x = tg.tensor(V, device=device)
        same(tg.searchsorted(x, [0.5, 1.0, 2.5, 3.0], side, tg.tensor(order, device=device)), expected)
        same(tg.searchsorted(x, [0.5, 1.0, 2.5, 3.0], side, order.tolist()), expected)


@pytest.mark.parametrize("function", ["nanmax", "nanmin"])
def test_extremes_of_whole_numbers_with_a_start_and_a_selection(function: str, device: str) -> None:
    array, where = np.array([[3, -7, 5], [2, 9, -4]], "int32"), np.array([[True, False, True], [True, False, False]])
    x = tg.tensor(array, device=device)
    ours, theirs = getattr(tg, function), getattr(np, function)
    same(ours(x, 1), theirs(array, 1))
    same(ours(x, 1, keepdims=True), theirs(array, 1, keepdims=True))
    same(ours(x, (0, 1), initial=4), theirs(array, (0, 1), initial=4))
    same(ours(x, 1, initial=4, where=tg.tensor(where, device=device)), theirs(array, 1, initial=4, where=where))


def test_axes_of_a_vector_may_be_one_number(device: str) -> None:
    same(tg.transpose(tg.tensor(V, device=device), 0), V)
    same(tg.transpose(tg.tensor(M, device=device), np.array([1, 0])), M.T)


def test_recurrences_of_float16_are_computed_in_float32(device: str) -> None:
    """Rounded once, at the end: not in each round of the doubling."""
    rng = np.random.default_rng(0)
    c, b = rng.uniform(0.9, 1.1, (2, 299)).astype("float16"), rng.uniform(-1, 1, (2, 300)).astype("float16")
    wide = (tg.tensor(x.astype("float64"), device=device) for x in (c, b))
    narrow = (tg.tensor(x, device=device) for x in (c, b))
    exact, found = (named("recurrence")(*args, axis=1, reverse=False) for args in (wide, narrow))
    assert found.dtype == tg.float16
    np.testing.assert_allclose(host(found).astype("float64"), host(exact), rtol=6e-4, atol=1e-5)


def test_correlations_stay_within_one(device: str) -> None:
    """What rounding has carried over the end is put back."""
    x = tg.tensor([-1.0000002, -0.5, 1.0000002], dtype=tg.float32, device=device)
    assert host(named("within_one")(x)).tolist() == [-1.0, -0.5, 1.0]


def test_averages_of_whole_numbers_are_floating(device: str) -> None:
    array, weights = np.array([[1, 2, 4], [3, 5, 9]], "int32"), np.array([1, 2, 4], "int32")
    x, w = (tg.tensor(a, device=device) for a in (array, weights))
    same(tg.average(x), np.average(array))
    same(tg.average(x, 1, w), np.average(array, 1, weights))
    same(tg.average(x, 1, weights.tolist()), np.average(array, 1, weights))


def test_the_rank_of_least_squares_depends_on_the_precision() -> None:
    """A singular value of 1e-9 counts in float64, and is rounding in float32 (NumPy computes both in float64)."""
    a, b = np.diag([1.0, 1e-9]), np.array([1.0, 1e-9])
    for dtype, rank in ((tg.float64, 2), (tg.float32, 1)):
        x, _, found, _ = tg.linalg.lstsq(tg.tensor(a, dtype=dtype), tg.tensor(b, dtype=dtype))
        assert found == rank
        np.testing.assert_allclose(x.numpy(), [1.0, rank - 1.0], rtol=1e-6)


def test_the_sign_of_a_determinant_does_not_move() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64)
    (sign, _), (moved, _) = tg.jvp(lambda x: tuple(tg.linalg.slogdet(x)), (x,), (tg.ones_like(x),))
    assert (sign.item(), moved.item()) == (-1.0, 0.0)


@pytest.mark.parametrize("name", ["kernel_size", "stride", "dilation"])
def test_what_is_wrong_with_windows_is_named(name: str) -> None:
    with pytest.raises(TypeError, match=f"^unfold: {name} must be"):
        tg.unfold(np.ones((1, 1, 4, 4)), **({"kernel_size": 2} | {name: "ab"}))
    with pytest.raises(ValueError, match=f"^unfold: {name} must be"):
        tg.unfold(np.ones((1, 1, 4, 4)), **({"kernel_size": 2} | {name: 0}))


def test_an_unused_input_leaves_the_gradient_of_the_others(device: str) -> None:
    x, z = (tg.tensor([1.0, 2.0], device=device, requires_grad=True) for _ in range(2))
    for create_graph in (False, True):
        found = tg.gradients((x * x).sum(), [x, z], unused="zero", create_graph=create_graph)
        assert [g.tolist() for g in found] == [[2.0, 4.0], [0.0, 0.0]]


def test_an_output_that_is_named_twice_counts_twice(device: str) -> None:
    x = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    y = (x * x).sum()
    for create_graph in (False, True):
        (found,) = tg.gradients([y, y], [x], create_graph=create_graph)
        assert found.tolist() == [4.0, 8.0]
        y = (x * x).sum()
        (found,) = tg.gradients([y, x.sum(), y], [x], [tg.tensor(v, device=device) for v in (1.0, 5.0, -1.0)])
        assert found.tolist() == [5.0, 5.0]


@pytest.mark.parametrize("tangents", [(V,), (V, V, V), V, [V, V]])
def test_tangents_are_as_many_as_the_arguments(tangents: Any) -> None:
    x = tg.tensor(V)
    with pytest.raises(TypeError, match="jvp: primals and tangents are one tensor each, or two tuples of equal length"):
        tg.jvp(lambda a, b: a * b, (x, x), tangents)
    with pytest.raises(TypeError, match="jvp: primals and tangents are one tensor each, or two tuples of equal length"):
        tg.jvp(lambda a: a * a, x, (x,))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_by_nothing_have_no_elements(mode: str) -> None:
    x = tg.zeros(0, dtype=tg.float64)
    slope = lambda x: tg.jacobian(lambda x: x * x, mode=mode)(x)  # noqa: E731
    assert tg.jacobian(slope, mode=mode)(x).shape == (0, 0, 0)
    assert tg.hessian(lambda x: (x * x).sum())(x).shape == (0, 0)


def test_a_tangent_is_broadcast_where_its_argument_is(device: str) -> None:
    a, b = tg.tensor([1.0, 2.0, 3.0], device=device), tg.ones((2, 3), device=device)
    for function in (lambda a: a + b, lambda a: b - a, lambda a: tg.maximum(a, b * 0)):
        value, tangent = tg.jvp(function, (a,), (tg.ones_like(a),))
        assert tangent.shape == value.shape == (2, 3)
        assert abs(tg.jvp(lambda a, f=function: f(a).sum(), (a,), (tg.ones_like(a),))[1].item()) == 6.0
