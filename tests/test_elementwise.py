"""Operators, methods and other names of the functions of elements, and what their arguments may be."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.errors import GraphError, ShapeError

FLOATS = [operator.mod, operator.floordiv, divmod]
BITS = [operator.and_, operator.or_, operator.xor]


def same(found: Any, expected: Any) -> None:
    for a, b in zip(*(x if isinstance(x, tuple) else (x,) for x in (found, expected)), strict=True):
        assert isinstance(a, tg.Tensor)
        assert a.dtype == b.dtype
        assert np.array_equal(host(a), b)


# Operators.


@pytest.mark.parametrize("function", FLOATS)
def test_division_with_rest(function: Any, device: str) -> None:
    a, b = np.array([7.5, -7.5, 7.5, -7.5], "float32"), np.array([2.0, 2.0, -2.0, -2.0], "float32")
    x, y = (tg.tensor(values, device=device) for values in (a, b))
    same(function(x, y), function(a, b))
    same(function(x, 2), function(a, 2))
    same(function(7.0, y), function(7.0, b))
    same(function(x, [2.0, 1.0, 4.0, 3.0]), function(a, np.array([2.0, 1.0, 4.0, 3.0], "float32")))
    if device == "cpu":
        same(function(a, y), function(a, b))
    whole = np.array([7, -7])
    same(function(tg.tensor(whole, device=device), 2), function(whole, 2))


@pytest.mark.parametrize("function", BITS)
@pytest.mark.parametrize("dtype", ["bool", "int32"])
def test_logic(function: Any, dtype: str, device: str) -> None:
    a, b = np.array([0, 0, 1, 1]).astype(dtype), np.array([0, 1, 0, 1]).astype(dtype)
    x, y = (tg.tensor(values, device=device) for values in (a, b))
    same(function(x, y), function(a, b))
    same(function(x, True), function(a, True))
    same(function(True, y), function(True, b))
    same(~x, ~a)


@pytest.mark.parametrize("function", BITS)
def test_logic_on_floats_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=r"bitwise_(and|or|xor): cannot take float32"):
        function(tg.ones(2), tg.ones(2))
    with pytest.raises(TypeError, match="invert: cannot take float32"):
        ~tg.ones(2)


def test_masks_are_combined(device: str) -> None:
    x = tg.tensor([-2.0, 0.5, 3.0], device=device)
    assert host((x > 0) & (x < 1)).tolist() == [False, True, False]
    assert host((x < 0) | ~(x < 1)).tolist() == [True, False, True]


def test_rounding_protocols(device: str) -> None:
    x = tg.tensor([1.26, -1.74], device=device)
    assert host(round(x)).tolist() == [1.0, -2.0]
    assert np.allclose(host(round(x, 1)), [1.3, -1.7])
    assert [host(f(x)).tolist() for f in (math.floor, math.ceil, math.trunc)] == [[1, -2], [2, -1], [1, -1]]


def test_augmented_assignment_makes_a_new_tensor() -> None:
    x = kept = tg.tensor([7.0]) * 1
    x %= 4
    assert (x.item(), kept.item()) == (3.0, 7.0)
    x //= 2
    assert x.item() == 1.0
    mask = kept_mask = tg.tensor([True])
    mask &= False
    assert (mask.item(), kept_mask.item()) == (False, True)
    mask |= True
    mask ^= True
    assert mask.item() is False
    leaf = tg.tensor([7.0], requires_grad=True)
    with pytest.raises(GraphError, match="w %= "):
        leaf %= 2
    with pytest.raises(GraphError, match="w //= "):
        leaf //= 2


def test_the_derivative_of_a_remainder_by_both() -> None:
    a, b = tg.tensor([7.5, -7.5], dtype=tg.float64), tg.tensor([2.0, 2.0], dtype=tg.float64)
    for function, expected in ((operator.mod, [-3.0, 4.0]), (tg.fmod, [-3.0, 3.0])):
        by_a, by_b = tg.grad(lambda a, b, f=function: f(a, b).sum(), argnums=(0, 1))(a, b)
        assert (by_a.tolist(), by_b.tolist()) == ([1.0, 1.0], expected)


@pytest.mark.parametrize(("function", "times"), [(tg.fmod, 9.0), (tg.remainder, 9.0)])
def test_what_is_left_over_says_how_often_it_was_taken(function: Any, times: float) -> None:
    """0.1 goes into 1.0 nine times and leaves almost 0.1, for it is a little more than a tenth; 1.0 / 0.1 is 10.0."""
    assert function(1.0, np.array(0.1)) > 0.0999
    assert tg.grad(lambda b: function(1.0, b))(tg.tensor(0.1, dtype=tg.float64)).item() == -times


# Methods and other names.


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("abs", "absolute"), ("acos", "arccos"), ("acosh", "arccosh"), ("asin", "arcsin"), ("asinh", "arcsinh"),
        ("atan", "arctan"), ("atan2", "arctan2"), ("atanh", "arctanh"), ("mod", "remainder"), ("pow", "power"),
        ("degrees", "rad2deg"), ("radians", "deg2rad"),
    ],
)  # fmt: skip
def test_other_names_are_the_same_object(other: str, name: str) -> None:
    assert getattr(tg, other) is getattr(tg, name)


@pytest.mark.parametrize(
    "name", "abs arcsin ceil clip cosh erf exp2 expm1 floor isnan log1p log2 round rsqrt sigmoid sin sinc trunc".split()
)
def test_methods_are_the_functions(name: str) -> None:
    x = tg.tensor([0.25, 0.75])
    assert getattr(x, name)().tolist() == getattr(tg, name)(x).tolist()


# clip.


@pytest.mark.parametrize(
    ("args", "names", "low", "high"),
    [
        ((0, 1), {}, 0, 1), ((None, 1), {}, None, 1), ((0,), {}, 0, None), ((0,), {"max": 1}, 0, 1),
        ((), {"min": 0}, 0, None), ((), {"max": 1}, None, 1), ((), {}, None, None),
    ],
)  # fmt: skip
def test_clip_takes_any_combination_of_bounds(args: Any, names: Any, low: Any, high: Any, device: str) -> None:
    x = tg.tensor([-2.0, 0.25, 3.0], device=device)
    y, raw = tg.clip(x, *args, **names), tg.clip(x._array, *args, **names)
    expected = [-2.0 if low is None else 0.0, 0.25, 3.0 if high is None else 1.0]
    assert host(y).tolist() == host(raw).tolist() == host(x.clip(*args, **names)).tolist() == expected
    assert y is not x
    assert not isinstance(raw, tg.Tensor)
    assert raw is not x._array


def test_clip_by_keyword_has_derivatives() -> None:
    x, low = tg.tensor([-2.0, 0.25, 3.0]), tg.tensor(0.0)
    by_x, by_low = tg.grad(lambda x, low: tg.clip(x, min=low).sum(), argnums=(0, 1))(x, low)
    assert (by_x.tolist(), by_low.item()) == ([0.0, 1.0, 1.0], 1.0)
    assert tg.grad(lambda x: tg.clip(x).sum())(x).tolist() == [1.0, 1.0, 1.0]


def test_clip_of_whole_numbers_takes_bounds_beyond_them() -> None:
    x = np.array([-5, 300], "int32")
    for bounds in ((-(2**40), 2**40), (0, 2**31), (-(2**31), 100)):
        assert tg.clip(tg.tensor(x), *bounds).tolist() == np.clip(x, *bounds).tolist()
        assert tg.clip(tg.tensor(x), *bounds).dtype == np.int32


@pytest.mark.parametrize("bad", ["1", 1j, {}, object()])
def test_clip_and_nan_to_num_name_a_bad_argument(bad: Any) -> None:
    x = tg.ones(2)
    for position, call in enumerate((lambda: tg.clip(bad), lambda: tg.clip(x, bad), lambda: tg.clip(x, max=bad))):
        with pytest.raises(TypeError, match=f"clip: argument {position} is a {type(bad).__name__}"):
            call()
    with pytest.raises(TypeError, match=f"nan_to_num: nan is a {type(bad).__name__}"):
        tg.nan_to_num(x, nan=bad)
    with pytest.raises(TypeError, match=f"nan_to_num: neginf is a {type(bad).__name__}"):
        tg.nan_to_num(x, neginf=bad)


def test_clip_refuses_two_values_for_one_bound() -> None:
    with pytest.raises(ValueError, match="clip: the same bound is given twice"):
        tg.clip(tg.ones(2), 0, min=0)
    with pytest.raises(ValueError, match="clip: the same bound is given twice"):
        tg.clip(tg.ones(2), 0, 1, max=1)
    with pytest.raises(ShapeError, match=r"clip_low: shapes \(3,\) and \(2,\)"):
        tg.clip(tg.ones(3), tg.ones(2))


# The rest.


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_nan_to_num_by_default_stays_in_the_range(dtype: Any, device: str) -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1.5], dtype)
    y = tg.nan_to_num(tg.tensor(values, device=device))
    assert y.dtype == dtype
    assert np.array_equal(host(y), np.nan_to_num(values))
    assert tg.nan_to_num(tg.tensor([1, 2])).tolist() == [1, 2]
    with pytest.raises(ValueError, match="copy=False"):
        tg.nan_to_num(y, copy=False)


def test_what_replaces_nan_gets_the_derivative() -> None:
    x, fill = tg.tensor([1.0, math.nan, math.inf]), tg.tensor(7.0)
    by_x, by_fill = tg.grad(lambda x, fill: tg.nan_to_num(x, nan=fill).sum(), argnums=(0, 1))(x, fill)
    assert (by_x.tolist(), by_fill.item()) == ([1.0, 0.0, 0.0], 1.0)


def test_round_wants_a_whole_number_of_decimals() -> None:
    assert tg.round(tg.tensor([123.0, 178.0]), np.int64(-1)).tolist() == [120.0, 180.0]
    with pytest.raises(TypeError, match=r"round: decimals is a whole number; got 1\.5"):
        tg.round(tg.ones(2), 1.5)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin", "hypot", "arctan2", "logaddexp", "remainder"])
@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float32", "int64"), ("float16", "float32")])
def test_mixed_dtypes_are_numpys_and_gradients_their_arguments(name: str, dtypes: Any, device: str) -> None:
    a, b = (np.array(values).astype(dtype) for values, dtype in zip(([3.5, -2.25], [2, 4]), dtypes, strict=True))
    x, y = (tg.tensor(values, device=device, requires_grad=values.dtype.kind == "f") for values in (a, b))
    z = getattr(tg, name)(x, y)
    assert z.dtype == getattr(np, name)(a, b).dtype
    leaves = [leaf for leaf in (x, y) if leaf.requires_grad]
    gradients = tg.gradients(z.sum(), leaves, create_graph=True)
    assert [g.dtype for g in gradients] == [leaf.dtype for leaf in leaves]


@pytest.mark.parametrize("name", ["power", "xlogy", "hypot", "arctan2", "logaddexp", "fmax", "remainder", "maximum"])
def test_a_number_beside_float32_leaves_it_float32(name: str) -> None:
    function, x = getattr(tg, name), tg.tensor([0.0, 0.5, 2.0])
    for call in (lambda x: function(x, 2), lambda x: function(3.0, x), lambda x: function(x, 0.5)):
        with np.errstate(all="ignore"):
            y, pullback = tg.vjp(call, x)
            assert y.dtype == tg.float32
            assert pullback(tg.ones(3))[0].dtype == tg.float32
            second = tg.grad(lambda x, call=call: tg.grad(lambda x: call(x).sum())(x).sum())(x)
        assert second.dtype == tg.float32


def test_relu_passes_nan_on() -> None:
    assert math.isnan(tg.relu(tg.tensor(math.nan)).item())
    assert tg.grad(tg.relu)(tg.tensor(math.nan)).item() == 1.0  # as in PyTorch
