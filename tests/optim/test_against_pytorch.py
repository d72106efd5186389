"""The same training in PyTorch: 200 steps of both stay together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

torch = pytest.importorskip("torch")
pytest.importorskip("sympy")  # PyTorch imports it when an optimizer is made, and it changes the warnings filters
pytestmark = pytest.mark.oracle

STEPS = 200
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "sgd-decay": ("SGD", {"weight_decay": 0.05}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "dampening": ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "adam": ("Adam", {}),
    "adam-betas": ("Adam", {"betas": (0.6, 0.95), "eps": 1e-4}),
    "adam-decay": ("Adam", {"weight_decay": 0.1}),
}
cases = pytest.mark.parametrize("case", CASES)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads are slower on arrays this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def assert_close(ours: tg.Tensor, theirs: Any, rtol: float = 1e-9) -> None:
    theirs = theirs.detach().numpy()
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())


def both(case: str, ours: Any, theirs: Any, **lr: float) -> tuple[tg.optim.Optimizer, Any]:
    name, options = CASES[case]
    return getattr(tg.optim, name)(ours, **lr, **options), getattr(torch.optim, name)(theirs, **lr, **options)


@cases
def test_on_a_network_in_mini_batches(case: str) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((96, 6)), rng.integers(0, 4, 96)
    torch.manual_seed(0)
    other = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4)).double()
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4)).to(tg.float64)
    model.load_state_dict({name: value.numpy() for name, value in other.state_dict().items()})
    mine, theirs = both(case, model.parameters(), other.parameters(), lr=0.02)
    for step in range(STEPS):
        rows = slice(step % 3 * 32, step % 3 * 32 + 32)
        mine.zero_grad()
        nn.CrossEntropyLoss()(model(tg.tensor(x[rows])), tg.tensor(labels[rows])).backward()
        mine.step()
        theirs.zero_grad()
        torch.nn.CrossEntropyLoss()(other(torch.tensor(x[rows])), torch.tensor(labels[rows])).backward()
        theirs.step()
        for p, q in zip(model.parameters(), other.parameters(), strict=True):
            assert_close(p, q)


@cases
def test_on_rosenbrock_s_valley(case: str) -> None:
    p, q = tg.tensor([-1.2, 1.0], dtype=tg.float64, requires_grad=True), torch.tensor([-1.2, 1.0], dtype=torch.float64)
    q.requires_grad_()
    lr = 1e-2 if case.startswith("adam") else 1e-4
    mine, theirs = both(case, [p], [q], lr=lr)
    for _ in range(STEPS):
        for x, optimizer in ((p, mine), (q, theirs)):
            optimizer.zero_grad()
            (100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2).backward()
            optimizer.step()
        assert_close(p, q)


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
            sum(((p - 1) ** 4).sum() for p in used).backward()
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
            optimizer.param_groups[0]["lr"] = 0.05 / (1 + step)
            optimizer.param_groups[0]["weight_decay"] = 0.01 * (step % 2)
            optimizer.zero_grad()
            (x**4).sum().backward()
            optimizer.step()
        assert_close(p, q)


@cases
def test_in_float32_the_two_stay_within_rounding(case: str) -> None:
    values = np.random.default_rng(0).standard_normal(50).astype("float32")
    p, q = tg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    mine, theirs = both(case, [p], [q], lr=0.01)
    for _ in range(50):
        for x, optimizer in ((p, mine), (q, theirs)):
            optimizer.zero_grad()
            ((x - 1) ** 2).sum().backward()
            optimizer.step()
    assert_close(p, q, rtol=2e-5)


@pytest.mark.parametrize("case", ["sgd", "momentum", "adam"])
def test_gradients_that_are_not_finite_propagate_as_in_pytorch(case: str) -> None:
    p, q = tg.tensor([1.0, 2.0, 3.0], requires_grad=True), torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mine, theirs = both(case, [p], [q], lr=0.1)
    for gradient in ([np.nan, 1.0, 0.0], [1.0, 1.0, 1.0]):
        p.grad, q.grad = tg.tensor(gradient), torch.tensor(gradient)
        mine.step()
        theirs.step()
    np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6)
    assert np.isnan(p.detach().numpy()).tolist() == [True, False, False]
