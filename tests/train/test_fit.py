"""The loop: what it computes, what it reports, how it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.data import DataLoader, TensorDataset, moons, random_split
from tinygrad_opt.errors import AnomalyError, ShapeError
from tinygrad_opt.train import Callback, evaluate, fit


class Line(nn.Module):
    """θ x, with the mode that it was called in."""

    def __init__(self, start: float = 1.0, device: str | None = None) -> None:
        self.theta = nn.Parameter(tg.full((1,), start, device=device))
        self.modes: list[tuple[bool, bool]] = []

    def forward(self, x):
        self.modes.append((self.training, tg.is_grad_enabled()))
        return self.theta * x


def _square(prediction, target):
    return (prediction - target).square().mean()


def _batch(*x: float):
    return tg.tensor(x), tg.zeros(len(x))


def _network(seed: int, device: str | None = None) -> nn.Module:
    tg.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(2, 16, device=device), nn.BatchNorm1d(16, device=device), nn.ReLU(), nn.Linear(16, 2, device=device)
    )


def test_losses_are_means_over_examples_before_each_update():
    model = Line(2.0)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.25)
    history = fit(model, _square, optimizer, [_batch(1, 1, 1), _batch(3)], [_batch(1, 1), _batch(4)], progress=False)
    # θ = 2: loss 4, θ ← 2 - 0.25·2·2 = 1; then loss 9, θ ← 1 - 0.25·2·9 = -3.5.
    row = history.epochs[0]
    assert row["train_loss"] == (3 * 4 + 9) / 4
    assert model.theta.item() == -3.5
    assert row["valid_loss"] == pytest.approx(3.5**2 * (2 * 1 + 16) / 3)
    assert list(row) == ["epoch", "train_loss", "valid_loss", "seconds"]
    assert row["seconds"] > 0


def test_gradients_do_not_pile_up():
    model = Line(1.0)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.25)
    (model(tg.ones(1)) * 100).sum().backward()
    fit(model, _square, optimizer, [_batch(1), _batch(1)], epochs=2, progress=False)
    assert model.theta.item() == 0.5**4


def test_modes_while_training_and_validating_and_afterwards():
    model = Line()
    model.eval()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    fit(model, _square, optimizer, [_batch(1)], [_batch(1)], epochs=2, progress=False)
    assert model.modes == [(True, True), (False, False)] * 2
    assert not model.training


def test_metrics_are_measured_on_both_kinds_of_data_without_recording():
    model = Line(2.0)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.25)
    metrics = {"mean": lambda prediction, target: prediction.numpy().mean()}
    history = fit(model, _square, optimizer, [_batch(1, 1, 1), _batch(3)], [_batch(2)], metrics=metrics, progress=False)
    assert history["train_mean"] == [(3 * 2 + 3) / 4]
    assert history["valid_mean"] == [-7.0]
    assert history.columns == ["epoch", "train_loss", "train_mean", "valid_loss", "valid_mean", "seconds"]


def test_further_inputs_go_to_the_model():
    theta = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([theta], lr=0.25)
    batches = [(tg.tensor([1.0]), tg.tensor([2.0]), tg.tensor([0.0]))]
    history = fit(lambda a, b: (a + b) * theta, _square, optimizer, batches, progress=False)
    assert history["train_loss"] == [9.0]


def test_it_learns_moons_on_every_device(device):
    train, valid = random_split(TensorDataset(*moons(300, noise=0.05, seed=0, device=device)), [0.7, 0.3], seed=0)
    loader = DataLoader(train, batch_size=30, shuffle=True, seed=0)
    model = _network(0, device)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    history = fit(
        model, nn.CrossEntropyLoss(), optimizer, loader, DataLoader(valid, batch_size=50), epochs=15,
        metrics="accuracy", progress=False,
    )  # fmt: skip
    assert history["valid_accuracy"][-1] > 0.95
    assert history["train_loss"][-1] < history["train_loss"][0] / 2
    assert {parameter.dtype for parameter in model.parameters()} == {tg.float32}
    assert {parameter.device for parameter in model.parameters()} == {device}
    again = evaluate(model, DataLoader(valid, batch_size=7), nn.CrossEntropyLoss(), "accuracy")
    assert again["accuracy"] == pytest.approx(history["valid_accuracy"][-1])
    assert again["loss"] == pytest.approx(history["valid_loss"][-1], rel=1e-5)


def test_one_seed_gives_one_run_bit_for_bit():
    def run(seed: int) -> tuple[list[float], list[list[float]]]:
        model = _network(seed)
        loader = DataLoader(TensorDataset(*moons(60, seed=0)), batch_size=16, shuffle=True)
        optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
        history = fit(model, nn.CrossEntropyLoss(), optimizer, loader, epochs=3, progress=False)
        return history["train_loss"], [parameter.tolist() for parameter in model.parameters()]

    assert run(1) == run(1)
    assert run(1)[0] != run(2)[0]


def test_an_optimizer_that_evaluates_the_loss_itself():
    class Halving:
        """Goes on to θ/2, after trial points where the loss is not a number, or no smaller."""

        def __init__(self, theta):
            self.theta = theta

        def step(self, closure):
            before = closure().item()
            start = self.theta.item()
            for factor in (math.nan, 1.0, 0.5):
                self.theta.data = np.array([start * factor], dtype=np.float32)
                if closure().item() < before:
                    return

    model = Line(4.0)
    metrics = {"theta": lambda prediction, target: prediction.mean()}
    history = fit(model, _square, Halving(model.theta), [_batch(1)] * 2, metrics=metrics, progress=False)
    assert model.theta.item() == 1.0
    assert history["train_loss"] == [(16 + 4) / 2]
    assert history["train_theta"] == [(4 + 2) / 2]


# Learning rates.


class Schedule:
    """Divides the learning rate by ten at each step."""

    def __init__(self, optimizer):
        self.optimizer, self.steps = optimizer, 0

    def step(self):
        self.steps += 1
        self.optimizer.param_groups[0]["lr"] /= 10


def test_the_scheduler_steps_after_each_epoch_or_each_batch():
    for when, steps, rates in (("epoch", 3, [1, 0.1, 0.01]), ("batch", 6, [0.1, 0.001, 0.00001])):
        model = Line()
        optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
        scheduler = Schedule(optimizer)
        history = fit(
            model, _square, optimizer, [_batch(1), _batch(1)], epochs=3, scheduler=scheduler, scheduler_step=when,
            progress=False,
        )  # fmt: skip
        assert scheduler.steps == steps
        assert history["lr"] == pytest.approx(rates)


@pytest.mark.parametrize("with_valid", [False, True])
def test_a_scheduler_that_watches_a_number_is_given_the_loss(with_valid):
    seen = []

    class Watching:
        def step(self, metrics):
            seen.append(metrics)

    model = Line()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    valid = [_batch(2)] if with_valid else None
    history = fit(model, _square, optimizer, [_batch(1)], valid, epochs=2, scheduler=Watching(), progress=False)
    assert seen == history["valid_loss" if with_valid else "train_loss"]


def test_callbacks_find_the_learning_rate_of_the_epoch_in_its_row():
    seen = []

    class Note(Callback):
        def on_epoch_end(self, run):
            seen.append((run.history.epochs[-1]["lr"], run.optimizer.param_groups[0]["lr"]))

    model = Line()
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    fit(model, _square, optimizer, [_batch(1)], scheduler=Schedule(optimizer), callbacks=[Note()], progress=False)
    assert seen == [(1.0, 0.1)]


# Ends.


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_update(bad):
    model = Line(1.0)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.25)
    batches = [_batch(1), _batch(1), _batch(bad)]
    with pytest.raises(AnomalyError, match=rf"the loss is {bad} in epoch 1, batch 3; .*detect_anomaly"):
        fit(model, _square, optimizer, batches, progress=False)
    assert model.theta.item() == 0.25
    assert model.training


def test_an_interrupt_returns_the_complete_epochs():
    class Interrupt(Callback):
        ended = False

        def on_batch_end(self, run):
            if (run.epoch, run.batch) == (3, 1):
                raise KeyboardInterrupt

        def on_train_end(self, run):
            self.ended = True

    model, callback = Line(), Interrupt()
    model.eval()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    history = fit(model, _square, optimizer, [_batch(1)] * 2, epochs=9, callbacks=[callback], progress=False)
    assert (len(history), history.stopped) == (2, "interrupted in epoch 3")
    assert callback.ended
    assert not model.training


def test_a_generator_runs_out():
    model = Line()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"no batches\. A generator runs out"):
        fit(model, _square, optimizer, iter([_batch(1)]), epochs=2, progress=False)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"epochs": 0}, ValueError, "epochs must be a whole number of at least 1; got 0"),
        ({"epochs": 1.5}, ValueError, "epochs must be"),
        ({"scheduler_step": "step"}, ValueError, "scheduler_step must be 'epoch' or 'batch'"),
        ({"model": None}, TypeError, r"expected fit\(model, loss, optimizer, train, ...\)"),
        ({"optimizer": _square}, TypeError, "got Line, function and function"),
        ({"metrics": "f1"}, ValueError, "fit: unknown metric 'f1'"),
        ({"loss": lambda p, t: 1.0}, TypeError, "must return a scalar tensor; got float"),
        ({"loss": lambda p, t: (p - t).square()}, ShapeError, r"one number; got a tensor of shape \(2,\)"),
        ({"train": [tg.zeros(2)]}, TypeError, r"fit: expected batches \(x, y\)"),
    ],
)
def test_arguments_that_are_refused(change, error, words):
    model = Line()
    arguments = {
        "model": model,
        "loss": _square,
        "optimizer": tg.optim.SGD(model.parameters(), lr=0.1),
        "train": [_batch(1, 2)],
        "progress": False,
    }
    with pytest.raises(error, match=words):
        fit(**arguments | change)


def test_an_optimizer_that_looks_ahead_gets_its_closure():
    model, by_hand = Line(4.0), [4.0]
    optimizer = tg.optim.SGD(model.parameters(), lr=0.125, momentum=0.5, nesterov=True, form="book")
    fit(model, _square, optimizer, [_batch(1)] * 3, progress=False)
    velocity = 0.0
    for _ in range(3):  # the loss is θ²
        ahead = by_hand[-1] + 0.5 * velocity
        velocity = 0.5 * velocity - 0.125 * 2 * ahead
        by_hand.append(by_hand[-1] + velocity)
    assert model.theta.item() == pytest.approx(by_hand[-1])
