"""Methods for whole parameters against the boxes of their sources, which `papers` has in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import papers
import tinygrad_opt as tg
from papers import Network, Rosenbrock

Array = np.ndarray
STEPS = 200


class Case(NamedTuple):
    """A method and its transcription, which is told the sizes of the parameters, or their shapes."""

    method: str
    options: dict[str, Any]
    algorithm: Callable[..., Any]
    constants: dict[str, Any]
    lr: float = 1e-2
    by: str = "sizes"
    network: Network = Network()


SQUARE = Network(3, 3, 3)  # of a singular g gᵀ some eigenvectors are anybody's
BETAS = {"betas": (0.8, 0.95)}
CASES: dict[str, Case] = {
    "lars": Case("LARS", {}, papers.lars, {"momentum": 0.9, "weight_decay": 5e-4, "eta": 1e-3}, 0.5),
    "lars-options": Case(
        "LARS", {"momentum": 0.5, "weight_decay": 0.3, "trust_coefficient": 0.02}, papers.lars,
        {"momentum": 0.5, "weight_decay": 0.3, "eta": 0.02}, 0.5,
    ),
    "lamb": Case("LAMB", {}, papers.lamb, {"betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.01}),
    "lamb-bounds": Case(
        "LAMB", {**BETAS, "eps": 1e-3, "weight_decay": 0.3, "bounds": (1.6, 2.0)}, papers.lamb,
        {**BETAS, "eps": 1e-3, "weight_decay": 0.3, "phi": lambda z: min(max(z, 1.6), 2.0)}, 1e-3,
    ),
    "shampoo": Case("Shampoo", {"eps": 1e-2}, papers.shampoo, {"eps": 1e-2}, 0.1, by="shapes"),
    "shampoo-options": Case(
        "Shampoo", {"eps": 0.1, "update_freq": 3, "momentum": 0.5}, papers.shampoo,
        {"eps": 0.1, "every": 3, "momentum": 0.5}, 0.03, by="shapes",
    ),
    "soap": Case(
        "SOAP", {"weight_decay": 0.0}, papers.soap,
        {"betas": (0.95, 0.95), "eps": 1e-8, "weight_decay": 0.0, "every": 10}, 1e-3, by="shapes", network=SQUARE,
    ),
    "soap-options": Case(
        "SOAP", {**BETAS, "eps": 1e-3, "weight_decay": 0.3, "update_freq": 1}, papers.soap,
        {**BETAS, "eps": 1e-3, "weight_decay": 0.3, "every": 1}, 1e-3, by="shapes", network=SQUARE,
    ),
}  # fmt: skip
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def flat(arrays: list[Any]) -> Array:
    return np.concatenate([a.ravel() for a in arrays])


@pytest.mark.parametrize("problem", [Rosenbrock(), Network()], ids=["rosenbrock", "network"])
@cases
def test_the_trajectory_is_that_of_the_source(case: Case, problem: Any) -> None:
    problem = case.network if isinstance(problem, Network) else problem
    start = problem.start()
    theta = [tg.tensor(p, requires_grad=True) for p in start]
    optimizer = getattr(tg.optim, case.method)(theta, lr=case.lr, **case.options)
    layers = [p.size if case.by == "sizes" else p.shape for p in start]
    source = case.algorithm(flat(start), problem.gradient, case.lr, layers, **case.constants)
    points, expected = [], []
    for _ in range(STEPS):
        optimizer.step(lambda: problem.loss(theta))
        points.append(flat([p.detach().numpy() for p in theta]))
        expected.append(next(source))
    np.testing.assert_allclose(points, expected, rtol=1e-9, atol=1e-12)
    assert np.abs(points[-1] - flat(start)).max() > 0.05


@cases
def test_a_gradient_that_is_not_finite_spoils_its_own_parameter_only(case: Case) -> None:
    params = [tg.tensor(p, requires_grad=True) for p in Network().start()[:2]]
    before = params[1].detach().numpy().copy()
    optimizer = getattr(tg.optim, case.method)(params, lr=0.01, **case.options)
    for gradient in (np.nan, 1.0, 1.0):
        optimizer.step(lambda gradient=gradient: (params[0][0] * gradient).sum() + params[1].sum())
    assert np.isnan(params[0].tolist()).any()
    assert np.isfinite(params[1].tolist()).all()
    assert (params[1].detach().numpy() < before).all()
    assert all(np.isfinite(s.tolist()).all() for s in optimizer.state_of(params[1]).values())


@pytest.mark.parametrize("name", ["LAMB", "LARS"])
def test_parameters_and_gradients_of_zero_have_a_ratio_of_one(name: str, device: str) -> None:
    p = tg.zeros(2, dtype=tg.float64, requires_grad=True, device=device)
    optimizer = getattr(tg.optim, name)([p], lr=0.125, weight_decay=0.0)
    optimizer.step(lambda: (p * tg.tensor([1.0, -1.0], dtype=tg.float64, device=device)).sum())
    np.testing.assert_allclose(p.detach().cpu().numpy(), [-0.125, 0.125], rtol=1e-5)
    q = tg.ones(2, dtype=tg.float64, requires_grad=True, device=device)
    getattr(tg.optim, name)([q], lr=0.125, weight_decay=0.0).step(lambda: (0 * q).sum())
    assert q.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["LAMB", "LARS"])
def test_norms_do_not_overflow_in_half_precision(name: str, device: str) -> None:
    values = np.full(100, 100.0, "float16")  # the squares sum up to 1e6
    p = tg.tensor(values, requires_grad=True, device=device)
    options = {"trust_coefficient": 1.0} if name == "LARS" else {"eps": 1e-3}
    optimizer = getattr(tg.optim, name)([p], lr=0.125, weight_decay=0.0, **options)
    optimizer.step(lambda: p.sum())
    np.testing.assert_allclose(p.detach().cpu().numpy(), values * 0.875, rtol=2e-3)


def test_shampoo_on_any_number_of_axes(device: str) -> None:
    """Against the vector of all elements, by Kronecker's product of the roots."""
    rng = np.random.default_rng(0)
    for shape in [(), (1,), (2, 3), (2, 3, 4), (1, 2, 3, 2)]:
        g = rng.standard_normal(shape)
        p = tg.zeros(shape, dtype=tg.float64, requires_grad=True, device=device)
        optimizer = tg.optim.Shampoo([p], lr=1.0, eps=0.1)
        optimizer.step(lambda p=p, g=g: (p * tg.tensor(g, device=device)).sum())
        product = np.ones((1, 1))
        for axis, n in enumerate(shape):
            m = np.moveaxis(g, axis, 0).reshape(n, -1)
            values, vectors = np.linalg.eigh(0.1 * np.eye(n) + m @ m.T)
            product = np.kron(product, (vectors * values ** (-0.5 / len(shape))) @ vectors.T)
        expected = product @ g.ravel() if shape else g / np.sqrt(0.1 + g * g)
        np.testing.assert_allclose(p.detach().cpu().numpy().ravel(), -np.ravel(expected), rtol=1e-9)


def test_soap_spends_the_first_gradient_of_a_matrix_on_its_bases(device: str) -> None:
    w, b = (tg.ones(*shape, dtype=tg.float64, requires_grad=True, device=device) for shape in [(2, 3), (3,)])
    optimizer = tg.optim.SOAP([w, b], lr=0.5, weight_decay=0.1)
    loss = lambda: (w * w).sum() + (b * b).sum()  # noqa: E731
    optimizer.step(loss)
    assert w.tolist() == [[1.0] * 3] * 2
    np.testing.assert_allclose(b.detach().cpu().numpy(), 1 - 0.5 * 0.1 - 0.5, rtol=1e-6)
    optimizer.step(loss)
    # g gᵀ has one direction, along which the gradient lies; Adam's step in it has length ε.
    np.testing.assert_allclose(w.detach().cpu().numpy(), 1 - 0.5 * 0.1 - 0.5 / 6**0.5, rtol=1e-6)


def test_shampoo_refuses_half_precision() -> None:
    p = tg.zeros(2, 2, dtype=tg.float16, requires_grad=True)
    with pytest.raises(TypeError, match=r"^Shampoo: parameter 0 is float16, .* model.to\('float32'\)"):
        tg.optim.Shampoo([p])
