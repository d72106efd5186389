"""The same network without any framework: NumPy as a careful student writes it, the referee for all others.

The backward pass is derived on paper; every expression allocates its result, as plain NumPy does. This is the
price of the arithmetic alone: what a framework adds to it is overhead, what it saves is better use of memory.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.peers.adam import Adam
from bench.peers.base import Peer
from bench.workload import Array, Problem


def loss_and_gradients(parameters: Sequence[Array], x: Array, labels: Array) -> tuple[Any, list[Array]]:
    """Softmax cross-entropy of a tanh network, and its gradients in the order of the parameters."""
    weights, biases = parameters[::2], parameters[1::2]
    rows = np.arange(len(labels))

    activations = [x]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        activations.append(np.tanh(activations[-1] @ w.T + b))
    logits = activations[-1] @ weights[-1].T + biases[-1]

    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])

    delta = exponentials / sums
    delta[rows, labels] -= 1
    delta = delta / len(labels)
    gradients: list[Array] = []
    for i in reversed(range(len(weights))):
        gradients = [delta.T @ activations[i], delta.sum(axis=0), *gradients]
        if i > 0:
            delta = (delta @ weights[i]) * (1 - activations[i] ** 2)
    return loss, gradients


class NumPyByHand(Peer):
    name = "NumPy by hand"
    distribution = "numpy"
    allocates_with_numpy = True

    def training_step(self, problem: Problem) -> Callable[[], Any]:
        x, labels = problem.x, problem.labels
        parameters = list(problem.parameters)
        optimizer = Adam(parameters)

        def step() -> Any:
            loss, gradients = loss_and_gradients(parameters, x, labels)
            parameters[:] = optimizer.update(parameters, gradients)
            return loss

        return step

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any] | None:
        return None if recording else (a, b)
