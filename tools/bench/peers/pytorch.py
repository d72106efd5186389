"""PyTorch in eager mode with default flags, the peer that counts; and again with its fused Adam."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from bench.peers.base import Peer, SecondOrder
from bench.workload import LEARNING_RATE, Array, Problem

torch.set_num_threads(1)


def network(problem: Problem) -> torch.nn.Sequential:
    """Linear and tanh in turn, carrying the problem's initial weights."""
    layers: list[torch.nn.Module] = []
    for w, _ in problem.layers:
        layers += [torch.nn.Linear(w.shape[1], w.shape[0]), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    tensors = [torch.tensor(p) for p in problem.parameters]
    model.load_state_dict(dict(zip(model.state_dict(), tensors, strict=True)))
    return model


def loss_of(problem: Problem) -> Callable[[Sequence[torch.Tensor]], torch.Tensor]:
    """The loss as a function of the parameters."""
    x, labels = torch.tensor(problem.x), torch.tensor(problem.labels)

    def loss(parameters: Sequence[torch.Tensor]) -> torch.Tensor:
        *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
        h = x
        for w_h, b_h in hidden:
            h = torch.tanh(F.linear(h, w_h, b_h))
        return F.cross_entropy(F.linear(h, w, b), labels)

    return loss


class PyTorch(Peer):
    name = "PyTorch"
    distribution = "torch"
    adam_flags: ClassVar[dict[str, Any]] = {}

    def training_step(self, problem: Problem) -> Callable[[], Any]:
        x, labels = torch.tensor(problem.x), torch.tensor(problem.labels)
        model = network(problem)
        optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, **self.adam_flags)

        def step() -> torch.Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        return step

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any] | None:
        return torch.tensor(a, requires_grad=recording), torch.tensor(b, requires_grad=recording)

    def recording(self, on: bool) -> Any:
        return torch.set_grad_enabled(on)

    def second_order(self, problem: Problem, direction: Sequence[Array]) -> SecondOrder | None:
        """The product is one more backward pass through the graph of the gradient, which is recorded once."""
        parameters = [torch.tensor(p, requires_grad=True) for p in problem.parameters]
        v = [torch.tensor(d) for d in direction]
        of_parameters = loss_of(problem)

        def loss() -> torch.Tensor:
            return of_parameters(parameters)

        recorded = torch.autograd.grad(loss(), parameters, create_graph=True)
        return SecondOrder(
            gradient=lambda: torch.autograd.grad(loss(), parameters),
            product=lambda: torch.autograd.grad(recorded, parameters, grad_outputs=v, retain_graph=True),
        )

    def convolution(self, work: Any, images: bool) -> Callable[[], Sequence[Any]] | None:
        weight, bias = (torch.tensor(a, requires_grad=True) for a in (work.weight, work.bias))
        x, cotangent = torch.tensor(work.x, requires_grad=images), torch.tensor(work.cotangent)
        leaves = [weight, bias, x] if images else [weight, bias]

        def run() -> list[Any]:
            for leaf in leaves:
                leaf.grad = None
            F.conv2d(x, weight, bias, padding=work.padding).backward(cotangent)
            return [leaf.grad for leaf in leaves]

        return run

    def hessian(self, problem: Problem) -> Callable[[], Sequence[Sequence[Any]]] | None:
        matrix = torch.func.hessian(loss_of(problem))
        parameters = tuple(torch.tensor(p) for p in problem.parameters)
        return lambda: matrix(parameters)


class PyTorchFused(PyTorch):
    """Only the optimizer differs, so there is nothing to show beyond the training step."""

    name = "PyTorch, fused Adam"
    adam_flags: ClassVar[dict[str, Any]] = {"fused": True}

    def operands(self, a: Array, b: Array, recording: bool) -> None:
        return None

    def second_order(self, problem: Problem, direction: Sequence[Array]) -> None:
        return None

    def convolution(self, work: Any, images: bool) -> None:
        return None

    def hessian(self, problem: Problem) -> None:
        return None
