"""The same training in PyTorch: 200 steps of both stay together."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import MATRICES
from tinygrad_opt import nn

torch = pytest.importorskip("torch")
pytest.importorskip("sympy")  # PyTorch imports it when an optimizer is made, and it changes the warnings filters
pytestmark = pytest.mark.oracle

STEPS = 200
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "sgd-decay": ("SGD", {"weight_decay": 0.05}),
    "sgd-maximize": ("SGD", {"maximize": True, "weight_decay": 0.5, "momentum": 0.5}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "dampening": ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "asgd": ("ASGD", {"lambd": 0.01, "t0": 20}),
    "asgd-defaults": ("ASGD", {"weight_decay": 0.02}),
    "asgd-alpha": ("ASGD", {"lambd": 0.5, "alpha": 0.5, "t0": 3, "maximize": True, "weight_decay": 0.5}),
    "rprop": ("Rprop", {}),
    "rprop-etas": ("Rprop", {"etas": (0.3, 1.1), "step_sizes": (1e-4, 0.05)}),
    "rprop-maximize": ("Rprop", {"step_sizes": (1e-6, 1e-3), "maximize": True}),
    "adagrad": ("Adagrad", {}),
    "adagrad-decay": ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.05, "eps": 1e-3}),
    "adagrad-start": ("Adagrad", {"initial_accumulator_value": 0.5, "maximize": True, "weight_decay": 0.5}),
    "adadelta": ("Adadelta", {}),
    "adadelta-rho": ("Adadelta", {"rho": 0.7, "eps": 1e-4, "weight_decay": 0.05}),
    "adadelta-maximize": ("Adadelta", {"maximize": True, "weight_decay": 0.5}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop-decay": ("RMSprop", {"alpha": 0.95, "eps": 1e-2, "weight_decay": 0.05}),
    "rmsprop-momentum": ("RMSprop", {"momentum": 0.9}),
    "rmsprop-centered": ("RMSprop", {"centered": True, "eps": 1e-4}),
    "rmsprop-all": ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True, "weight_decay": 0.5, "eps": 1e-2}),
    "adafactor": ("Adafactor", {}),
    "adafactor-options": (
        "Adafactor", {"beta2_decay": -0.5, "eps": (1e-2, 0.1), "d": 1.5, "weight_decay": 0.1, "maximize": True}
    ),
    "adam": ("Adam", {}),
    "adam-betas": ("Adam", {"betas": (0.6, 0.95), "eps": 1e-4}),
    "adam-decay": ("Adam", {"weight_decay": 0.1}),
    "adam-amsgrad": ("Adam", {"betas": (0.9, 0.8), "amsgrad": True}),
    "adam-maximize": ("Adam", {"maximize": True, "weight_decay": 0.5}),
    "adam-decoupled": ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    "adamw": ("AdamW", {}),
    "adamw-all": ("AdamW", {"weight_decay": 0.5, "amsgrad": True, "betas": (0.8, 0.9), "maximize": True}),
    "adamax": ("Adamax", {}),
    "adamax-betas": ("Adamax", {"betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.05}),
    "adamax-maximize": ("Adamax", {"maximize": True, "weight_decay": 0.5}),
    "nadam": ("NAdam", {}),
    "nadam-momentum": ("NAdam", {"betas": (0.95, 0.99), "eps": 1e-4, "momentum_decay": 0.1, "weight_decay": 0.05}),
    "nadam-decoupled": ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    "nadam-maximize": ("NAdam", {"maximize": True, "weight_decay": 0.05, "momentum_decay": 0.0}),
    "radam": ("RAdam", {}),
    "radam-betas": ("RAdam", {"betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.05}),
    "radam-decoupled": ("RAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    "radam-maximize": ("RAdam", {"maximize": True, "weight_decay": 0.5}),
}  # fmt: skip
CHAOTIC = {"adamax-betas", "rmsprop-decay"}  # in the valley, at larger rates an error of 10⁻¹⁶ grows up to 10⁻²
PLAIN = {case for case, (name, _) in CASES.items() if name in ("SGD", "ASGD")}  # steps grow with the gradient
cases = pytest.mark.parametrize("case", CASES)


@pytest.fixture(autouse=True, scope="module")
def one_thread_and_exact_scalars() -> Iterator[None]:
    """Several threads are slower on arrays this small; NAdam and ASGD keep numbers of theirs in the default dtype."""
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)


def assert_close(ours: tg.Tensor, theirs: Any, rtol: float = 1e-9) -> None:
    theirs = theirs.detach().numpy()
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())


def assert_same_way(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    """All points of both, to nine digits of each number, or of the largest at that step."""
    ours, theirs = np.array(ours), np.array(theirs)
    sizes = np.abs(theirs).max(axis=1, keepdims=True)
    np.testing.assert_array_less(np.abs(ours - theirs), 1e-9 * (np.abs(theirs) + sizes))


def both(case: str, ours: Any, theirs: Any, **lr: float) -> tuple[tg.optim.Optimizer, Any]:
    name, options = CASES[case]
    return getattr(tg.optim, name)(ours, **lr, **options), getattr(torch.optim, name)(theirs, **lr, **options)


def uphill(case: str) -> float:
    """Minus the loss is what is maximized."""
    return -1.0 if CASES[case][1].get("maximize") else 1.0


@cases
def test_on_a_network_in_mini_batches(case: str) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((96, 6)), rng.integers(0, 4, 96)
    torch.manual_seed(0)
    other = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4)).double()
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4)).to(tg.float64)
    model.load_state_dict({name: value.numpy() for name, value in other.state_dict().items()})
    mine, theirs = both(case, model.parameters(), other.parameters(), lr=0.02)
    sign, ours, expected = uphill(case), [], []
    for step in range(STEPS):
        rows = slice(step % 3 * 32, step % 3 * 32 + 32)
        mine.zero_grad()
        (sign * nn.CrossEntropyLoss()(model(tg.tensor(x[rows])), tg.tensor(labels[rows]))).backward()
        mine.step()
        theirs.zero_grad()
        (sign * torch.nn.CrossEntropyLoss()(other(torch.tensor(x[rows])), torch.tensor(labels[rows]))).backward()
        theirs.step()
        for path, net in ((ours, model), (expected, other)):
            path.append(np.concatenate([p.detach().numpy().ravel() for p in net.parameters()]))
    assert_same_way(ours, expected)


@cases
def test_on_rosenbrock_s_valley(case: str) -> None:
    p, q = tg.tensor([-1.2, 1.0], dtype=tg.float64, requires_grad=True), torch.tensor([-1.2, 1.0], dtype=torch.float64)
    q.requires_grad_()
    mine, theirs = both(case, [p], [q], lr=1e-4 if case in PLAIN else 1e-3 if case in CHAOTIC else 1e-2)
    ours, expected = [], []
    for _ in range(STEPS):
        for x, optimizer in ((p, mine), (q, theirs)):
            optimizer.zero_grad()
            (uphill(case) * (100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)).backward()
            optimizer.step()
        ours.append(p.detach().numpy().copy())
        expected.append(q.detach().numpy().copy())
    assert_same_way(ours, expected)


@cases
def test_parameters_that_are_not_always_used(case: str) -> None:
    """Each parameter has a step count of its own: skipped steps change neither value nor state."""
    values = np.random.default_rng(0).standard_normal((3, 4))
    ours = [tg.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    mine, other = both(case, ours, theirs, lr=0.03)
    for step in range(40):
        for params, optimizer in ((ours, mine), (theirs, other)):
            optimizer.zero_grad()
            used = [p for k, p in enumerate(params) if (step + k) % (k + 1) == 0]
            (uphill(case) * sum(((p - 1) ** 4).sum() for p in used)).backward()
            optimizer.step()
        for p, q in zip(ours, theirs, strict=True):
            assert_close(p, q)


@cases
def test_hyper_parameters_that_change_on_the_way(case: str) -> None:
    values = np.random.default_rng(0).standard_normal(5)
    p, q = tg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    mine, theirs = both(case, [{"params": [p]}], [{"params": [q]}], lr=0.05)
    for step in range(30):
        for x, optimizer in ((p, mine), (q, theirs)):
            group = optimizer.param_groups[0]
            if CASES[case][0] != "ASGD":  # whose new rate counts one step later in PyTorch
                group["lr"] = 0.05 / (1 + step)
            if "weight_decay" in group:
                group["weight_decay"] = 0.01 * (step % 2)
            optimizer.zero_grad()
            (uphill(case) * (x**4).sum()).backward()
            optimizer.step()
        assert_close(p, q)


@pytest.mark.parametrize("case", [case for case, (name, _) in CASES.items() if getattr(tg.optim, name).whole])
def test_whole_parameters_of_all_shapes(case: str) -> None:
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape) for shape in [(), (1,), (7,), (3, 5), (5, 3), (1, 4), (2, 3, 4), (2, 2, 3, 2)]]
    ours = [tg.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    mine, other = both(case, ours, theirs, lr=0.03)
    for step in range(STEPS):
        for params, optimizer in ((ours, mine), (theirs, other)):
            optimizer.zero_grad()
            sum(((p - 1) ** 4).sum() * (uphill(case) * (1 + step % 3)) for p in params).backward()
            optimizer.step()
        for p, q in zip(ours, theirs, strict=True):
            assert_close(p, q)


@cases
def test_in_float32_the_two_stay_within_rounding(case: str) -> None:
    values = np.random.default_rng(0).standard_normal(50).astype("float32")
    p, q = tg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    mine, theirs = both(case, [p], [q], lr=0.01)
    for _ in range(50):
        for x, optimizer in ((p, mine), (q, theirs)):
            optimizer.zero_grad()
            (uphill(case) * ((x - 1) ** 2).sum()).backward()
            optimizer.step()
    assert_close(p, q, rtol=2e-5)


@cases
def test_gradients_that_are_not_finite_propagate_as_in_pytorch(case: str) -> None:
    p = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    q = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float32, requires_grad=True)
    mine, theirs = both(case, [p], [q], lr=0.1)
    for gradient in ([np.nan, 1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 0.5]):
        p.grad, q.grad = tg.tensor(gradient), torch.tensor(gradient, dtype=torch.float32)
        mine.step()
        theirs.step()
    clean = slice(1 if CASES[case][0] == "Rprop" else 0, None)  # for PyTorch, the sign of nan is 0
    np.testing.assert_allclose(p.detach().numpy()[clean], q.detach().numpy()[clean], rtol=1e-5)
    assert np.isnan(p.detach().numpy()).tolist() == [True, False, False]


@cases
def test_defaults_are_those_of_pytorch(case: str) -> None:
    name, options = CASES[case]
    ours = getattr(tg.optim, name)([tg.zeros(1, requires_grad=True)], **options).param_groups[0]
    theirs = getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)], **options).param_groups[0]
    common = (set(ours) & set(theirs)) - {"params"}
    assert {key: ours[key] for key in common} == {key: theirs[key] for key in common}
    of_pytorch = {"params", "foreach", "fused", "capturable", "differentiable"}
    absent = {"AdamW": {"decoupled_weight_decay"}}.get(name, set())
    assert set(theirs) - set(ours) - of_pytorch <= absent


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES.values()}))
def test_arguments_stand_where_pytorch_has_them(name: str) -> None:
    ours, theirs = (
        [p.name for p in inspect.signature(getattr(library, name)).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        for library in (tg.optim, torch.optim)
    )
    assert ours == [x for x in theirs if x not in ("foreach", "fused", "capturable", "differentiable", "maximize")]


def test_everything_that_pytorch_has_is_compared() -> None:
    assert {name for name in tg.optim.__all__ if name != "Optimizer" and hasattr(torch.optim, name)} == {
        name for name, _ in CASES.values()
    } | {*MATRICES}  # those are compared in tests of their own
