"""Evaluation and metrics: means over examples, nothing recorded, the model left as it was."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.data import DataLoader, TensorDataset
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.train import accuracy, evaluate


def _mean_error(prediction: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
    return abs(prediction - target).mean()


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 5])
def test_means_do_not_depend_on_the_size_of_batches(device, batch_size):
    x, y = tg.tensor([0.0, 1, 2, 3, 10], device=device), tg.zeros(5, device=device)
    loader = DataLoader(TensorDataset(x, y), batch_size)
    measured = evaluate(lambda x: x, loader, loss=_mean_error, metrics={"largest": lambda p, t: p.max()})
    assert measured["loss"] == pytest.approx(16 / 5)
    assert list(measured) == ["loss", "largest"]
    assert {type(value) for value in measured.values()} == {float}


def test_a_small_last_batch_counts_less():
    batches = [(tg.tensor([1.0, 1, 1]), tg.zeros(3)), (tg.tensor([9.0]), tg.zeros(1))]
    assert evaluate(lambda x: x, batches, loss=_mean_error) == {"loss": 3.0}


def test_further_inputs_go_to_the_model():
    batches = [(tg.tensor([1.0]), tg.tensor([2.0]), tg.tensor([4.0]))]
    assert evaluate(lambda a, b: a + b, batches, loss=_mean_error) == {"loss": 1.0}


def test_evaluation_mode_without_recording_and_every_part_is_put_back():
    seen = []

    class Probe(nn.Module):
        def forward(self, x):
            seen.append((self.training, tg.is_grad_enabled()))
            return x

    model = nn.Sequential(Probe(), nn.Sequential(Probe()))
    model[1].eval()
    evaluate(model, [(tg.zeros(1), tg.zeros(1))], loss=_mean_error)
    assert seen == [(False, False)] * 2
    assert [part.training for part in model.modules()] == [True, True, False, False]
    with pytest.raises(ZeroDivisionError):
        evaluate(model, [(tg.zeros(1), tg.zeros(1))], loss=lambda p, t: 1 / 0)
    assert [part.training for part in model.modules()] == [True, True, False, False]


def test_what_cannot_be_evaluated():
    batches = [(tg.zeros(2, 3), tg.zeros(2))]
    with pytest.raises(ValueError, match="nothing to measure"):
        evaluate(lambda x: x, batches)
    with pytest.raises(ValueError, match=r"no batches.*generator"):
        evaluate(lambda x: x, iter([]), loss=_mean_error)
    with pytest.raises(TypeError, match=r"expected batches \(x, y\); got Tensor"):
        evaluate(lambda x: x, [tg.zeros(2, 3)], loss=_mean_error)
    with pytest.raises(TypeError, match=r"expected batches \(x, y\); got tuple"):
        evaluate(lambda x: x, [(tg.zeros(2),)], loss=_mean_error)
    with pytest.raises(ShapeError, match=r"loss must return one number; got a tensor of shape \(2, 3\)"):
        evaluate(lambda x: x, batches, loss=lambda p, t: p)


@pytest.mark.parametrize("metrics", ["precision", ["accuracy", "precision"], {"accuracy": 3}, accuracy, [accuracy]])
def test_unknown_metrics(metrics):
    with pytest.raises(ValueError, match=r"unknown metric .*Known by name: accuracy"):
        evaluate(lambda x: x, [], metrics=metrics)


def test_the_name_of_the_loss_is_taken():
    with pytest.raises(ValueError, match="cannot be named 'loss'"):
        evaluate(lambda x: x, [], metrics={"loss": accuracy})


def test_accuracy_counts_right_answers(device):
    logits = tg.tensor([[2.0, 1, 0], [0, 3, 1], [5, 0, 9], [1, 2, 0]], device=device)
    assert accuracy(logits, tg.tensor([0, 1, 0, 2], device=device)) == 0.5
    assert accuracy(logits.reshape(2, 2, 3), tg.tensor([[0, 1], [2, 1]], device=device)) == 1.0
    assert type(accuracy(logits, tg.tensor([0, 1, 0, 2], device=device))) is float


def test_accuracy_takes_arrays_and_recorded_tensors_and_the_first_of_ties():
    assert accuracy(np.array([[1.0, 1.0]]), np.array([0])) == 1.0
    logits = tg.zeros(2, 2, requires_grad=True) * 2
    assert accuracy(logits, tg.tensor([0, 1], dtype="int32")) == 0.5


@pytest.mark.parametrize(
    ("logits", "labels", "error", "words"),
    [
        (np.zeros((3, 2)), np.zeros(2, int), ShapeError, r"logits \(3, 2\), labels \(2,\).*labels \(3,\)"),
        (np.eye(3), np.eye(3, dtype=int), ShapeError, "one label for each row"),
        (np.zeros((3, 1)), np.zeros(3, int), ShapeError, "two or more classes"),
        (np.zeros((3, 2)), np.zeros(3), TypeError, "whole numbers; got float64"),
        (np.zeros((0, 2)), np.zeros(0, int), ShapeError, "no examples"),
        (np.array(1.0), np.array(1), ShapeError, "one label for each row"),
    ],
)
def test_accuracy_refuses(logits, labels, error, words):
    with pytest.raises(error, match=words):
        accuracy(logits, labels)
