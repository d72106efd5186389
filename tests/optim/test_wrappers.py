"""Optimizers around optimizers: the paths of the papers, any method inside, groups, states, and each other."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import paper_wrappers as paper
import strict_double
import tinygrad_opt as tg
from optimizers import MAKERS, PROBLEMS, Maker, every, leaf
from papers import Network, Rosenbrock
from tinygrad_opt import nn

Array = np.ndarray
STEPS = 200
Make = Callable[[Any], Any]
WRAPPERS: dict[str, Make] = {
    "lookahead": lambda optimizer: tg.optim.Lookahead(optimizer, k=3, alpha=0.4),
    "lookahead of lookahead": lambda optimizer: tg.optim.Lookahead(tg.optim.Lookahead(optimizer, k=2), k=3, alpha=0.8),
    "sam": tg.optim.SAM,
    "adaptive sam": lambda optimizer: tg.optim.SAM(optimizer, rho=0.1, adaptive=True),
    "lookahead of sam": lambda optimizer: tg.optim.Lookahead(tg.optim.SAM(optimizer, rho=0.02), k=3),
    "sam of lookahead": lambda optimizer: tg.optim.SAM(tg.optim.Lookahead(optimizer, k=3), rho=0.02),
    "sam of sam": lambda optimizer: tg.optim.SAM(tg.optim.SAM(optimizer, rho=0.02), rho=0.03),
}
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
PATHS: dict[str, tuple[Make, Callable[..., Any]]] = {
    "lookahead": (tg.optim.Lookahead, lambda *args: paper.lookahead(*args, k=5, alpha=0.5)),
    "lookahead-7": (WRAPPERS["lookahead"], lambda *args: paper.lookahead(*args, k=3, alpha=0.4)),
    "lookahead-1": (
        lambda optimizer: tg.optim.Lookahead(optimizer, k=1, alpha=0.25),
        lambda *args: paper.lookahead(*args, k=1, alpha=0.25),
    ),
    "sam": (tg.optim.SAM, lambda *args: paper.sam(*args, rho=0.05)),
    "sam-0": (lambda optimizer: tg.optim.SAM(optimizer, rho=0), lambda *args: paper.sam(*args, rho=0.0)),
    "asam": (WRAPPERS["adaptive sam"], lambda *args: paper.asam(*args, rho=0.1)),
}
INSIDE: dict[str, tuple[str, dict[str, Any], Callable[..., paper.Update]]] = {
    "sgd": ("SGD", {"momentum": 0.8}, lambda lr: paper.momentum(lr / 10, 0.8)),
    "adam": ("Adam", {"betas": (0.8, 0.95)}, lambda lr: paper.adam(lr, (0.8, 0.95), 1e-8)),
    "lion": ("Lion", {"betas": (0.8, 0.95)}, lambda lr: paper.lion(lr, (0.8, 0.95))),
}


def flat(arrays: list[Any]) -> Array:
    return np.concatenate([np.ravel(a) for a in arrays])


def host(x: tg.Tensor) -> Array:
    return x.detach().cpu().numpy().copy()


def weighted(params: list[tg.Tensor]) -> tg.Tensor:
    """A loss with another gradient for every element."""
    return sum((tg.exp(0.3 * p) * (k + 1)).sum().cpu() for k, p in enumerate(params))


def two(device: str = "cpu", dtype: Any = tg.float64) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    return [tg.tensor(rng.standard_normal(3), dtype=dtype, device=device, requires_grad=True) for _ in range(2)]


@pytest.mark.parametrize("problem", [Rosenbrock(), Network()], ids=["rosenbrock", "network"])
@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_the_trajectory_is_that_of_the_paper(path: Any, inside: Any, problem: Any) -> None:
    wrap, of_paper = path
    method, options, update = inside
    lr = 1e-2 if isinstance(problem, Network) else 1e-3
    theta = [tg.tensor(p, requires_grad=True) for p in problem.start()]
    optimizer = wrap(getattr(tg.optim, method)(theta, lr=lr / 10 if method == "SGD" else lr, **options))
    source = of_paper(flat(problem.start()), problem.gradient, update(lr))
    points, expected = [], []
    for _ in range(STEPS):
        optimizer.step(lambda: problem.loss(theta))
        points.append(flat([host(p) for p in theta]))
        expected.append(next(source))
    np.testing.assert_allclose(points, expected, rtol=1e-8, atol=1e-9)


# Any method inside.


@pytest.mark.parametrize("wrap", [WRAPPERS["lookahead"], WRAPPERS["sam of lookahead"]], ids=["lookahead", "both"])
@every
def test_it_solves_with_any_method_inside(wrap: Make, make: Maker) -> None:
    problem = PROBLEMS[0]
    x, loss = problem.begin("cpu", tg.float64)
    optimizer = wrap(make(x, lr=make.rates.quadratic))
    first = loss(slice(None)).item()
    for _ in range(3 * problem.steps):
        optimizer.step(lambda: loss(slice(None)))
    assert loss(slice(None)).item() < 0.05 * first
    assert optimizer.needs_closure or not make.looks_ahead


@pytest.mark.parametrize(
    "twin_of", [None, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["same", "copy", "pickle"]
)
@every_wrapper
@pytest.mark.parametrize("name", ["sgd", "nesterov-book", "adam", "lion"])
def test_a_training_goes_on_bit_for_bit(wrap: Make, name: str, twin_of: Any, device: str) -> None:
    def groups(params: list[tg.Tensor]) -> list[dict[str, Any]]:
        return [{"params": [params[0]]}, {"params": [params[1]], "lr": 0.02}]

    params, again = two(device), two(device)
    optimizer, other = (wrap(MAKERS[name](groups(p), lr=lr)) for p, lr in ((params, 0.05), (again, 0.07)))
    for _ in range(4):
        optimizer.step(lambda: weighted(params))
    optimizer.param_groups[1]["lr"] = 0.03
    if twin_of is not None:
        again, other = twin_of((params, optimizer))
    else:
        saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
        for p, q in zip(params, again, strict=True):
            q.data[...] = p.data
        other.load_state_dict(saved)
    assert repr(other) == repr(optimizer)
    for _ in range(5):
        optimizer.step(lambda: weighted(params))
        other.step(lambda: weighted(again))
    for p, q in zip(params, again, strict=True):
        np.testing.assert_array_equal(host(p), host(q))
        for mine, theirs in zip(optimizer.state_of(p).values(), other.state_of(q).values(), strict=True):
            np.testing.assert_array_equal(host(mine), host(theirs))


@every_wrapper
def test_a_state_is_a_copy(wrap: Make) -> None:
    params = two()
    optimizer = wrap(tg.optim.Adam(params, lr=0.1))
    for _ in range(3):
        optimizer.step(lambda: weighted(params))
    state = optimizer.state_dict()
    kept = pickle.dumps(state)
    optimizer.step(lambda: weighted(params))
    assert pickle.dumps(state) == kept
    optimizer.load_state_dict(state)
    optimizer.step(lambda: weighted(params))
    assert pickle.dumps(state) == kept


@every_wrapper
def test_states_that_do_not_fit_change_nothing(wrap: Make) -> None:
    params = two()
    optimizer = wrap(tg.optim.SGD(params, lr=0.1))
    optimizer.step(lambda: weighted(params))
    good = optimizer.state_dict()
    other = wrap(tg.optim.SGD([leaf(1.0)], lr=0.1))
    other.step(lambda: weighted([other.param_groups[0]["params"][0]]))
    for bad in (
        tg.optim.SGD(params).state_dict(), {}, other.state_dict(), {**good, "options": {}}, {**good, "options": 3},
        {k: v for k, v in good.items() if k != "own"}, {**good, "optimizer": {}},
        {**good, "options": dict.fromkeys(good["options"], -1)},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"load_state_dict: |must be"):
            optimizer.load_state_dict(bad)
        assert pickle.dumps(optimizer.state_dict()) == pickle.dumps(good)


# As an optimizer.


@every_wrapper
def test_groups_are_those_of_the_optimizer_inside(wrap: Make) -> None:
    p, q = two()
    inside = tg.optim.SGD([p], lr=0.1)
    optimizer = wrap(inside)
    assert optimizer.param_groups is inside.param_groups
    optimizer.step(lambda: weighted([p, q]))
    optimizer.add_param_group({"params": [q], "lr": 0.5})
    assert [group["lr"] for group in inside.param_groups] == [0.1, 0.5]
    before = host(q)
    for _ in range(3):
        optimizer.step(lambda: weighted([p, q]))
    assert (host(q) != before).all()
    optimizer.zero_grad()
    assert p.grad is None
    assert optimizer.trace.lr == (0.1, 0.5)
    assert optimizer.trace.step == 4


@every_wrapper
def test_a_frozen_or_unused_parameter_keeps_its_value(wrap: Make) -> None:
    frozen, unused, used = params = [*two(), leaf(0.5)]
    optimizer = wrap(tg.optim.Adam(params, lr=0.05))
    for _ in range(4):
        optimizer.step(lambda: weighted(params))
    frozen.requires_grad_(False)
    before = [host(frozen), host(unused)]
    for _ in range(7):
        optimizer.step(lambda: weighted([used]) + frozen.sum())
    np.testing.assert_array_equal([host(frozen), host(unused)], before)


@every_wrapper
def test_in_float32_the_way_is_the_same_on_every_device(wrap: Make, device: str) -> None:
    ways = []
    for place, dtype in ((device, tg.float32), ("cpu", tg.float64)):
        params = two(place, dtype)
        optimizer = wrap(tg.optim.Adam(params, lr=0.05))
        for _ in range(12):
            optimizer.step(lambda params=params: weighted(params))
        assert all(p.dtype == dtype for p in params)
        ways.append(flat([host(p) for p in params]))
    np.testing.assert_allclose(*ways, rtol=1e-5)


@every_wrapper
def test_a_step_does_not_wait_for_the_device(wrap: Make) -> None:
    params = [tg.tensor([1.0, 2.0], device="double:0", requires_grad=True)]
    optimizer = wrap(tg.optim.SGD(params, lr=0.1))
    with strict_double.synchronizations() as waits:
        for _ in range(4):
            optimizer.step(lambda: (params[0] ** 2).sum())
    assert waits == []


@every_wrapper
def test_a_model_is_fitted_with_it(wrap: Make) -> None:
    tg.manual_seed(0)
    x = tg.randn(40, 2)
    loader = tg.data.DataLoader(tg.data.TensorDataset(x, x[:, :1] * 2 - 1), batch_size=10)
    model = nn.Linear(2, 1)
    optimizer = wrap(tg.optim.SGD(model.parameters(), lr=0.2))
    history = tg.train.fit(model, nn.MSELoss(), optimizer, loader, epochs=10, progress=False)
    assert history["train_loss"][-1] < 0.05 * history["train_loss"][0]


# What they refuse.


@pytest.mark.parametrize("name", ["Lookahead", "SAM"])
def test_what_is_no_optimizer(name: str) -> None:
    for bad in (None, [leaf(1.0)], nn.Linear(1, 1), tg.optim.SGD):
        with pytest.raises(TypeError, match=rf"{name}: optimizer must be an optimizer; got .*write {name}\(tg.optim"):
            getattr(tg.optim, name)(bad)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        *[("Lookahead", {"k": k}, r"k must be a whole number from 1 on; got") for k in (0, -1, 2.0, True, None, "5")],
        *[
            ("Lookahead", {"alpha": alpha}, r"alpha must be a number in \(0, 1\]; got")
            for alpha in (-0.1, 0.0, 1.5, True, None, "x", float("nan"))
        ],
        *[
            ("SAM", {"rho": rho}, r"rho must be a number at least 0; got")
            for rho in (-0.1, True, None, "x", float("nan"), float("inf"))
        ],
        *[("SAM", {"adaptive": flag}, r"adaptive must be True or False; got") for flag in (1, None, "yes")],
    ],
)
def test_bad_options(name: str, options: dict[str, Any], message: str) -> None:
    p = leaf(1.0)
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        getattr(tg.optim, name)(tg.optim.SGD([p]), **options)


def test_numbers_of_numpy_are_numbers() -> None:
    optimizer = tg.optim.Lookahead(tg.optim.SGD([leaf(1.0)]), k=np.int64(3), alpha=np.float32(0.5))
    assert (type(optimizer.k), type(optimizer.alpha)) == (int, float)


# Lookahead.


def test_slow_weights_follow_every_parameter_in_its_own_time() -> None:
    p, q = leaf(0.0), leaf(0.0)
    optimizer = tg.optim.Lookahead(tg.optim.SGD([p, q], lr=1.0), k=2, alpha=0.5)
    ways = []
    for step in range(6):
        optimizer.step(lambda step=step: -p.sum() - (q.sum() if step % 2 else 0.0))
        ways.append((p.item(), q.item()))
    assert ways == [(1, 0), (1, 1), (2, 1), (2, 1), (3, 1), (3, 2)]


def test_what_is_given_a_value_while_it_has_no_gradient_keeps_it() -> None:
    p, q = leaf(0.0), leaf(0.0)
    optimizer = tg.optim.Lookahead(tg.optim.SGD([p, q], lr=1.0), k=1)
    optimizer.step(lambda: p.sum() + q.sum())
    q.data[...] = 9.0
    optimizer.step(lambda: p.sum())
    assert (p.item(), q.item()) == (-1.0, 9.0)


def test_with_alpha_1_it_is_the_method_inside() -> None:
    p, q = leaf(3.0, -1.0), leaf(3.0, -1.0)
    plain, wrapped = tg.optim.Adam([p], lr=0.1), tg.optim.Lookahead(tg.optim.Adam([q], lr=0.1), alpha=1)
    for _ in range(30):
        plain.step(lambda: (p**4).sum())
        wrapped.step(lambda: (q**4).sum())
    np.testing.assert_allclose(host(p), host(q), rtol=1e-13)


def test_a_graph_from_before_the_correction_is_refused() -> None:
    p = leaf(1.0)
    inside = tg.optim.SGD([p], lr=0.1)
    optimizer = tg.optim.Lookahead(inside, k=1)
    loss = (p * p).sum()
    optimizer.step(lambda: (p * p).sum())
    with pytest.raises(tg.errors.InPlaceError, match=r"Lookahead\.step"):
        loss.backward()


# Sharpness-aware minimization.


def test_the_second_gradient_is_taken_at_the_top_and_the_weights_come_back(device: str) -> None:
    params = two(device)
    optimizer = tg.optim.SAM(tg.optim.SGD([{"params": [params[0]]}, {"params": [params[1]]}], lr=0.1), rho=0.5)
    home, seen = flat([host(p) for p in params]), []

    def closure() -> tg.Tensor:
        seen.append(flat([host(p) for p in params]))
        if len(seen) == 2:
            raise KeyboardInterrupt
        return weighted(params)

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    g = 0.3 * np.exp(0.3 * home) * np.repeat([1, 2], 3)
    np.testing.assert_array_equal(seen[0], home)
    np.testing.assert_allclose(seen[1], home + 0.5 * g / np.linalg.norm(g), rtol=1e-14)
    np.testing.assert_array_equal(flat([host(p) for p in params]), home)


def test_one_ball_for_parameters_of_all_dtypes_and_devices() -> None:
    p = tg.tensor([3.0], dtype=tg.float32, requires_grad=True)
    q = tg.tensor([4.0], dtype=tg.float64, device="double:0", requires_grad=True)
    seen = []

    def closure() -> tg.Tensor:
        seen.append((p.item(), q.item()))
        return (p * p).sum() / 2 + (q * q).sum().cpu() / 2

    optimizer = tg.optim.SAM(tg.optim.SGD([p, q], lr=0.5), rho=5.0)
    loss = optimizer.step(closure)
    assert loss.item() == 12.5
    assert seen == [(3.0, 4.0), (6.0, 8.0)]
    assert (p.item(), q.item(), str(p.dtype)) == (0.0, 0.0, "float32")
    assert optimizer.trace.gradient_norm == 10.0


def test_only_what_has_a_gradient_ascends() -> None:
    p, unused, frozen = leaf(1.0), leaf(2.0), leaf(3.0).requires_grad_(False)
    optimizer = tg.optim.SAM(tg.optim.SGD([unused, p, frozen], lr=0.1), rho=1.0)
    unused.grad = tg.tensor([5.0], dtype=tg.float64)  # of an earlier backward
    seen = []
    optimizer.step(lambda: seen.append((p.item(), unused.item(), frozen.item())) or p.sum())
    assert seen == [(1.0, 2.0, 3.0), (2.0, 2.0, 3.0)]


@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_gradients_of_any_size_have_a_direction(size: float) -> None:
    p = tg.tensor([0.0, 0.0], dtype=tg.float32, requires_grad=True)
    slope = tg.tensor([3 * size, 4 * size], dtype=tg.float32)
    seen = []
    tg.optim.SAM(tg.optim.SGD([p], lr=0.0), rho=5.0).step(lambda: seen.append(host(p)) or (slope * p).sum())
    np.testing.assert_allclose(seen[1], [3.0, 4.0], rtol=1e-6)


def test_zero_gradients_stay_and_nan_comes_through() -> None:
    p = leaf(1.0, 2.0)
    optimizer = tg.optim.SAM(tg.optim.SGD([p], lr=0.1))
    optimizer.step(lambda: (0.0 * p).sum())
    assert p.tolist() == [1.0, 2.0]
    optimizer.step(lambda: (p * tg.tensor([1.0, np.nan])).sum() * p.sum())
    assert np.isnan(host(p)).all()


def test_both_evaluations_see_one_function_and_count_once(device: str) -> None:
    """Dropout masks are the same, but new at the next step; running statistics move as by one evaluation."""
    tg.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5)).to(tg.float64).to(device)
    plain = nn.BatchNorm1d(3).to(tg.float64).to(device)
    x = tg.tensor(np.random.default_rng(0).standard_normal((8, 3)), device=device)
    masks = []

    def closure() -> tg.Tensor:
        y = model(x)
        masks.append(host(y) == 0)
        return (y * y).sum()

    optimizer = tg.optim.SAM(tg.optim.SGD(model.parameters(), lr=0.01))
    for _ in range(2):
        optimizer.step(closure)
        plain(x)
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[2], masks[3])
    assert (masks[0] != masks[2]).any()
    np.testing.assert_allclose(host(model[0].running_mean), host(plain.running_mean), rtol=1e-14)
    np.testing.assert_allclose(host(model[0].running_var), host(plain.running_var), rtol=1e-14)
    assert model[0].num_batches_tracked.item() == 2


@pytest.mark.parametrize("wrap", [tg.optim.SAM, WRAPPERS["lookahead of sam"]])
def test_without_a_closure_it_says_what_is_missing(wrap: Make) -> None:
    p = leaf(1.0)
    optimizer = wrap(tg.optim.SGD([p], lr=0.1))
    (p * p).sum().backward()
    assert optimizer.needs_closure
    with pytest.raises(TypeError, match=r"step: .*write step\(closure\), where closure\(\) returns the loss"):
        optimizer.step()
    assert p.tolist() == [1.0]


def test_around_a_look_ahead_the_ascent_begins_ahead() -> None:
    p, seen = leaf(8.0), []
    optimizer = tg.optim.SAM(tg.optim.SGD([p], lr=1.0, momentum=0.5, nesterov=True, form="book"), rho=0.25)
    for _ in range(2):
        optimizer.step(lambda: seen.append(p.item()) or 2 * p.sum())
    assert seen == [8.0, 8.25, 5.0, 5.25]
    assert p.item() == 3.0
