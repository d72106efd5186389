"""Reads the tape: everything that some outputs were computed from, as one flat list in the order of computation.

An entry refers to its inputs by their places in the list, which are smaller than its own. So every later step
(folding what repeats, leaving out what is too much, writing) is a loop over a list, and no graph is too deep for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import backend
from ..core.primitive import UNREAD
from ..core.tape import Leaf, Node, reachable
from ..core.tensor import Tensor
from .describe import arguments_text, number_text
from .names import Named, Names

__all__ = ["OPERATIONS", "Item", "read"]

OPERATIONS = ("elementwise", "linear", "multilinear", "general")


@dataclass(slots=True, eq=False)
class Item:
    """One thing in a computation.

    Attributes
    ----------
    kind : str
        ``"parameter"``, ``"leaf"``, ``"input"``, ``"constant"``, ``"output"``, or the kind of an operation's
        primitive.
    title : str
    name : str
        What the caller calls an operation's result.
    shape, dtype
        None where the tape does not say: of a constant that no rule reads.
    arguments : str
        Those of an operation.
    sources : list of int
        The places of the inputs, in order.
    roles : list of str
        The names of the last inputs, where they were given as named arguments.
    node : Node or None
    array : array or None
        The value, where it is known.
    members : list of Item
        What this item stands for, where it stands for several of a repeated block.
    repeat : int or None
        The repeated block that it belongs to.
    """

    kind: str
    title: str
    name: str = ""
    shape: tuple[int, ...] | None = None
    dtype: Any = None
    arguments: str = ""
    sources: list[int] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    node: Node | None = None
    array: Any = None
    members: list[Item] = field(default_factory=list)
    repeat: int | None = None

    @property
    def is_operation(self) -> bool:
        """Whether this is a recorded operation."""
        return self.kind in OPERATIONS


def read(outputs: Sequence[tuple[str, Tensor]], names: Names) -> list[Item]:
    """Everything that the named `outputs` were computed from, inputs before what uses them, the outputs last."""
    items: list[Item] = []
    places: dict[Node, int] = {}
    constants: dict[int, int] = {}
    recorded = {tensor._node: tensor._array for _, tensor in outputs if tensor._node is not None}
    order = reachable(recorded)
    values = _values(order) | {node: named.array for node, named in names.nodes.items()} | recorded

    def place(constant: Item) -> int:
        """Where a constant stands in the list: where its array was met first, or now at the end."""
        found = constants.get(id(constant.array)) if backend.is_array(constant.array) else None
        if found is None:
            found = constants[id(constant.array)] = len(items)
            items.append(constant)
        return found

    for node in order:
        item = _leaf(node, names) if isinstance(node, Leaf) else _operation(node, names)
        item.array = values.get(node)
        for position, parent in enumerate(node.parents):
            item.sources.append(places[parent] if parent is not None else place(_constant(node, position, names)))
        for role, value in node.meta.items():
            if (named := names.of_copy(value)) is not None:
                item.roles.append(role)
                item.sources.append(place(_named_item(named)))
        places[node] = len(items)
        items.append(item)
    _name_the_last(items, names)
    for title, tensor in outputs:
        sources = [] if tensor._node is None else [places[tensor._node]]
        items.append(Item("output", title, "", tensor.shape, tensor.dtype, sources=sources, array=tensor._array))
        for source in sources:
            if items[source].name == title:  # once is enough
                items[source].name = ""
    return items


def _values(order: Sequence[Node]) -> dict[Node, Any]:
    """The values of nodes, as far as their own rules, or those of their consumers, kept them."""
    values: dict[Node, Any] = {}
    for node in order:
        for source, array in zip((node, *node.parents), node.saved or (), strict=False):
            if array is not UNREAD and source is not None:
                values[source] = array
    return values


def _leaf(node: Leaf, names: Names) -> Item:
    named = names.nodes.get(node)
    kind, title = (named.kind, named.name) if named else ("leaf", node.name or "leaf")
    return Item(kind, title, shape=node.shape, dtype=node.dtype, node=node)


def _operation(node: Node, names: Names) -> Item:
    primitive, named = node.primitive, names.nodes.get(node)
    name = named.name if named else getattr(node, "name", None) or ""
    kind = primitive.kind if primitive.kind in OPERATIONS else "general"
    given = {role: value for role, value in node.meta.items() if names.of_copy(value) is None}
    return Item(kind, primitive.name, name, node.shape, node.dtype, arguments_text(given), node=node)


def _constant(node: Node, position: int, names: Names) -> Item:
    """An input that needs no gradient. It is known only as far as a rule of the operation reads it."""
    value = node.saved[position + 1] if node.saved else UNREAD
    if value is UNREAD:
        return Item("constant", "data")
    if not backend.is_array(value):
        return Item("constant", number_text(getattr(value, "item", lambda: value)()), shape=())
    if node.primitive.kind == "linear":  # keeps zeros in place of it, for their shape
        return Item("constant", "data", shape=value.shape, dtype=value.dtype)
    named = names.of_array(value)
    if named is not None:
        return _named_item(named)
    title = number_text(backend.of(value).to_host(value).item()) if value.size == 1 else "data"
    return Item("constant", title, shape=value.shape, dtype=value.dtype, array=value)


def _named_item(named: Named) -> Item:
    return Item(named.kind, named.name, shape=named.array.shape, dtype=named.array.dtype, array=named.array)


def _name_the_last(items: list[Item], names: Names) -> None:
    """Name the one constant that could not be recognized after the one input that was not met."""
    unknown = [
        place
        for place, item in enumerate(items)
        if item.kind == "constant" and item.title == "data" and item.array is None
    ]
    named = names.only_unmet()
    if named is None or len(unknown) != 1:
        return
    place, shape = unknown[0], named.array.shape
    consumer = next(item for item in items if place in item.sources)
    if consumer.kind == "elementwise":
        possible = _fits(shape, consumer.shape)
    else:
        possible = items[place].shape in (None, shape)
    if possible:
        items[place] = _named_item(named)


def _fits(shape: tuple[int, ...], result: Any) -> bool:
    """Whether a value of some shape can have been an operand of an elementwise operation."""
    try:
        return np.broadcast_shapes(shape, result) == tuple(result)
    except ValueError:
        return False
