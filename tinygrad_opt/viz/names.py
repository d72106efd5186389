"""What the caller calls things: which node, or which plain array, goes by which name.

A leaf or a result is found by its node. Data that needs no gradient has none: it is recognized by its array, as far
as the tape kept that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .. import backend
from ..core.tape import Node
from ..core.tensor import Tensor

__all__ = ["Names", "Named", "named_tensors"]


class Named(NamedTuple):
    """An array that goes by a name, as a ``"parameter"``, an ``"input"`` or a ``"constant"``."""

    name: str
    kind: str
    array: Any


def named_tensors(given: Any, what: str) -> dict[str, Any]:
    """Names and tensors from a module, a mapping, a sequence of tensors, or one of (name, tensor) pairs."""
    if given is None:
        return {}
    if hasattr(given, "named_parameters"):
        return dict(given.named_parameters())
    if isinstance(given, Mapping):
        named = {str(name): tensor for name, tensor in given.items()}
    elif isinstance(given, Iterable) and not isinstance(given, Tensor) and not backend.is_array(given):
        items = list(given)
        pairs = all(isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) for item in items)
        named = dict(items) if pairs else {_name_of(x, f"{what}[{i}]"): x for i, x in enumerate(items)}
    else:
        named = {"": given}
    for name, tensor in named.items():
        if name == "" or not (isinstance(tensor, Tensor) or backend.is_array(tensor)):
            raise TypeError(
                f"graph: {what} is a module, a dict from names to tensors, or a list of tensors; got "
                f"{type(tensor).__name__}{f' for {name!r}' if name else ''}. Write {what}={{'w': w}}."
            )
    return named


def _name_of(tensor: Any, otherwise: str) -> str:
    return getattr(tensor, "name", None) or otherwise


class Names:
    """What the caller, through `params` and `inputs`, calls nodes and arrays."""

    def __init__(self, params: Any, inputs: Any) -> None:
        self.nodes: dict[Node, Named] = {}
        self._arrays: dict[int, Named] = {}
        self._by_owner: dict[int, list[Named]] = {}
        self._unmet: dict[int, Named] = {}
        buffers: Any = getattr(params, "named_buffers", tuple)()
        for kind, tensors in (
            ("parameter", named_tensors(params, "params")),
            ("constant", dict(buffers)),
            ("input", named_tensors(inputs, "inputs")),
        ):
            for name, tensor in tensors.items():
                self._add(Named(name, kind, getattr(tensor, "_array", tensor)), getattr(tensor, "_node", None))

    def _add(self, named: Named, node: Node | None) -> None:
        if node is not None:
            self.nodes[node] = named
            return
        self._arrays[id(named.array)] = named
        self._by_owner.setdefault(_owner(named.array), []).append(named)
        if named.kind == "input" and named.array.dtype.kind == "f":
            self._unmet[id(named.array)] = named

    def of_array(self, array: Any) -> Named | None:
        """The name of an array, or of the only named array that it is a view of."""
        found = self._arrays.get(id(array))
        if found is None:
            related = self._by_owner.get(_owner(array), [])
            if len(related) != 1:
                return None
            self._unmet.pop(id(related[0].array), None)
            return Named(f"{related[0].name} (view)", related[0].kind, array)
        self._unmet.pop(id(array), None)
        return found

    def of_copy(self, value: Any) -> Named | None:
        """The name of the array that an argument is a copy of: labels are copied when they are recorded."""
        for named in self._arrays.values():
            like = named.array
            alike = type(like) is type(value) and (like.shape, like.dtype) == (value.shape, value.dtype)
            if alike and bool((like == value).all()):
                return named
        return None

    def only_unmet(self) -> Named | None:
        """The floating input that was not recognized anywhere, if it is exactly one."""
        return next(iter(self._unmet.values())) if len(self._unmet) == 1 else None


def _owner(array: Any) -> int:
    """The identity of the array that owns the memory."""
    base = getattr(array, "base", None)
    return id(array if base is None else base)
