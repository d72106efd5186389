"""What every optimizer has to do: solve four problems, go on from a saved state, and bear gradients of all kinds."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from optimizers import MAKERS, MATRICES, PROBLEMS, Maker, Problem, every, every_elementwise, every_stepping, leaf
from tinygrad_opt.optim import program
from tinygrad_opt.optim.wrapper import Wrapper


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy().copy()


def weighted(params: list[tg.Tensor]) -> tg.Tensor:
    """A loss with another gradient for every element."""
    return sum((tg.exp(0.3 * p) * (k + 1)).sum() for k, p in enumerate(params))


def two(device: str = "cpu", dtype: Any = tg.float64, size: int = 3) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    return [tg.tensor(rng.standard_normal(size), dtype=dtype, device=device, requires_grad=True) for _ in range(2)]


def is_an_optimizer(public: Any) -> bool:
    """Whether this is a class of optimizers with parameters of its own: wrappers take an optimizer in their place."""
    return isinstance(public, type) and issubclass(public, tg.optim.Optimizer) and not issubclass(public, Wrapper)


def test_every_optimizer_is_in_the_table() -> None:
    public = {name for name in tg.optim.__all__ if is_an_optimizer(getattr(tg.optim, name))} - {"Optimizer"}
    assert public == {make.name for make in MAKERS.values()} | {*MATRICES}, "write an entry in tests/optimizers.py"
    assert all(make.looks_ahead == make([leaf(1.0)], lr=0.1).needs_closure for make in MAKERS.values())


def test_every_optimizer_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "optimizers.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)", page, re.MULTILINE))
    assert rows == set(tg.optim.__all__) - {"Optimizer"}


# Problems.


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
@every
def test_it_solves(make: Maker, problem: Problem) -> None:
    loss, way = problem.train(make, getattr(make.rates, problem.name))
    assert loss < problem.solved < way[0]


@every
def test_in_float32_the_way_is_the_same_on_every_device(make: Maker, device: str) -> None:
    problem = dataclasses.replace(PROBLEMS[-1], steps=12)
    _, way = problem.train(make, make.rates.digits, device, tg.float32)
    _, exact = problem.train(make, make.rates.digits)
    # Of a singular g gᵀ SOAP takes any eigenvectors of 0, so its ways part.
    np.testing.assert_allclose(way, exact, rtol=0.05 if make.name == "SOAP" else 1e-4)
    assert way[-1] < 0.9 * way[0]


@every
def test_maximize_goes_up_as_the_rest_goes_down(make: Maker) -> None:
    down, up = two(), two()
    falling, rising = make(down, lr=0.01, weight_decay=0.1), make(up, lr=0.01, weight_decay=0.1, maximize=True)
    for _ in range(5):
        falling.step(lambda: weighted(down))
        rising.step(lambda: -weighted(up))
    for p, q in zip(down, up, strict=True):
        np.testing.assert_allclose(host(p), host(q), rtol=1e-14)


# Long vectors, and devices.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_elementwise
def test_long_vectors_are_updated_as_short_ones(make: Maker, dtype: str) -> None:
    values = np.random.default_rng(0).standard_normal(2 * program.BLOCK + 5).astype(dtype)
    ends = np.r_[0:20, program.BLOCK - 20 : program.BLOCK + 20, len(values) - 20 : len(values)]
    results = []
    for start in (values, values[ends]):
        p = tg.tensor(start, requires_grad=True)
        optimizer = make([p], lr=0.05, weight_decay=0.01)
        for sign in (1.0, 1.0, -1.0, 1.0):  # the gradient changes its sign now and then
            optimizer.step(lambda p=p, sign=sign: sign * (p * p * p).sum())
        results.append([host(p), *(s.numpy() for s in optimizer.state_of(p).values())])
    for long, short in zip(*results, strict=True):
        assert long.dtype == short.dtype == dtype
        np.testing.assert_allclose(long[ends], short, rtol=2e-5 if dtype == "float32" else 1e-13, atol=1e-12)


@every
def test_a_step_does_not_wait_for_the_device(make: Maker) -> None:
    params = two("double:0", tg.float32)
    optimizer = make(params, lr=0.1)
    for _ in range(3):
        with strict_double.synchronizations() as waits:
            optimizer.step(lambda: weighted(params))
        assert waits == []


# Saved states.


@every
def test_a_training_with_groups_goes_on_bit_for_bit(make: Maker) -> None:
    def groups(params: list[tg.Tensor]) -> list[dict[str, Any]]:
        return [{"params": [params[0]]}, {"params": [params[1]], "lr": 0.02}]

    params, again = two(), two()
    optimizer, other = make(groups(params), lr=0.05), make(groups(again), lr=0.07)
    for _ in range(3):
        optimizer.step(lambda: weighted(params))
    optimizer.param_groups[1]["lr"] = 0.03
    saved = copy.deepcopy(optimizer.state_dict())
    for p, q in zip(params, again, strict=True):
        q.data[...] = p.data
    other.load_state_dict(saved)
    assert [group["lr"] for group in other.param_groups] == [0.05, 0.03]
    for _ in range(4):
        optimizer.step(lambda: weighted(params))
        other.step(lambda: weighted(again))
    for p, q in zip(params, again, strict=True):
        np.testing.assert_array_equal(host(p), host(q))
        for mine, theirs in zip(optimizer.state_of(p).values(), other.state_of(q).values(), strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


@every
def test_the_state_of_a_parameter_has_its_shape_and_is_a_copy(make: Maker) -> None:
    params = [tg.ones(2, 3, dtype=tg.float64, requires_grad=True), leaf(2.0)]
    optimizer = make(params, lr=0.1)
    assert optimizer.state_of(params[0]) == {}
    optimizer.step(lambda: weighted(params))
    names = list(optimizer.state_names(optimizer.param_groups[0]))
    for p in params:
        state = optimizer.state_of(p)
        assert list(state) == names
        assert all(s.shape == optimizer.state_shape(name, p.shape) for name, s in state.items())
        assert make.whole or all(s.shape == p.shape for s in state.values())
        assert all(s.dtype == p.dtype and not s.requires_grad for s in state.values())
        for s in state.values():
            s.data[...] = 77.0
        assert all((s.numpy() != 77.0).all() for s in optimizer.state_of(p).values())
    with pytest.raises(KeyError, match=r"state_of: this is none of the optimizer's parameters"):
        optimizer.state_of(leaf(1.0))


# Gradients of zero, and none at all.


@every
def test_gradients_of_zero_keep_everything_finite(make: Maker) -> None:
    p = leaf(1.0, -2.0)
    still = {"lambd": 0.0} if make.name == "ASGD" else {}
    optimizer = make([p], lr=0.1, weight_decay=0.0, **still)
    for _ in range(3):
        optimizer.step(lambda: (0.0 * p).sum())
    assert p.tolist() == [1.0, -2.0]
    for _ in range(2):
        optimizer.step(lambda: (p * p).sum())
    for _ in range(3):
        optimizer.step(lambda: (0.0 * p).sum())
    values = [p, *optimizer.state_of(p).values()]
    assert all(np.isfinite(host(x)).all() for x in values)
    assert p.tolist() != [1.0, -2.0]


@every
def test_a_frozen_or_unused_parameter_keeps_value_and_state(make: Maker) -> None:
    frozen, unused, used = params = [*two(), leaf(0.5)]
    optimizer = make(params, lr=0.05, weight_decay=0.1)
    for _ in range(3):
        optimizer.step(lambda: weighted(params))
    frozen.requires_grad_(False)
    before = [[host(p), *map(host, optimizer.state_of(p).values())] for p in (frozen, unused)]
    seen = []

    def closure() -> tg.Tensor:
        seen.append(host(frozen))
        return weighted([used]) + frozen.sum()

    optimizer.step(closure)
    after = [[host(p), *map(host, optimizer.state_of(p).values())] for p in (frozen, unused)]
    for old, new in zip(before, after, strict=True):
        for x, y in zip(old, new, strict=True):
            np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(seen[0], before[0][0])
    assert used.item() != 0.5


@every_stepping
def test_anomalies_are_named(make: Maker) -> None:
    p = leaf(1.0, 2.0)
    optimizer = make([p], lr=0.1)
    p.grad = tg.tensor([np.nan, 1.0], dtype=tg.float64)
    with tg.detect_anomaly(), pytest.raises(tg.errors.AnomalyError, match=rf"{make.name}\.step"):
        optimizer.step()


# The book's look-ahead.


@pytest.mark.parametrize("make", [m for m in MAKERS.values() if m.looks_ahead], ids=lambda m: m.name)
class TestLookAhead:
    def test_the_loss_is_evaluated_ahead_and_the_parameters_come_back(self, make: Maker, device: str) -> None:
        params = two(device)
        optimizer = make(params, lr=0.1)
        optimizer.step(lambda: weighted(params))
        home = [host(p) for p in params]
        velocity = [host(optimizer.state_of(p)["v"]) for p in params]
        seen = []

        def closure() -> tg.Tensor:
            seen.extend(host(p) for p in params)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            optimizer.step(closure)
        alpha = make.options["momentum"]
        for p, start, v, ahead in zip(params, home, velocity, seen, strict=True):
            np.testing.assert_allclose(ahead, start + alpha * v, rtol=1e-15)
            np.testing.assert_array_equal(host(p), start)

    def test_without_a_closure_it_says_what_is_missing(self, make: Maker) -> None:
        p = leaf(1.0)
        optimizer = make([p], lr=0.1)
        (p * p).sum().backward()
        with pytest.raises(TypeError, match=rf"{make.name}\.step: .* look-ahead point, .* write step\(closure\)"):
            optimizer.step()
        assert p.tolist() == [1.0]

    def test_a_graph_from_the_look_ahead_point_is_not_taken_for_one_from_here(self, make: Maker) -> None:
        p = leaf(1.0)
        optimizer = make([p], lr=0.1)
        kept = []
        for _ in range(2):
            optimizer.step(lambda: kept.append((p * p).sum()) or (p * p).sum())
        with pytest.raises(tg.errors.InPlaceError, match=rf"by {make.name}\.step"):
            kept[-1].backward()


# The record of a step.


@every
def test_the_trace_says_what_the_last_step_did(make: Maker, device: str) -> None:
    p, q, r = leaf(3.0).to(device).detach().requires_grad_(), leaf(1.0, 1.0), leaf(5.0)
    optimizer = make([{"params": [p, r]}, {"params": [q], "lr": 0.25}], lr=0.5)
    assert optimizer.trace is None
    loss = lambda: (4.0 * p).sum().cpu() + (3.0 * q[0])  # noqa: E731
    expected = loss().item()
    optimizer.step(loss)
    trace = optimizer.trace
    assert (trace.step, trace.lr, trace.updated) == (1, (0.5, 0.25), 3)
    assert (trace.gradient_norm, trace.loss) == (5.0, expected)
    assert repr(trace) == f"step 1: lr 0.5, 0.25, loss {expected:g}, 3 numbers updated"
    optimizer.step(lambda: p.sum())
    assert (optimizer.trace.step, optimizer.trace.updated, optimizer.trace.gradient_norm) == (2, 1, 1.0)
    assert trace.gradient_norm == 5.0


def test_a_gradient_that_was_written_over_has_no_norm_any_more() -> None:
    p, q = leaf(3.0), leaf(1.0)
    optimizer = tg.optim.SGD([p, q], lr=0.1)
    (2.0 * p).sum().backward()
    optimizer.step()
    trace = optimizer.trace
    assert trace.loss is None
    optimizer.zero_grad()
    (5.0 * p).sum().backward()
    with pytest.raises(RuntimeError, match=r"a later backward\(\) has written over the gradient of step 1"):
        trace.gradient_norm  # noqa: B018
    assert repr(trace) == "step 1: lr 0.1, 1 numbers updated"


def test_a_trace_does_not_wait_until_it_is_read() -> None:
    params = two("double:0")
    optimizer = tg.optim.SGD(params, lr=0.1)
    with strict_double.synchronizations() as waits:
        optimizer.step(lambda: weighted(params))
        trace = optimizer.trace
    assert waits == []
    assert trace.gradient_norm > 0


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_a_copy_has_no_record_until_its_first_step(twin_of: Any) -> None:
    p = leaf(3.0)
    optimizer = tg.optim.SGD([p], lr=0.1)
    optimizer.step(lambda: (2.0 * p).sum())
    q, twin = twin_of((p, optimizer))
    assert (twin.trace, optimizer.trace.gradient_norm) == (None, 2.0)
    twin.step(lambda: (5.0 * q).sum())
    assert (twin.trace.step, twin.trace.gradient_norm) == (2, 5.0)


def test_a_step_that_updates_nothing_has_a_record_too() -> None:
    optimizer = tg.optim.Adam([leaf(1.0)], lr=0.1)
    optimizer.step()
    assert (optimizer.trace.step, optimizer.trace.updated, optimizer.trace.gradient_norm) == (0, 0, 0.0)


# What they refuse.

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("SGD", {"nesterov": 1}, r"nesterov must be True or False; got 1"),
    ("SGD", {"maximize": "yes"}, r"maximize must be True or False; got 'yes'"),
    ("SGD", {"form": "pytorch"}, r"form must be 'torch' or 'book'; got 'pytorch'"),
    ("SGD", {"form": None}, r"form must be 'torch' or 'book'; got None"),
    ("SGD", {"form": "book", "momentum": 0.5, "dampening": 0.1}, r"form='book' has no dampening; leave dampening out"),
    ("SGD", {"form": "book", "nesterov": True}, r"nesterov=True needs momentum > 0"),
    ("ASGD", {"lambd": -1.0}, r"lambd must be a number at least 0; got -1.0"),
    ("ASGD", {"alpha": "1"}, r"alpha must be a number at least 0; got '1'"),
    ("ASGD", {"t0": -1}, r"t0 must be a number at least 0; got -1"),
    ("DeltaBarDelta", {"kappa": -0.1}, r"kappa must be a number at least 0; got -0.1"),
    ("DeltaBarDelta", {"phi": 1.0}, r"phi must be a number in \[0, 1\); got 1.0"),
    ("DeltaBarDelta", {"decay": 1.5}, r"decay must be a number in \[0, 1\); got 1.5"),
    ("Rprop", {"etas": (0.0, 1.2)}, r"etas\[0\] must be a number in \(0, 1\); got 0.0"),
    ("Rprop", {"etas": (0.5, 1.0)}, r"etas\[1\] must be a number above 1; got 1.0"),
    ("Rprop", {"etas": 0.5}, r"etas must be a pair such as \(0.5, 1.2\); got 0.5"),
    ("Rprop", {"step_sizes": (1.0, 0.5)}, r"step_sizes\[1\] must be a number at least 1; got 0.5"),
    ("Rprop", {"step_sizes": (-1.0, 0.5)}, r"step_sizes\[0\] must be a number at least 0; got -1.0"),
    ("Rprop", {"step_sizes": None}, r"step_sizes must be a pair such as \(1e-06, 50\); got None"),
    ("Adagrad", {"lr_decay": -1.0}, r"lr_decay must be a number at least 0; got -1.0"),
    ("Adagrad", {"initial_accumulator_value": -1.0}, r"initial_accumulator_value must be a number at least 0; got -1"),
    ("Adagrad", {"eps": "small"}, r"eps must be a number at least 0; got 'small'"),
    ("Adagrad", {"form": "book", "lr_decay": 0.1}, r"form='book' has no lr_decay; leave lr_decay out"),
    ("Adagrad", {"form": "book", "initial_accumulator_value": 0.1}, r"form='book' has no initial_accumulator_value"),
    ("RMSprop", {"alpha": 1.0}, r"alpha must be a number in \[0, 1\); got 1.0"),
    ("RMSprop", {"eps": -1e-8}, r"eps must be a number at least 0; got -1e-08"),
    ("RMSprop", {"momentum": 1.0}, r"momentum must be a number in \[0, 1\); got 1.0"),
    ("RMSprop", {"centered": None}, r"centered must be True or False; got None"),
    ("RMSprop", {"nesterov": True, "momentum": 0.5}, r"nesterov=True needs form='book' and momentum > 0"),
    ("RMSprop", {"nesterov": True, "form": "book"}, r"nesterov=True needs form='book' and momentum > 0"),
    ("RMSprop", {"centered": True, "form": "book"}, r"form='book' has no centered; leave centered out"),
    ("Adadelta", {"rho": 1.0}, r"rho must be a number in \[0, 1\); got 1.0"),
    ("Adadelta", {"eps": 0.0}, r"eps must be a number above 0; got 0.0"),
    ("AdamW", {"weight_decay": -1.0}, r"weight_decay must be a number at least 0; got -1.0"),
    ("Adam", {"amsgrad": 1}, r"amsgrad must be True or False; got 1"),
    ("Adafactor", {"beta2_decay": 0.5}, r"beta2_decay must be a number at most 0; got 0.5"),
    ("Adafactor", {"beta2_decay": float("-inf")}, r"beta2_decay must be a number at most 0; got -inf"),
    ("Adafactor", {"eps": 1e-3}, r"eps must be a pair such as \(None, 0.001\); got 0.001"),
    ("Adafactor", {"eps": (-1.0, 1e-3)}, r"eps\[0\] must be a number at least 0; got -1.0"),
    ("Adafactor", {"eps": (None, None)}, r"eps\[1\] must be a number at least 0; got None"),
    ("Adafactor", {"d": 0.5}, r"d must be a number at least 1; got 0.5"),
    ("Shampoo", {"momentum": 1.0}, r"momentum must be a number in \[0, 1\); got 1.0"),
    ("Shampoo", {"eps": 0.0}, r"eps must be a number above 0; got 0.0"),
    ("SOAP", {"eps": -1.0}, r"eps must be a number at least 0; got -1.0"),
    ("SOAP", {"update_freq": True}, r"update_freq must be a whole number from 1 on; got True"),
    ("Shampoo", {"update_freq": 0}, r"update_freq must be a whole number from 1 on; got 0"),
    ("Shampoo", {"update_freq": 2.0}, r"update_freq must be a whole number from 1 on; got 2.0"),
    ("LARS", {"momentum": 1.0}, r"momentum must be a number in \[0, 1\); got 1.0"),
    ("LARS", {"trust_coefficient": -1.0}, r"trust_coefficient must be a number at least 0; got -1.0"),
    ("LARS", {"eps": "0"}, r"eps must be a number at least 0; got '0'"),
    ("LAMB", {"eps": 0.0}, r"eps must be a number above 0; got 0.0"),
    ("LAMB", {"bounds": 10.0}, r"bounds must be a pair such as \(0.0, 10.0\); got 10.0"),
    ("LAMB", {"bounds": (-1.0, 10.0)}, r"bounds\[0\] must be a number at least 0; got -1.0"),
    ("LAMB", {"bounds": (2.0, 1.0)}, r"bounds\[1\] must be a number at least 2; got 1.0"),
    ("NAdam", {"momentum_decay": -1.0}, r"momentum_decay must be a number at least 0; got -1.0"),
    ("NAdam", {"decoupled_weight_decay": 1}, r"decoupled_weight_decay must be True or False; got 1"),
    ("Yogi", {"initial_accumulator_value": -1.0}, r"initial_accumulator_value must be a number at least 0; got -1.0"),
    ("Yogi", {"bias_correction": 0}, r"bias_correction must be True or False; got 0"),
    ("ScheduleFree", {"base": "adam"}, r"base must be 'adamw' or 'sgd'; got 'adam'"),
    ("ScheduleFree", {"warmup_steps": 1.5}, r"warmup_steps must be a whole number from 0 to 10\*\*9; got 1.5"),
    ("ScheduleFree", {"warmup_steps": -1}, r"warmup_steps must be a whole number from 0 to 10\*\*9; got -1"),
    ("ScheduleFree", {"eps": -1.0}, r"eps must be a number at least 0; got -1.0"),
    *[
        (name, {"betas": betas}, message)
        for name in ("AdamW", "Adamax", "NAdam", "RAdam", "AdaBelief", "Yogi", "LAMB", "Lion", "SOAP", "ScheduleFree")
        for betas, message in [
            ((0.9, 1.0), r"betas\[1\] must be a number in \[0, 1\); got 1.0"),
            ((float("nan"), 0.9), r"betas\[0\] must be a number in \[0, 1\); got nan"),
            (0.9, r"betas must be a pair such as \(0.9, 0.999\); got 0.9"),
        ]
    ],
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_what_a_method_refuses(name: str, options: dict[str, Any], message: str) -> None:
    p = leaf(1.0)
    memory = p.data
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        getattr(tg.optim, name)([p], **options)
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        getattr(tg.optim, name)([{"params": [p], **options}])
    assert p.data is memory


@pytest.mark.parametrize("name", sorted({make.name for make in MAKERS.values()}))
@pytest.mark.parametrize("argument", ["foreach", "fused", "capturable", "differentiable", "learning_rate"])
def test_arguments_that_no_method_takes(name: str, argument: str) -> None:
    with pytest.raises(TypeError, match=argument):
        getattr(tg.optim, name)([leaf(1.0)], **{argument: True})


STRANGE = [
    None, "x", -1.0, 1j, 10**400, float("inf"), (), {}, (0.5,), ("a", "b"), b"x", object(), np.array([0.5, 0.9]),
    tg.tensor([0.5, 0.9]), tg.tensor(0.5), np.float32(0.5), True, 0,
]  # fmt: skip


@pytest.mark.parametrize("name", sorted({make.name for make in MAKERS.values()}))
def test_strange_values_are_refused_by_name_or_are_good_for_a_step(name: str) -> None:
    method = getattr(tg.optim, name)
    for argument in list(inspect.signature(method).parameters)[1:]:
        for value in STRANGE:
            p = tg.tensor([1.0, 2.0], requires_grad=True)
            try:
                optimizer = method([{"params": [p], argument: value}])
            except (TypeError, ValueError) as error:
                refusal = str(error)
            else:
                refusal = None
                optimizer.step(lambda p=p: (p * p).sum() / 8)
                assert p.dtype == np.float32
                assert np.isfinite(host(p)).all(), (argument, value)
            assert refusal is None or refusal.startswith(f"{name}: "), (argument, value)


def test_a_group_may_have_the_other_form_with_its_own_small_number() -> None:
    p, q = leaf(1.0), leaf(1.0)
    optimizer = tg.optim.RMSprop([{"params": [p]}, {"params": [q], "form": "book"}])
    assert [group["eps"] for group in optimizer.param_groups] == [1e-8, 1e-6]
    optimizer = tg.optim.Adagrad([{"params": [p]}, {"params": [q], "form": "book"}])
    assert [group["eps"] for group in optimizer.param_groups] == [1e-10, 1e-7]
    assert tg.optim.RMSprop([p], form="book", momentum=0.5, nesterov=True).param_groups[0]["eps"] == 0.0
    assert tg.optim.RMSprop([p], form="book", eps=0.5).param_groups[0]["eps"] == 0.5
