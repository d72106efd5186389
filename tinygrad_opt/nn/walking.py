"""The walk over everything that hangs on a module's attributes, and what may not hang there.

Nothing is registered: modules, lists, tuples and dicts are entered, and the names of what is found are the paths to
it, with dots. What a walk cannot enter, or could not tell apart, is refused when it is assigned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set, ValuesView
from typing import Any

from ..core.tape import Leaf
from ..core.tensor import Parameter, Tensor

__all__ = ["Holder", "assigned", "is_state", "walk"]


_PLAIN = (int, float, str, type(None))  # what most assignments are about


class Holder:
    """The base of Module, by which a walk knows that there is more to be found inside."""

    _unsaved: frozenset[str] = frozenset()  # attributes that do not belong to the state

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        """What is walked, by name."""
        return iter(vars(self).items())


def _items(value: Any, saved: bool) -> Iterator[tuple[str, Any]]:
    """The named parts of a module or container, in the order in which they were assigned."""
    if isinstance(value, Holder):
        yield from (item for item in value._attributes() if not (saved and item[0] in value._unsaved))
    elif isinstance(value, dict):
        yield from ((str(key), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(i), item) for i, item in enumerate(value))


def walk(root: Any, prefix: str = "", *, deep: bool = True, saved: bool = False) -> Iterator[tuple[str, Any]]:
    """Every module and tensor below `root`, itself included, with its dotted name, parents before children.

    Without `deep` the modules below are named and not entered; with `saved` what is not part of the state is left out.
    """
    stack: list[tuple[str, Any, tuple[Any, ...]]] = [(prefix, root, ())]
    while stack:
        name, value, above = stack.pop()
        is_module = isinstance(value, Holder)
        if is_module or isinstance(value, Tensor):
            yield name, value
        if is_module and not deep and value is not root:
            continue
        # A part that two others share is walked under both names; one that holds its own holder is not entered again.
        if (is_module or isinstance(value, (dict, list, tuple))) and not any(value is holder for holder in above):
            inside = (*above, value)
            parts = [(f"{name}.{key}" if name else key, item, inside) for key, item in _items(value, saved)]
            stack.extend(reversed(parts))


def is_state(part: Any) -> bool:
    """Whether something found is a parameter or a buffer: a result that still hangs on its graph is neither."""
    return isinstance(part, Parameter) or (isinstance(part, Tensor) and part.is_leaf)


def assigned(holder: Holder, attribute: str, value: Any) -> None:
    """Check what is being assigned, and name the parameters in it after their paths."""
    if isinstance(value, _PLAIN):
        return
    _refuse_lost(holder, attribute, value)
    old = vars(holder).get(attribute)
    if old is not value and isinstance(old, (Holder, Parameter)):
        _note_replaced(old, f"{type(holder).__name__}.{attribute}")
    for name, part in walk(value, attribute):
        if isinstance(part, Parameter):
            part.name = name


def _note_replaced(old: Any, name: str) -> None:
    """Tell the optimizers that hold what was here: should it get no more gradients, their steps do nothing."""
    for path, part in walk(old, name):
        if isinstance(part, Parameter) and isinstance(part._node, Leaf) and part._node.slot is not None:
            part._node.slot.replaced = path


def _refuse_lost(holder: Holder, attribute: str, value: Any) -> None:
    """Refuse what no walk would find, and what would be learned by nobody."""
    owner = type(holder).__name__
    stack = [value]
    seen: list[Any] = []
    while stack:
        part = stack.pop()
        if isinstance(part, (Set, ValuesView, deque)):
            if any(isinstance(item, (Holder, Parameter)) for item in part):
                raise TypeError(
                    f"{owner}.{attribute}: modules and parameters in a {type(part).__name__} have no names by which a "
                    f"state could be saved. Keep them in a list or a dict: self.{attribute} = [...]"
                )
        elif isinstance(part, (dict, list, tuple)) and not any(part is other for other in seen):
            seen.append(part)
            stack.extend(part.values() if isinstance(part, dict) else part)
        elif isinstance(part, Tensor) and not isinstance(part, Parameter) and type(part._node) is Leaf:
            raise TypeError(
                f"{owner}.{attribute}: a tensor that requires gradients but is no Parameter would be found by no "
                f"optimizer. Write self.{attribute} = tg.nn.Parameter(...) to learn it, or assign t.detach() to keep "
                "it as a buffer. To compute with other values of a parameter use tg.nn.utils.functional_call."
            )
