"""Checkpoints: a run that was interrupted goes on bit for bit, or nothing is changed at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.train import Checkpoint, ModelCheckpoint, load_checkpoint, save_checkpoint

pytest.importorskip("safetensors")


class Halving:
    """A scheduler: halves the rate at each step."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer, self.steps = optimizer, 0

    def step(self) -> None:
        self.steps += 1
        self.optimizer.param_groups[0]["lr"] /= 2

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "base": (0.1, None), "by key": {1: np.arange(3), "x": [np.float32(2.5)]}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if "steps" not in state:
            raise KeyError("steps")
        assert state["base"] == (0.1, None)
        assert state["by key"][1].tolist() == [0, 1, 2]
        assert type(state["by key"]["x"][0]) is np.float32
        self.steps = state["steps"]


class Training:
    """A model, its optimizer and its scheduler; each epoch draws random numbers."""

    def __init__(self, device: str = "cpu", method: str = "Adam") -> None:
        tg.manual_seed(0)
        self.device = device
        self.model = nn.Sequential(
            nn.Linear(2, 4, device=device), nn.BatchNorm1d(4, device=device), nn.Linear(4, 1, device=device)
        )
        self.optimizer = getattr(tg.optim, method)(self.model.parameters(), lr=0.1)
        self.scheduler = Halving(self.optimizer)

    @property
    def parts(self) -> tuple[Any, ...]:
        return self.optimizer, self.scheduler

    def epoch(self) -> None:
        x = tg.tensor(tg.randn(8, 2).numpy(), device=self.device) + tg.rand(8, 2, device=self.device)
        self.optimizer.zero_grad()
        (self.model(x) ** 2).mean().backward()
        self.optimizer.step()
        self.scheduler.step()

    def values(self) -> Any:
        state = {name: t.cpu().numpy().tobytes() for name, t in self.model.state_dict().items()}
        return state, repr(self.optimizer), self.scheduler.steps


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.safetensors"


@pytest.mark.parametrize("method", ["SGD", "Adam"])
def test_a_run_goes_on_bit_for_bit(path: Path, method: str, device: str) -> None:
    run = Training(device, method)
    for _ in range(3):
        run.epoch()
    save_checkpoint(run.model, path, *run.parts, epoch=3, best=0.5, shape=(2, 4), rows=[{"loss": 1.0}])
    for _ in range(2):
        run.epoch()
    again = Training(device, method)
    again.epoch()
    tg.manual_seed(99)
    checkpoint = load_checkpoint(again.model, path, *again.parts)
    assert checkpoint == Checkpoint(3, {"best": 0.5, "shape": (2, 4), "rows": [{"loss": 1.0}]})
    for _ in range(2):
        again.epoch()
    assert again.values() == run.values()


def test_what_is_not_asked_for_is_left_aside(path: Path) -> None:
    run = Training()
    run.epoch()
    save_checkpoint(run.model, path, *run.parts)
    model = Training().model
    assert load_checkpoint(model, path) == (0, {})
    assert model.state_dict()["0.weight"].tolist() == run.model[0].weight.tolist()


def test_a_state_that_was_not_saved_is_missed_by_name(path: Path) -> None:
    run = Training()
    save_checkpoint(run.model, path, run.optimizer)
    before = run.values()
    with pytest.raises(tg.errors.WeightsError, match="was saved without the state of the scheduler"):
        load_checkpoint(run.model, path, *run.parts)
    assert run.values() == before


@pytest.mark.parametrize("unfit", ["model", "optimizer", "scheduler"])
def test_what_does_not_fit_changes_nothing(path: Path, unfit: str) -> None:
    run = Training()
    run.epoch()
    if unfit == "model":
        other = nn.Linear(2, 4)
        save_checkpoint(other, path, *run.parts)
    elif unfit == "optimizer":
        save_checkpoint(run.model, path, tg.optim.SGD(run.model.parameters(), lr=0.5, momentum=0.5), run.scheduler)
    else:
        run.scheduler.state_dict = lambda: {"other": 1}  # type: ignore[method-assign]
        save_checkpoint(run.model, path, *run.parts)
    target = Training()
    target.epoch()
    target.epoch()
    before, state = target.values(), tg.rand(1)
    with pytest.raises(tg.errors.WeightsError, match=r"load_checkpoint: '.*': "):
        load_checkpoint(target.model, path, *target.parts)
    assert target.values() == before
    assert state.item() != tg.rand(1).item()


def test_shared_weights_come_back_shared(path: Path) -> None:
    layer = nn.Linear(2, 2)
    save_checkpoint(nn.Sequential(layer, nn.Tanh(), layer), path)
    other = nn.Linear(2, 2)
    model = nn.Sequential(other, nn.Tanh(), other)
    load_checkpoint(model, path)
    assert model[0] is model[2]
    assert other.weight.tolist() == layer.weight.tolist()


def test_weights_and_checkpoints_are_told_apart(path: Path) -> None:
    model = nn.Linear(1, 1)
    tg.train.save_weights(model, path)
    with pytest.raises(
        tg.errors.WeightsError, match=r"is no checkpoint; if it holds weights write tg.train.load_weights"
    ):
        load_checkpoint(model, path)
    save_checkpoint(model, path)
    with pytest.raises(tg.errors.WeightsError, match=r"is a checkpoint; write tg.train.load_checkpoint\(model, path\)"):
        tg.train.load_weights(model, path)


def test_a_damaged_checkpoint_is_one_error_and_changes_nothing(path: Path) -> None:
    run = Training()
    run.epoch()
    save_checkpoint(run.model, path, *run.parts)
    content, before = path.read_bytes(), run.values()
    for place in range(0, len(content), 97):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(tg.errors.WeightsError):
                load_checkpoint(run.model, path, *run.parts)
    assert run.values() == before


def test_what_has_no_state_is_refused(path: Path) -> None:
    model = nn.Linear(1, 1)
    for function in (save_checkpoint, load_checkpoint):
        with pytest.raises(TypeError, match=rf"{function.__name__}: expected a Module; got str"):
            function("x", path)
        with pytest.raises(TypeError, match=rf"{function.__name__}: the optimizer has no state_dict\(\)"):
            function(model, path, 3)
        with pytest.raises(TypeError, match=rf"{function.__name__}: the scheduler has no state_dict\(\)"):
            function(model, path, None, 3)
    assert not path.exists()


def test_what_a_file_cannot_hold_is_named(path: Path) -> None:
    with pytest.raises(TypeError, match=r"extra\['a'\]\[1\] is a function, which a file cannot hold"):
        save_checkpoint(nn.Linear(1, 1), path, a=[1, lambda: 0])
    assert not path.exists()


def test_extra_numbers_arrays_and_tensors_come_back(path: Path) -> None:
    extra = {
        "none": None, "nan": float("nan"), "big": 2**70, "array": np.eye(2), "tensor": tg.ones(2),
        "keys": {1: 2, None: "x"}, "nested": [(1, [2.5, (True,)])], "text": "größe \"'\\",
    }  # fmt: skip
    model = nn.Linear(1, 1)
    save_checkpoint(model, path, **extra)
    found = load_checkpoint(model, path).extra
    assert found.keys() == extra.keys()
    assert np.isnan(found.pop("nan"))
    assert found.pop("array").tolist() == [[1.0, 0.0], [0.0, 1.0]]
    tensor = found.pop("tensor")
    assert isinstance(tensor, tg.Tensor)
    assert tensor.tolist() == [1.0, 1.0]
    assert found == {name: value for name, value in extra.items() if name in found}


def fitted(path: Path, **options: Any) -> tg.train.History:
    run = Training()
    x = tg.tensor(np.random.default_rng(0).standard_normal((8, 2)).astype("float32"))
    data = tg.data.DataLoader(tg.data.TensorDataset(x, x[:, :1]), batch_size=4)
    loss = lambda prediction, target: ((prediction - target) ** 2).mean()  # noqa: E731
    return tg.train.fit(
        run.model, loss, run.optimizer, data, epochs=4, scheduler=run.scheduler, progress=False,
        callbacks=[ModelCheckpoint(path, **options)],
    )  # fmt: skip


def test_the_callback_writes_each_epoch(tmp_path: Path) -> None:
    history = fitted(tmp_path / "run-{epoch}.safetensors")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [f"run-{e}.safetensors" for e in (1, 2, 3, 4)]
    run = Training()
    checkpoint = load_checkpoint(run.model, tmp_path / "run-3.safetensors", *run.parts)
    assert (checkpoint.epoch, run.scheduler.steps) == (3, 3)
    assert checkpoint.extra["history"] == history.epochs[:3]


@pytest.mark.parametrize(("mode", "choose"), [("min", min), ("max", max)])
def test_the_callback_keeps_the_best_epoch(path: Path, mode: str, choose: Any) -> None:
    history = fitted(path, monitor="train_loss", mode=mode)
    losses = history["train_loss"]
    assert load_checkpoint(Training().model, path).epoch == 1 + losses.index(choose(losses))


def test_the_callback_refuses_a_bad_mode() -> None:
    with pytest.raises(ValueError, match="ModelCheckpoint: the name 'speed' does not tell whether it is to be small"):
        ModelCheckpoint("x", monitor="speed")
    with pytest.raises(ValueError, match="ModelCheckpoint: mode must be 'min' or 'max'; got 'best'"):
        ModelCheckpoint("x", monitor="speed", mode="best")
    with pytest.raises(TypeError, match="ModelCheckpoint: monitor is the name of a column of the history; got 3"):
        ModelCheckpoint("x", monitor=3)  # type: ignore[arg-type]
    assert repr(ModelCheckpoint("x")) == "ModelCheckpoint('x')"
