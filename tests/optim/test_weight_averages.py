"""Averages of weights: the numbers are PyTorch's, the model gets its own weights back, a state goes on bit for bit."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from optimizers import leaf
from tinygrad_opt import nn
from tinygrad_opt.optim import program

AVERAGES: dict[str, Callable[[Any], Any]] = {
    "ema": lambda source: tg.optim.EMA(source, decay=0.7),
    "swa": tg.optim.SWA,
}
every_average = pytest.mark.parametrize("make", AVERAGES.values(), ids=AVERAGES)
SOURCES: dict[str, Callable[[Any, Any], Any]] = {
    "optimizer": lambda model, optimizer: optimizer,
    "model": lambda model, optimizer: model,
    "list": lambda model, optimizer: list(model.parameters()),
    "generator": lambda model, optimizer: model.parameters(),
}
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def network(device: str = "cpu", dtype: Any = tg.float64) -> nn.Sequential:
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(dtype).to(device)


def numbers(model: nn.Module) -> list[np.ndarray]:
    return [p.detach().cpu().numpy().copy() for p in model.parameters()]


def train(model: nn.Module, optimizer: Any, average: Any, steps: int, first: int = 0) -> list[list[np.ndarray]]:
    """The weights after each step."""
    points = []
    weight = next(model.parameters())
    for step in range(first, first + steps):
        x = tg.tensor(np.random.default_rng(step).standard_normal((6, 3)).astype(weight.dtype), device=weight.device)
        optimizer.step(lambda x=x: (model(x) ** 2).sum())
        average.update()
        points.append(numbers(model))
    return points


def averages(model: nn.Module, average: Any) -> list[np.ndarray]:
    with average.averaged():
        return numbers(model)


def assert_equal(xs: list[np.ndarray], ys: list[np.ndarray]) -> None:
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_array_equal(x, y)


def of_pytorch(name: str, points: list[list[np.ndarray]]) -> list[np.ndarray]:
    """What PyTorch's average of these weights is."""
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(p)) for p in points[0]])
    options = {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.7)} if name == "ema" else {}
    averaged = swa_utils.AveragedModel(model, **options)
    for values in points:
        with torch.no_grad():
            for p, value in zip(model, values, strict=True):
                p.copy_(torch.tensor(value))
        averaged.update_parameters(model)
    return [p.detach().numpy() for p in averaged.module]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_source
@pytest.mark.parametrize("name", AVERAGES)
def test_the_numbers_are_those_of_pytorch(name: str, source: Any, dtype: str, device: str) -> None:
    model = network(device, tg.float32 if dtype == "float32" else tg.float64)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    average = AVERAGES[name](source(model, optimizer))
    points = train(model, optimizer, average, 20)
    expected = of_pytorch(name, points)
    assert average.updates == 20
    for x, y in zip(averages(model, average), expected, strict=True):
        assert x.dtype == dtype
        np.testing.assert_allclose(
            x, y, rtol=2e-5 if dtype == "float32" else 1e-13, atol=1e-7 if dtype == "float32" else 0
        )
    assert_equal(numbers(model), points[-1])


@every_average
def test_the_numbers_of_long_vectors_of_one_and_of_other_lengths(make: Any) -> None:
    values = np.random.default_rng(0).standard_normal((3, 2 * program.BLOCK + 5))
    ends = np.r_[0:20, program.BLOCK - 20 : program.BLOCK + 20, values.shape[1] - 20 : values.shape[1]]
    results = []
    for points in (values, values[:, ends]):
        p = tg.zeros(points.shape[1], dtype=tg.float64, requires_grad=True)
        average = make([p])
        for point in points:
            p.data[...] = point
            average.update()
        average.assign()
        results.append(p.detach().numpy())
    np.testing.assert_allclose(results[0][ends], results[1], rtol=1e-15)


@every_average
@every_source
def test_the_first_update_copies_and_equal_weights_stay_as_they_are(make: Any, source: Any) -> None:
    model = network(dtype=tg.float32)
    average = make(source(model, tg.optim.SGD(model.parameters(), lr=0.1)))
    before = numbers(model)
    for _ in range(5):
        average.update()
        assert_equal(averages(model, average), before)


@every_source
def test_the_mean_is_that_of_numpy(source: Any) -> None:
    model = network()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05)
    average = tg.optim.SWA(source(model, optimizer))
    points = train(model, optimizer, average, 200)
    for x, *values in zip(averages(model, average), *points, strict=True):
        np.testing.assert_allclose(x, np.mean(values, axis=0), rtol=1e-12)


def test_statistics_of_batch_normalization_are_renewed_for_the_mean() -> None:
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).to(tg.float64)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05)
    swa = tg.optim.SWA(model)
    train(model, optimizer, swa, 5)
    swa.assign()
    x = tg.tensor(np.random.default_rng(0).standard_normal((20, 3)))
    nn.utils.update_bn_statistics(model, [x[:10], x[10:]])
    np.testing.assert_allclose(model[1].running_mean.numpy(), model[0](x).detach().numpy().mean(0), rtol=1e-12)


# Evaluation by the averages.


@every_average
@every_source
def test_weights_come_back_also_on_error(make: Any, source: Any, device: str) -> None:
    model = network(device)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
    average = make(source(model, optimizer))
    train(model, optimizer, average, 3)
    before, state = numbers(model), optimizer.state_of(model[0].weight)

    def evaluate() -> None:
        with average.averaged():
            assert not np.array_equal(numbers(model)[0], before[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate()
    assert_equal(numbers(model), before)
    for name, value in optimizer.state_of(model[0].weight).items():
        np.testing.assert_array_equal(value.cpu().numpy(), state[name].cpu().numpy())
    expected = copy.deepcopy(before)
    average.assign()
    assert not np.array_equal(numbers(model)[0], expected[0])


@every_average
def test_training_goes_on_as_if_nobody_had_looked(make: Any) -> None:
    ways = []
    for looks in (False, True):
        model = network()
        optimizer = tg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        average = make(optimizer)
        for step in range(4):
            train(model, optimizer, average, 1, first=step)
            if looks:
                averages(model, average)
        ways.append(numbers(model))
    assert_equal(*ways)


@every_average
@every_source
def test_a_graph_of_other_weights_is_refused(make: Any, source: Any) -> None:
    model = network()
    average = make(source(model, tg.optim.SGD(model.parameters(), lr=0.1)))
    average.update()
    loss = (model(tg.ones(2, 3, dtype=tg.float64)) ** 2).sum()
    with average.averaged(), pytest.raises(tg.errors.InPlaceError, match=r"by (EMA|SWA)\.averaged"):
        loss.backward()


@every_average
def test_a_parameter_that_was_given_new_memory_is_followed(make: Any) -> None:
    p, q = leaf(1.0), leaf(5.0)
    optimizer = tg.optim.SGD([p, q], lr=0.1)
    average = make(optimizer)
    p.rehome(np.array([3.0]))
    average.update()
    p.rehome(np.array([4.0]))
    with average.averaged():
        assert (p.item(), q.item()) == (3.0, 5.0)
    assert (p.item(), q.item()) == (4.0, 5.0)


@every_average
def test_what_has_no_meaning_is_refused(make: Any) -> None:
    p = leaf(1.0)
    average = make([p])
    for ask in (average.assign, lambda: average.averaged().__enter__()):
        with pytest.raises(RuntimeError, match=r"there is no average before the first update\(\)"):
            ask()
    average.update()
    with average.averaged():
        for name in ("update", "assign"):
            with pytest.raises(RuntimeError, match=rf"\.{name}: not inside of averaged\(\)"):
                getattr(average, name)()
        with pytest.raises(RuntimeError, match=r"averaged: not inside of averaged\(\)"):
            average.averaged().__enter__()
    average.update()
    assert average.updates == 2


@every_average
def test_a_step_does_not_wait_for_the_device(make: Any) -> None:
    model = network("double:0")
    average = make(model)
    with strict_double.synchronizations() as waits:
        average.update()
        average.update()
        with average.averaged():
            pass
    assert waits == []


# States.


@every_average
@every_source
def test_a_state_goes_on_bit_for_bit(make: Any, source: Any, device: str) -> None:
    model = network(device)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    average = make(source(model, optimizer))
    train(model, optimizer, average, 3)
    state = average.state_dict()
    kept = copy.deepcopy(state)
    other = make(source(model, optimizer))
    other.load_state_dict(pickle.loads(pickle.dumps(state)))
    points = train(model, optimizer, average, 2, first=3)
    now = numbers(model)
    for point in points:
        for p, value in zip(model.parameters(), point, strict=True):
            p.data[...] = tg.tensor(value, device=device).data
        other.update()
    assert_equal(numbers(model), now)
    assert other.updates == average.updates == 5
    assert_equal(averages(model, other), averages(model, average))
    assert_equal(state["averages"], kept["averages"])
    assert repr(other) == repr(average)


@every_average
def test_states_that_do_not_fit(make: Any) -> None:
    average = make([leaf(1.0, 2.0)])
    average.update()
    good = average.state_dict()
    for spoiled, message in [
        (tg.optim.SGD([leaf(1.0)]).state_dict(), r"the state of SGD, not of (EMA|SWA)"),
        ({}, r"the state of None, not of"),
        ([], r"the state of list, not of"),
        ({**good, "updates": -1}, r"updates is a whole number from 0 on; got -1"),
        ({**good, "updates": True}, r"updates is a whole number from 0 on; got True"),
        ({**good, "averages": []}, r"of other weights; expected \[\(\(2,\), 'float64'\)\], got \[\]"),
        ({**good, "averages": None}, r"of other weights"),
        ({**good, "averages": [np.zeros(2, "f4")]}, r"of other weights"),
        ({**good, "averages": [[0.0, 0.0]]}, r"of other weights"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            average.load_state_dict(spoiled)
    assert average.updates == 1
    assert average.state_dict()["averages"][0].tolist() == [1.0, 2.0]


def test_the_decay_is_that_of_the_state() -> None:
    ema, other = tg.optim.EMA([leaf(1.0)], decay=0.25), tg.optim.EMA([leaf(1.0)])
    other.load_state_dict(ema.state_dict())
    assert other.decay == 0.25
    with pytest.raises(ValueError, match=r"EMA: decay must be a number in \[0, 1\); got 2"):
        other.load_state_dict({**ema.state_dict(), "decay": 2})
    assert other.decay == 0.25


# What they refuse.


@every_average
def test_what_has_no_weights(make: Any) -> None:
    for bad in (None, 3, leaf(1.0), "w", [np.ones(2)], [tg.ones(2, dtype=tg.int64)], [leaf(1.0) * 2]):
        with pytest.raises(TypeError, match=r"(EMA|SWA): (source must be|parameter 0 must be a floating leaf)"):
            make(bad)
    p = leaf(1.0)
    for bad, message in [([], "there are no parameters"), (nn.Tanh(), "there are no parameters"), ([p, p], "twice")]:
        with pytest.raises(ValueError, match=message):
            make(bad)


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan"), "0.9", None, True])
def test_a_bad_decay(decay: Any) -> None:
    with pytest.raises(ValueError, match=r"EMA: decay must be a number in \[0, 1\); got"):
        tg.optim.EMA([leaf(1.0)], decay=decay)


@every_average
def test_weights_that_are_other_weights_now(make: Any) -> None:
    model = network()
    average = make(model)
    average.update()
    model.to(tg.float32)
    with pytest.raises(tg.errors.DeviceError, match=r"now \(4, 3\) float32 on cpu, and were \(4, 3\) float64 on cpu"):
        average.update()
    optimizer = tg.optim.SGD([leaf(1.0)])
    average = make(optimizer)
    optimizer.add_param_group({"params": [leaf(2.0)]})
    with pytest.raises(tg.errors.DeviceError, match=r"now 2 arrays, and were 1 when the average was made"):
        average.update()
