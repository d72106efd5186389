"""Modules that hold modules or parameters by name, as a dict.

Plain dicts do as well, since they are walked: these are modules themselves, and have PyTorch's names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .containers import as_module, as_parameter
from .module import Module
from .walking import assigned

__all__ = ["ModuleDict", "ParameterDict"]


class _Named(Module):
    """What a dict does. The items stand apart from the attributes, so any name will do."""

    def __init__(self, items: Any = ()) -> None:
        self.update(items)

    def _item(self, where: str, item: Any) -> Any:
        return as_module(type(self).__name__, where, item)

    @property
    def _held(self) -> dict[str, Any]:
        return vars(self).setdefault("_holding", _Shelf()).items

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        yield from self._held.items()
        yield from super()._attributes()

    def __getattr__(self, name: str) -> Any:
        held = vars(self)["_holding"].items if "_holding" in vars(self) else {}
        if name not in held:
            raise AttributeError(f"{type(self).__name__} has neither an attribute nor an item {name!r}")
        return held[name]

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __getitem__(self, key: str) -> Any:
        if not isinstance(key, str) or key not in self._held:
            raise KeyError(
                f"{type(self).__name__}: there is no item {key!r}; there are {', '.join(self._held) or 'none'}"
            )
        return self._held[key]

    def __setitem__(self, key: str, item: Any) -> None:
        if not isinstance(key, str) or not key or "." in key:
            raise KeyError(f"{type(self).__name__}: a key is a text without dots; got {key!r}")
        item = self._item(f"'{key}'", item)
        assigned(self, key, item)
        self._held[key] = item

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._held.keys()

    def values(self) -> Iterable[Any]:
        """The items."""
        return self._held.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and items."""
        return self._held.items()

    def get(self, key: str, default: Any = None) -> Any:
        """The item of that name, or a default."""
        return self._held.get(key, default)

    def update(self, items: Any) -> None:
        """Add items from a dict, or from pairs of names and items."""
        try:
            pairs = [(key, item) for key, item in (items.items() if hasattr(items, "items") else items)]
        except (TypeError, ValueError):
            raise TypeError(
                f"{type(self).__name__}: expected a dict, or pairs of names and items; got {items!r:.80}"
            ) from None
        for key, item in pairs:
            self[key] = item

    def pop(self, key: str) -> Any:
        """Take an item away; returns it."""
        item = self[key]
        del self._held[key]
        return item

    def clear(self) -> None:
        """Take all items away."""
        self._held.clear()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A dict computes nothing."""
        raise NotImplementedError(f"{type(self).__name__} holds its items and computes nothing: call one of them")


class _Shelf:
    """The items of a dict-like module: no dict, so that the walk does not find them under another name too."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}


class ModuleDict(_Named):
    """Modules by name.

    Examples
    --------
    >>> heads = tg.nn.ModuleDict({"mean": tg.nn.Linear(2, 1), "variance": tg.nn.Linear(2, 1)})
    >>> heads["mean"](tg.ones(4, 2)).shape
    (4, 1)
    """


class ParameterDict(_Named):
    """Parameters by name; other tensors and arrays that are put into it become parameters.

    Examples
    --------
    >>> weights = tg.nn.ParameterDict({"in": tg.ones(2), "out": tg.ones(3)})
    >>> [name for name, _ in weights.named_parameters()]
    ['in', 'out']
    """

    def _item(self, where: str, item: Any) -> Any:
        return as_parameter("ParameterDict", where, item)

    def extra_repr(self) -> str:
        """Names and shapes."""
        return ", ".join(f"{name}: {parameter.shape}" for name, parameter in self.items())
