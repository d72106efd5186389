"""Operations and training give the same numbers on every device, and do not wait for it.

The property suite looks closer at each operation; this goes once through its table, from the first line to the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from tinygrad_opt import backend
from tinygrad_opt.testing.sources import RandomSource
from tinygrad_opt.testing.specs import SPECS

Array = Any
MODES = ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward")


def on_host(x: tg.Tensor) -> Array:
    return backend.of(x._array).to_host(x._array)


def placed(value: Any, device: str) -> Any:
    """Metadata with its arrays on the device."""
    if isinstance(value, tuple):
        return tuple(placed(item, device) for item in value)
    return backend.to_device(value, device) if isinstance(value, np.ndarray) else value


def outcome(spec: Any, seed: int, device: str) -> tuple[list[Array], list[str]]:
    """Value, gradients and Hessian products of one call, on the host; and what waited for the device in backward()."""
    sample = spec.sample(RandomSource(seed, device=device))
    args = [tg.asarray(x, device=device) if isinstance(x, np.ndarray) else x for x in sample.args]
    meta = {key: placed(value, device) for key, value in sample.meta.items()}
    primals = tuple(args[i] for i in sample.inputs)

    def value(*wanted: Any) -> Any:
        given = dict(zip(sample.inputs, wanted, strict=True))
        return spec.call(*[given.get(i, x) for i, x in enumerate(args)], **meta)

    def loss(*wanted: Any) -> Any:
        y = value(*wanted)
        return tg.sum(y * y)

    results, waits = [value(*primals)], []
    leaves = [tg.asarray(x, requires_grad=True) for x in primals]
    if leaves and value(*leaves).requires_grad:
        scalar = loss(*leaves)
        with strict_double.synchronizations() as waits:
            scalar.backward()
        results += [x.grad for x in leaves]
        for mode in MODES:
            results += tg.hvp(loss, primals, tuple(tg.ones_like(x) for x in primals), mode=mode)
    assert {result.device for result in results} == {device}
    return [on_host(result) for result in results], waits


def compare(spec: Any, device: str) -> None:
    for seed in range(5):
        with np.errstate(all="ignore"):
            expected, _ = outcome(spec, seed, "cpu")
        got, waits = outcome(spec, seed, device)
        for a, b in zip(expected, got, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        # How many elements a mask picks, only the device knows.
        assert [event for event in waits if "a boolean index" not in event] == []


@pytest.mark.parametrize("name", SPECS)
def test_every_operation_gives_the_same_on_the_double(name):
    compare(SPECS[name], "double:0")


def test_tensors_are_made_on_a_device_that_is_not_current():
    x = tg.zeros(3, device="double:1")
    made = [tg.rand(2, device="double:1"), tg.randint(5, device="double:1"), tg.tensor(x), tg.ones_like(x), x.clone()]
    x.data = [1.0, 2.0, 3.0]
    assert {y.device for y in made} == {x.device} == {"double:1"}
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_every_operation_works_on_a_device_that_is_not_current():
    for spec in SPECS.values():
        compare(spec, "double:1")


OPTIMIZERS = {
    "SGD": lambda p: tg.optim.SGD(p, lr=0.1),
    "SGD with momentum": lambda p: tg.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: tg.optim.Adam(p, lr=0.1, weight_decay=0.01),
}


def train(method: str, where: str) -> list[Array]:
    """The parameters of a small network after three steps that do not wait for the device."""
    tg.manual_seed(0)
    model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.BatchNorm1d(8), tg.nn.ReLU(), tg.nn.Linear(8, 3)).to(where)
    optimizer = OPTIMIZERS[method](model.parameters())
    x, labels = tg.randn(6, 4).to(where), tg.tensor([0, 1, 2, 0, 1, 2], device=where)
    for _ in range(3):
        loss = tg.nn.functional.cross_entropy(model(x), labels)
        with strict_double.synchronizations() as waits:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert waits == []
    assert {parameter.device for parameter in model.parameters()} == {where}
    return [on_host(parameter) for parameter in model.parameters()]


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_training_gives_the_same_on_every_device_and_never_waits(device, method):
    for a, b in zip(train(method, "cpu"), train(method, device), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_training_works_on_a_device_that_is_not_current():
    for a, b in zip(train("Adam", "cpu"), train("Adam", "double:1"), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
