"""Muon: the numbers of PyTorch, what it does to singular values, and the parameters that it refuses."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.optim.muon import orthogonalized

SHAPES = [(3, 5), (5, 3), (4, 4), (1, 6), (6, 1), (1, 1)]
CASES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "plain": {"nesterov": False, "weight_decay": 0.0, "momentum": 0.5},
    "adamw": {"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.5},
    "options": {"ns_coefficients": (1.5, -0.5, 0.0), "ns_steps": 3, "eps": 0.5, "adjust_lr_fn": "original"},
}
cases = pytest.mark.parametrize("case", CASES)


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy().copy()


def matrices(device: str = "cpu", dtype: str = "float64") -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    values = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    return [tg.tensor(v, requires_grad=True, device=device) for v in values]


@pytest.mark.oracle
@cases
def test_the_same_numbers_as_pytorch_has_without_rounding_to_bfloat16(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("sympy")
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    ours = matrices()
    theirs = [torch.tensor(host(p), requires_grad=True) for p in ours]
    mine, other = tg.optim.Muon(ours, lr=0.003, **CASES[case]), torch.optim.Muon(theirs, lr=0.003, **CASES[case])
    for step in range(200):
        for params, optimizer in ((ours, mine), (theirs, other)):
            optimizer.zero_grad()
            used = [p for k, p in enumerate(params) if (step + k) % 3]
            sum(((p - 1) ** 4).sum() * (1 + step % 4) for p in used).backward()
            optimizer.step()
        for p, q in zip(ours, theirs, strict=True):
            q = q.detach().numpy()
            np.testing.assert_allclose(host(p), q, rtol=1e-9, atol=1e-9 * np.abs(q).max())


@pytest.mark.oracle
def test_arguments_and_defaults_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (
        [(p.name, p.default) for p in list(inspect.signature(method).parameters.values())[1:]]
        for method in (tg.optim.Muon, torch.optim.Muon)
    )
    assert ours == theirs


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_the_iteration_brings_singular_values_near_to_one(shape: tuple[int, int], device: str) -> None:
    g = np.random.default_rng(1).standard_normal(shape)
    u, _, vh = np.linalg.svd(g, full_matrices=False)
    x = tg.tensor(g, device=device)
    exact = orthogonalized(x, (1.5, -0.5, 0.0), 40, 1e-7)  # of Newton's iteration 1 is a fixed point
    np.testing.assert_allclose(host(exact), u @ vh, rtol=1e-9, atol=1e-12)
    fast = host(orthogonalized(x, (3.4445, -4.775, 2.0315), 5, 1e-7))
    sizes = np.linalg.svd(fast, compute_uv=False)
    assert (sizes > 0.6).all()
    assert (sizes < 1.3).all()


@cases
def test_training_solves_and_is_the_same_on_every_device(case: str, device: str) -> None:
    results = []
    for place, dtype in (("cpu", "float64"), (device, "float64"), (device, "float32")):
        params = matrices(place, dtype)[:4]
        optimizer = tg.optim.Muon(params, lr=0.05, **{**CASES[case], "weight_decay": 0.0})
        loss = lambda params=params: sum(((p - 0.5) ** 2).sum() for p in params)  # noqa: E731
        losses = [optimizer.step(loss).item() for _ in range(30)]
        assert losses[-1] < 0.7 * losses[0]
        assert {str(p.dtype) for p in params} == {dtype}
        results.append(losses[:15])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)
    np.testing.assert_allclose(results[2], results[0], rtol=1e-3)


def test_a_training_goes_on_bit_for_bit(device: str) -> None:
    params, again = matrices(device), matrices(device)
    optimizer, other = tg.optim.Muon(params, lr=0.05), tg.optim.Muon(again, lr=0.7)
    for _ in range(3):
        optimizer.step(lambda: sum(tg.exp(p).sum() for p in params))
    for p, q in zip(params, again, strict=True):
        q.data[...] = p.data
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        optimizer.step(lambda: sum(tg.exp(p).sum() for p in params))
        other.step(lambda: sum(tg.exp(p).sum() for p in again))
    for p, q in zip(params, again, strict=True):
        np.testing.assert_array_equal(host(p), host(q))
        np.testing.assert_array_equal(host(optimizer.state_of(p)["s"]), host(other.state_of(q)["s"]))


def test_gradients_of_zero_move_nothing_and_nan_stays_in_its_parameter(device: str) -> None:
    p, q = params = matrices(device)[:2]
    optimizer = tg.optim.Muon(params, lr=0.1, weight_decay=0.0)
    before = host(p), host(q)
    optimizer.step(lambda: (0 * p).sum() + (0 * q).sum())
    np.testing.assert_array_equal(host(p), before[0])
    optimizer.step(lambda: (np.nan * p).sum() + q.sum())
    assert np.isnan(host(p)).all()
    assert (host(q) < before[1]).any()
    assert np.isfinite(host(q)).all()


def named(shape: tuple[int, ...]) -> tg.Tensor:
    p = tg.zeros(shape, requires_grad=True)
    p.name = "w"
    return p


def test_other_shapes_are_refused_with_the_way_out() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    with pytest.raises(
        tg.errors.ShapeError, match=r"^Muon: parameter 0.bias must be a matrix; got shape \(4,\)\. Make two"
    ):
        tg.optim.Muon(model.parameters())
    tg.optim.Muon([p for p in model.parameters() if p.ndim == 2])
    tg.optim.AdamW([p for p in model.parameters() if p.ndim != 2])
    for shape in [(), (2, 3, 4), (2, 1, 3, 3)]:
        with pytest.raises(tg.errors.ShapeError, match=r"parameter w must be a matrix"):
            tg.optim.Muon([named(shape)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 1.0}, r"momentum must be a number in \[0, 1\); got 1.0"),
        ({"eps": 0.0}, r"eps must be a number above 0; got 0.0"),
        ({"nesterov": 1}, r"nesterov must be True or False; got 1"),
        ({"ns_coefficients": (1.0, 2.0)}, r"ns_coefficients must be three numbers such as .*; got \(1.0, 2.0\)"),
        ({"ns_coefficients": 3.0}, r"ns_coefficients must be three numbers such as .*; got 3.0"),
        ({"ns_coefficients": (1.0, "b", 2.0)}, r"ns_coefficients\[1\] must be a number"),
        ({"ns_coefficients": (1.0, float("nan"), 2.0)}, r"ns_coefficients\[1\] must be a number"),
        ({"ns_steps": 100}, r"ns_steps must be a whole number from 0 to 99; got 100"),
        ({"ns_steps": 5.0}, r"ns_steps must be a whole number from 0 to 99; got 5.0"),
        ({"adjust_lr_fn": "adam"}, r"adjust_lr_fn must be None, 'original' or 'match_rms_adamw'; got 'adam'"),
        ({"adjust_lr_fn": 3}, r"adjust_lr_fn must be None, 'original' or 'match_rms_adamw'; got 3"),
    ],
)
def test_what_it_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^Muon: {message}"):
        tg.optim.Muon(matrices(), **options)
