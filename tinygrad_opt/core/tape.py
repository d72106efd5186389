"""The tape: nodes, in the order of their creation.

A `Node` remembers one operation: its primitive, the arrays its rules will read, and the nodes its inputs came from.
Nodes never hold Tensors, so a graph has no reference cycles and dies with the last tensor that points into it.

Serial numbers grow with time and an operation's inputs exist before it does, so *creation order is a topological
order*: whoever needs the tape collects the reachable nodes with an explicit stack and sorts them by serial number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from . import ledger

__all__ = ["Leaf", "Node", "Variable", "downstream", "reachable"]

Array = Any
_by_serial = attrgetter("serial")


class Variable:
    """What primitives see of a Tensor: an array, and the node that made it (None where nothing is recorded)."""

    __slots__ = ("__weakref__", "_array", "_name", "_node")
    _array: Array
    _node: Node | None
    _name: str | None


class Node:
    """One recorded operation.

    Attributes
    ----------
    primitive : Primitive
        The operation.
    meta : dict
        Its keyword arguments: axes, shapes, indices.
    saved : tuple or None
        ``(output, *inputs)``, each replaced by a marker where no rule reads it; None once freed.
    parents : sequence of (Node or None)
        The nodes of the inputs; None for an input that needs no derivative.
    serial : int
        The moment of recording.
    shape, dtype
        Of the output.
    name, grad, passes, origin : optional
        The user's name for the output; its gradient, where `retain_grad` asked for it (None until there is one), and
        how many passes that sums; what `detect_anomaly` remembers. Absent until set.
    """

    __slots__ = (
        "__weakref__", "dtype", "grad", "meta", "name", "origin", "parents", "passes", "primitive", "saved", "serial",
        "shape",
    )  # fmt: skip

    name: str | None
    grad: Any
    passes: int
    origin: Any

    def __init__(
        self, primitive: Any, meta: dict[str, Any], saved: tuple[Any, ...] | None, parents: Sequence[Node | None],
        shape: tuple[int, ...], dtype: Any,
    ) -> None:  # fmt: skip
        self.primitive = primitive
        self.meta = meta
        self.saved = saved
        self.parents = parents
        self.serial = ledger.clock()
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        """Number of axes of the output."""
        return len(self.shape)

    @property
    def label(self) -> str:
        """What to call this node in a message."""
        name = getattr(self, "name", None)
        return f"'{name}'" if name else f"the output of '{self.primitive.name}'"

    @property
    def described(self) -> str:
        """The label, with the shape."""
        return self.label if self.label.endswith(f"shape {self.shape}") else f"{self.label} {self.shape}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label} {self.shape} {self.dtype}>"


class Leaf(Node):
    """The start of a graph: a tensor that the user made and wants derivatives for.

    It holds the tensor's gradient (so that the tape need not hold the tensor): `grad`, and `slot`, the place inside
    an optimizer's flat vector where the gradient is to be written, if there is one (see `gradients.Slot`).
    """

    __slots__ = ("slot",)

    def __init__(self, shape: tuple[int, ...], dtype: Any, name: str | None = None) -> None:
        super().__init__(None, {}, (), (), shape, dtype)
        self.name = name
        self.grad = None
        self.slot: Any = None

    @property
    def is_open(self) -> bool:
        """Whether somebody may still ask for a derivative by this leaf: for a user's tensor, at any time."""
        return True

    @property
    def label(self) -> str:
        """What to call this leaf in a message."""
        return f"'{self.name}'" if self.name else f"a leaf tensor of shape {self.shape}"


def reachable(outputs: Iterable[Node]) -> list[Node]:
    """All nodes that `outputs` were computed from, themselves included, in the order of their creation."""
    seen = set(outputs)
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=_by_serial)


def downstream(order: Iterable[Node], inputs: Iterable[Node]) -> set[Node]:
    """The nodes among `order` that depend on some of `inputs`, these included."""
    found = set(inputs)
    for node in order:
        for parent in node.parents:
            if parent in found:
                found.add(node)
                break
    return found
