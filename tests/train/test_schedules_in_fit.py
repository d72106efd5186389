"""Every schedule in the loop; gradients that are cut in it, and gradients of several batches added up."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from schedules import SCHEDULES
from tinygrad_opt import nn
from tinygrad_opt.optim import lr_scheduler
from tinygrad_opt.train import Callback, GradientClipping, fit

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((22, 3)), RNG.standard_normal((22, 2))


def line(seed: int = 0) -> nn.Module:
    tg.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4, dtype="float64"), nn.Tanh(), nn.Linear(4, 2, dtype="float64"))


def batches(*sizes: int) -> list[tuple[tg.Tensor, tg.Tensor]]:
    edges = np.cumsum([0, *sizes])
    return [(tg.tensor(X[a:b]), tg.tensor(Y[a:b])) for a, b in pairwise(edges)]


class Rates(Callback):
    """The rate of every update."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_backward_end(self, run: Any) -> None:
        self.seen.append(run.optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("when", ["epoch", "batch"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_moves_the_rate_after_each_epoch_or_batch(name: str, when: str) -> None:
    model, rates = line(), Rates()
    # Two groups, as the schedules with lists have.
    groups = [{"params": list(layer.parameters()), "lr": lr} for layer, lr in ((model[0], 0.3), (model[2], 0.02))]
    optimizer = tg.optim.SGD(groups, momentum=0.9)
    schedule = SCHEDULES[name](lr_scheduler, optimizer)
    expected = [schedule.at(k)[0] for k in range(6)]
    history = fit(
        model, nn.MSELoss(), optimizer, batches(11, 11), epochs=3, scheduler=schedule, scheduler_step=when,
        callbacks=[rates], progress=False,
    )  # fmt: skip
    assert rates.seen == pytest.approx(expected if when == "batch" else np.repeat(expected[:3], 2).tolist(), rel=1e-12)
    assert history["lr"] == rates.seen[1::2]
    assert schedule.last_epoch == (6 if when == "batch" else 3)


@pytest.mark.parametrize("when", ["epoch", "batch"])
@pytest.mark.parametrize("metric", [None, "train_loss", "valid_size"])
def test_a_plateau_is_fed_by_a_column_of_the_history(metric: str | None, when: str) -> None:
    model = line()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    history = fit(
        model, nn.MSELoss(), optimizer, batches(11), batches(11), epochs=4, metrics={"size": lambda p, y: 3.0},
        scheduler=schedule, scheduler_step=when, scheduler_metric=metric, progress=False,
    )  # fmt: skip
    assert schedule.best == min(history[metric or "valid_loss"])
    assert schedule.last_epoch == 4
    if metric == "valid_size":
        assert history["lr"] == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_a_run_that_was_cut_off_goes_on_from_its_checkpoint(tmp_path: Any) -> None:
    pytest.importorskip("safetensors")

    def make() -> tuple[Any, Any, Any]:
        model = line()
        optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
        return model, optimizer, lr_scheduler.Warmup(lr_scheduler.CosineAnnealingLR(optimizer, 8, 0.01), steps=3)

    def train(run: tuple[Any, Any, Any], epochs: int, callbacks: Any = ()) -> list[Any]:
        model, optimizer, scheduler = run
        history = fit(
            model, nn.MSELoss(), optimizer, batches(11, 11), epochs=epochs, scheduler=scheduler, callbacks=callbacks,
            progress=False,
        )  # fmt: skip
        return [history["lr"], history["train_loss"], [p.tolist() for p in model.parameters()]]

    first, second = make(), make()
    path = tmp_path / "run.safetensors"
    train(first, 5, [tg.train.ModelCheckpoint(path)])
    tg.train.load_checkpoint(second[0], path, *second[1:])
    assert train(second, 4) == train(first, 4)


def test_what_does_not_belong_together_is_refused() -> None:
    model = line()
    optimizer, other = (tg.optim.SGD(model.parameters(), lr=0.1) for _ in range(2))

    def run(scheduler: Any, **options: Any) -> Any:
        return fit(model, nn.MSELoss(), optimizer, batches(11), scheduler=scheduler, progress=False, **options)

    with pytest.raises(ValueError, match="fit: the scheduler was made for another optimizer"):
        run(lr_scheduler.StepLR(other, 3))
    with pytest.raises(TypeError, match=r"fit: expected a scheduler, .*; got 3"):
        run(3)
    with pytest.raises(TypeError, match=r"scheduler_metric='train_loss' is for schedulers .*; StepLR does not"):
        run(lr_scheduler.StepLR(optimizer, 3), scheduler_metric="train_loss")
    with pytest.raises(KeyError, match="history has no column 'loss'"):
        run(lr_scheduler.ReduceLROnPlateau(optimizer), scheduler_metric="loss")


# Clipping.


@pytest.mark.parametrize("by", ["norm", "value", "each", "adaptive"])
def test_gradients_are_cut_before_the_update(by: str) -> None:
    class Look(Callback):
        def on_backward_end(self, run: Any) -> None:
            self.gradients = [p.grad.numpy().copy() for p in run.model.parameters()]

    models = line(), line()
    look, manual = Look(), models[1]
    history = fit(
        models[0], nn.MSELoss(), tg.optim.SGD(models[0].parameters(), lr=0.1), batches(22),
        callbacks=[GradientClipping(0.02, by=by), look], progress=False,
    )  # fmt: skip
    loss = nn.MSELoss()(manual(tg.tensor(X)), tg.tensor(Y))
    loss.backward()
    assert history["train_loss"] == [loss.item()]
    raw = [p.grad.numpy().copy() for p in manual.parameters()]
    names = {"norm": "clip_grad_norm_", "value": "clip_grad_value_", "each": "clip_each_grad_norm_"}
    getattr(nn.utils, names.get(by, "clip_grad_adaptive_"))(manual.parameters(), 0.02)
    for seen, p, g in zip(look.gradients, manual.parameters(), raw, strict=True):
        np.testing.assert_allclose(seen, p.grad.numpy(), rtol=1e-14)
        assert (seen != g).any()


def test_a_clipping_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="by must be one of 'norm', 'value', 'each', 'adaptive'; got 'length'"):
        GradientClipping(1.0, by="length")
    with pytest.raises(ValueError, match="max_norm must be a number of at least 0; got -1"):
        GradientClipping(-1)
    model = line()
    ahead = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, form="book")
    with pytest.raises(TypeError, match=r"GradientClipping: SGD computes its gradients itself, inside step\(closure\)"):
        fit(model, nn.MSELoss(), ahead, batches(22), callbacks=[GradientClipping(1.0)], progress=False)


# Accumulation.


@pytest.mark.parametrize("sizes", [(11, 11), (5, 6, 11), (1, 20, 1), (22,)])
@pytest.mark.parametrize("method", ["Adam", "book"])
def test_small_batches_added_up_are_one_large_batch(sizes: tuple[int, ...], method: str) -> None:
    runs = []
    for parts, count in (((22,), 1), (sizes, len(sizes))):
        model, rates = line(), Rates()
        if method == "Adam":
            optimizer: Any = tg.optim.Adam(model.parameters(), lr=0.05)
        else:
            optimizer = tg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, form="book")
        history = fit(
            model, nn.MSELoss(), optimizer, batches(*parts), epochs=5, accumulate=count, callbacks=[rates],
            metrics={"mean": lambda p, y: p.mean()}, scheduler=lr_scheduler.StepLR(optimizer, 2),
            scheduler_step="batch", progress=False,
        )  # fmt: skip
        weights = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
        runs.append((weights, history["train_loss"], history["train_mean"], history["lr"], len(rates.seen)))
    for large, small in zip(*runs, strict=True):
        np.testing.assert_allclose(small, large, rtol=1e-12, atol=1e-14)


def test_the_last_update_takes_what_is_left_and_callbacks_see_updates() -> None:
    class Count(Callback):
        def on_train_begin(self, run: Any) -> None:
            self.seen = [run.batches]

        def on_batch_end(self, run: Any) -> None:
            self.seen.append((run.batch, round(run.batch_loss, 12)))

    model, count = line(), Count()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.0)
    fit(model, nn.MSELoss(), optimizer, batches(4, 5, 6, 7), accumulate=3, callbacks=[count], progress=False)
    errors = ((model(tg.tensor(X)) - tg.tensor(Y)) ** 2).detach().numpy()
    assert count.seen == [2, (1, round(errors[:15].mean(), 12)), (2, round(errors[15:].mean(), 12))]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_accumulation_by_hand(reduction: str) -> None:
    """As the page of schedules says: sums are added, means of equally many examples are divided by their number."""
    model = line()
    loss = nn.MSELoss(reduction=reduction)
    large = tg.gradients(loss(model(tg.tensor(X)), tg.tensor(Y)), list(model.parameters()))
    for x, y in batches(11, 11):
        part = loss(model(x), y)
        (part / 2 if reduction == "mean" else part).backward()
    for p, g in zip(model.parameters(), large, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), g.numpy(), rtol=1e-12, atol=1e-15)


def test_a_loss_that_is_not_finite_is_found_in_any_of_the_small_batches() -> None:
    model = line()
    before = [p.tolist() for p in model.parameters()]
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    bad = [*batches(11), (tg.full((2, 3), math.nan, dtype=tg.float64), tg.zeros(2, 2, dtype=tg.float64))]
    with pytest.raises(tg.errors.AnomalyError, match="the loss is nan in epoch 1, batch 1"):
        fit(model, nn.MSELoss(), optimizer, bad, accumulate=2, progress=False)
    assert [p.tolist() for p in model.parameters()] == before


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, None])
def test_a_number_of_batches_that_is_none(bad: Any) -> None:
    model = line()
    with pytest.raises(ValueError, match="fit: accumulate must be a whole number of at least 1"):
        fit(model, nn.MSELoss(), tg.optim.SGD(model.parameters(), lr=0.1), batches(22), accumulate=bad, progress=False)
