"""Callbacks: when they are called, what they see, how they stop a run, and early stopping."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.train import Callback, EarlyStopping, Run, fit


class Point(nn.Module):
    """One parameter, and a loss that is its square: the gradient step is θ ← θ - 2 lr θ."""

    def __init__(self, start: float = 1.0) -> None:
        self.theta = nn.Parameter([start])
        self.steps = tg.zeros(1)

    def forward(self, x):
        if self.training:
            self.steps.data += 1
        return self.theta * x


def _square(prediction, target):
    return (prediction - target).square().mean()


BATCHES = [(tg.ones(2, 1), tg.zeros(2, 1)), (tg.ones(1, 1), tg.zeros(1, 1))]


def _fit(model, *callbacks, valid=None, epochs=3, lr=0.25):
    optimizer = tg.optim.SGD(model.parameters(), lr=lr)
    return fit(model, _square, optimizer, BATCHES, valid, epochs=epochs, callbacks=callbacks, progress=False)


class Replay(Callback):
    """Writes given numbers into the history, as if they had been measured."""

    def __init__(self, name: str, values: list[float]) -> None:
        self.name, self.values = name, values

    def on_epoch_end(self, run: Run) -> None:
        run.history.epochs[-1][self.name] = self.values[run.epoch - 1]


def test_events_in_order_with_what_they_show():
    events = []

    class Recorder(Callback):
        def on_train_begin(self, run):
            events.append(("begin", run.epoch, run.batch, run.epochs, run.batches, len(run.history)))

        def on_backward_end(self, run):
            events.append(("backward", run.epoch, run.batch, round(run.model.theta.grad.item(), 6)))

        def on_batch_end(self, run):
            events.append(("batch", run.epoch, run.batch, round(run.batch_loss, 6), round(run.model.theta.item(), 6)))

        def on_epoch_end(self, run):
            events.append(("epoch", run.epoch, run.history.epochs[-1]["epoch"]))

        def on_train_end(self, run):
            events.append(("end", run.epoch, len(run.history)))

    _fit(Point(), Recorder(), epochs=2)
    assert events == [
        ("begin", 0, 0, 2, 2, 0),
        ("backward", 1, 1, 2.0),
        ("batch", 1, 1, 1.0, 0.5),
        ("backward", 1, 2, 1.0),
        ("batch", 1, 2, 0.25, 0.25),
        ("epoch", 1, 1),
        ("backward", 2, 1, 0.5),
        ("batch", 2, 1, 0.0625, 0.125),
        ("backward", 2, 2, 0.25),
        ("batch", 2, 2, 0.015625, 0.0625),
        ("epoch", 2, 2),
        ("end", 2, 2),
    ]


def test_gradients_can_be_changed_before_the_update():
    class Clip(Callback):
        def on_backward_end(self, run):
            run.model.theta.grad = (
                tg.clip(run.model.theta.grad, -0.1, 0.1) if hasattr(tg, "clip") else tg.full((1,), 0.1)
            )

    model = Point()
    _fit(model, Clip(), epochs=1)
    assert model.theta.item() == pytest.approx(1 - 2 * 0.25 * 0.1)


def test_a_callback_can_stop_the_run_after_the_epoch():
    class Stop(Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.batch) == (2, 1):
                run.stop("enough")

    history = _fit(Point(), Stop(), epochs=5)
    assert (len(history), history.stopped) == (2, "enough")


def test_the_end_is_told_even_after_an_error():
    ended = []

    class Fails(Callback):
        def on_batch_end(self, run):
            raise ZeroDivisionError

        def on_train_end(self, run):
            ended.append(run.epoch)

    with pytest.raises(ZeroDivisionError):
        _fit(Point(), Fails())
    assert ended == [1]


def test_what_is_no_callback():
    with pytest.raises(TypeError, match=r"callbacks\[1\] must be an object made from a tg.train.Callback"):
        _fit(Point(), Callback(), EarlyStopping)


# Early stopping.


@pytest.mark.parametrize(
    ("values", "patience", "epochs", "best_epoch"),
    [
        ([3, 2, 1, 1, 1, 1, 1], 2, 5, 3),
        ([3, 4, 2, 3, 1, 2, 2], 2, 7, 5),
        ([1, 2, 2, 2, 2, 2, 2], 1, 2, 1),
        ([math.nan, 2, 1, math.nan, math.nan, 0, 0], 2, 5, 3),
        ([7, 6, 5, 4, 3, 2, 1], 1, 7, 7),
    ],
)
@pytest.mark.parametrize("mode", ["min", "max"])
def test_when_it_stops(values, patience, epochs, best_epoch, mode):
    signed = [value if mode == "min" else -value for value in values]
    stopper = EarlyStopping("number", patience=patience, mode=mode)
    history = _fit(Point(), Replay("number", signed), stopper, epochs=7)
    assert (len(history), stopper.best_epoch, stopper.best) == (epochs, best_epoch, signed[best_epoch - 1])
    if epochs < 7:
        assert f"no better number in {patience} epochs" in history.stopped
        assert f"in epoch {best_epoch}" in history.stopped


def test_a_small_change_is_no_improvement():
    stopper = EarlyStopping("number", patience=2, min_delta=0.1, mode="min")
    history = _fit(Point(), Replay("number", [1.0, 0.95, 0.92, 0.5]), stopper, epochs=4)
    assert (len(history), stopper.best) == (3, 1.0)


@pytest.mark.parametrize("restore_best", [True, False])
def test_it_puts_back_parameters_and_buffers_of_the_best_epoch(restore_best):
    after: list[tuple[float, float]] = []

    class Note(Callback):
        def on_epoch_end(self, run):
            after.append((run.model.theta.item(), run.model.steps.item()))

    model = Point()
    theta = model.theta
    stopper = EarlyStopping("number", patience=2, restore_best=restore_best, mode="min")
    _fit(model, Note(), Replay("number", [3, 1, 2, 2]), stopper, epochs=4)
    assert len(set(after)) == 4
    assert model.theta is theta
    assert (model.theta.item(), model.steps.item()) == after[1 if restore_best else 3]


def test_it_puts_back_the_best_parameters_when_the_loss_breaks():
    class Break(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                run.model.theta.data = np.array([np.nan], dtype=np.float32)

    model = Point()
    with pytest.raises(tg.errors.AnomalyError):
        _fit(model, EarlyStopping("train_loss"), Break())
    assert model.theta.item() == 0.25**2


def test_it_can_be_used_for_a_second_run():
    stopper = EarlyStopping("number", patience=2, mode="min")
    for best in (1, 5):
        history = _fit(Point(), Replay("number", [best, best + 1, best + 1, best + 1]), stopper, epochs=4)
        assert (len(history), stopper.best_epoch, stopper.best) == (3, 1, best)


def test_direction_from_the_name():
    assert EarlyStopping("valid_accuracy").mode == "max"
    assert EarlyStopping("valid_loss").mode == EarlyStopping("train_error").mode == "min"
    assert EarlyStopping("valid_loss", mode="max").mode == "max"
    with pytest.raises(ValueError, match="pass mode='min' or mode='max'"):
        EarlyStopping("valid_f1")


def test_arguments_that_are_refused():
    for patience in (0, 1.5, True):
        with pytest.raises(ValueError, match="patience must be"):
            EarlyStopping(patience=patience)
    for delta in (-1, math.nan):
        with pytest.raises(ValueError, match="min_delta must be"):
            EarlyStopping(min_delta=delta)
    with pytest.raises(ValueError, match="mode must be 'min' or 'max'; got 'up'"):
        EarlyStopping(mode="up")


def test_a_number_that_is_not_measured():
    with pytest.raises(KeyError, match="no column 'valid_loss'; there are: epoch, train_loss"):
        _fit(Point(), EarlyStopping("valid_loss"))


def test_a_plain_function_has_no_parameters_to_put_back():
    theta = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([theta], lr=0.1)
    with pytest.raises(TypeError, match="restore_best=False"):
        fit(lambda x: x * theta, _square, optimizer, BATCHES, callbacks=[EarlyStopping("train_loss")], progress=False)
    stopper = EarlyStopping("train_loss", restore_best=False)
    history = fit(lambda x: x * theta, _square, optimizer, BATCHES, callbacks=stopper, epochs=2, progress=False)
    assert stopper.best == min(history["train_loss"])
