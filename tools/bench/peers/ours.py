"""Our side, as a user would write it."""

from collections.abc import Callable, Sequence
from typing import Any

import tinygrad_opt as tg
from bench.peers.base import Peer, SecondOrder
from bench.workload import LEARNING_RATE, Array, Problem


def network(problem: Problem) -> tg.nn.Sequential:
    """Linear and tanh in turn, carrying the problem's initial weights."""
    layers: list[tg.nn.Module] = []
    for w, _ in problem.layers:
        layers += [tg.nn.Linear(w.shape[1], w.shape[0]), tg.nn.Tanh()]
    model = tg.nn.Sequential(*layers[:-1])
    model.load_state_dict(dict(zip(model.state_dict(), problem.parameters, strict=True)))
    return model


def loss_of(problem: Problem) -> Callable[[list[tg.Tensor]], tg.Tensor]:
    """The loss as a function of the parameters."""
    x, labels = tg.tensor(problem.x), tg.tensor(problem.labels)

    def loss(params: list[tg.Tensor]) -> tg.Tensor:
        *hidden, (w, b) = zip(params[::2], params[1::2], strict=True)
        h = x
        for w_h, b_h in hidden:
            h = tg.tanh(h @ w_h.T + b_h)
        return tg.nn.functional.cross_entropy(h @ w.T + b, labels)

    return loss


class Ours(Peer):
    name = "tinygrad_opt"
    distribution = "tinygrad_opt"
    allocates_with_numpy = True

    def training_step(self, problem: Problem) -> Callable[[], Any]:
        x, labels = tg.tensor(problem.x), tg.tensor(problem.labels)
        model = network(problem)
        loss_fn = tg.nn.CrossEntropyLoss()
        optimizer = tg.optim.Adam(model.parameters(), lr=LEARNING_RATE)

        def step() -> tg.Tensor:
            optimizer.zero_grad()
            loss = loss_fn(model(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        return step

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any]:
        return tg.tensor(a, requires_grad=recording), tg.tensor(b, requires_grad=recording)

    def recording(self, on: bool) -> Any:
        return tg.enable_grad() if on else tg.no_grad()

    def second_order(self, problem: Problem, direction: Sequence[Array]) -> SecondOrder:
        parameters = [tg.tensor(p) for p in problem.parameters]
        v = [tg.tensor(d) for d in direction]
        gradient = tg.grad(loss_of(problem))
        _, push = tg.linearize(gradient, parameters)
        return SecondOrder(gradient=lambda: gradient(parameters), product=lambda: push(v))

    def convolution(self, work: Any, images: bool) -> Callable[[], Sequence[Any]]:
        weight, bias = (tg.tensor(a, requires_grad=True) for a in (work.weight, work.bias))
        x, cotangent = tg.tensor(work.x, requires_grad=images), tg.tensor(work.cotangent)
        leaves = [weight, bias, x] if images else [weight, bias]

        def run() -> list[Any]:
            for leaf in leaves:
                leaf.zero_grad()
            tg.nn.functional.conv2d(x, weight, bias, padding=work.padding).backward(cotangent)
            return [leaf.grad for leaf in leaves]

        return run

    def hessian(self, problem: Problem) -> Callable[[], Sequence[Sequence[Any]]]:
        matrix = tg.hessian(loss_of(problem))
        parameters = [tg.tensor(p) for p in problem.parameters]
        return lambda: matrix(parameters)
