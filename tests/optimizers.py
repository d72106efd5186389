"""The optimizers that the tests of what all optimizers share run over, and four problems that each has to solve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


class Rates(NamedTuple):
    """Learning rates that suit a method, one for each problem of the class `Problem`."""

    quadratic: float
    valley: float
    regression: float
    digits: float


@dataclass(frozen=True)
class Maker:
    """An optimizer with some of its options set: ``make(params, lr=0.1)``.

    `unused` names what the method does not take of the options that tests give to all.
    """

    name: str
    options: dict[str, Any]
    rates: Rates
    unused: tuple[str, ...] = ()
    full_batch: bool = False

    @property
    def looks_ahead(self) -> bool:
        """Whether `step` needs a closure."""
        return self.options.get("form") == "book" and self.options.get("nesterov", False)

    @property
    def whole(self) -> bool:
        """Whether its rule takes whole parameters, instead of elements."""
        return bool(getattr(tg.optim, self.name).whole)

    def __call__(self, params: Any, **options: Any) -> tg.optim.Optimizer:
        kept = {name: value for name, value in options.items() if name not in self.unused}
        return getattr(tg.optim, self.name)(params, **self.options, **kept)


MAKERS: dict[str, Maker] = {
    "sgd": Maker("SGD", {}, Rates(0.1, 3e-3, 0.5, 1.0)),
    "momentum": Maker("SGD", {"momentum": 0.9}, Rates(0.1, 1e-3, 0.05, 0.1)),
    "nesterov": Maker("SGD", {"momentum": 0.9, "nesterov": True}, Rates(0.1, 1e-3, 0.05, 0.1)),
    "momentum-book": Maker("SGD", {"momentum": 0.9, "form": "book"}, Rates(0.1, 1e-3, 0.05, 0.1)),
    "nesterov-book": Maker("SGD", {"momentum": 0.9, "nesterov": True, "form": "book"}, Rates(0.1, 1e-3, 0.05, 0.1)),
    "asgd": Maker("ASGD", {}, Rates(0.1, 3e-3, 0.5, 1.0)),
    "delta-bar-delta": Maker("DeltaBarDelta", {"kappa": 1e-4, "phi": 0.5}, Rates(0.1, 3e-3, 0.5, 1.0), full_batch=True),
    "rprop": Maker("Rprop", {}, Rates(0.1, 0.03, 0.1, 0.01), unused=("weight_decay",), full_batch=True),
    "adagrad": Maker("Adagrad", {}, Rates(1.0, 1.0, 0.3, 0.1)),
    "adagrad-book": Maker("Adagrad", {"form": "book"}, Rates(1.0, 1.0, 0.3, 0.1)),
    "adadelta": Maker("Adadelta", {"eps": 1e-2}, Rates(0.3, 0.01, 0.5, 1.0)),
    "rmsprop": Maker("RMSprop", {}, Rates(0.3, 0.03, 0.03, 0.01)),
    "rmsprop-centered": Maker("RMSprop", {"centered": True, "momentum": 0.5}, Rates(0.3, 0.03, 0.01, 0.01)),
    "rmsprop-book": Maker("RMSprop", {"form": "book"}, Rates(0.3, 0.03, 0.03, 0.01)),
    "rmsprop-nesterov": Maker(
        "RMSprop", {"form": "book", "momentum": 0.5, "nesterov": True}, Rates(0.3, 0.01, 0.01, 0.01)
    ),
    "adam": Maker("Adam", {}, Rates(0.3, 0.1, 0.05, 0.03)),
    "amsgrad": Maker("Adam", {"amsgrad": True}, Rates(0.3, 0.1, 0.05, 0.03)),
    "adamw": Maker("AdamW", {}, Rates(0.3, 0.1, 0.05, 0.03)),
    "adamax": Maker("Adamax", {}, Rates(1.0, 0.3, 0.1, 0.1)),
    "nadam": Maker("NAdam", {}, Rates(0.3, 0.1, 0.05, 0.03)),
    "radam": Maker("RAdam", {"betas": (0.9, 0.95)}, Rates(0.1, 3e-3, 0.05, 0.1)),
    "adabelief": Maker("AdaBelief", {}, Rates(0.3, 0.1, 0.03, 0.03)),
    "yogi": Maker("Yogi", {}, Rates(0.3, 0.1, 0.05, 0.03)),
    "schedule-free": Maker("ScheduleFree", {}, Rates(0.3, 0.1, 0.05, 0.03)),
    "schedule-free-sgd": Maker("ScheduleFree", {"base": "sgd", "warmup_steps": 3}, Rates(0.15, 4e-3, 0.5, 2.0)),
    "adafactor": Maker("Adafactor", {}, Rates(0.1, 0.3, 0.3, 0.1)),
    "lamb": Maker("LAMB", {"bounds": (0.1, 10.0)}, Rates(0.05, 0.03, 0.05, 0.05)),
    "lars": Maker("LARS", {"trust_coefficient": 1.0}, Rates(0.01, 0.01, 0.02, 0.02)),
    "shampoo": Maker("Shampoo", {}, Rates(1.0, 1.0, 0.3, 0.3)),
    "soap": Maker("SOAP", {}, Rates(0.3, 0.1, 0.05, 0.03)),
    "shampoo-momentum": Maker("Shampoo", {"momentum": 0.5, "update_freq": 3, "eps": 1.0}, Rates(0.6, 0.6, 0.3, 0.6)),
    "lion": Maker("Lion", {}, Rates(0.07, 0.01, 0.02, 0.03)),
}
MATRICES = ("Muon",)  # which take no other shapes, and have tests of their own
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
# Those whose rule is one for elements: engines run them, and an element does not depend on others.
ELEMENTWISE = {name: make for name, make in MAKERS.items() if not make.whole}
every_elementwise = pytest.mark.parametrize("make", ELEMENTWISE.values(), ids=ELEMENTWISE)
# Those whose `step` needs no closure.
STEPPING = {name: make for name, make in MAKERS.items() if not make.looks_ahead}
every_stepping = pytest.mark.parametrize("make", STEPPING.values(), ids=STEPPING)


def leaf(*values: float, dtype: Any = tg.float64) -> tg.Tensor:
    return tg.tensor(values, dtype=dtype, requires_grad=True)


@dataclass(frozen=True)
class Problem:
    """Something to minimize: `begin` gives the parameters and ``loss(rows)``, of some of the examples or of all.

    `solved` is what the loss of all examples has to fall below, `steps` after how many steps, in batches of `batch`.
    """

    name: str
    begin: Callable[[str, Any], tuple[list[tg.Tensor], Callable[[Any], tg.Tensor]]]
    steps: int
    solved: float
    examples: int = 1
    batch: int = 1

    def train(self, make: Maker, lr: float, device: str = "cpu", dtype: Any = tg.float64) -> tuple[float, list[float]]:
        """The final loss over all examples, and the losses on the way."""
        tg.manual_seed(0)
        params, loss = self.begin(device, dtype)
        optimizer = make(params, lr=lr)
        rng = np.random.default_rng(0)
        losses = []
        for _ in range(self.steps):
            whole = make.full_batch or self.batch == self.examples
            rows = slice(None) if whole else rng.choice(self.examples, self.batch, replace=False)
            losses.append(optimizer.step(lambda rows=rows: loss(rows)).item())
        return loss(slice(None)).item(), losses


def _quadratic(device: str, dtype: Any) -> Any:
    """``½ (x - 1)ᵀ A (x - 1)``, condition number 10."""
    rng = np.random.default_rng(1)
    q, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    a = tg.tensor((q * np.linspace(1, 10, 6)) @ q.T, dtype=dtype, device=device)
    x = tg.tensor(rng.standard_normal(6) * 2, dtype=dtype, device=device, requires_grad=True)
    return [x], lambda rows: 0.5 * ((x - 1) * (a @ (x - 1))).sum()


def _valley(device: str, dtype: Any) -> Any:
    """Rosenbrock's."""
    x, y = (tg.tensor(v, dtype=dtype, device=device, requires_grad=True) for v in (-1.2, 1.0))
    return [x, y], lambda rows: 100 * (y - x**2) ** 2 + (1 - x) ** 2


@cache
def _labelled() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((200, 5))
    chance = 1 / (1 + np.exp(-(x @ [2.0, -1.0, 0.5, 0.0, 1.0] - 0.5)))
    return x, (rng.random(200) < chance).astype(float)


def _regression(device: str, dtype: Any) -> Any:
    """Logistic regression on labels that no line separates; the mean negative log-likelihood."""
    x, labels = (tg.tensor(v, dtype=dtype, device=device) for v in _labelled())
    w = tg.zeros(5, dtype=dtype, device=device, requires_grad=True)
    b = tg.zeros((), dtype=dtype, device=device, requires_grad=True)

    def loss(rows: Any) -> tg.Tensor:
        z = x[rows] @ w + b
        return (tg.logaddexp(0.0, z) - labels[rows] * z).mean()

    return [w, b], loss


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = tg.data.digits()
    return images.numpy()[:600], labels.numpy()[:600]


def _network(device: str, dtype: Any) -> Any:
    """A network of two layers on handwritten digits."""
    images, labels = tg.tensor(_digits()[0], dtype=dtype, device=device), tg.tensor(_digits()[1], device=device)
    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10)).to(dtype).to(device)
    return list(model.parameters()), lambda rows: nn.CrossEntropyLoss()(model(images[rows]), labels[rows])


PROBLEMS = [
    Problem("quadratic", _quadratic, steps=150, solved=0.2),  # from 143
    Problem("valley", _valley, steps=500, solved=1.0),  # from 24; 4 where the valley begins
    Problem("regression", _regression, steps=100, solved=0.41, examples=200, batch=20),  # from 0.69; at best 0.36
    Problem("digits", _network, steps=60, solved=0.3, examples=600, batch=50),  # from 2.3
]
