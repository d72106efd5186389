"""Functions that move elements, where the property suite does not look: several results, forms of arguments, errors."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.kinds import sum_to
from tinygrad_opt.errors import ShapeError

X = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
M = X[0]
V = M[0]


def same(found: Any, expected: Any) -> bool:
    """Equal in kind of container, shape, dtype and values."""
    if isinstance(expected, (list, tuple)):
        return type(found) is type(expected) and all(map(same, found, expected)) and len(found) == len(expected)
    array = np.asarray(found.detach().numpy() if isinstance(found, tg.Tensor) else found)
    expected = np.asarray(expected)
    return (array.shape, array.dtype) == (expected.shape, expected.dtype) and np.array_equal(array, expected)


# Several results, one after the other, and every form of argument that NumPy knows.


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *[("split", (X, where, axis), {}) for where, axis in ((2, -1), ([1], 1), ((1, 2, 9), 2), ([], 0), ([-1], 1))],
    *[("array_split", (V, n), {}) for n in (1, 3, 5)],
    ("hsplit", (V, 2), {}), ("hsplit", (X, 3), {}), ("vsplit", (M, [1]), {}), ("dsplit", (X, 2), {}),
    ("unstack", (X,), {"axis": -2}),
    ("atleast_1d", (X, V), {}), ("atleast_1d", (np.float32(3),), {}),
    ("atleast_2d", (X, V), {}), ("atleast_2d", (V,), {}), ("atleast_3d", (M, V, X), {}),
    ("broadcast_arrays", (X, V, M[:, :1]), {}), ("broadcast_arrays", (X,), {}), ("broadcast_arrays", (), {}),
    *[
        ("meshgrid", (V, M[0, :2], V[:3]), {"indexing": indexing, "sparse": sparse})
        for indexing, sparse in itertools.product(("xy", "ij"), (True, False))
    ],
    ("meshgrid", (V, V[:0]), {}), ("meshgrid", (V,), {}), ("meshgrid", (), {}),
    ("gradient", (M,), {}), ("gradient", (M, 2.0), {"axis": (1,)}), ("gradient", (X,), {"axis": (2, 0)}),
    ("gradient", (np.arange(5),), {}), ("diff", (M > 5,), {"axis": 0}), ("diff", (M, 0), {}),
    *[
        ("pad", (M, widths), {})
        for widths in (
            1, (1, 2), ((1, 2),), [(1, 0), (2, 3)], [[1], [2]], np.array([[1, 2], [0, 1]]), {0: (1, 2)}, {-1: 3}, {},
            np.int64(2), (np.int32(1), 2),
        )
    ],
    *[("pad", (V, (9, 7), mode), {}) for mode in ("edge", "wrap", "symmetric", "reflect")],
    ("pad", (V[:1], 3, "reflect"), {}), ("pad", (V, 2, "symmetric"), {"reflect_type": "even"}),
    *[("pad", (M, 1), {"constant_values": c}) for c in (2, (1, 2), ((1, 2), (3, 4)), ((5,),), np.float32(3))],
    ("pad", (np.arange(3), 1), {"constant_values": 2.7}),
    ("roll", (M, (1, 2), (0, 0)), {}), ("roll", (M, 3), {}), ("roll", (M, -1, (0, 1)), {}), ("roll", (M, (), ()), {}),
    ("repeat", (M, [2, 0, 1], 0), {}), ("repeat", (M, np.array([3]), 1), {}), ("repeat", (V, np.int64(2)), {}),
    ("tile", (V, (2, 1)), {}), ("tile", (M, 2), {}), ("tile", (M, ()), {}), ("tile", (M, np.array([1, 2])), {}),
    ("rot90", (M, -1), {}), ("rot90", (M, 4), {}), ("rot90", (X, 1, (2, 0)), {}),
    ("diag", (V, -2), {}), ("diag", (M, 1), {}), ("diag", (M, 9), {}), ("diagflat", (M, 1), {}),
    ("diagonal", (X, -1, 2, 0), {}), ("trace", (X, 1, 1, 2), {}), ("triu", (X, -1), {}), ("tril", (V,), {}),
    ("cross", (M[:, :3], V[1:]), {}), ("vander", (np.arange(4), 3), {}), ("append", (M, V), {}),
    ("column_stack", ((V, M.T),), {}), ("hstack", ((V, np.float32(2)),), {}), ("dstack", ((V, V),), {}),
    ("reshape", (X, (6, -1)), {"order": "F"}), ("ravel", (X, "F"), {}), ("reshape", (X, np.int64(24)), {}),
    ("expand_dims", (M, np.int64(1)), {}), ("moveaxis", (X, np.int64(0), np.int64(-1)), {}),
    ("squeeze", (X[:1], np.int64(0)), {}), ("transpose", (M, (np.int64(1), np.int64(0))), {}),
    ("concatenate", ((V, V),), {"dtype": np.float64}), ("stack", ((V, V), 1), {"dtype": np.float64}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options"), CALLS, ids=[f"{i}-{c[0]}" for i, c in enumerate(CALLS)])
def test_numpys_results_in_numpys_containers(name: str, args: Any, options: Any) -> None:
    def entered(value: Any) -> Any:
        if isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
            return tuple(map(entered, value))
        return tg.tensor(value) if isinstance(value, (np.ndarray, np.float32)) else value

    several = name in ("meshgrid", "broadcast_arrays", "atleast_1d", "atleast_2d", "atleast_3d", "cross", "append")
    expected = getattr(np, name)(*args, **options)
    given = [entered(value) if several or i == 0 else value for i, value in enumerate(args)]
    assert same(getattr(tg, name)(*given, **options), expected)
    raw = getattr(tg, name)(*args, **options)
    assert same(raw, expected)
    results = raw if isinstance(raw, (list, tuple)) else [raw]
    assert not any(isinstance(y, tg.Tensor) for y in results)


def test_interpolation_beyond_the_ends_and_with_a_period() -> None:
    x, xp, fp = np.linspace(-4, 9, 40), np.array([0.0, 1.0, 2.5, 4.0]), np.array([1.0, -1.0, 3.0, 0.0])
    calls: list[dict[str, Any]] = [{}, {"left": -5.0}, {"right": 7}, {"period": 5.0}, {"period": -5, "left": 3.0}]
    for options in calls:
        expected = np.interp(x, xp, fp, **options)
        np.testing.assert_allclose(tg.interp(tg.tensor(x), xp, fp, **options).numpy(), expected, atol=1e-12)
        np.testing.assert_allclose(tg.interp(x, xp, fp, **options), expected, atol=1e-12)
    shuffled = [2, 0, 3, 1]
    found = tg.interp(x, xp[shuffled], fp[shuffled], period=5.0)
    np.testing.assert_allclose(found, np.interp(x, xp, fp, period=5.0), atol=1e-12)
    end = tg.tensor(2.0, requires_grad=True)
    tg.interp(tg.tensor([-1.0, 0.5, -2.0]), [0.0, 1.0], [0.0, 1.0], left=end).sum().backward()
    assert end.grad.tolist() == 2.0
    assert np.isnan(tg.interp(np.array([np.nan]), xp, fp)).all()


def test_gradient_is_exact_for_parabolas_on_uneven_grids() -> None:
    x = tg.tensor(np.array([0.0, 0.5, 2.0, 2.25, 4.0]))
    slopes = tg.gradient(3 * x * x - x, x, edge_order=2)
    np.testing.assert_allclose(slopes.numpy(), (6 * x - 1).numpy(), atol=1e-12)
    assert tg.gradient(np.array([1.0, np.nan, 2.0])).tolist()[1] == 0.5  # the middle is not read


@pytest.mark.parametrize("shape", [(300, 5), (3, 200, 7), (2000, 2), (10, 20, 30, 2), (1500, 8)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_sums_over_a_short_last_axis(shape: tuple[int, ...], dtype: str, device: str) -> None:
    """What broadcasting repeats along it is summed back, array by array."""
    values = np.random.default_rng(0).integers(-4, 5, shape).astype(dtype)
    x = tg.tensor(values, device=device)
    for kept in itertools.product(*[(1, n) for n in shape]):
        along = tuple(i for i, n in enumerate(kept) if n != shape[i])
        assert same(sum_to(x, shape=kept).cpu(), values.sum(axis=along, keepdims=True, dtype=dtype))
    assert same(sum_to(x, shape=()).cpu(), values.sum(dtype=dtype))


def test_half_precision_stays_half_precision_at_every_order() -> None:
    x = tg.tensor(np.array([0.25, 0.5, 1.0, 2.0], np.float16))
    functions: list[Callable[[Any], Any]] = [
        lambda x: tg.pad(x, 2, "reflect"), lambda x: tg.pad(x, 1, constant_values=2.0), lambda x: tg.vander(x, 4),
        lambda x: tg.gradient(x, edge_order=2), lambda x: tg.gradient(x, x), lambda x: tg.trapezoid(x, x),
        lambda x: tg.interp(x, [0.1, 0.3, 3.0], x[:3]), lambda x: tg.cross(x[:3], x[1:]), lambda x: tg.repeat(x, 3),
        lambda x: tg.stack(tg.meshgrid(x, x)), lambda x: tg.diff(x, 2, prepend=1.0), lambda x: tg.diag(x),
    ]  # fmt: skip
    for f in functions:
        y = f(x)
        gradient = tg.grad(lambda x, f=f: (f(x) * f(x)).sum())(x)
        product = tg.hvp(lambda x, f=f: (f(x) * f(x)).sum(), x, x)
        assert {y.dtype, gradient.dtype, product.dtype} == {tg.float16}
        assert np.isfinite(product.numpy()).all()


def test_constants_beside_a_tensor_are_differentiated() -> None:
    ends = tg.tensor([1.0, 2.0], requires_grad=True)
    tg.pad(tg.zeros(2, 3), 1, constant_values=ends).sum().backward()
    assert ends.grad.tolist() == [4.0 + 3.0, 4.0 + 3.0]  # the last axis has the corners


# Tensors among lists and numbers, and what becomes of their dtypes.


def test_lists_and_numbers_give_way_to_tensors() -> None:
    x = tg.tensor(np.ones(2, np.float16))
    joined: list[Any] = [tg.concatenate([x, [1, 2]]), tg.hstack([1.5, x]), tg.append(x, 7.5), tg.diff(x, prepend=2)]
    joined += [tg.pad(x, 1, constant_values=1.5), tg.interp(x, [0, 1], [2, 3]), tg.trapezoid(x, [0, 2])]
    joined += [tg.gradient(x, [0, 2]), tg.cross([1, 2, 3], tg.ones(3, dtype=tg.float16)), tg.vander(x, 3)]
    assert {y.dtype for y in joined} == {tg.float16}
    assert tg.interp(0.5, [0, 1], [1, 2]).dtype == tg.float32
    raw = np.ones(2, np.float32)
    for y in (tg.concatenate([raw, [1, 2]]), tg.pad(raw, 1, constant_values=1.5), tg.diff(raw, append=2.5)):
        assert (type(y), y.dtype) == (np.ndarray, np.float32)


def test_concat_is_concatenate() -> None:
    assert tg.concat is tg.concatenate


# Methods, and memory.


def test_methods() -> None:
    x = tg.tensor(M)
    pairs: list[tuple[Any, Any]] = [
        (x.flip(0), np.flip(M, 0)), (x.roll(1, 1), np.roll(M, 1, 1)), (x.repeat(2, axis=0), M.repeat(2, 0)),
        (x.tile(2), np.tile(M, 2)), (x.diagonal(1), M.diagonal(1)), (x.trace(), M.trace()), (x.triu(), np.triu(M)),
        (x.tril(-1), np.tril(M, -1)), (x.split(3), np.split(M, 3)), (x.unstack(), tuple(M)),
        (x.flatten("F"), M.flatten("F")), (x.reshape(2, 6, order="F"), M.reshape(2, 6, order="F")),
        (x.moveaxis(0, 1), M.T), (x.reshape(np.int64(-1)), M.reshape(-1)),
    ]  # fmt: skip
    assert [i for i, (found, expected) in enumerate(pairs) if not same(found, expected)] == []


def test_views_and_copies() -> None:
    x = tg.tensor(M)
    views = [tg.flip(x), tg.diagonal(x), *tg.split(x, 3), *tg.unstack(x), tg.reshape(x, -1, copy=False)]
    views += [tg.broadcast_arrays(x, tg.ones(2, 1, 1))[0], *tg.meshgrid(x[0], x[1], copy=False)]
    assert all(np.shares_memory(x.numpy(), y.numpy()) for y in views)
    copies = [*tg.meshgrid(x[0], x[1]), tg.reshape(x, -1, copy=True)]
    assert not any(np.shares_memory(x.numpy(), y.numpy()) for y in copies)
    with pytest.raises(ValueError, match="reshape: with copy=False the elements must stay where they are"):
        tg.reshape(x.T, -1, copy=False)


# Errors name the function and the argument.


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: tg.concatenate(5), TypeError, "concatenate: expected a sequence of tensors"),
    (lambda: tg.concatenate([M, None]), TypeError, "concatenate: argument 1 is a NoneType"),
    (lambda: tg.concatenate([1.0, 2.0]), ShapeError, "concatenate: numbers have no axis"),
    (lambda: tg.stack([V], "rows"), TypeError, "stack: axis must be an integer; got 'rows'"),
    (lambda: tg.hstack([]), ShapeError, "hstack: at least one tensor is needed"),
    (lambda: tg.vstack([V, M[:, :2]]), ShapeError, "vstack: shapes (1, 4) and (3, 2) do not fit"),
    (lambda: tg.split(M, 2), ShapeError, "split: axis 0 of length 3 cannot be cut into 2 equal pieces"),
    (lambda: tg.split(M, 0), ValueError, "split: indices_or_sections must be at least 1; got 0"),
    (lambda: tg.split(M, [1.5]), TypeError, "split: indices_or_sections must be an integer; got 1.5"),
    (lambda: tg.dsplit(M, 2), ShapeError, "dsplit: at least 3 axes are needed; got shape (3, 4)"),
    (lambda: tg.unstack(M, axis=2), ShapeError, "unstack: axis 2 is out of bounds for a tensor of 2 axes"),
    (lambda: tg.flip(M, (0, -2)), ShapeError, "flip: axis (0, -2) names one axis twice"),
    (lambda: tg.roll(M, 1.5), TypeError, "roll: shift must be an integer; got 1.5"),
    (lambda: tg.roll(M, (1, 2, 3), (0, 1)), ShapeError, "roll: shift (1, 2, 3) and axis (0, 1)"),
    (lambda: tg.rot90(M, axes=(0, 0)), ShapeError, "rot90: axes (0, 0) names one axis twice"),
    (lambda: tg.tile(M, -1), ShapeError, "tile: reps must not be negative; got -1"),
    (lambda: tg.repeat(M, [1, 2], 0), ShapeError, "one for each of the 3 elements along axis 0; got [1, 2]"),
    (lambda: tg.repeat(M, tg.tensor([0.5])), TypeError, "repeat: repeats must be an integer; got 0.5"),
    (lambda: tg.pad(M, -1), ShapeError, "pad: pad_width has no negative numbers; got -1"),
    (lambda: tg.pad(M, (1, 2, 3)), ShapeError, "pad: pad_width must be a number, a pair (before, after), or one pair"),
    (lambda: tg.pad(M, {2: 1}), ShapeError, "pad: pad_width: axis 2 is out of bounds"),
    (lambda: tg.pad(M, 1, "mean"), ValueError, "pad: mode must be one of constant, edge, wrap, symmetric, reflect"),
    (lambda: tg.pad(M, 1, "edge", constant_values=1), ValueError, "'constant_values' does not go with mode 'edge'"),
    (lambda: tg.pad(V[:0], 1, "wrap"), ShapeError, "pad: axis 0 is empty"),
    (lambda: tg.diag(X), ShapeError, "diag: a vector or a matrix is needed; got shape (2, 3, 4)"),
    (lambda: tg.diagonal(V), ShapeError, "diagonal: a diagonal needs two axes; got shape (4,)"),
    (lambda: tg.trace(M, axis1=1), ShapeError, "trace: axis1 and axis2 must be different; both are 1"),
    (lambda: tg.triu(M, 0.5), TypeError, "triu: k must be an integer; got 0.5"),
    (lambda: tg.cross(M, M), ShapeError, "cross: vectors have three components; got shape (3, 4), whose axis 1 has 4"),
    (lambda: tg.vander(M), ShapeError, "vander: a vector is needed; got shape (3, 4)"),
    (lambda: tg.diff(V, -1), ValueError, "diff: n must not be negative; got -1"),
    (lambda: tg.diff(M, prepend=V), ShapeError, "diff: prepend must be a number, or have as many axes"),
    (lambda: tg.gradient(V[:1]), ShapeError, "gradient: at least 2 samples along axis 0 are needed"),
    (lambda: tg.gradient(M, 1, 2, 3), TypeError, "gradient: one distance for all 2 axes, or one for each; got 3"),
    (lambda: tg.gradient(V, V[:2]), ShapeError, "the places of all 4; got shape (2,)"),
    (lambda: tg.interp(V, V, V[:2]), ShapeError, "interp: xp and fp must be vectors of one length, at least 1"),
    (lambda: tg.interp(V, V, V, left="a"), TypeError, "interp: left must be a number, a tensor or a list"),
    (lambda: tg.interp(V, V, V, period=0), ValueError, "interp: period must be a number other than 0; got 0"),
    (lambda: tg.trapezoid(V, V[:2]), ShapeError, "trapezoid: x must have one place for each of the 4 samples"),
    (lambda: tg.meshgrid(M), ShapeError, "meshgrid: vectors are needed; got shapes [(3, 4)]"),
    (lambda: tg.meshgrid(V, indexing="yx"), ValueError, "meshgrid: indexing must be 'xy' or 'ij'; got 'yx'"),
    (lambda: tg.broadcast_arrays(M, V[:3]), ShapeError, "broadcast_arrays: shapes (3, 4) and (3,) do not broadcast"),
    (lambda: tg.reshape(M, 2.5), TypeError, "reshape: a shape is an integer or several; got 2.5"),
    (lambda: tg.reshape(M, (-2, 3)), ShapeError, "reshape: a shape has no negative sides, but for one -1; got (-2, 3)"),
    (lambda: tg.reshape(M, 12, "A"), ValueError, "reshape: order must be 'C' (the last axis varies fastest) or 'F'"),
    (lambda: tg.broadcast_to(V, -4), ShapeError, "broadcast_to: a shape has no negative sides; got (-4,)"),
    (lambda: tg.swapaxes(M, 0, 2), ShapeError, "swapaxes: axis2 2 is out of bounds for a tensor of 2 axes"),
    (lambda: tg.moveaxis(M, 0, "a"), TypeError, "moveaxis: destination must be an integer; got 'a'"),
    (lambda: tg.expand_dims(M, (0, 0)), ShapeError, "expand_dims: axis (0, 0) names one axis twice"),
    (lambda: tg.transpose(M, (0,)), ShapeError, "transpose: axes (0,) must name each of the 2 axes once"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "said"), ERRORS, ids=[said[:40] for _, _, said in ERRORS])
def test_errors(call: Callable[[], Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=re.escape(said)):
        call()
