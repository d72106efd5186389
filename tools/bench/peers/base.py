"""What a contestant offers: a training step, and, where it can, recorded additions, second derivatives, convolution.

Each peer writes these the way its own users would, with its default settings. A peer that lacks something
returns None, and its row stays out of that table.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from bench.workload import Array, Problem


@dataclass(frozen=True)
class SecondOrder:
    """One gradient from scratch, and one Hessian-vector product; both wait until their result is there."""

    gradient: Callable[[], Sequence[Any]]
    product: Callable[[], Sequence[Any]]


class Peer(ABC):
    name: str
    distribution: str
    allocates_with_numpy = False  # then tracemalloc sees its arrays

    @abstractmethod
    def training_step(self, problem: Problem) -> Callable[[], Any]:
        """A function that does one whole training step and returns the loss from before the update."""

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any] | None:
        """`a` and `b` as this framework's arrays, which it differentiates if `recording`."""
        return None

    def recording(self, on: bool) -> AbstractContextManager[Any]:
        """The scope in which operations are recorded, or not recorded."""
        return nullcontext()

    def second_order(self, problem: Problem, direction: Sequence[Array]) -> SecondOrder | None:
        """The gradient of the loss at the initial parameters, and its Hessian times `direction`."""
        return None

    def convolution(self, work: Any, images: bool) -> Callable[[], Sequence[Any]] | None:
        """A convolution forward and backward (a `bench.convolution.Work`): gradients of weight, bias, and images."""
        return None

    def hessian(self, problem: Problem) -> Callable[[], Sequence[Sequence[Any]]] | None:
        """The matrix of second derivatives of the loss, in blocks: one for each parameter by each parameter."""
        return None
