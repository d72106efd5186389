"""What NumPy does with unusual arguments, and ours too: of tensors, through NumPy's own function, and of raw arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

INTEGERS = np.array([[3, -4, 1], [0, 2, 5]])
FLOATS = np.array([[1.5, -0.5, 2.0], [0.25, 4.0, -3.0]], np.float32)
BOOLS = np.array([[True, False, True], [False, False, False]])
ROW = np.array([4.0, 1.0, 3.0, 2.0, 7.0, 5.0])
KNOTS = np.array([0.0, 1.0, 2.0])
NAN, INF = float("nan"), float("inf")
PLACES = [
    "linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf", "closest_observation",
    "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased",
]  # fmt: skip

CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    # A reduction starts in the dtype of its elements.
    ("sum", (INTEGERS,), {"initial": -1.5}), ("sum", (INTEGERS, 0), {"initial": np.float32(1.5)}),
    ("prod", (INTEGERS, 1), {"initial": 2.5}), ("sum", (FLOATS,), {"initial": np.float64(0.1)}),
    *[
        (name, (a,), {"axis": 1, "initial": start})
        for name in ("max", "min")
        for a, start in ((INTEGERS, 1.5), (BOOLS, 2), (FLOATS, np.int64(1)), (FLOATS, np.float64(1.5)))
    ],
    ("max", (BOOLS,), {"axis": 0, "initial": 3, "where": BOOLS}), ("nanmax", (FLOATS,), {"initial": np.int64(3)}),
    ("nanmin", (INTEGERS[:, :0],), {"initial": np.float32(1.5)}),
    # The dtype that was asked for, with a mask too.
    ("mean", (INTEGERS,), {"axis": 1, "dtype": np.int64, "where": INTEGERS != 0}),
    ("nanmean", (BOOLS,), {"axis": 0, "dtype": np.int64}), ("trace", (FLOATS,), {"dtype": np.float64}),
    # The sum of the weights does not depend on the elements, but has the dtype of the mean.
    ("average", (np.array([1.0, NAN]),), {"returned": True}),
    ("average", (np.array([INF, 2.0], np.float32),), {"returned": True}),
    ("average", (np.array([1.0, NAN]),), {"weights": np.array([1, 2]), "returned": True}),
    ("average", (INTEGERS,), {"axis": 1, "weights": np.array([1, 2, 3], np.float32), "returned": True}),
    # All choices, and not two of them, decide about the dtype.
    ("select", ([BOOLS, ~BOOLS], [FLOATS, -3]), {}), ("select", ([BOOLS, BOOLS], [-3, FLOATS]), {}),
    ("select", ([BOOLS, ~BOOLS], [FLOATS, -3], np.ones(3, np.uint8)), {}),
    ("select", ([BOOLS], [np.float16(2.5)], 1), {}),
    # Quantiles by every definition, and none at all.
    *[("quantile", (ROW, [0.0, 0.1, 0.25, 0.5, 2 / 3, 0.75, 1.0]), {"method": method}) for method in PLACES],
    *[("percentile", (ROW[:n], 100 / 6), {"method": method}) for method in PLACES for n in (1, 2, 3)],
    ("quantile", (FLOATS.astype(float), []), {"axis": 0}), ("percentile", (ROW, []), {"keepdims": True}),
    # Lines between whole numbers, and beside infinite ones.
    ("interp", (np.array([0.5, 1.5]), KNOTS, np.array([4, 2, 3], np.uint8)), {}),
    ("interp", (np.array([0.5, 1.5]), KNOTS, np.array([True, False, True])), {}),
    *[("interp", (KNOTS, KNOTS, np.array(values)), {}) for values in ([INF, 1.0, 2.0], [1.0, INF, 2.0])],
    ("searchsorted", (KNOTS, 1.5), {}), ("searchsorted", (KNOTS, [0.5, 2.0]), {"side": "right"}),
    ("permute_dims", (FLOATS,), {}), ("permute_dims", (FLOATS, None), {}), ("transpose", (FLOATS, None), {}),
]  # fmt: skip


def tensors(value: Any) -> Any:
    """The same arguments, with tensors for arrays."""
    if isinstance(value, np.ndarray):
        return tg.Tensor(value.copy())
    return [tensors(item) for item in value] if isinstance(value, list) else value


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("position", range(len(CALLS)), ids=lambda i: f"{CALLS[i][0]}-{i}")
def test_numpys_result(position):
    name, args, meta = CALLS[position]
    expected = leaves(getattr(np, name)(*args, **meta))
    lifted = [tensors(a) for a in args], {key: tensors(value) for key, value in meta.items()}
    for function in (getattr(tg, name), getattr(np, name)):
        found = leaves(function(*lifted[0], **lifted[1]))
        assert all(isinstance(x, tg.Tensor) for x in found)
        compare([x.numpy() for x in found], expected)
    found = leaves(getattr(tg, name)(*args, **meta))
    assert not any(isinstance(x, tg.Tensor) for x in found)
    compare(found, expected)


def compare(found: list[Any], expected: list[Any]) -> None:
    for x, y in zip(found, expected, strict=True):
        assert (np.shape(x), np.asarray(x).dtype) == (np.shape(y), np.asarray(y).dtype)
        assert np.allclose(x, y, rtol=1e-6, atol=1e-6, equal_nan=True)


def test_covariances_of_too_few_weighted_observations_are_nan():
    weights = np.array([0.3, 0.7])
    found = tg.cov(tg.tensor([[1.0, 2.0], [3.0, 5.0]]), ddof=2, aweights=weights)
    assert np.isnan(found.numpy()).all()
    assert np.isfinite(tg.cov(tg.tensor([[1.0, 2.0], [3.0, 5.0]]), ddof=1, aweights=weights).numpy()).all()


def test_quantiles_by_every_definition_differentiate():
    for method in PLACES:
        tg.testing.gradcheck(lambda x, method=method: tg.quantile(x, [0.2, 0.55, 0.9], method=method) ** 2, [ROW])


def test_line_beside_an_infinite_value_has_the_slope_of_the_finite_side():
    xs = tg.tensor([0.0, 1.0, 2.0, 2.5], dtype=tg.float64, requires_grad=True)
    y = tg.interp(xs, tg.tensor([0.0, 1.0, 2.0, 3.0]), tg.tensor([INF, 1.0, 3.0, 7.0]))
    assert y.tolist() == [INF, 1.0, 3.0, 5.0]
    assert tg.gradients(y[1:].sum(), xs).tolist() == [0.0, 2.0, 4.0, 4.0]


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("initial", ["one", [1, 2], INF])
def test_no_start_for_a_reduction_of_integers(name, initial):
    with pytest.raises(TypeError, match=f"{name}: initial must be a number that int64 can hold"):
        getattr(tg, name)(INTEGERS, initial=initial)


def test_a_list_of_tensors_that_require_gradients_names_stack():
    a = tg.tensor(1.0, requires_grad=True)
    for call in (lambda: tg.mean([a, a]), lambda: tg.tensor([a, a]), lambda: a + [a, a]):
        with pytest.raises(TypeError, match=r"tg\.stack\(\[a, b\]\)"):
            call()


def test_on_every_device(device):
    x = tg.tensor([1.0, 2.0, 4.0], device=device)
    assert tg.select([x > 3, x > 1], [x, -3], 0).dtype == tg.float32
    assert tg.sum(x, initial=2).tolist() == 9.0
    assert tg.max(x > 1, initial=2).tolist() is True
    assert tg.average(x, returned=True)[1].tolist() == 3.0
    assert tg.quantile(x, [], method="hazen").shape == (0,)
    assert tg.interp(x, tg.tensor([0, 4], device=device), tg.tensor([0, 8], device=device)).tolist() == [2.0, 4.0, 8.0]
    assert tg.searchsorted(x, 1.5).tolist() == 1
    assert tg.trace(x.reshape(3, 1), dtype=tg.float64).dtype == tg.float64
    assert np.isnan(tg.cov(x, ddof=3, aweights=x).tolist())
