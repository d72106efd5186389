"""MyGrad with its default settings, with Adam in plain NumPy. It has no second derivatives."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import mygrad as mg
from mygrad.nnet.losses import softmax_crossentropy

from bench.peers.adam import Adam
from bench.peers.base import Peer
from bench.workload import Array, Problem


def loss_of(parameters: Sequence[Any], x: Any, labels: Array) -> Any:
    *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
    for w_h, b_h in hidden:
        x = mg.tanh(mg.matmul(x, w_h.T) + b_h)
    return softmax_crossentropy(mg.matmul(x, w.T) + b, labels)


class MyGrad(Peer):
    name = "MyGrad"
    distribution = "mygrad"
    allocates_with_numpy = True

    def training_step(self, problem: Problem) -> Callable[[], Any]:
        x, labels = problem.x, problem.labels
        parameters = [mg.tensor(p) for p in problem.parameters]
        optimizer = Adam(problem.parameters)

        def step() -> Any:
            loss = loss_of(parameters, x, labels)
            loss.backward()
            updated = optimizer.update([p.data for p in parameters], [p.grad for p in parameters])
            for p, data in zip(parameters, updated, strict=True):
                p.data = data
                p.null_grad()
            return loss

        return step

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any]:
        return mg.tensor(a, constant=not recording), mg.tensor(b, constant=not recording)

    def recording(self, on: bool) -> Any:
        return nullcontext() if on else mg.no_autodiff
