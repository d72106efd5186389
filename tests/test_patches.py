"""Gradients of tensors that are read in pieces: written once, at every order, whatever else reads the tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import ROUTES
from tinygrad_opt.core.primitive import REGISTRY

READERS: dict[str, Callable[[Any], list[Any]]] = {
    "split": lambda x: tg.split(x, x.shape[0]),
    "array_split along the last axis": lambda x: tg.array_split(x, 3, axis=-1),
    "unstack": lambda x: list(tg.unstack(x, axis=1)),
    "iteration": list,
    "overlapping slices": lambda x: [x[i : i + 3] for i in range(4)],
    "repeated indices": lambda x: [x[[0, 0, 2]], x[:, [1, 1]], x[-1]],
    "some rows only": lambda x: [x[0], x[2]],
}


def matrix(device: str) -> tg.Tensor:
    return tg.tensor(np.random.default_rng(0).normal(size=(6, 5)), device=device)


def written_elements(monkeypatch: pytest.MonkeyPatch, compute: Callable[[], Any]) -> int:
    """How many elements the arrays have that scattering makes during a computation."""
    sizes = []
    for name in ("scatter_add", "scatter_sum", "concatenate"):
        primitive = REGISTRY[name]

        def counting(xp: Any, *gs: Any, kernel: Any = primitive._kernel, **meta: Any) -> Any:
            y = getattr(xp, kernel)(*gs, **meta) if isinstance(kernel, str) else kernel(xp, *gs, **meta)
            sizes.append(y.size)
            return y

        monkeypatch.setattr(primitive, "_kernel", counting)
        monkeypatch.setattr(primitive, "_kernels", {})
    compute()
    return sum(sizes)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("also", [lambda x: 0.0, lambda x: (x * x * x).sum()], ids=["alone", "beside the whole"])
def test_all_derivatives(reader: str, also: Callable[[Any], Any], device: str) -> None:
    """Reading in pieces, against the same function of the whole, weighted by how often an element is read."""
    read = READERS[reader]
    x = matrix(device)
    weights = np.zeros(x.shape)
    for piece in read(tg.tensor(np.arange(x.size).reshape(x.shape))):
        np.add.at(weights.reshape(-1), piece.numpy().ravel(), 1.0)
    count = tg.tensor(weights, device=device)

    def in_pieces(x: Any) -> Any:
        total = also(x)
        for piece in read(x):
            total = tg.exp(piece).sum() + total
        return total

    def as_a_whole(x: Any) -> Any:
        return (count * tg.exp(x)).sum() + also(x)

    def agree(a: Any, b: Any) -> bool:
        return np.allclose(a.cpu().numpy(), b.cpu().numpy(), rtol=1e-12, atol=1e-12)

    assert agree(tg.grad(in_pieces)(x), tg.grad(as_a_whole)(x))
    v = tg.tensor(np.random.default_rng(1).normal(size=x.shape), device=device)
    assert agree(tg.jvp(in_pieces, x, v)[1], tg.jvp(as_a_whole, x, v)[1])
    for route in ROUTES:
        assert agree(tg.hvp(in_pieces, x, v, mode=route), tg.hvp(as_a_whole, x, v, mode=route))

    def third(f: Any) -> Any:
        return tg.grad(lambda x: (tg.grad(lambda x: (tg.grad(f)(x) * v).sum())(x) * v).sum())(x)

    assert agree(third(in_pieces), third(as_a_whole))


@pytest.mark.parametrize("order", [1, 2])
def test_the_cost_does_not_grow_with_the_number_of_pieces(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = tg.tensor(np.random.default_rng(0).normal(size=240))

    def loss(x: Any, pieces: int) -> Any:
        total: Any = 0.0
        for piece in tg.split(x, pieces):
            total = tg.exp(piece).sum() + total
        return total

    def compute(pieces: int) -> Any:
        if order == 1:
            return lambda: tg.grad(loss)(x, pieces)
        return lambda: tg.hvp(lambda x: loss(x, pieces), x, x, mode="reverse-over-reverse")

    few, many = (written_elements(monkeypatch, compute(pieces)) for pieces in (2, 120))
    assert few == many <= 240 * (2 * order - 1)


def test_the_gradients_of_a_concatenation_are_views_and_its_second_derivative_is_written_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    xs = [tg.tensor(np.full(2, float(i)), requires_grad=True) for i in range(50)]

    def second() -> None:
        joined = tg.concatenate(xs)
        gradients = tg.gradients((joined * joined * joined).sum(), xs, create_graph=True)
        total: Any = 0.0
        for g in gradients:
            total = (g * g).sum() + total
        again = tg.gradients(total, xs)
        assert [a.tolist() for a in again] == [[36.0 * i**3] * 2 for i in range(50)]

    assert written_elements(monkeypatch, second) <= 3 * 100


def test_gradients_of_pieces_that_nobody_used_are_zero() -> None:
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    first, *_ = tg.unstack(x)
    (first * 5).backward()
    assert x.grad.tolist() == [5.0, 0.0, 0.0]


def test_detecting_anomalies_looks_into_patches() -> None:
    x = tg.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(divide="ignore"), tg.detect_anomaly(), pytest.raises(FloatingPointError, match="'sqrt'"):
        (tg.sqrt(x[0]) + x[1]).backward()
