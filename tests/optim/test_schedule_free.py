"""Schedule-free learning: both sequences against the paper in plain NumPy, and the two places of the parameters."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import leaf
from papers import Gradient, Network, Rosenbrock

Array = np.ndarray


def defazio(
    theta: Array, gradient: Gradient, lr: float, beta: float, beta2: float, eps: float, warmup: int, decay: float,
    adam: bool,
) -> Iterator[tuple[Array, Array]]:  # fmt: skip
    """Defazio et al. (2024): equations 1-3, and algorithm 1; the points y of the next gradients, and the averages."""
    z, x, v, total, t = theta, theta, np.zeros_like(theta), 0.0, 0
    while True:
        t += 1
        y = (1 - beta) * z + beta * x
        g = gradient(y)
        gamma = lr * min(1.0, t / max(1, warmup))
        if adam:
            v = beta2 * v + (1 - beta2) * g**2
            gamma *= np.sqrt(1 - beta2**t)
            g = g / (np.sqrt(v) + eps)
        z = z - gamma * g - gamma * decay * y
        total += gamma**2
        c = gamma**2 / total
        x = (1 - c) * x + c * z
        yield (1 - beta) * z + beta * x, x


def flat(arrays: list[tg.Tensor]) -> Array:
    return np.concatenate([a.detach().cpu().numpy().ravel() for a in arrays])


@pytest.mark.parametrize("problem", [Rosenbrock(), Network()], ids=["rosenbrock", "network"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("warmup", "beta"), [(0, 0.9), (30, 0.8), (500, 0.0)])
@pytest.mark.parametrize("base", ["sgd", "adamw"])
def test_both_sequences_are_those_of_the_paper(base: str, warmup: int, beta: float, decay: float, problem: Any) -> None:
    lr = 1e-4 if base == "sgd" and isinstance(problem, Rosenbrock) else 1e-2
    theta = [tg.tensor(p, requires_grad=True) for p in problem.start()]
    optimizer = tg.optim.ScheduleFree(
        theta, lr=lr, betas=(beta, 0.95), eps=1e-6, weight_decay=decay, warmup_steps=warmup, base=base
    )
    source = defazio(flat(theta), problem.gradient, lr, beta, 0.95, 1e-6, warmup, decay, base == "adamw")
    for _ in range(200):
        optimizer.step(lambda: problem.loss(theta))
        y, x = next(source)
        np.testing.assert_allclose(flat(theta), y, rtol=1e-8, atol=1e-10)
        optimizer.eval()
        np.testing.assert_allclose(flat(theta), x, rtol=1e-8, atol=1e-10)
        optimizer.train()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("base", ["sgd", "adamw"])
def test_going_to_the_average_and_back_changes_no_bit(base: str, dtype: str, device: str) -> None:
    ways = []
    for looks in (False, True):
        p = tg.tensor(np.linspace(-1, 2, 7, dtype=dtype), device=device, requires_grad=True)
        unused = tg.tensor([5.0], dtype=dtype, device=device, requires_grad=True)
        optimizer = tg.optim.ScheduleFree([p, unused], lr=0.05, warmup_steps=4, base=base)
        for _ in range(9):
            optimizer.step(lambda p=p: (p**4).sum())
            if looks:
                before = flat([p])
                optimizer.eval()
                assert (flat([p]) != before).any() or optimizer.trace.step == 1
                optimizer.eval()
                optimizer.train()
                np.testing.assert_array_equal(flat([p]), before)
        assert (p.dtype, unused.item()) == (dtype, 5.0)
        ways.append(flat([p]))
    np.testing.assert_array_equal(*ways)


def test_a_step_at_the_average_is_refused() -> None:
    p = leaf(1.0)
    optimizer = tg.optim.ScheduleFree([p], lr=0.1)
    optimizer.step(lambda: (p * p).sum())
    loss = (p * p).sum()
    optimizer.eval()
    with pytest.raises(tg.errors.InPlaceError, match=r"by ScheduleFree\.eval"):
        loss.backward()
    with pytest.raises(RuntimeError, match=r"ScheduleFree.step: the parameters are the average now; call optimizer.tr"):
        optimizer.step(lambda: (p * p).sum())
    with pytest.raises(RuntimeError, match=r"call optimizer.train\(\) first"):
        tg.optim.SAM(optimizer).step(lambda: (p * p).sum())


def test_a_state_has_the_mode() -> None:
    p, q = leaf(1.0, -3.0), leaf(0.0, 0.0)
    optimizer, other = (tg.optim.ScheduleFree([w], lr=0.1) for w in (p, q))
    for _ in range(3):
        optimizer.step(lambda: (p * p).sum())
    optimizer.eval()
    q.data[...] = p.data
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    for each, w in ((optimizer, p), (other, q)):
        each.train()
        each.step(lambda w=w: (w * w).sum())
    assert p.tolist() == q.tolist()
    with pytest.raises(ValueError, match=r"training must be True or False; got 1"):
        other.load_state_dict({**other.state_dict(), "training": 1})
