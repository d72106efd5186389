"""Parameters in one flat vector: views of it, and nobody can tell from the results."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from optimizers import STEPPING
from tinygrad_opt import nn
from tinygrad_opt.core import ledger

METHODS: dict[str, Callable[..., tg.optim.Optimizer]] = {
    name: lambda params, make=make: make(params, lr=0.1, weight_decay=0.01) for name, make in STEPPING.items()
}
methods = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
SHAPES = [(2, 3), (), (4,), (0, 5), (1, 1, 2)]


def parameters(device: str = "cpu", dtype: Any = tg.float64, shapes: Any = SHAPES) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    values = [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]
    return [nn.Parameter(tg.tensor(value, device=device)) for value in values]


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy().copy()


def hosts(xs: list[tg.Tensor]) -> list[np.ndarray]:
    return [host(x) for x in xs]


def assert_equal(xs: list[np.ndarray], ys: list[np.ndarray]) -> None:
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_array_equal(x, y)


def loss_of(params: list[tg.Tensor]) -> tg.Tensor:
    """A loss with another gradient for every element, and a constant part that is used by none."""
    terms = [(tg.exp(0.3 * p) * (k + 1)).sum() for k, p in enumerate(params)]
    return sum(terms[1:], terms[0])


def train(params: list[tg.Tensor], optimizer: tg.optim.Optimizer, steps: int = 3) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# Layout.


def test_values_and_gradients_are_views_of_two_vectors(device: str) -> None:
    params = parameters(device)
    before = hosts(params)
    optimizer = tg.optim.SGD(params, lr=0.1)
    ((vector,),) = optimizer._vectors
    assert_equal(hosts(params), before)
    loss_of(params).backward()
    vector.theta[...] = 5.0
    vector.grad[...] = 7.0
    for p, value in zip(params, before, strict=True):
        np.testing.assert_array_equal(host(p), np.full(value.shape, 5.0))
        np.testing.assert_array_equal(host(p.grad), np.full(value.shape, 7.0))
        assert (p.device, p.grad.device) == (device, device)


@methods
def test_every_parameter_is_updated_as_if_it_were_alone(method: Any, device: str) -> None:
    together, alone = parameters(device), parameters(device)
    train(together, method(together), steps=4)
    for k, p in enumerate(alone):
        optimizer = method([p])
        for _ in range(4):
            optimizer.zero_grad()
            ((tg.exp(0.3 * p) * (k + 1)).sum()).backward()
            optimizer.step()
    assert_equal(hosts(together), hosts(alone))
    assert not np.array_equal(host(together[0]), host(parameters(device)[0]))


def test_several_dtypes_and_groups_each_have_their_own_vector() -> None:
    single, double = parameters(dtype=tg.float32), parameters(dtype=tg.float64)
    optimizer = tg.optim.SGD([{"params": [*single, *double]}, {"params": parameters()[0], "lr": 1.0}], lr=0.5)
    assert [[v.dtype.name for v in vectors] for vectors in optimizer._vectors] == [["float32", "float64"], ["float64"]]
    before = hosts([*single, *double])
    last = optimizer.param_groups[1]["params"][0]
    start = host(last)
    (loss_of(single).astype(tg.float64) + loss_of(double) + last.sum()).backward()
    gradients = [host(p.grad) for p in (*single, *double)]
    optimizer.step()
    for p, value, g in zip([*single, *double], before, gradients, strict=True):
        assert (p.dtype, p.grad.dtype) == (value.dtype, value.dtype)
        np.testing.assert_allclose(host(p), value - 0.5 * g, rtol=1e-6)
    np.testing.assert_array_equal(host(last), start - 1.0)


def test_parameters_of_any_layout_are_taken_in() -> None:
    base = np.arange(24.0).reshape(4, 6)
    frozen = base[::2].copy()
    frozen.flags.writeable = False
    layouts = [base.T, base[::-1, ::2], np.asfortranarray(base), frozen, np.broadcast_to(np.array([1.0, 2.0]), (3, 2))]
    params = [tg.asarray(a, requires_grad=True) for a in layouts]
    values = [np.array(a) for a in layouts]
    optimizer = tg.optim.SGD(params, lr=1.0)
    sum((p.sum() for p in params), tg.tensor(0.0, dtype=tg.float64)).backward()
    optimizer.step()
    for p, value in zip(params, values, strict=True):
        np.testing.assert_array_equal(host(p), value - 1)
    np.testing.assert_array_equal(base, np.arange(24.0).reshape(4, 6))


@methods
def test_parameters_without_elements(method: Any, device: str) -> None:
    params = parameters(device, shapes=[(0,), (3, 0)])
    train(params, method(params))
    assert [p.shape for p in params] == [(0,), (3, 0)]


@methods
def test_float32_stays_float32(method: Any, device: str) -> None:
    params = parameters(device, tg.float32)
    optimizer = method(params)
    optimizer.param_groups[0]["lr"] = np.float64(0.1)
    rule, seen = optimizer.rule, set()

    def watched(*arrays: Any, **hyper: Any) -> Any:
        results = rule(*arrays, **hyper)
        seen.update(array.dtype.name for array in (*arrays, *results))
        return results

    optimizer.rule = watched
    train(params, optimizer)
    assert seen == {"float32"}
    assert {p.dtype for p in params} == {np.dtype("float32")}


def test_a_step_does_not_wait_for_the_device() -> None:
    params = parameters("double:0", tg.float32)
    for method in METHODS.values():
        optimizer = method(params)
        for _ in range(2):
            loss = loss_of(params)
            with strict_double.synchronizations() as waits:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            assert waits == []


def test_the_vectors_of_a_second_device_are_made_and_used_there() -> None:
    params = parameters("double:1")
    for method in METHODS.values():
        optimizer = method(params)
        with strict_double.Device(1):
            loss_of(params).backward()
        optimizer.step()
        ((vector,),) = optimizer._vectors
        assert {tg.Tensor(a).device for a in (vector.theta, vector.grad, *vector.state.values())} == {"double:1"}


# Parameters without a gradient.


@methods
def test_a_parameter_without_a_gradient_keeps_value_and_state(method: Any, device: str) -> None:
    together, alone = parameters(device), parameters(device)
    optimizer, own = method(together), [method([p]) for p in alone]
    for step in range(7):
        used = [k for k in range(len(together)) if step % (k + 1) == 0]
        optimizer.zero_grad()
        loss_of([together[k] for k in used]).backward()
        untouched = {k: host(p) for k, p in enumerate(together) if k not in used}
        optimizer.step()
        for k, value in untouched.items():
            np.testing.assert_array_equal(host(together[k]), value)
        for place, k in enumerate(used):
            own[k].zero_grad()
            (tg.exp(0.3 * alone[k]) * (place + 1)).sum().backward()
            own[k].step()
    ((vector,),) = optimizer._vectors
    assert vector.steps == [7, 4, 3, 2, 2]
    assert_equal(hosts(together), hosts(alone))


@methods
def test_a_frozen_parameter_keeps_value_and_state_until_it_is_thawed(method: Any) -> None:
    params, same = parameters(), parameters()
    optimizer, other = method(params), method(same)
    train(params, optimizer, 2)
    train(same, other, 2)
    params[2].requires_grad_(False)
    value = host(params[2])
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()
    np.testing.assert_array_equal(host(params[2]), value)
    params[2].requires_grad_(True)
    train(params, optimizer, 2)
    train(same, other, 2)
    np.testing.assert_array_equal(host(params[2]), host(same[2]))


@methods
def test_without_any_gradient_nothing_happens(method: Any) -> None:
    params = parameters()
    optimizer = method(params)
    train(params, optimizer)
    before, state = hosts(params), optimizer.state_dict()
    optimizer.zero_grad()
    optimizer.step()
    assert_equal(hosts(params), before)
    for vector, other in zip(
        state["groups"][0]["vectors"], optimizer.state_dict()["groups"][0]["vectors"], strict=True
    ):
        assert vector["steps"] == other["steps"]
        assert_equal(list(vector["state"].values()), list(other["state"].values()))


# Parameters that are moved behind the optimizer's back.


@methods
def test_a_parameter_that_moved_is_brought_back(method: Any, device: str) -> None:
    params, same = parameters(device), parameters(device)
    optimizer, other = method(params), method(same)
    for step in range(4):
        if step == 2:
            moved = host(params[0]) + 1
            params[0].rehome(tg.tensor(moved, device=device).data)
            same[0].data = tg.tensor(moved, device=device).data
        train(params, optimizer, 1)
        train(same, other, 1)
    assert_equal(hosts(params), hosts(same))


def test_two_optimizers_of_the_same_parameters_take_turns() -> None:
    params = parameters(shapes=[(3,), (2,)])
    values = [host(p) for p in params]
    first, second = tg.optim.SGD(params, lr=0.5), tg.optim.SGD(params[::-1], lr=0.25, momentum=0.5)
    velocity: list[Any] = [None, None]
    for step in range(6):
        optimizer = (first, second)[step % 2]
        optimizer.zero_grad()
        ((params[0] ** 2).sum() + (params[1] ** 4).sum()).backward()
        gradients = [2 * values[0], 4 * values[1] ** 3]
        optimizer.step()
        for k, g in enumerate(gradients):
            if step % 2:
                velocity[k] = g if velocity[k] is None else 0.5 * velocity[k] + g
            values[k] = values[k] - (0.25 * velocity[k] if step % 2 else 0.5 * g)
        for p, value in zip(params, values, strict=True):
            np.testing.assert_allclose(host(p), value, rtol=1e-12)


def test_both_optimizers_may_use_one_gradient() -> None:
    (p,) = params = parameters(shapes=[(3,)])
    before = host(p)
    first, second = tg.optim.SGD(params, lr=1.0), tg.optim.SGD(params, lr=10.0)
    (p * 2).sum().backward()
    first.step()
    second.step()
    np.testing.assert_allclose(host(p), before - 2 - 20)


def test_a_model_that_changed_its_dtype_or_device_needs_a_new_optimizer() -> None:
    for target, named in ((tg.float64, r"float64 on cpu"), ("double:0", r"float32 on double:0")):
        model = nn.Linear(2, 3)
        optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
        model.to(target)
        before = host(model.weight)
        model(tg.ones(1, 2, dtype=model.weight.dtype, device=model.weight.device)).sum().backward()
        message = rf"parameter weight is now \(3, 2\) {named}; the optimizer was made for \(3, 2\) float32 on cpu. Make"
        with pytest.raises(tg.errors.DeviceError, match=message):
            optimizer.step()
        np.testing.assert_array_equal(host(model.weight), before)


# Memory, and copies.


@pytest.mark.usefixtures("no_gc")
def test_an_optimizer_dies_without_the_garbage_collector() -> None:
    params = parameters()
    optimizer = tg.optim.Adam(params, lr=0.1)
    train(params, optimizer)
    alive = weakref.ref(optimizer)
    del optimizer
    assert alive() is None
    (params[0] * 2).sum().backward()


@pytest.mark.usefixtures("no_gc")
def test_training_leaves_nothing_behind() -> None:
    params = parameters()
    optimizer = tg.optim.Adam(params, lr=0.1)
    for _ in range(3):
        train(params, optimizer, 1)
    gc.collect()
    regions = len(ledger._regions)
    for step in range(20):
        optimizer.zero_grad()
        loss_of(params[step % 2 :]).backward()
        optimizer.step()
    assert len(ledger._regions) <= regions + 2  # two stretches of parameters with one step count each
    assert gc.collect() == 0


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
@methods
def test_a_copy_of_model_and_optimizer_trains_on_alone(method: Any, twin_of: Callable[[Any], Any]) -> None:
    params = parameters()
    optimizer = method(params)
    train(params, optimizer)
    loss_of(params).backward()  # the copy takes over gradients that are waiting for a step, too
    twins, other = twin_of((params, optimizer))
    before = hosts(params)
    other.step()
    train(twins, other)
    assert_equal(hosts(params), before)
    optimizer.step()
    train(params, optimizer)
    assert_equal(hosts(twins), hosts(params))
    assert all(a is b for a, b in zip(other.param_groups[0]["params"], twins, strict=True))


@pytest.mark.parametrize("whole", [False, True], ids=["parameter", "part"])
def test_a_parameter_that_was_replaced_in_its_module_is_noticed(whole: bool) -> None:
    model = tg.nn.Sequential(tg.nn.Linear(2, 2, bias=False), tg.nn.Linear(2, 1, bias=False))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    if whole:
        setattr(model, "1", tg.nn.Linear(2, 1, bias=False))
    else:
        model[1].weight = tg.nn.Parameter(tg.ones(1, 2))
    model(tg.ones(3, 2)).sum().backward()
    with pytest.warns(
        UserWarning, match=r"^\w+\.(1\.)?weight is another parameter now .* not updated. Make the optimizer"
    ):
        optimizer.step()
    optimizer.step()  # said once
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tg.optim.SGD(model.parameters(), lr=0.1).step()


def test_a_parameter_that_has_moved_to_another_place_is_not_missed() -> None:
    model = tg.nn.Sequential(tg.nn.Linear(2, 2, bias=False), tg.nn.Linear(2, 2, bias=False))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    kept = model[1].weight
    model[1].weight, model[0].weight = model[0].weight, kept
    model(tg.ones(3, 2)).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
