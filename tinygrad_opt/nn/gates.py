"""Gates, where the cotangents of several tensors are brought together on their way back.

A walk brings cotangents one by one, and a backward hook is to be shown all of them at once. So the tensors pass through
two rows of nodes: walking back, everything comes by the last row before anything comes by the first, where what was
collected is shown, and goes on as is decided there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.primitive import wrap
from ..core.tensor import Tensor
from ..ops.shape import gate

__all__ = ["Gate", "is_recorded"]


def is_recorded(x: Any) -> bool:
    """Whether derivatives flow through a value."""
    return isinstance(x, Tensor) and x._node is not None


class Gate:
    """Brings together the cotangents of several tensors, and shows them to one function, which may replace them."""

    def __init__(self, decide: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        self.decide = decide
        self.count = 0
        self.collected: dict[int, Any] = {}
        self.decided: dict[int, Any] = {}

    def through(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        """The tensors, each under two more nodes where it is recorded."""
        self.count = len(tensors)
        passed = list(tensors)
        for meet in (self._let_out, self._let_in):
            for position, x in enumerate(passed):
                if is_recorded(x):
                    passed[position] = gate(x, meet=_At(meet, position))
        return tuple(passed)

    # Nothing is held when a walk is over: a recorded cotangent holds the graph, and with it this gate.

    def _let_in(self, position: int, g: Any) -> Any:
        self.decided.clear()
        self.collected[position] = g if _is_tensor(g) else wrap(g)
        return g

    def _let_out(self, position: int, g: Any) -> Any:
        if self.collected:
            collected, self.collected = self.collected, {}
            self.decided = dict(enumerate(self.decide(tuple(collected.get(i) for i in range(self.count)))))
        decided = self.decided.pop(position)
        return decided if _is_tensor(g) else decided._array


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)


class _At:
    """A gate's function for one position."""

    __slots__ = ("meet", "position")

    def __init__(self, meet: Callable[[int, Any], Any], position: int) -> None:
        self.meet, self.position = meet, position

    def __call__(self, g: Any) -> Any:
        return self.meet(self.position, g)

    def __repr__(self) -> str:
        return "a hook"
