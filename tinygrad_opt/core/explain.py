"""What there is to say about one tensor, on one screen: the questions that are asked most.

Is it a leaf? Why does it require no gradient? Where is its gradient, and of how many passes is it the sum? What was
broadcast? Has the graph been freed, or overwritten? What is the next step? Everything is read off the tensor, its node
and the graph behind it; nothing is counted while computing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import backend
from . import ledger
from .modes import current
from .running_sum import spent_terms
from .tape import Leaf, Node, reachable

__all__ = ["Explanation", "Repeated", "explain"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Repeated:
    """An input that was broadcast, and the axes of the result over which `backward` will sum its gradient."""

    label: str
    shape: Shape
    axes: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class Explanation:
    """What `Tensor.explain` found; it prints as text.

    Attributes
    ----------
    role : {"leaf", "result", "constant"}
        A constant is a tensor that requires no gradient.
    name : str
        The tensor's own name, or "this tensor".
    shape, dtype, device, nbytes
    is_view : bool
        Whether the memory belongs to another array.
    reason : str
        Why it requires a gradient, or why not.
    operation : str
        What made it; empty for leaves and constants.
    inputs : tuple of str
        The inputs of the operation, as they are called in messages.
    repeated : tuple of Repeated
        The inputs that were broadcast.
    gradient : {"none", "present", "cleared", "not kept", "not required"}
    passes : int
        How many backward passes the gradient is the sum of; 0 for one that was set by hand.
    operations, depth, leaves, saved_bytes : int
        The graph behind it: its operations, the longest way through them, its leaves, what it keeps for `backward`.
    freed : bool
        Whether `backward` has been through.
    written : tuple of str
        What has been overwritten in place since it was saved, or since the tensor was made a leaf; and by whom.
    kept_raw : tuple of str
        Inputs without gradient whose values the operation keeps, uncopied.
    spent : int
        How many of the latest terms of a running sum come from freed graphs.
    next_step : str
    """

    role: str
    name: str
    shape: Shape
    dtype: str
    device: str
    nbytes: int
    is_view: bool
    reason: str
    operation: str
    inputs: tuple[str, ...]
    repeated: tuple[Repeated, ...]
    gradient: str
    passes: int
    operations: int
    depth: int
    leaves: int
    saved_bytes: int
    freed: bool
    written: tuple[str, ...]
    kept_raw: tuple[str, ...]
    spent: int
    next_step: str

    def __repr__(self) -> str:
        kind = {"leaf": "a leaf", "result": "a result", "constant": "a constant"}[self.role]
        lines = textwrap.wrap(f"{self.name}: {kind}; {self.reason}", 100, subsequent_indent="  ")
        for label, text in self._lines():
            lines += textwrap.wrap(f"{label:<10} {text}", 100, initial_indent="  ", subsequent_indent=" " * 13)
        return "\n".join(lines)

    def _lines(self) -> Iterator[tuple[str, str]]:
        memory = "a view of memory that another array owns" if self.is_view else "memory of its own"
        yield "holds", f"{self.shape} {self.dtype} on {self.device}: {self.nbytes:,} bytes, {memory}"
        if self.operation:
            yield "made by", f"'{self.operation}' from {' and '.join(self.inputs)}"
        for entry in self.repeated:
            axes = ", ".join(map(str, entry.axes))
            text = f"{entry.label} {entry.shape} was repeated; backward() sums its gradient over axis {axes}"
            yield "broadcast", text
        for text in self.kept_raw:
            yield "keeps", f"{text} as it is, not a copy: changing it before backward() changes derivatives"
        if self.role != "constant":
            yield "gradient", _GRADIENT[self.gradient].format(_passes(self.passes))
        if self.operations:
            state = "freed by backward()" if self.freed else f"keeps {self.saved_bytes:,} bytes for backward()"
            ops, leaves = _count(self.operations, "operation"), _count(self.leaves, "leaf")
            yield "graph", f"{ops}, {self.depth:,} deep, from {leaves}; {state}"
        for text in self.written:
            yield "written", text
        if self.spent:
            yield (
                "caution",
                f"its last {self.spent} terms come from freed graphs, which it keeps alive: add loss.item()",
            )
        yield "next", self.next_step


_GRADIENT = {
    "none": "none yet: no backward() has reached it",
    "cleared": "none: cleared by zero_grad() since the last backward()",
    "present": "in .grad: {0}",
    "not kept": "not kept: this is a result, and backward() fills leaves only",
}


def _passes(count: int) -> str:
    if count == 0:
        return "set by hand"
    return "of 1 backward pass" if count == 1 else f"the sum of {count} backward passes"


def _count(number: int, noun: str) -> str:
    plural = {"leaf": "leaves"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def explain(tensor: Any) -> Explanation:
    """Everything about one tensor; see `Tensor.explain`."""
    node, array = tensor._node, tensor._array
    graph = [] if node is None else reachable([node])
    made = [n for n in graph if n.primitive is not None]
    role = "constant" if node is None else "leaf" if isinstance(node, Leaf) else "result"
    gradient, passes = _gradient(node)
    result = role == "result"
    freed = any(n.saved is None for n in made)
    written = tuple(_written(made, tensor))
    return Explanation(
        role=role,
        name=f"'{tensor.name}'" if tensor.name else "this tensor",
        shape=tuple(array.shape), dtype=str(array.dtype), device=backend.device_of(array), nbytes=int(array.nbytes),
        is_view=getattr(array, "base", None) is not None,
        reason=_reason(tensor, role),
        operation=node.primitive.name if result else "",
        inputs=tuple(_inputs(node)) if result else (),
        repeated=tuple(_repeated(node)) if result else (),
        gradient=gradient, passes=passes,
        operations=len(made), depth=_depth(made), leaves=len(graph) - len(made), saved_bytes=_saved_bytes(made),
        freed=freed,
        written=written,
        kept_raw=tuple(_kept_raw(node)) if result else (),
        spent=spent_terms(node) if result else 0,
        next_step=_next_step(tensor, role, gradient, lost=freed or bool(written)),
    )  # fmt: skip


def _reason(tensor: Any, role: str) -> str:
    if role == "leaf":
        return "you made it, and it requires gradients"
    if role == "result":
        return "it requires gradients because an input does"
    if tensor._array.dtype.kind != "f":
        return (
            f"it requires no gradient, and cannot: only floating tensors have derivatives, and this is {tensor.dtype}"
        )
    off = "; recording is off here (no_grad)" if not current.get().recording else ""
    return (
        "it requires no gradient: it was made without requires_grad=True, or by detach(), inside no_grad(), by a "
        f"piecewise constant operation, or from tensors that require none{off}"
    )


def _inputs(node: Node) -> Iterator[str]:
    for position, parent in enumerate(node.parents):
        yield f"input {position} (a constant)" if parent is None else parent.described


def _repeated(node: Node) -> Iterator[Repeated]:
    """The inputs that the operation repeated, where its kind says that it does."""
    batched = node.primitive.name == "matmul"  # its leading axes broadcast, its last two do not
    if node.primitive.kind != "elementwise" and node.primitive.name != "broadcast_to" and not batched:
        return
    whole = node.shape[:-2] if batched else node.shape
    for parent in node.parents:
        if parent is not None:
            part = parent.shape[:-2] if batched else parent.shape
            lead = len(whole) - len(part)
            axes = tuple(i for i, n in enumerate(whole) if i < lead or (part[i - lead] == 1 and n != 1))
            if axes:
                yield Repeated(parent.label, parent.shape, axes)


def _gradient(node: Node | None) -> tuple[str, int]:
    if node is None:
        return "not required", 0
    if not hasattr(node, "grad"):
        return "not kept", 0
    passes = getattr(node, "passes", 0)
    if node.grad is None:
        return ("cleared" if passes else "none"), 0
    return "present", passes


def _depth(made: list[Node]) -> int:
    """The number of operations on the longest way from a leaf."""
    depths: dict[Node, int] = {}
    for node in made:  # inputs come before what is made of them
        depths[node] = 1 + max((depths.get(parent, 0) for parent in node.parents if parent is not None), default=0)
    return max(depths.values(), default=0)


def _saved(node: Node) -> tuple[Any, ...]:
    """What a node keeps at hand."""
    return node.saved if isinstance(node.saved, tuple) else ()


def _saved_bytes(made: list[Node]) -> int:
    arrays = {id(a): int(a.nbytes) for node in made for a in _saved(node) if backend.is_array(a)}
    return sum(arrays.values())


def _written(made: list[Node], tensor: Any) -> Iterator[str]:
    """In-place writes that matter: into what backward() would read, and into a leaf's own values."""
    if isinstance(tensor._node, Leaf) and (writer := ledger.writer_since(tensor._array, tensor._node.serial)):
        yield f"its values were last overwritten by {writer}"
    last = ledger.last_write()
    for node in made:
        for array in _saved(node) if node.serial < last else ():
            if backend.is_array(array) and (writer := ledger.writer_since(array, node.serial)):
                yield f"what '{node.primitive.name}' saved was overwritten by {writer}: backward() will refuse"
                return


def _kept_raw(node: Node) -> Iterator[str]:
    for position, (array, parent) in enumerate(zip(_saved(node)[1:], node.parents, strict=False)):
        if parent is None and backend.is_array(array):
            yield f"input {position} {array.shape} {array.dtype}"


def _next_step(tensor: Any, role: str, gradient: str, lost: bool) -> str:
    if role == "constant":
        if tensor._array.dtype.kind != "f":
            return "x.astype(tg.float32) makes a floating tensor of it"
        return "for derivatives by it: x.requires_grad_() before computing with it"
    if gradient == "present":
        return "use .grad, then zero_grad(): the next backward() adds to it"
    if role == "leaf":
        return "compute a scalar from it, and call backward() on that"
    if lost:
        return "compute it anew: what backward() needs is gone, and asking for it raises"
    seed = "backward()" if tensor._array.shape == () else "backward(gradient), or .sum() or .mean() first,"
    keep = ", after retain_grad() if you want the gradient of this result too" if gradient == "not kept" else ""
    return f"{seed} adds derivatives to the .grad of its leaves{keep}"
