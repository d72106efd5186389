"""Losses, beside what the table of layers sees: what they refuse, extreme values, kinks, dtypes, cost."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import ROUTES
from tinygrad_opt import nn
from tinygrad_opt.core.tape import reachable

F = nn.functional
ELEMENTWISE = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "hinge_embedding_loss",
    "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
    "soft_margin_loss",
]  # fmt: skip
LOSSES = [getattr(nn, name) for name in nn.losses.__all__]


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def called(name: str, prediction: Any, target: Any, **options: Any) -> Any:
    """An elementwise loss; what it takes beside a prediction and a target fits these."""
    loss = getattr(F, name)
    if name == "gaussian_nll_loss":
        return loss(prediction, target, 1.0, **options)
    if name == "margin_ranking_loss":
        return loss(prediction, prediction, target, **options)
    return loss(prediction, target, **options)


# Shapes.


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_unequal_shapes_are_refused_with_the_remedy(name: str, device: str) -> None:
    ones = functools.partial(tg.ones, device=device)
    with pytest.raises(tg.errors.ShapeError) as caught:
        called(name, ones(64, 1), ones(64))
    expected = "prediction (64, 1), target (64,). Broadcasting would compare every pair: use target.reshape(64, 1)."
    assert str(caught.value) == f"{name}: {expected}"
    with pytest.raises(tg.errors.ShapeError, match=rf"{name}: prediction \(4,\), .*use target.reshape\(4\)\."):
        called(name, ones(4), ones(4, 1))
    for target in ((3,), (1, 3), (2, 1), ()):
        with pytest.raises(tg.errors.ShapeError, match=rf"{name}: .*tg.broadcast_to\(target, \(2, 3\)\)"):
            called(name, ones(2, 3), ones(target))
    with pytest.raises(tg.errors.ShapeError, match=rf"{name}: .*\(2, 3\), .*\(2,\)\. The shapes must be equal\.$"):
        called(name, ones(2, 3), ones(2))


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("stranger", [None, "text", object(), {"a": 1}, np.array(["a"]), np.ones(2, complex)])
def test_strangers_are_refused_by_name(name: str, stranger: object) -> None:
    for position in (0, 1):
        arguments: list[Any] = [tg.ones(2), tg.ones(2)]
        arguments[position] = stranger
        with pytest.raises(TypeError, match=rf"^{name}: {('prediction', 'target')[position]}"):
            called(name, *arguments)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_prediction_is_floating_and_a_target_follows_it(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name}: prediction must be floating numbers.*got int64"):
        called(name, tg.ones(2, dtype=tg.int64), tg.ones(2))
    x = tg.tensor(np.full(3, 0.5, "float32"), requires_grad=True)
    whole = called(name, x, np.ones(3, "int64"))
    whole.backward()
    assert (whole.dtype, x.grad.dtype) == (tg.float32, tg.float32)
    for target in (tg.ones(3), [1, 1, 1], np.ones(3, "uint8"), np.ones(3, "float32")):
        assert called(name, x, target).item() == whole.item()


def test_losses_of_several_predictions_name_the_one_that_does_not_fit() -> None:
    a, b, signs = tg.ones(2, 3), tg.ones(3), [1, -1]
    for call, named in (
        (lambda: F.margin_ranking_loss(a, b, a), "other"),
        (lambda: F.cosine_embedding_loss(a, b, signs), "other"),
        (lambda: F.triplet_margin_loss(a, b, a), "positive"),
        (lambda: F.triplet_margin_loss(a, a, b), "negative"),
    ):
        with pytest.raises(tg.errors.ShapeError, match=rf"\(2, 3\), {named} \(3,\)\. .*broadcast_to\({named}, "):
            call()
    with pytest.raises(tg.errors.ShapeError, match=r"cosine_embedding_loss: expected vectors .*\(2, 3\) and \(3,\)"):
        F.cosine_embedding_loss(a, a, [1, 1, 1])
    with pytest.raises(tg.errors.ShapeError, match=r"gaussian_nll_loss: var \(2,\) for a prediction \(3,\)"):
        F.gaussian_nll_loss(b, b, tg.ones(2))
    with pytest.raises(tg.errors.ShapeError, match=r"multi_margin_loss: .*\(batch, classes\) or \(classes,\)"):
        F.multi_margin_loss(tg.ones(2, 3, 4), [0, 1])


def test_arrays_give_arrays() -> None:
    x, y = normal(3).astype("float32"), normal(3, seed=1).astype("float32")
    loss = F.mse_loss(x, y)
    assert not isinstance(loss, tg.Tensor)
    assert loss.dtype == np.float32
    assert loss == pytest.approx(((x - y) ** 2).mean(), rel=1e-6)
    assert F.cross_entropy(x, np.array(1)).dtype == np.float32


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_empty_batch_has_a_sum_but_no_mean(name: str, device: str) -> None:
    empty = tg.zeros(0, 2, device=device)
    assert called(name, empty, empty, reduction="sum").item() == 0
    assert called(name, empty, empty, reduction="none").shape == (0, 2)
    with pytest.raises(tg.errors.ShapeError, match=rf"{name}: the mean over an empty batch has no value"):
        called(name, empty, empty)


def test_devices_do_not_mix(device: str) -> None:
    if device == "cpu":
        pytest.skip("one device")
    there = tg.ones(2, device=device)
    for call in (
        lambda: F.mse_loss(tg.ones(2, device=device), tg.ones(2)),
        lambda: F.cross_entropy(tg.ones(1, 2, device=device), tg.tensor([1])),
        lambda: F.cross_entropy(tg.ones(1, 2, device=device), [1], weight=tg.ones(2)),
        lambda: F.binary_cross_entropy_with_logits(tg.ones(2, device=device), [1, 0], weight=tg.ones(2)),
        lambda: F.gaussian_nll_loss(there, there, tg.ones(2)),
        lambda: F.margin_ranking_loss(there, tg.ones(2), [1, -1]),
        lambda: F.cosine_embedding_loss(there, there, tg.tensor(1)),
        lambda: F.triplet_margin_loss(there, there, tg.ones(2)),
    ):
        with pytest.raises(tg.errors.DeviceError, match=r"^(mse_loss|cross_entropy|[a-z_]*_(loss|logits)): "):
            call()


# Options.


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_a_bad_reduction_is_refused_when_the_loss_is_made(loss: Callable[..., Any]) -> None:
    for bad in ("avg", "Mean", "", None, 1, True, ["mean"]):
        with pytest.raises((ValueError, TypeError), match=rf"^{loss.__name__}: reduction must be 'mean', 'sum'"):
            loss(reduction=bad)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.HuberLoss(delta=0), "HuberLoss: delta must be a positive number; got 0"),
        (lambda: nn.HuberLoss(delta="1"), "HuberLoss: delta must be a positive number; got '1'"),
        (lambda: nn.SmoothL1Loss(beta=-1), "SmoothL1Loss: beta must be a number that is not negative; got -1"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=1.5), "label_smoothing must be a number from 0 to 1; got 1.5"),
        (lambda: nn.CrossEntropyLoss(ignore_index=1.5), "ignore_index must be a whole number; got 1.5"),
        (lambda: nn.CrossEntropyLoss("sum"), "CrossEntropyLoss: weight must be a tensor; .*Write reduction='sum'"),
        (lambda: nn.NLLLoss({"a": 1.0}), "NLLLoss: weight is a dict; expected a tensor"),
        (lambda: nn.KLDivLoss(log_target=1), "KLDivLoss: log_target must be True or False; got 1"),
        (lambda: nn.MultiMarginLoss(p=3), "MultiMarginLoss: p must be 1 or 2; got 3"),
        (lambda: nn.MultiMarginLoss(p=np.ones(2)), "MultiMarginLoss: p must be 1 or 2; got array"),
        (lambda: nn.TripletMarginLoss(p=0), "TripletMarginLoss: p must be a number, 1 or more; got 0"),
        (lambda: nn.HingeEmbeddingLoss(margin=np.inf), "HingeEmbeddingLoss: margin must be a finite number; got inf"),
        (lambda: nn.GaussianNLLLoss(eps=0), "GaussianNLLLoss: eps must be a positive number; got 0"),
        (lambda: F.cross_entropy(tg.ones(1, 2), [0], "sum"), "cross_entropy: weight .*Write reduction='sum'"),
        (lambda: F.cross_entropy(tg.ones(1, 2), [0], tg.ones(3)), r"one number for each of the 2 classes.*got \(3,\)"),
        (lambda: F.mse_loss(tg.ones(2), tg.ones(2), weight=tg.ones(3)), r"mse_loss: weight .*got \(3,\)"),
        (lambda: F.binary_cross_entropy_with_logits(tg.ones(2), [0, 1], pos_weight=tg.ones(3)), "pos_weight must be"),
    ],
)
def test_bad_options_are_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        make()


@pytest.mark.parametrize("number", [np.float32, np.float64, np.int64])
def test_numbers_of_numpy_decide_no_dtype(number: Callable[[float], Any]) -> None:
    x, y, signs = tg.tensor([0.5, 2.0]), tg.tensor([1.0, 0.0]), tg.tensor([1, -1])
    for loss in (
        F.huber_loss(x, y, delta=number(1)),
        F.smooth_l1_loss(x, y, beta=number(1)),
        F.hinge_embedding_loss(x, signs, number(1)),
        F.margin_ranking_loss(x, y, signs, number(1)),
        F.multi_margin_loss(x, 0, number(1), number(1)),
        F.triplet_margin_loss(x, y, y, number(1), number(2)),
        F.poisson_nll_loss(x, y, False, eps=number(1)),
        F.gaussian_nll_loss(x, y, x, eps=number(1)),
        F.cross_entropy(x, 0, ignore_index=np.int64(1), label_smoothing=number(1)),
    ):
        assert loss.dtype == tg.float32
    assert repr(nn.HuberLoss(delta=number(1))) == "HuberLoss(reduction='mean', delta=1.0)"


def test_weights_are_buffers() -> None:
    loss = nn.BCEWithLogitsLoss(weight=[1.0, 2.0], pos_weight=tg.tensor([3.0, 4.0]))
    assert {name: value.tolist() for name, value in loss.state_dict().items()} == {
        "weight": [1.0, 2.0],
        "pos_weight": [3.0, 4.0],
    }
    assert list(loss.parameters()) == []
    assert repr(loss) == "BCEWithLogitsLoss(reduction='mean', weight=(2,), pos_weight=(2,))"
    assert loss.to(tg.float64).weight.dtype == tg.float64
    assert repr(nn.HuberLoss(delta=0.5)) == "HuberLoss(reduction='mean', delta=0.5)"


# Targets.


def test_targets_outside_their_range_are_refused(device: str) -> None:
    x = tg.tensor([0.25, 0.5], device=device)

    def at(*values: float) -> tg.Tensor:
        return tg.tensor(values, device=device)

    with pytest.raises(ValueError, match=r"binary_cross_entropy: probabilities .*got 1.5.*with_logits"):
        F.binary_cross_entropy(x * 3, at(1.0, 0.0))
    for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
        with pytest.raises(ValueError, match=rf"{name}: targets must be between 0 and 1; got -1"):
            getattr(F, name)(x, at(1.0, -1.0))
    for name in ("hinge_embedding_loss", "soft_margin_loss", "margin_ranking_loss"):
        with pytest.raises(ValueError, match=rf"{name}: targets must be 1 or -1"):
            called(name, x, at(1.0, 0.0))
    with pytest.raises(ValueError, match=r"gaussian_nll_loss: variances cannot be negative; got -1"):
        F.gaussian_nll_loss(x, x, at(1.0, -1.0))


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss, F.multi_margin_loss])
def test_labels_are_checked(loss: Callable[..., Any], device: str) -> None:
    x, name = tg.tensor(normal(4, 3), device=device), loss.__name__
    cases: list[tuple[Any, type[Exception], str]] = [
        ([0, 1, 2, 3], IndexError, "label 3 is outside 0 … 2, for 3 classes"),
        ([0, 1, -1, 0], IndexError, "label -1 is outside"),
        ([0.0, 1.0, 2.0, 0.0], TypeError, "labels are whole numbers, one per row; got float"),
        ([True, False, True, True], TypeError, "labels are whole numbers, one per row; got bool"),
        ([0, 1, 2], tg.errors.ShapeError, r"labels \(3,\); expected one label for each row.*labels \(4,\)"),
        (np.eye(3, dtype=int)[[0, 1, 2, 0]].tolist(), tg.errors.ShapeError, r"Of one-hot labels: tg.argmax\(labels"),
        (None, TypeError, "is a NoneType"),
        ("text", TypeError, "is a str"),
    ]
    for labels, kind, said in cases:
        with pytest.raises(kind, match=rf"^{name}: .*{said}"):
            loss(x, labels)
    if loss is not F.multi_margin_loss:
        with pytest.raises(tg.errors.ShapeError, match=r"The classes are axis 1: tg.moveaxis"):
            loss(tg.ones(2, 5, 3), np.zeros((2, 5), int))


@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 2.0], [0.0, 0.0, 0.0]])
def test_a_batch_in_which_nothing_counts_teaches_nothing(weight: Any, device: str) -> None:
    x = tg.tensor(normal(2, 3), device=device, requires_grad=True)
    weight = None if weight is None else tg.tensor(weight, device=device)
    labels = [-100, -100] if weight is None or weight.sum().item() else [0, 1]
    loss = F.cross_entropy(x, labels, weight)
    loss.backward()
    assert loss.item() == 0
    assert not host(x.grad).any()
    assert not host(F.cross_entropy(x, labels, weight, reduction="none")).any()


def test_an_ignored_row_plays_no_part_whatever_it_holds(device: str) -> None:
    values = normal(3, 4)
    values[1] = [np.nan, np.inf, -np.inf, 0]
    x = tg.tensor(values, device=device, requires_grad=True)
    with np.errstate(invalid="ignore"):
        loss = F.cross_entropy(x, [0, -100, 3])
    assert loss.item() == pytest.approx(F.cross_entropy(tg.tensor(values[[0, 2]]), [0, 3]).item())


def test_probabilities_in_place_of_logits_are_warned_of_on_request() -> None:
    p = tg.softmax(tg.tensor(normal(4, 3)))
    F.cross_entropy(p, [0, 1, 2, 0])  # which is no error, and checked only in the debugging mode
    with tg.detect_anomaly():
        with pytest.warns(UserWarning, match=r"cross_entropy: every row is non-negative and sums to 1.*leave the soft"):
            F.cross_entropy(p, [0, 1, 2, 0])
        with pytest.warns(UserWarning, match=r"nll_loss: .*write tg.log_softmax"):
            F.nll_loss(p, [0, 1, 2, 0])
        with pytest.warns(UserWarning, match=r"kl_div: .*write tg.log_softmax"):
            F.kl_div(p, p)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for _ in range(3):
                F.cross_entropy(p, [0, 1, 2, 0])
            F.cross_entropy(tg.log(p), [0, 1, 2, 0])
            F.cross_entropy(tg.ones(2, 1), [0, 0])
        assert len(caught) == 1, "said once"


# Values, at extremes too.

EXTREMES = np.array([-1e4, -90.0, -20.0, -1.0, -1e-4, 0.0, 1e-4, 1.0, 20.0, 90.0, 1e4])
PRECISION = {"float16": 2e-3, "float32": 5e-7, "float64": 1e-14}
Wide = np.longdouble
wide_enough = pytest.mark.skipif(np.finfo(Wide).max < Wide(10) ** 4350, reason="no long double beyond exp(1e4)")


@wide_enough
@pytest.mark.parametrize("dtype", PRECISION)
def test_logits_of_any_size_lose_no_digits(dtype: str, device: str) -> None:
    x = np.repeat(EXTREMES, 3).astype(dtype)
    p = np.tile([0.0, 0.25, 1.0], len(EXTREMES)).astype(dtype)
    a, q = x.astype(Wide), p.astype(Wide)
    expected = q * np.log1p(np.exp(-a)) + (1 - q) * np.log1p(np.exp(a))
    slope = (1 - q) / (1 + np.exp(-a)) - q / (1 + np.exp(a))
    curve = 1 / (np.exp(a / 2) + np.exp(-a / 2)) ** 2

    def loss(x: tg.Tensor) -> tg.Tensor:
        return F.binary_cross_entropy_with_logits(x, tg.tensor(p, device=device), reduction="none")

    y, pullback = tg.vjp(loss, logits := tg.tensor(x, device=device))
    soft = (q != 0) & (q != 1)  # there σ(x) - p is small as a difference only

    def close(found: tg.Tensor, exact: np.ndarray) -> None:
        assert found.dtype == dtype
        error = np.abs(host(found).astype(Wide) - exact)
        assert (error <= PRECISION[dtype] * (np.abs(exact) + soft) + np.finfo(dtype).smallest_normal).all()

    close(y, expected)
    close(pullback(tg.ones_like(y))[0], slope)
    for route in ROUTES:
        close(tg.hvp(lambda x: tg.sum(loss(x) * 2.0**-6), logits, tg.full_like(logits, 2.0**6), mode=route), curve)


@wide_enough
@pytest.mark.parametrize("dtype", PRECISION)
def test_cross_entropy_at_extreme_logits(dtype: str, device: str) -> None:
    x = np.array(list(itertools.product([-1e4, -3.0, 0.0, 1e4], repeat=3)), dtype)
    labels = np.arange(len(x)) % 3
    powers = np.exp(x.astype(Wide))
    p = powers / powers.sum(-1, keepdims=True)
    one = np.eye(3)[labels]
    logits, place = tg.tensor(x, device=device), tg.tensor(labels, device=device)
    smooth = 0.25
    for options in ({}, {"label_smoothing": smooth}, {"weight": tg.tensor([1.0, 2.0, 0.5], device=device)}):
        w = host(options["weight"])[labels] if "weight" in options else np.ones(len(x))
        q = one * (1 - smooth) + smooth / 3 if "label_smoothing" in options else one
        log_p = x.astype(Wide) - np.log(powers.sum(-1, keepdims=True))
        loss = functools.partial(F.cross_entropy, target=place, reduction="none", **options)
        y, pullback = tg.vjp(loss, logits)
        scale = PRECISION[dtype] * 3
        np.testing.assert_allclose(host(y), (-w * (q * log_p).sum(-1)).astype(dtype), rtol=scale, atol=scale)
        gradient = host(pullback(tg.ones_like(y))[0])
        np.testing.assert_allclose(gradient, (w[:, None] * (p - q)).astype(dtype), rtol=scale, atol=scale)
        v = normal(*x.shape).astype(dtype)
        curved = w[:, None] * (p * v - p * (p * v).sum(-1, keepdims=True))
        for route in ROUTES:
            share = lambda x, f=loss: tg.sum(f(x) * 2.0**-6)  # noqa: E731 - the sum itself is too large for float16
            product = 64 * host(tg.hvp(share, logits, tg.tensor(v, device=device), mode=route))
            np.testing.assert_allclose(product, curved.astype(dtype), rtol=scale, atol=4 * scale)


def test_float16_losses_are_computed_in_float32(device: str) -> None:
    x = tg.tensor(np.array([200.0, -200.0] * 4, "float16"), device=device, requires_grad=True)
    zeros = tg.zeros(8, dtype=tg.float16, device=device)
    expected = [(F.mse_loss, 40_000, 50), (F.l1_loss, 200, 0.125)]
    expected += [(F.huber_loss, 199.5, 0.125), (F.smooth_l1_loss, 199.5, 0.125)]
    for loss, value, slope in expected:
        y = loss(x, zeros)
        x.zero_grad()
        y.backward()
        assert y.dtype == x.grad.dtype == tg.float16
        assert y.item() == pytest.approx(value, rel=1e-3)
        np.testing.assert_allclose(host(x.grad), np.array([slope, -slope] * 4), rtol=1e-3)
    many = tg.full(100_000, 0.5, dtype=tg.float16, device=device)
    assert F.mse_loss(many, tg.zeros_like(many)).item() == 0.25


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_comes_through(name: str) -> None:
    x = tg.tensor([0.5, np.nan], requires_grad=True)
    y = called(name, x, tg.ones(2), reduction="none")
    y.sum().backward()
    assert np.isnan(host(y)).tolist() == [False, True]
    flat = ("hinge_embedding_loss", "margin_ranking_loss", "kl_div")  # wherever the prediction is
    assert np.isnan(host(x.grad))[1] or name in flat


# Derivatives of both orders, by targets too. Off kinks; at kinks there is the convention.

SECOND = {
    "mse_loss": ((3, 2), (3, 2)), "huber_loss": ((3, 2), (3, 2)), "smooth_l1_loss": ((3, 2), (3, 2)),
    "poisson_nll_loss": ((3, 2), (3, 2)), "kl_div": ((3, 2), (3, 2)), "binary_cross_entropy": ((3, 2), (3, 2)),
    "binary_cross_entropy_with_logits": ((3, 2), (3, 2)), "gaussian_nll_loss": ((3, 2), (3, 2), (3, 1)),
    "cross_entropy": ((2, 3, 2), (2, 3, 2)), "triplet_margin_loss": ((3, 2), (3, 2), (3, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_derivatives_of_both_orders_by_all_arguments(name: str, reduction: str) -> None:
    rng = np.random.default_rng(5)
    tensors = tuple(tg.tensor(rng.uniform(0.2, 0.8, shape)) for shape in SECOND[name])
    loss = functools.partial(getattr(F, name), reduction=reduction)
    assert tg.testing.gradcheck(lambda *args: tg.tanh(loss(*args)), tensors, order=2)


@pytest.mark.parametrize("p", [1, 2])
def test_second_derivatives_of_hinges(p: int) -> None:
    x, weight = tg.tensor(normal(4, 3)), tg.tensor([0.5, 1.0, 2.0], dtype=tg.float64)
    assert tg.testing.gradcheck(lambda x: tg.tanh(F.multi_margin_loss(x, [0, 2, 1, 1], p=p, weight=weight)), x, order=2)
    signs = np.array([[1, -1, 1]] * 4)
    for loss in (F.hinge_embedding_loss, F.soft_margin_loss):
        assert tg.testing.gradcheck(lambda x, f=loss: tg.tanh(f(x, signs)), x, order=2)
    y = tg.tensor(normal(4, 3, seed=1))
    assert tg.testing.gradcheck(lambda x, y: tg.tanh(F.margin_ranking_loss(x, y, signs, 0.3)), (x, y), order=2)
    assert tg.testing.gradcheck(
        lambda x, y: tg.tanh(F.cosine_embedding_loss(x, y, [1, -1, 1, -1], -0.9)), (x, y), order=2
    )


@pytest.mark.parametrize(
    ("loss", "x", "slope"),
    [
        (lambda x: F.l1_loss(x, [1.0]), 1.0, 0.0),
        (lambda x: F.smooth_l1_loss(x, [1.0], beta=0.0), 1.0, 0.0),
        (lambda x: F.huber_loss(x, [1.0]), 2.0, 1.0),
        (lambda x: F.hinge_embedding_loss(x, [-1], margin=0.5), 0.5, -1.0),
        (lambda x: F.margin_ranking_loss(x, tg.zeros(1), [1], margin=0.5), 0.5, -1.0),
        (lambda x: F.multi_margin_loss(tg.concatenate([x, tg.zeros(1)]), 0), 1.0, 0.0),
    ],
)
def test_kinks(loss: Callable[[Any], Any], x: float, slope: float) -> None:
    assert tg.grad(loss)(tg.tensor([x])).tolist() == [slope]
    for route in ROUTES:
        product = tg.hvp(lambda x: loss(x).sum(), tg.tensor([x]), tg.ones(1), mode=route)
        assert product.tolist() == [0.0]


def test_probabilities_of_zero_and_one_are_finite(device: str) -> None:
    for dtype, steep in (("float16", 2.0**15), ("float32", 1e12), ("float64", 1e12)):
        p = tg.tensor(np.array([0.0, 0.0, 1.0, 1.0], dtype), device=device, requires_grad=True)
        y = tg.tensor(np.array([0.0, 1.0, 0.0, 1.0], dtype), device=device)
        losses = F.binary_cross_entropy(p, y, reduction="none")
        losses.sum().backward()
        assert host(losses).tolist() == [0, 100, 100, 0]
        np.testing.assert_allclose(host(p.grad), np.array([1, -steep, steep, -1], dtype), rtol=1e-3)
        by_target = tg.grad(functools.partial(F.binary_cross_entropy, p.detach(), reduction="sum"))(y)
        assert host(by_target).tolist() == [100, 100, -100, -100]
        for route in ROUTES:
            product = tg.hvp(lambda p, y=y: F.binary_cross_entropy(p, y, reduction="sum"), p.detach(),
                             tg.ones_like(p), mode=route)  # fmt: skip
            assert np.isfinite(host(product)).all()


def test_a_label_to_ignore_is_none_of_probabilities() -> None:
    logits, q = tg.zeros(2, 3), tg.full((2, 3), 1 / 3)
    with pytest.raises(ValueError, match="cross_entropy: ignore_index=1 is a label, and the targets are probabilities"):
        nn.CrossEntropyLoss(ignore_index=1)(logits, q)
    assert nn.CrossEntropyLoss(ignore_index=-1)(logits, q).item() == pytest.approx(np.log(3))


def test_targets_by_name() -> None:
    x, y, v = tg.tensor([1.0, 2.0]), tg.tensor([0.0, 4.0]), tg.ones(2)
    assert nn.MSELoss()(x, target=y).item() == 2.5
    assert nn.GaussianNLLLoss()(x, y, var=v).item() == nn.GaussianNLLLoss()(x, y, v).item() == 1.25
    with pytest.raises(TypeError, match="mse_loss"):
        nn.MSELoss()(x, y, reduction="sum")


@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_second_derivatives_by_a_probability_are_exact(y: float, device: str) -> None:
    p, weight, v = np.array([0.001, 0.125, 0.5, 0.875]), np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, -1.0, 2.0, 1.0])
    target, factors = tg.tensor(np.full(4, y), device=device), tg.tensor(weight, device=device)

    def loss(p: tg.Tensor) -> tg.Tensor:
        return nn.BCELoss(factors, reduction="mean")(p, target)

    product = tg.hvp(loss, tg.tensor(p, device=device), tg.tensor(v, device=device)).cpu().numpy()
    np.testing.assert_allclose(product, weight * v * (y / p**2 + (1 - y) / (1 - p) ** 2) / 4, rtol=1e-14)


def test_zero_probabilities_have_no_divergence() -> None:
    q = tg.tensor([[0.0, 0.25, 0.75]], requires_grad=True)
    log_p = tg.log(tg.tensor([[0.5, 0.25, 0.25]])).requires_grad_()
    loss = F.kl_div(log_p, q, reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(0.75 * np.log(3), rel=1e-6)
    np.testing.assert_allclose(host(log_p.grad), -host(q))
    np.testing.assert_allclose(host(q.grad), [[np.log(2), 1, 1 + np.log(3)]], rtol=1e-6)
    mean = F.kl_div(log_p, q)
    assert (mean.item(), F.kl_div(log_p, q, reduction="batchmean").item()) == pytest.approx(
        (loss.item() / 3, loss.item())
    )


def test_a_variance_below_the_least_can_grow() -> None:
    var = tg.tensor([0.0, 1e-3, 2.0], requires_grad=True)
    loss = F.gaussian_nll_loss(tg.zeros(3), tg.ones(3), var, eps=1e-2, reduction="none")
    loss.sum().backward()
    bounded = np.maximum(host(var), 1e-2)
    np.testing.assert_allclose(host(loss), 0.5 * (np.log(bounded) + 1 / bounded), rtol=1e-5)
    np.testing.assert_allclose(host(var.grad), 0.5 * (1 / bounded - 1 / bounded**2), rtol=1e-5)


def test_weighted_means_are_shares_of_the_weights() -> None:
    x, y, w = (tg.tensor(normal(2, 3, seed=s)) for s in range(3))
    w = w * w
    for loss, of_one in ((F.mse_loss, np.square), (F.l1_loss, np.abs)):
        expected = (host(w) * of_one(host(x) - host(y))).sum() / host(w).sum()
        assert loss(x, y, weight=w).item() == pytest.approx(expected)
        row = w[0]
        expected = (host(row) * of_one(host(x) - host(y))).sum() / (2 * host(row).sum())
        assert loss(x, y, weight=row).item() == pytest.approx(expected)
    assert F.huber_loss(x, y, weight=w).item() == pytest.approx((host(w) * host(F.huber_loss(x, y, "none"))).mean())


# Cost.


def recorded(y: tg.Tensor) -> list[str]:
    nodes = sorted(reachable([y._node]), key=lambda node: node.serial)
    return [node.primitive.name for node in nodes if node.primitive is not None]


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("mse_loss", ["subtract", "square", "mean"]),
        ("l1_loss", ["subtract", "absolute", "mean"]),
        ("huber_loss", ["subtract", "huber", "mean"]),
        ("binary_cross_entropy_with_logits", ["logistic_loss", "mean"]),
    ],
)
def test_a_loss_is_as_few_operations_as_written_by_hand(name: str, operations: list[str]) -> None:
    x = tg.tensor([0.5, 0.25], requires_grad=True)
    assert recorded(getattr(F, name)(x, tg.tensor([1.0, 0.0]))) == operations


def test_labels_alone_take_the_short_way() -> None:
    x = tg.tensor(normal(2, 3), requires_grad=True)
    assert recorded(F.cross_entropy(x, [0, 1])) == ["log_softmax", "nll"]
