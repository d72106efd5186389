"""The cross-entropy of logits and labels: value, derivatives, extremes, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

REDUCTIONS = ["mean", "sum", "none"]
LABELS = np.array([2, 0, 1, 2, 2])


def logits(rows: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, 3)) * 2


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def probabilities(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_it_is_the_negative_log_probability_of_the_labels(reduction: str, device: str) -> None:
    rows = -np.log(probabilities(logits())[np.arange(5), LABELS])
    expected = {"mean": rows.mean(), "sum": rows.sum(), "none": rows}[reduction]
    loss = nn.CrossEntropyLoss(reduction=reduction)(
        tg.tensor(logits(), device=device), tg.tensor(LABELS, device=device)
    )
    assert (loss.shape, loss.dtype, loss.device) == (np.shape(expected), tg.float64, device)
    np.testing.assert_allclose(host(loss), expected, rtol=1e-13)


def test_its_gradient_is_predicted_minus_true_probabilities(device: str) -> None:
    x = tg.tensor(logits(), device=device, requires_grad=True)
    nn.CrossEntropyLoss()(x, tg.tensor(LABELS, device=device)).backward()
    np.testing.assert_allclose(host(x.grad), (probabilities(logits()) - np.eye(3)[LABELS]) / 5, rtol=1e-12)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_derivatives_of_both_orders(reduction: str) -> None:
    loss = nn.CrossEntropyLoss(reduction=reduction)
    assert tg.testing.gradcheck(lambda x: tg.tanh(loss(x, tg.tensor(LABELS))), tg.tensor(logits()), order=2)


def test_labels_may_be_tensors_arrays_or_lists_of_any_integer_type() -> None:
    loss, x = nn.CrossEntropyLoss(), tg.tensor(logits())
    expected = loss(x, tg.tensor(LABELS)).item()
    for labels in (LABELS, LABELS.tolist(), LABELS.astype("uint8"), tg.tensor(LABELS, dtype=tg.int32)):
        assert loss(x, labels).item() == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_logits_stay_finite(dtype: str, device: str) -> None:
    values = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [1e4, 1e4, -1e4], [0.0, 0.0, 0.0]], dtype)
    labels = tg.tensor(np.array([0, 0, 1, 2]), device=device)
    loss, x = nn.CrossEntropyLoss(reduction="none"), tg.tensor(values, device=device, requires_grad=True)
    y = loss(x, labels)
    np.testing.assert_allclose(host(y), [0.0, 2e4, np.log(2), np.log(3)], rtol=1e-6)
    y.sum().backward()
    expected = [[0, 0, 0], [-1, 1, 0], [0.5, -0.5, 0], [1 / 3, 1 / 3, -2 / 3]]
    np.testing.assert_allclose(host(x.grad), expected, rtol=1e-6, atol=1e-7)
    assert x.grad.dtype == dtype
    direction = tg.tensor(np.array([[1.0, 2.0, 3.0]] * 4, dtype), device=device)
    for mode in ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward"):
        product = host(tg.hvp(lambda x: loss(x, labels).sum(), x.detach(), direction, mode=mode))
        # p ⊙ v - p ⟨p, v⟩ with p the probabilities of each row
        np.testing.assert_allclose(product[:2], 0, atol=1e-7)
        np.testing.assert_allclose(product[2:], [[-0.25, 0.25, 0], [-1 / 3, 0, 1 / 3]], rtol=1e-6, atol=1e-7)


def test_an_infinite_logit_of_another_class_is_no_nan() -> None:
    x = tg.tensor([[0.0, -np.inf, 1.0]], requires_grad=True)
    loss = nn.CrossEntropyLoss()(x, tg.tensor([0]))
    loss.backward()
    assert loss.item() == pytest.approx(np.log(1 + np.e), rel=1e-6)
    np.testing.assert_allclose(host(x.grad), [[-1 / (1 + 1 / np.e), 0, 1 / (1 + 1 / np.e)]], rtol=1e-5)


def test_one_class_costs_nothing() -> None:
    x = tg.tensor([[3.0], [-2.0]], requires_grad=True)
    loss = nn.CrossEntropyLoss()(x, [0, 0])
    loss.backward()
    assert (loss.item(), x.grad.tolist()) == (0.0, [[0.0], [0.0]])


def test_an_empty_batch_has_a_sum_but_no_mean(device: str) -> None:
    x = tg.zeros(0, 3, device=device, requires_grad=True)
    labels = tg.zeros(0, dtype=tg.int64, device=device)
    assert nn.CrossEntropyLoss(reduction="none")(x, labels).shape == (0,)
    total = nn.CrossEntropyLoss(reduction="sum")(x, labels)
    total.backward()
    assert (total.item(), x.grad.shape) == (0.0, (0, 3))
    with pytest.raises(tg.errors.ShapeError, match=r"the mean over an empty batch has no value"):
        nn.CrossEntropyLoss()(x, labels)


@pytest.mark.parametrize(("bad", "named"), [(3, "label 3"), (-1, "label -1"), (-(2**40), "label -1099511627776")])
def test_labels_outside_the_classes_are_refused(bad: int, named: str, device: str) -> None:
    labels = tg.tensor(np.array([0, bad, 1, 2, 0]), device=device)
    with pytest.raises(IndexError, match=rf"{named} is outside 0 … 2, for 3 classes"):
        nn.CrossEntropyLoss()(tg.tensor(logits(), device=device), labels)


@pytest.mark.parametrize("labels", [LABELS.astype("float32"), LABELS > 1, [0.0, 1.0, 2.0, 0.0, 1.0]])
def test_labels_that_are_not_integers_are_refused(labels: object) -> None:
    with pytest.raises(TypeError, match=r"labels are whole numbers, one per row; got (float|bool)"):
        nn.CrossEntropyLoss()(tg.tensor(logits()), labels)


@pytest.mark.parametrize("shape", [(4,), (5, 1), (5, 3), ()])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(tg.errors.ShapeError, match=r"logits \(5, 3\), labels .*; expected one label for each row"):
        nn.CrossEntropyLoss()(tg.tensor(logits()), tg.zeros(shape, dtype=tg.int64))


@pytest.mark.parametrize("reduction", ["avg", "Mean", None, 1])
def test_a_reduction_that_does_not_exist_is_refused_at_once(reduction: object) -> None:
    with pytest.raises(
        (ValueError, TypeError), match=r"CrossEntropyLoss: reduction must be 'mean', 'sum' or 'none'; got"
    ):
        nn.CrossEntropyLoss(reduction=reduction)


def test_later_changes_of_the_labels_do_not_reach_the_gradient() -> None:
    labels, x = LABELS.copy(), tg.tensor(logits(), requires_grad=True)
    loss = nn.CrossEntropyLoss(reduction="sum")(x, labels)
    labels[:] = 0
    loss.backward()
    np.testing.assert_allclose(host(x.grad), probabilities(logits()) - np.eye(3)[LABELS], rtol=1e-12)
