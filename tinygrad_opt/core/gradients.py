"""Where gradients come to rest: in memory of their own, or at their places in an optimizer's vector."""

from __future__ import annotations

from typing import Any

from .. import backend
from . import ledger
from .primitive import wrap
from .tape import Node
from .walks import located

__all__ = ["Slot", "own", "store"]

Array = Any


def store(found: dict[Node, Array], seed: Array) -> None:
    """Add what a backward walk found to the gradients of the leaves; no two of them may share memory."""
    taken = {id(seed)}
    several = backend.has_several_devices()
    for node, array in found.items():
        slot = getattr(node, "slot", None)
        node.passes = 1 if node.grad is None else getattr(node, "passes", 0) + 1
        if slot is None:
            with backend.beside(array):
                node.grad = wrap(own(array if node.grad is None else node.grad._array + array, taken))
        else:
            (located(slot.add, 0) if several else slot.add)(array, node.grad is None)
            node.grad = slot.tensor


class Slot:
    """The place of one leaf's gradient inside a larger vector: a view, written in place.

    Where the leaf has lost its place in a module to another, `replaced` is the name of that place.
    """

    __slots__ = ("region", "replaced", "tensor")

    def __init__(self, view: Array) -> None:
        self.tensor: Any = wrap(view)
        self.region = ledger.region(view)
        self.replaced = ""

    def add(self, array: Array, anew: bool) -> None:
        """Add to what the slot holds, or start anew."""
        if anew:
            self.tensor._array[...] = array
        else:
            self.tensor._array += array
        self.region.touch("backward()")


def own(array: Array, taken: set[int]) -> Array:
    """The array itself if nobody else can hold it, else a copy: views, and arrays in `taken`, belong to others."""
    if id(array) in taken or getattr(array, "base", None) is not None or type(array) is not backend.of(array).array:
        with backend.beside(array):
            array = backend.namespace(array).array(array)
    taken.add(id(array))
    return array
