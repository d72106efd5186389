"""Which parameters an optimizer may hold: on several devices, shared, added later, looked up by number, replaced."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import Maker, every, leaf
from tinygrad_opt import nn


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy().copy()


def start_at(shape: tuple[int, ...], seed: int, device: str = "cpu", dtype: str = "float64") -> tg.Tensor:
    value = np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)
    return tg.tensor(value, device=device, requires_grad=True)


@every
def test_one_optimizer_for_several_devices_and_dtypes(make: Maker) -> None:
    places = [("cpu", "float64"), ("double:0", "float64"), ("double:1", "float64"), ("cpu", "float32")]
    together = [start_at((3,), 0, *place) for place in places]
    alone = [start_at((3,), 0, *place) for place in places]
    optimizer, own = make(together, lr=0.05), [make([p], lr=0.05) for p in alone]
    for _ in range(3):
        optimizer.step(lambda: sum((p * p).sum().cpu().astype(tg.float64) for p in together))
        for p, single in zip(alone, own, strict=True):
            single.step(lambda p=p: (p * p).sum())
    assert len(optimizer._vectors[0]) == 4
    for p, q, (device, dtype) in zip(together, alone, places, strict=True):
        assert (p.device, p.dtype) == (device, dtype)
        np.testing.assert_array_equal(host(p), host(q))


@every
def test_parameters_added_later_start_at_their_own_first_step(make: Maker, device: str) -> None:
    first, later = start_at((4,), 0, device), start_at((2, 3), 1, device)
    alone, alone_later = start_at((4,), 0, device), start_at((2, 3), 1, device)
    optimizer = make([first], lr=0.05)
    own = [make([alone], lr=0.05), make([alone_later], lr=0.02)]

    def loss(*params: tg.Tensor) -> tg.Tensor:
        terms = [(tg.exp(0.2 * p)).sum() for p in params]
        return sum(terms[1:], terms[0])

    for _ in range(3):
        optimizer.step(lambda: loss(first))
        own[0].step(lambda: loss(alone))
    optimizer.add_param_group({"params": [later], "lr": 0.02})
    for _ in range(3):
        optimizer.step(lambda: loss(first, later))
        own[0].step(lambda: loss(alone))
        own[1].step(lambda: loss(alone_later))
    np.testing.assert_array_equal(host(first), host(alone))
    np.testing.assert_array_equal(host(later), host(alone_later))

    again = make([start_at((4,), 2, device)], lr=0.05)
    with pytest.raises(ValueError, match="the state has 2 groups"):
        again.load_state_dict(optimizer.state_dict())
    again.add_param_group({"params": [start_at((2, 3), 2, device)]})
    again.load_state_dict(optimizer.state_dict())
    assert [group["lr"] for group in again.param_groups] == [0.05, 0.02]


class Tied(nn.Module):
    """A matrix that maps there and back."""

    def __init__(self) -> None:
        super().__init__()
        self.there = nn.Linear(3, 2, bias=False, dtype=tg.float64)
        self.back = nn.Linear(2, 3, bias=False, dtype=tg.float64)
        self.back.weight = nn.Parameter(tg.zeros(3, 2, dtype=tg.float64))
        self.again = nn.Linear(3, 2, bias=False, dtype=tg.float64)
        self.again.weight = self.there.weight

    def forward(self, x: Any) -> Any:
        return self.again(self.back(self.there(x)))


def test_a_shared_parameter_is_updated_once_with_the_sum_of_its_gradients(device: str) -> None:
    tg.manual_seed(0)
    model = Tied().to(device)
    model.back.weight.data[...] = tg.ones(3, 2, dtype=tg.float64, device=device).data
    params = list(model.parameters())
    assert [tuple(p.shape) for p in params] == [(2, 3), (3, 2)]
    optimizer = tg.optim.SGD(params, lr=1.0)
    w, b, x = host(model.there.weight), host(model.back.weight), np.array([[1.0, -2.0, 0.5]])
    optimizer.step(lambda: model(tg.tensor(x, device=device)).sum())
    assert model.again.weight is model.there.weight
    ones = np.ones((1, 2))
    inner = x @ w.T @ b.T  # what the second use of w sees
    of_first = (ones @ w @ b).T @ x
    np.testing.assert_allclose(host(model.there.weight), w - (ones.T @ inner + of_first), rtol=1e-12)
    with pytest.raises(ValueError, match="is given twice"):
        tg.optim.SGD([model.there.weight, model.again.weight])


@every
def test_rows_of_a_table_that_were_not_looked_up_get_a_gradient_of_zero(make: Maker, device: str) -> None:
    """As in PyTorch without sparse=True: the table is one parameter, and has a gradient in every row."""
    table, dense = start_at((6, 2), 0, device), start_at((6, 2), 0, device)
    optimizer, other = make([table], lr=0.05), make([dense], lr=0.05)
    choice = np.array([[4, 1, 4], [0, 4, 1], [5, 5, 5]])
    for rows in choice:
        index = tg.tensor(rows, device=device)
        optimizer.step(lambda index=index: (table[index] ** 2).sum())
        count = tg.tensor(np.bincount(rows, minlength=6)[:, None].astype(float), device=device)
        other.step(lambda count=count: (count * dense**2).sum())
    np.testing.assert_allclose(host(table), host(dense), rtol=1e-12, atol=1e-14)


def test_backward_writes_into_the_vector(device: str) -> None:
    model = nn.Linear(3, 2, device=device)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    ((vector,),) = optimizer._vectors
    memory = [slot.tensor._array for slot in vector._slots]
    x = tg.ones(4, 3, device=device)
    for k in range(1, 4):
        model(x).sum().backward()
        assert [p.grad._array is m for p, m in zip(model.parameters(), memory, strict=True)] == [True, True]
        np.testing.assert_array_equal(tg.Tensor(vector.grad).cpu().numpy(), np.full(8, 4.0 * k, "float32"))
    optimizer.zero_grad()
    assert [p.grad for p in model.parameters()] == [None, None]
    assert all(p._array is view for p, view in zip(model.parameters(), vector._views, strict=True))


def test_data_of_another_shape_or_dtype_is_refused_at_once() -> None:
    p = leaf(1.0, 2.0, 3.0)
    tg.optim.SGD([p], lr=0.1)
    for value in (np.zeros(4), np.zeros(3, "float32")):
        with pytest.raises(tg.errors.ShapeError, match=r"data: expected an array of shape \(3,\) and dtype float64"):
            p.data = value


@every
def test_data_that_was_replaced_is_what_goes_on(make: Maker, device: str) -> None:
    p, q = start_at((3,), 0, device), start_at((3,), 0, device)
    optimizer, other = make([p], lr=0.05), make([q], lr=0.05)
    for step in range(4):
        if step == 2:
            p.data = tg.tensor(host(p) * 2, device=device).data
            q.data[...] = q.data * 2
        for x, method in ((p, optimizer), (q, other)):
            method.step(lambda x=x: (tg.exp(x)).sum())
    np.testing.assert_array_equal(host(p), host(q))


@every
def test_model_and_optimizer_are_copied_together(make: Maker) -> None:
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(tg.float64)
    optimizer = make(model.parameters(), lr=0.05)
    x, labels = tg.randn(5, 3, dtype=tg.float64), tg.tensor([0, 1, 1, 0, 1])

    def train(net: nn.Module, method: tg.optim.Optimizer) -> None:
        for _ in range(3):
            method.step(lambda: nn.CrossEntropyLoss()(net(x), labels))

    train(model, optimizer)
    for twin_of in (copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))):
        twin, other = twin_of((model, optimizer))
        before = [host(p) for p in model.parameters()]
        assert all(a is b for a, b in zip(other.param_groups[0]["params"], twin.parameters(), strict=True))
        train(twin, other)
        for p, value in zip(model.parameters(), before, strict=True):
            np.testing.assert_array_equal(host(p), value)
    train(model, optimizer)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(host(p), host(q))
