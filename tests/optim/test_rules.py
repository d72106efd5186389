"""The update rules against the boxes of their sources, which `papers` has in plain NumPy, with gradients by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

import papers
import tinygrad_opt as tg
from papers import Network, Rosenbrock

Array = np.ndarray
STEPS = 200


class Case(NamedTuple):
    """A method and its transcription."""

    method: str
    options: dict[str, Any]
    algorithm: Callable[..., Any]
    constants: dict[str, Any]
    lrs: tuple[float, float] = (1e-2, 1e-2)  # in the valley, and for the network

    @property
    def penalty(self) -> bool:
        """Whether weight decay is an L2 penalty, which the transcription gets with the gradient."""
        return "weight_decay" not in self.constants and self.method != "Rprop"


BETAS = {"betas": (0.8, 0.95)}
SLOW = (1e-4, 1e-2)  # steps that grow with the gradient have to be short in the valley
CASES: dict[str, Case] = {
    "sgd": Case("SGD", {}, papers.gradient_descent, {}, SLOW),
    "sgd-book": Case("SGD", {"form": "book"}, papers.gradient_descent, {}, SLOW),
    "momentum": Case("SGD", {"momentum": 0.9}, papers.momentum, {"alpha": 0.9}, SLOW),
    "momentum-book": Case("SGD", {"momentum": 0.9, "form": "book"}, papers.momentum, {"alpha": 0.9}, SLOW),
    "nesterov": Case("SGD", {"momentum": 0.8, "nesterov": True}, papers.nesterov_seen_ahead, {"alpha": 0.8}, SLOW),
    "nesterov-book": Case(
        "SGD", {"momentum": 0.8, "nesterov": True, "form": "book"}, papers.nesterov, {"alpha": 0.8}, SLOW
    ),
    "dampening": Case("SGD", {"momentum": 0.9, "dampening": 0.4}, papers.dampened, {"alpha": 0.9, "tau": 0.4}, SLOW),
    "delta-bar-delta": Case(
        "DeltaBarDelta", {"kappa": 1e-5, "phi": 0.2, "decay": 0.6}, papers.delta_bar_delta,
        {"kappa": 1e-5, "phi": 0.2, "decay": 0.6}, SLOW,
    ),
    "rprop": Case("Rprop", {}, papers.irprop_minus, {"etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0)}),
    "rprop-bounds": Case(
        "Rprop", {"etas": (0.3, 1.1), "step_sizes": (1e-3, 0.02)}, papers.irprop_minus,
        {"etas": (0.3, 1.1), "step_sizes": (1e-3, 0.02)},
    ),
    "adagrad-book": Case("Adagrad", {"form": "book"}, papers.adagrad, {}),
    "adagrad-eps": Case("Adagrad", {"form": "book", "eps": 0.5}, papers.adagrad, {"delta": 0.5}),
    "rmsprop-book": Case("RMSprop", {"form": "book", "alpha": 0.97}, papers.rmsprop, {"rho": 0.97}, (1e-2, 3e-3)),
    "rmsprop-eps": Case(
        "RMSprop", {"form": "book", "alpha": 0.97, "eps": 0.5}, papers.rmsprop, {"rho": 0.97, "delta": 0.5}
    ),
    "rmsprop-momentum": Case(
        "RMSprop", {"form": "book", "alpha": 0.97, "momentum": 0.6}, papers.rmsprop_momentum,
        {"rho": 0.97, "alpha": 0.6, "delta": 1e-6}, (1e-3, 1e-3),
    ),
    "rmsprop-nesterov": Case(
        "RMSprop", {"form": "book", "alpha": 0.97, "momentum": 0.6, "nesterov": True}, papers.rmsprop_nesterov,
        {"rho": 0.97, "alpha": 0.6}, (1e-3, 1e-3),
    ),
    "adadelta": Case("Adadelta", {"rho": 0.8, "eps": 1e-4}, papers.adadelta, {"rho": 0.8, "eps": 1e-4}, (1.0, 0.3)),
    "adam": Case("Adam", {}, papers.adam, {}),
    # With (0.5, 0.7) Adam's path through the valley is chaotic: a start moved by 1e-16 ends 1e-6 away.
    "adam-betas": Case("Adam", {**BETAS, "eps": 1e-3}, papers.adam, {**BETAS, "eps": 1e-3}),
    "adamw": Case(
        "AdamW", {**BETAS, "weight_decay": 0.3}, papers.adamw, {**BETAS, "eps": 1e-8, "weight_decay": 0.3}
    ),
    "adamax": Case("Adamax", {**BETAS, "eps": 0.0}, papers.adamax, BETAS, (1e-2, 3e-3)),
    "adabelief": Case("AdaBelief", {**BETAS, "eps": 1e-6}, papers.adabelief, {**BETAS, "eps": 1e-6}),
    "yogi": Case("Yogi", {**BETAS}, papers.yogi, {**BETAS, "eps": 1e-3, "first": 1e-6, "correct": True}),
    "yogi-paper": Case(
        "Yogi", {**BETAS, "initial_accumulator_value": 0.0, "bias_correction": False}, papers.yogi,
        {**BETAS, "eps": 1e-3, "first": 0.0, "correct": False},
    ),
    "lion": Case(
        "Lion", {"betas": (0.8, 0.95), "weight_decay": 0.3}, papers.lion,
        {"betas": (0.8, 0.95), "weight_decay": 0.3}, (1e-3, 1e-3),
    ),
}  # fmt: skip
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def begin(case: Case, problem: Any, **options: Any) -> tuple[list[tg.Tensor], tg.optim.Optimizer, float]:
    theta = [tg.tensor(p, requires_grad=True) for p in problem.start()]
    lr = case.lrs[isinstance(problem, Network)]
    return theta, getattr(tg.optim, case.method)(theta, lr=lr, **{**case.options, **options}), lr


def flat(arrays: list[Any]) -> Array:
    return np.concatenate([a.ravel() for a in arrays])


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("problem", [Rosenbrock(), Network()], ids=["rosenbrock", "network"])
@cases
def test_the_trajectory_is_that_of_the_source(case: Case, problem: Any, decay: float) -> None:
    if decay and not case.penalty:
        pytest.skip("its weight decay, if it has any, is no penalty")
    theta, optimizer, lr = begin(case, problem, **({"weight_decay": decay} if decay else {}))
    start = flat(problem.start())
    # The gradient of ``loss + decay ‖θ‖²/2``.
    source = case.algorithm(start, lambda x: problem.gradient(x) + decay * x, lr, **case.constants)
    points, expected = [], []
    for _ in range(STEPS):
        optimizer.step(lambda: problem.loss(theta))
        points.append(flat([p.detach().numpy() for p in theta]))
        expected.append(next(source))
    np.testing.assert_allclose(points, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("t0", [0, 7, 1000])
def test_the_average_of_averaged_gradient_descent_is_the_mean_of_its_points(t0: int) -> None:
    problem = Network()
    theta = [tg.tensor(p, requires_grad=True) for p in problem.start()]
    optimizer = tg.optim.ASGD(theta, lr=0.1, lambd=0.1, alpha=0.6, t0=t0)
    source = papers.averaged(flat(problem.start()), problem.gradient, 0.1, 0.1, 0.6, first=t0 + 2)
    for _ in range(STEPS):
        optimizer.step(lambda: problem.loss(theta))
        average = flat([optimizer.state_of(p)["ax"].numpy() for p in theta])
        np.testing.assert_allclose(average, next(source), rtol=1e-9)


@cases
def test_the_loss_goes_down(case: Case) -> None:
    theta, optimizer, _ = begin(case, problem := Network())
    losses = [optimizer.step(lambda: problem.loss(theta)).item() for _ in range(60)]
    assert losses[-1] < 0.9 * losses[0]
    assert sum(b < a for a, b in pairwise(losses)) > 40


@cases
def test_one_rule_means_the_same_on_numbers_and_arrays(case: Case) -> None:
    """A rule uses arithmetic and a few elementwise functions only, so plain numbers go through it too."""
    decay = {} if case.method == "Rprop" else {"weight_decay": 0.3}
    optimizer = getattr(tg.optim, case.method)([tg.zeros(1, requires_grad=True)], lr=0.1, **{**case.options, **decay})
    hyper = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    names = optimizer.state_names(hyper)
    for t in (1, 2):
        inputs = np.array([[0.5, -2.0], [1.5, 0.25], [0.3, 0.1], [0.2, 0.7]])[: 2 + len(names)]
        together = optimizer.rule(*inputs, t=t, **hyper)
        for i in range(2):
            alone = optimizer.rule(*(float(x[i]) for x in inputs), t=t, **hyper)
            np.testing.assert_allclose([x[i] for x in together], np.asarray(alone, dtype=float), rtol=1e-15)
