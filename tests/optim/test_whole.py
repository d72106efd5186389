"""Rules that take whole parameters: norms, rows and columns of a parameter in its own shape."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

SHAPES = [(3, 4), (), (5,), (0, 2), (2, 3, 2)]


class Trust(tg.optim.Optimizer):
    """A rate for each parameter, in proportion to its norm, with momentum: as LARS has it."""

    whole = True

    def __init__(self, params: Any, lr: float = 0.1, momentum: float = 0.9) -> None:
        super().__init__(params, lr=lr, momentum=momentum)

    def state_names(self, group: Any) -> Any:
        return ("v",)

    def rule(self, theta: Any, g: Any, v: Any, *, t: int, lr: float, momentum: float) -> Any:  # type: ignore[override]
        ratio = tg.sqrt((theta * theta).sum()) / (tg.sqrt((g * g).sum()) + 1e-8)
        v = momentum * v + lr * ratio * g
        return theta - v, v


class Factored(tg.optim.Optimizer):
    """The second moment of a matrix from its rows and columns: as Adafactor has it. Other shapes keep it whole."""

    whole = True

    def __init__(self, params: Any, lr: float = 0.1, rho: float = 0.9) -> None:
        super().__init__(params, lr=lr, rho=rho)

    def state_names(self, group: Any) -> Any:
        return ("rows", "columns")

    @staticmethod
    def state_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 2:
            return shape if name == "rows" else (0,)
        return shape[:1] if name == "rows" else shape[1:]

    def rule(self, theta: Any, g: Any, rows: Any, columns: Any, *, t: int, lr: float, rho: float) -> Any:  # type: ignore[override]
        if len(g.shape) != 2:
            rows = rho * rows + (1 - rho) * (g * g)
            return theta - lr * g / (tg.sqrt(rows) + 1e-8), rows, columns
        rows = rho * rows + (1 - rho) * (g * g).mean(axis=1)
        columns = rho * columns + (1 - rho) * (g * g).mean(axis=0)
        second = rows[:, None] * columns[None, :] / rows.mean()
        return theta - lr * g / (tg.sqrt(second) + 1e-8), rows, columns


METHODS = pytest.mark.parametrize("method", [Trust, Factored])


def parameters(device: str = "cpu", dtype: str = "float64", seed: int = 0) -> list[tg.Tensor]:
    rng = np.random.default_rng(seed)
    values = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    return [nn.Parameter(tg.tensor(value, device=device)) for value in values]


def train(params: list[tg.Tensor], optimizer: tg.optim.Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        optimizer.zero_grad()
        terms = [(tg.exp(0.3 * p) * (k + 1 + step)).sum() for k, p in enumerate(params) if (step + k) % 3]
        sum(terms[1:], terms[0]).backward()
        optimizer.step()


def hosts(params: list[tg.Tensor]) -> list[np.ndarray]:
    return [p.detach().cpu().numpy().copy() for p in params]


def assert_equal(xs: list[np.ndarray], ys: list[np.ndarray]) -> None:
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_rule_sees_each_parameter_in_its_shape(device: str) -> None:
    params = parameters(device)
    before = hosts(params)
    optimizer = Trust(params)
    sum(((p * p).sum() for p in params), tg.tensor(0.0, dtype=tg.float64, device=device)).backward()
    optimizer.step()  # the gradient is 2 θ: whatever its size, a parameter shrinks by lr
    for p, value in zip(params, before, strict=True):
        np.testing.assert_allclose(p.detach().cpu().numpy(), 0.9 * value, rtol=1e-7)


def test_factored_moments_by_hand(device: str) -> None:
    p = tg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True, device=device)
    optimizer = Factored([p], rho=0.0)
    g = np.array([[1.0, 2.0, 2.0], [2.0, 4.0, 4.0]], "float32")
    p.grad = tg.tensor(g, device=device)
    before = p.detach().cpu().numpy().copy()
    optimizer.step()  # the squares have rank one, so that rows and columns tell them exactly
    np.testing.assert_allclose(p.detach().cpu().numpy(), before - 0.1, rtol=1e-5)
    ((vector,),) = optimizer._vectors
    state = {name: x.tolist() for name, x in vector.state_of(0).items()}
    assert state == {"rows": [3.0, 12.0], "columns": [2.5, 10.0, 10.0]}


@METHODS
def test_parameters_without_a_gradient_keep_value_state_and_step(method: Any, device: str) -> None:
    together, alone = parameters(device), parameters(device)
    optimizer, own = method(together), [method([p]) for p in alone]
    train(together, optimizer, 0, 6)
    for step in range(6):
        for k, p in enumerate(alone):
            own[k].zero_grad()
            if (step + k) % 3:
                (tg.exp(0.3 * p) * (k + 1 + step)).sum().backward()
                own[k].step()
    assert_equal(hosts(together), hosts(alone))
    ((vector,),) = optimizer._vectors
    assert vector.steps == [4] * len(SHAPES)


@METHODS
def test_a_training_continues_bit_for_bit(method: Any, device: str) -> None:
    params = parameters(device)
    optimizer = method(params)
    train(params, optimizer, 0, 4)
    values, state = hosts(params), copy.deepcopy(optimizer.state_dict())
    train(params, optimizer, 4, 8)

    again = parameters(device, seed=1)
    other = method(again, lr=0.7)
    for p, value in zip(again, values, strict=True):
        p.data[...] = tg.tensor(value, device=device).data
    other.load_state_dict(state)
    train(again, other, 4, 8)
    assert_equal(hosts(again), hosts(params))


def test_a_copy_and_a_pickle_train_on_alone() -> None:
    for twin_of in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        params = parameters()
        optimizer = Trust(params)
        train(params, optimizer, 0, 3)
        twins, other = twin_of((params, optimizer))
        train(twins, other, 3, 6)
        train(params, optimizer, 3, 6)
        assert_equal(hosts(twins), hosts(params))


def test_a_state_of_another_shape_is_refused() -> None:
    optimizer = Factored(parameters())
    train(optimizer.param_groups[0]["params"], optimizer, 0, 2)
    state = optimizer.state_dict()
    columns = state["groups"][0]["vectors"][0]["state"]["columns"]
    assert columns.shape == (4 + 2,)  # of (3, 4) and of (0, 2)
    state["groups"][0]["vectors"][0]["state"]["columns"] = columns[:-1]
    with pytest.raises(ValueError, match=r"'columns' is \(5,\) float64; expected \(\(6,\)"):
        optimizer.load_state_dict(state)


def test_float32_stays_float32_and_graphs_notice_the_step(device: str) -> None:
    params = parameters(device, "float32")
    optimizer = Trust(params)
    older = (params[0] * params[0]).sum()
    train(params, optimizer, 1, 2)
    assert {p.dtype for p in params} == {np.dtype("float32")}
    with pytest.raises(tg.errors.InPlaceError, match=r"by Trust\.step"):
        older.backward()


def test_a_result_of_another_shape_is_refused() -> None:
    class Wrong(Trust):
        def rule(self, theta: Any, g: Any, v: Any, **hyper: Any) -> Any:  # type: ignore[override]
            return theta - g, (g * g).mean(axis=0)

    p = tg.ones(3, 4, requires_grad=True)
    p.grad = tg.ones(3, 4)
    with pytest.raises(tg.errors.ShapeError, match=r"expected \(3, 4\), got \(4,\)"):
        Wrong([p]).step()
