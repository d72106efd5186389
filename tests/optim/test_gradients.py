"""Gradients of parameters that an optimizer holds: they accumulate, may be set, and are views that steps reuse."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


def parameters(*sides: int, device: str = "cpu") -> list[nn.Parameter]:
    """Vectors of these lengths."""
    rng = np.random.default_rng(0)
    return [nn.Parameter(tg.tensor(rng.standard_normal(n), device=device)) for n in sides]


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy().copy()


def test_gradients_accumulate_over_micro_batches() -> None:
    rng = np.random.default_rng(1)
    x, labels = rng.standard_normal((12, 4)), rng.integers(0, 3, 12)
    models = []
    for parts in (1, 3):
        tg.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(tg.float64)
        optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(5):
            optimizer.zero_grad()
            for rows in np.split(np.arange(12), parts):
                (nn.CrossEntropyLoss()(model(tg.tensor(x[rows])), tg.tensor(labels[rows])) / parts).backward()
            optimizer.step()
        models.append(model)
    for p, q in zip(*(model.parameters() for model in models), strict=True):
        np.testing.assert_allclose(host(p), host(q), rtol=1e-12)


def test_backward_adds_until_zero_grad(device: str) -> None:
    (p,) = params = parameters(3, device=device)
    optimizer = tg.optim.SGD(params, lr=0.1)
    (p * 2).sum().backward()
    (p * 3).sum().backward()
    assert p.grad.tolist() == [5.0, 5.0, 5.0]
    optimizer.zero_grad()
    assert p.grad is None
    (p * 4).sum().backward()
    assert p.grad.tolist() == [4.0, 4.0, 4.0]


def test_a_gradient_that_was_there_before_the_optimizer_counts() -> None:
    (p,) = params = parameters(3)
    before = host(p)
    (p * 2).sum().backward()
    optimizer = tg.optim.SGD(params, lr=1.0)
    assert p.grad.tolist() == [2.0, 2.0, 2.0]
    (p * 3).sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(host(p), before - 5)


def test_a_graph_from_before_the_optimizer_still_leads_to_the_parameter() -> None:
    (p,) = params = parameters(3)
    before = host(p)
    loss = (p * p).sum()
    optimizer = tg.optim.SGD(params, lr=0.25)
    loss.backward()
    optimizer.step()
    np.testing.assert_array_equal(host(p), before - 0.25 * 2 * before)


def test_a_kept_gradient_shows_the_newest_values_and_a_clone_the_old_ones() -> None:
    """As the docstring of `Optimizer` says: a gradient that is to outlive the next backward has to be copied."""
    (p,) = params = parameters(3)
    optimizer = tg.optim.SGD(params, lr=0.1)
    (p * 2).sum().backward()
    kept, copied = p.grad, p.grad.clone()
    optimizer.zero_grad()
    assert kept.tolist() == [2.0, 2.0, 2.0]
    (p * 3).sum().backward()
    assert (kept.tolist(), copied.tolist()) == ([3.0, 3.0, 3.0], [2.0, 2.0, 2.0])


def test_a_graph_over_a_kept_gradient_notices_that_it_was_overwritten() -> None:
    (p,) = params = parameters(3)
    optimizer = tg.optim.SGD(params, lr=0.1)
    x = tg.ones(3, dtype=tg.float64, requires_grad=True)
    (p * 2).sum().backward()
    loss = (x * p.grad).sum()
    optimizer.zero_grad()
    (p * 3).sum().backward()
    with pytest.raises(tg.errors.InPlaceError, match=r"changed in place \(by backward\(\)\) after 'multiply' saved it"):
        loss.backward()


def test_a_gradient_may_be_set_by_hand() -> None:
    params = parameters(3, 2)
    before = [host(p) for p in params]
    optimizer = tg.optim.SGD(params, lr=1.0)
    params[0].grad = tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64)
    optimizer.step()
    np.testing.assert_array_equal(host(params[0]), before[0] - [1, 2, 3])
    np.testing.assert_array_equal(host(params[1]), before[1])
    params[0].grad = None
    optimizer.step()
    np.testing.assert_array_equal(host(params[0]), before[0] - [1, 2, 3])


def test_a_gradient_may_be_scaled_in_place() -> None:
    (p,) = params = parameters(3)
    before = host(p)
    optimizer = tg.optim.SGD(params, lr=1.0)
    (p * 8).sum().backward()
    p.grad.data *= 0.25
    optimizer.step()
    np.testing.assert_array_equal(host(p), before - 2)


# In-place writes and recorded graphs.


@pytest.mark.parametrize("method", [tg.optim.SGD, tg.optim.Adam])
def test_a_step_before_backward_is_named(method: type[tg.optim.Optimizer], device: str) -> None:
    model = nn.Sequential(nn.Linear(2, 3, device=device), nn.Linear(3, 1, device=device))
    optimizer, x = method(model.parameters(), lr=0.1), tg.ones(4, 2, device=device)
    older, name = model(x).sum(), f"{method.__name__}.step"
    model(x).sum().backward()
    optimizer.step()
    with pytest.raises(tg.errors.InPlaceError, match=rf"'1.weight' was changed in place \(by {name}\) after 'affine'"):
        older.backward()
    optimizer.zero_grad()
    model(x).sum().backward()


def test_graphs_that_saved_only_parameters_without_an_update_stay_valid() -> None:
    first, second = params = parameters(3, 3)
    optimizer = tg.optim.SGD(params, lr=0.1)
    loss, other = (first * first).sum(), (second * second).sum()
    other.backward()
    optimizer.step()
    loss.backward()
    np.testing.assert_array_equal(host(first.grad), 2 * host(first))


def test_graphs_that_saved_no_parameter_outlive_a_step() -> None:
    (p,) = params = parameters(3)
    optimizer = tg.optim.SGD(params, lr=0.1)
    loss = (p + 1.0).sum()
    p.grad = tg.ones(3, dtype=tg.float64)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    assert p.grad.tolist() == [1.0, 1.0, 1.0]
