"""autograd: NumPy functions traced anew in every step, with Adam in plain NumPy."""

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
from autograd import grad, make_vjp, value_and_grad
from autograd.scipy.special import logsumexp

from bench.peers.adam import Adam
from bench.peers.base import Peer, SecondOrder
from bench.workload import Array, Problem


def one_hot(problem: Problem) -> Array:
    classes = len(problem.parameters[-1])
    targets: Array = anp.eye(classes, dtype=problem.x.dtype)[problem.labels]
    return targets


def loss_of(parameters: Sequence[Any], x: Array, targets: Array) -> Any:
    *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
    for w_h, b_h in hidden:
        x = anp.tanh(x @ w_h.T + b_h)
    logits = x @ w.T + b
    log_probabilities = logits - logsumexp(logits, axis=1, keepdims=True)
    return -anp.sum(log_probabilities * targets) / len(targets)


class Autograd(Peer):
    name = "autograd"
    distribution = "autograd"
    allocates_with_numpy = True

    def training_step(self, problem: Problem) -> Callable[[], Any]:
        x, targets = problem.x, one_hot(problem)
        parameters = list(problem.parameters)
        optimizer = Adam(parameters)
        loss_and_gradients = value_and_grad(loss_of)

        def step() -> Any:
            loss, gradients = loss_and_gradients(parameters, x, targets)
            parameters[:] = optimizer.update(parameters, gradients)
            return loss

        return step

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any] | None:
        """Traced operands exist only inside a derivative; these two are kept after theirs and stay traced."""
        if not recording:
            return None
        kept: list[Any] = []

        def keep(pair: Any) -> Any:
            kept.extend(pair)
            return pair[0]

        make_vjp(keep)((a, b))
        return kept[0], kept[1]

    def second_order(self, problem: Problem, direction: Sequence[Array]) -> SecondOrder:
        """The product is one more backward pass through the graph of the gradient, which is recorded once."""
        x, targets = problem.x, one_hot(problem)
        parameters = list(problem.parameters)
        gradient = grad(loss_of)
        pull, _ = make_vjp(gradient)(parameters, x, targets)
        return SecondOrder(
            gradient=lambda: gradient(parameters, x, targets),
            product=lambda: pull(list(direction)),
        )
