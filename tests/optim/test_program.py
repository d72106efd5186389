"""Long vectors: an update rule gives what the rule itself gives, whichever engine runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import backend
from tinygrad_opt.optim import compiled, engines, program

RULES: dict[str, Callable[..., Any]] = {
    "unchanged": lambda theta, g, *, t: (theta,),
    "numbers": lambda theta, g, *, t: (2 - (1.5 - theta / 2) * (3 / (g * g + 1)) + t,),
    "signs": lambda theta, g, *, t: (abs(-theta) - +g,),
    "powers": lambda theta, g, *, t: ((theta * theta + 1) ** 0.5 - abs(g) ** 1.5,),
    "functions": lambda theta, g, *, t: (tg.tanh(theta) * tg.exp(-abs(g)) + tg.sign(g),),
    "choice": lambda theta, g, *, t: (theta - 0.1 * tg.maximum(tg.minimum(g, 1.0), -1.0),),
    "comparisons": lambda theta, g, *, t: (
        tg.where(g > 0, theta - 1, theta) + tg.where(g >= 0.5, theta, 0.0) - tg.where(0.25 < g, theta, 2.0)  # noqa: SIM300
        + tg.where(g <= theta, g, 3 * g) * tg.where(g == theta, 2.0, tg.where(g != 0, g, 5.0)),
    ),
    "conditions": lambda theta, g, *, t: (
        tg.where((g > 0) & (theta > 0), theta, tg.where((g > 0) | ~(theta > 0), g, 7.0))
        + tg.where((g > 0) ^ (theta > 0), theta, -1.0),
    ),
    "conditions as numbers": lambda theta, g, *, t: (theta - (g > 0) * g + theta * (theta > g),),
    "choices overlap": lambda theta, g, v, *, t: (
        tg.where(g > 0, g - theta, theta), tg.where(v < theta, v, tg.where(g > v, theta, v)),
    ),
    "special values": lambda theta, g, v, *, t: (
        tg.maximum(theta, g) + tg.minimum(tg.sign(v), theta),
        tg.where(tg.isfinite(g), g, tg.where(tg.isnan(g), v, 1.0)),
    ),
    "infinities": lambda theta, g, *, t: (tg.where(tg.isinf(g), theta, g),),
    "bounds": lambda theta, g, *, t: (tg.clip(theta - g, -0.5, 0.5),),
    "squares": lambda theta, g, *, t: (theta**2 - tg.square(g) + (g**2 + 1) ** 0.5 / (theta**2 + 2) ** -1 + g**1,),
    "cubes": lambda theta, g, *, t: (theta**3 + 2.0 ** tg.minimum(g, 3.0) - tg.sqrt(tg.absolute(g)),),
    "numbers as state": lambda theta, g, v, *, t: (theta - g * v, 2.5),
    "unused result": lambda theta, g, *, t: (theta - g, theta * g)[:1],
    "gradient kept": lambda theta, g, v, *, t: (theta - 0.1 * v, g),
    "one result twice": lambda theta, g, v, w, *, t: (theta - g, *((g * 0.5 + v,) * 2)),
    "previous point": lambda theta, g, before, *, t: (theta + 0.9 * (theta - before) - 0.1 * g, theta),
    "states exchanged": lambda theta, g, v, w, *, t: (theta - v * g, w, v),
    "states in a ring": lambda theta, g, u, v, w, *, t: (u + g, v, w, theta),
    "old state read late": lambda theta, g, v, *, t: (theta - 0.1 * (0.9 * v + g) - 0.01 * v, 0.9 * v + g),
    "many temporaries": lambda theta, g, v, *, t: (
        theta - (g + 1) * (g + 2) / ((v * v + 3) * (g * g + 4)) + (theta * v - g) * (theta + v), v * theta + g * v
    ),
}  # fmt: skip


def as_optimizer(rule: Callable[..., Any], states: int) -> type[tg.optim.Optimizer]:
    class Method(tg.optim.Optimizer):
        def state_names(self, group: Any) -> Any:
            return [f"s{k}" for k in range(states)]

    Method.rule = staticmethod(rule)
    return Method


@pytest.fixture
def block_of_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BLOCK", 8)


def states_of(rule: Callable[..., Any]) -> int:
    return rule.__code__.co_argcount - 2


def by_hand(rule: Callable[..., Any], arrays: list[np.ndarray], t: int) -> list[np.ndarray]:
    """What a pure function means: all results are computed before any of them is written."""
    theta, g, *states = (a.copy() for a in arrays)
    results = rule(theta, g, *states, t=t)
    theta, *states = (np.array(r) if np.shape(r) else np.full_like(g, r) for r in results)
    return [theta, g, *states]


def special(rng: np.random.Generator, dtype: str, *shape: int) -> np.ndarray:
    """Numbers with ties, zeros, and some that are none."""
    values = rng.standard_normal(shape).astype(dtype).ravel()
    for place, value in enumerate([0.0, np.nan, np.inf, -np.inf, -0.0, 0.5, 0.5]):
        values[3 * place :: 29] = value
    return values.reshape(shape)


def assert_same_as_by_hand(name: str, dtype: str, size: int, device: str = "cpu", rtol: float = 0.0) -> None:
    rule = RULES[name]
    rng = np.random.default_rng(size)
    values, gradients = special(rng, dtype, size), special(rng, dtype, 3, size)
    p = tg.tensor(values, requires_grad=True, device=device)
    optimizer = as_optimizer(rule, states_of(rule))([p])
    expected = [values, gradients[0], *[np.zeros(size, dtype) for _ in range(states_of(rule))]]
    for t, g in enumerate(gradients, start=1):
        p.grad = tg.tensor(g, device=device)
        with np.errstate(all="ignore"):
            optimizer.step()
            expected[1] = g
            expected = by_hand(rule, expected, t)
        ((vector,),) = optimizer._vectors
        for mine, right in zip((vector.theta, vector.grad, *vector.state.values()), expected, strict=True):
            mine = backend.of(mine).to_host(mine)
            assert mine.dtype == dtype
            np.testing.assert_allclose(mine, right, rtol=rtol, atol=0)
            if name != "special values":  # NumPy's maximum of 0 and -0 is either, by the place in the array
                numbers = ~np.isnan(right)
                np.testing.assert_array_equal(np.signbit(mine[numbers]), np.signbit(right[numbers]))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 37])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_a_program_gives_what_the_rule_gives(name: str, dtype: str, size: int, block_of_8: None) -> None:
    assert_same_as_by_hand(name, dtype, size)


@pytest.mark.parametrize("name", RULES)
def test_a_kernel_gives_what_the_rule_gives(name: str, device: str) -> None:
    exact = device.startswith(("cpu", "double"))
    for dtype, rtol in (("float32", 1e-5), ("float64", 1e-13), ("float16", 1e-2)):
        assert_same_as_by_hand(name, dtype, 37, device, 0.0 if exact else rtol)


@pytest.mark.parametrize("name", RULES)
def test_a_compiled_loop_gives_what_the_rule_gives(name: str, block_of_8: None, compiling: None) -> None:
    for size in (9, 37, 1000):
        assert_same_as_by_hand(name, "float32", size)
    for host in engines._host.values():
        assert isinstance(host.run.__self__, compiled.Loop) == (
            name not in ("powers", "functions", "cubes")
        )  # not exact


METHODS: dict[str, Callable[..., tg.optim.Optimizer]] = {
    "sgd": lambda params: tg.optim.SGD(params, lr=0.01, weight_decay=0.1),
    "momentum": lambda params: tg.optim.SGD(params, lr=0.01, momentum=0.9, dampening=0.1, weight_decay=0.1),
    "nesterov": lambda params: tg.optim.SGD(params, lr=0.01, momentum=0.9, nesterov=True),
    "adam": lambda params: tg.optim.Adam(params, lr=0.01, weight_decay=0.1),
}


def trained(method: Callable[..., tg.optim.Optimizer], dtype: str) -> list[np.ndarray]:
    """Three parameters across the borders of blocks, the middle one of them not used in every step."""
    rng = np.random.default_rng(0)
    params = [tg.tensor(rng.standard_normal(n).astype(dtype), requires_grad=True) for n in (700, 1300, 37)]
    optimizer = method(params)
    for step in range(4):
        optimizer.zero_grad()
        for k, p in enumerate(params):
            if (step, k) != (1, 1):
                (p**4).sum().backward()
        optimizer.step()
    ((vector,),) = optimizer._vectors
    return [vector.theta, *vector.state.values()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_the_length_of_a_block_does_not_matter(method: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for block in (64, 1000, 1 << 20):
        monkeypatch.setattr(program, "BLOCK", block)
        results.append(trained(method, dtype))
    for other in results[1:]:
        for mine, expected in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(mine, expected)


def test_a_vector_longer_than_a_block_as_it_is_shipped() -> None:
    size = 2 * program.BLOCK + 5
    values = np.random.default_rng(0).standard_normal(size)
    p = tg.tensor(values, requires_grad=True)
    optimizer = tg.optim.Adam([p], lr=0.5, eps=0.0)
    optimizer.step(lambda: (p**2).sum())  # Adam's first step has the length lr, whatever the gradient
    np.testing.assert_allclose(p.detach().numpy(), values - 0.5 * np.sign(values), rtol=1e-10, atol=1e-10)


@pytest.mark.usefixtures("block_of_8")
def test_what_is_not_elementwise_has_no_place_in_a_program() -> None:
    p = tg.zeros(9, requires_grad=True)
    for rule in (lambda theta, g, *, t: (theta - tg.softmax(g),), lambda theta, g, *, t: (theta - g / g.sum(),)):
        optimizer = as_optimizer(rule, 0)([p])
        with pytest.raises((AttributeError, TypeError, tg.errors.ShapeError)):
            optimizer.step(lambda: (p * p).sum())
