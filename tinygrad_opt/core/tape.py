"""The tape: nodes, and the two walks over them.

A `Node` remembers one operation: its primitive, the arrays its rules will read, and the nodes its inputs came from.
Nodes never hold Tensors, so a graph has no reference cycles and dies with the last tensor that points into it.

Serial numbers grow with time and an operation's inputs exist before it does, so *creation order is a topological
order*: both walks collect the reachable nodes with an explicit stack, sort them by serial number, and pass over them
once. Each rule runs once, after everything that feeds it is complete. No walk recurses.

- `pull_back` goes from the outputs down and carries cotangents: reverse mode.
- `push_forward` goes from the inputs up and carries tangents: forward mode.

Both run on raw arrays (fast, nothing is recorded) or on Tensors (recorded, so that the result can be differentiated
again). They know no operation: a node's primitive answers for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from .. import backend, errors
from . import anomaly, ledger
from .modes import current
from .patches import Patches, gathered

__all__ = ["Leaf", "Node", "Variable", "pull_back", "push_forward", "reachable"]

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
    name, grad, origin : optional
        The user's name for the output; its gradient, where `retain_grad` asked for it (None until there is one);
        what `detect_anomaly` remembers. Absent until set.
    """

    __slots__ = (
        "__weakref__", "dtype", "grad", "meta", "name", "origin", "parents", "primitive", "saved", "serial", "shape",
    )  # fmt: skip

    name: str | None
    grad: Any
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label} {self.shape} {self.dtype}>"


class Leaf(Node):
    """The start of a graph: a tensor that the user made and wants derivatives for.

    It holds the tensor's gradient (so that the tape need not hold the tensor): `grad`, and `slot`, the place inside
    an optimizer's flat vector where the gradient is to be written, if there is one (see `tensor.Slot`).
    """

    __slots__ = ("slot",)

    def __init__(self, shape: tuple[int, ...], dtype: Any, name: str | None = None) -> None:
        super().__init__(None, {}, (), (), shape, dtype)
        self.name = name
        self.grad = None
        self.slot: Any = None

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


def _downstream(order: list[Node], inputs: Iterable[Node]) -> set[Node]:
    """The nodes among `order` that depend on some of `inputs`, these included."""
    found = set(inputs)
    for node in order:
        for parent in node.parents:
            if parent in found:
                found.add(node)
                break
    return found


def _check(node: Node) -> None:
    """Raise where what the rules of `node` read was freed, or overwritten since."""
    if node.saved is None:
        raise errors.freed_graph(node.primitive.name)
    for position, array in enumerate(node.saved):
        if backend.is_array(array) and (writer := ledger.writer_since(array, node.serial)):
            raise errors.changed_in_place(_saved_label(node, position), writer, node.primitive.name)
    if hasattr(node, "origin"):
        anomaly.compare(node, lambda position: _saved_label(node, position))


def _saved_label(node: Node, position: int) -> str:
    source = node if position == 0 else node.parents[position - 1]
    # Memory that was overwritten from outside belongs to what a view was made of: 'fc1.weight' behind its transpose.
    while source is not None and source.primitive and source.primitive.kind == "linear" and len(source.parents) == 1:
        source = source.parents[0]
    return source.label if source is not None else f"input {position - 1}"


def located(function: Callable[..., Any], position: int) -> Callable[..., Any]:
    """`function` on the device of its argument `position`: rules run beside what they get, where there are several."""

    def run(*args: Any) -> Any:
        value = args[position]
        with backend.beside(getattr(value, "_array", value)):
            return function(*args)

    return run


def pull_back(
    outputs: Sequence[Node], cotangents: Sequence[Any], inputs: Sequence[Node] | None = None, *,
    differentiable: bool = False, free: bool = False,
) -> dict[Node, Any]:  # fmt: skip
    """Carry cotangents from `outputs` down to `inputs`: the transposed Jacobian, applied to a vector.

    Parameters
    ----------
    outputs, cotangents
        Nodes, and one cotangent for each: arrays, or Tensors where `differentiable`.
    inputs
        The nodes whose cotangents are wanted; None means every leaf, and every node that retains its gradient.
    differentiable
        Run the rules on Tensors, so that the result is recorded.
    free
        Drop each node's saved arrays once its rules have run.

    Returns
    -------
    dict
        The cotangent of each wanted node that was reached.
    """
    order = reachable(outputs)
    wanted = None if inputs is None else set(inputs)
    path = None if inputs is None else _downstream(order, inputs)
    inspecting = current.get().inspecting
    last_write = ledger.last_write()
    several = backend.has_several_devices()
    pending: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose pending sum is an array of our own, which may be added to in place
    result: dict[Node, Any] = {}

    def add(node: Node, cotangent: Any) -> None:
        """Sum what reaches a node from several consumers."""
        if type(cotangent) is Patches or type(pending[node]) is Patches:
            pending[node] = gathered(pending[node], cotangent)
        elif node in owned:
            pending[node] += cotangent
        else:
            pending[node] = pending[node] + cotangent
            if not differentiable:
                owned.add(node)

    if several:
        add = located(add, 1)
    for node, cotangent in zip(outputs, cotangents, strict=True):
        if node in pending:
            add(node, cotangent)
        else:
            pending[node] = cotangent
    for node in reversed(order):
        cotangent = pending.pop(node, None)
        if cotangent is None:
            continue
        if type(cotangent) is Patches:
            with backend.beside(cotangent._array):
                cotangent = cotangent.whole()
        parents = node.parents
        if wanted is None:
            if not parents or hasattr(node, "grad"):
                result[node] = cotangent
        elif node in wanted:
            result[node] = cotangent
        if not parents or (path is not None and path.isdisjoint(parents)):
            continue
        if node.saved is None or node.serial < last_write or inspecting:
            _check(node)
        primitive = node.primitive
        pull = located(primitive.pull, 2) if several else primitive.pull
        saved = primitive.revive(node) if differentiable else node.saved
        for position, parent in enumerate(parents):
            if parent is None or (path is not None and parent not in path):
                continue
            product = pull(node, position, cotangent, saved)
            if inspecting:
                anomaly.inspect_gradient(node, position, product)
            if parent in pending:
                add(parent, product)
            else:
                pending[parent] = product
        if free:
            node.saved = None
    return result


def push_forward(
    inputs: Sequence[Node], tangents: Sequence[Any], outputs: Sequence[Node], *, differentiable: bool = False
) -> dict[Node, Any]:
    """Carry tangents from `inputs` up to `outputs`: the Jacobian, applied to a vector.

    Parameters are those of `pull_back`, mirrored. Returns the tangent of every node that one of the inputs reaches.
    """
    order = reachable(outputs)
    last_use = {parent: node.serial for node in order for parent in node.parents if parent is not None}
    kept = set(outputs)
    result = dict(zip(inputs, tangents, strict=True))
    given = set(result)
    last_write = ledger.last_write()
    inspecting = current.get().inspecting
    for node in order:
        if node in given or not node.parents:
            continue
        incoming = [None if parent is None else result.get(parent) for parent in node.parents]
        if any(tangent is not None for tangent in incoming):
            if node.saved is None or node.serial < last_write or inspecting:
                _check(node)
            saved = node.primitive.revive(node) if differentiable else node.saved
            known = next(tangent for tangent in incoming if tangent is not None)
            with backend.beside(known._array if isinstance(known, Variable) else known):
                result[node] = node.primitive.push(node, incoming, saved)
        for parent in node.parents:
            if parent is not None and last_use[parent] == node.serial and parent not in kept:
                result.pop(parent, None)
    return result
