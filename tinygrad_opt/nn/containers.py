"""Modules that hold modules or parameters in order, as a chain or a list.

Plain lists do as well, since they are walked: these are modules themselves, which can be called or replaced as one, and
have PyTorch's names.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from .. import backend
from ..core.tensor import Parameter, Tensor
from .module import Module

__all__ = ["Identity", "ModuleList", "ParameterList", "Sequential"]

L = TypeVar("L", bound="_Numbered")


class Identity(Module):
    """Returns its argument: for a place where another layer may stand. Arguments of the constructor are ignored.

    Examples
    --------
    >>> tg.nn.Identity()(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """The argument itself."""
        return input


def as_module(owner: str, where: str, item: Any) -> Any:
    """The item, if it is a module; else an error that says what to write."""
    if isinstance(item, Module):
        return item
    if isinstance(item, type):
        raise TypeError(f"{owner}: {where} is a class; write {item.__name__}() for a layer of it")
    raise TypeError(f"{owner}: {where} is not a module; got {item!r:.80}")


def as_parameter(owner: str, where: str, item: Any) -> Any:
    """The item as a parameter: tensors and arrays become one."""
    if isinstance(item, Parameter):
        return item
    if isinstance(item, Tensor) or backend.is_array(item):
        return Parameter(item.detach() if isinstance(item, Tensor) else item)
    raise TypeError(f"{owner}: {where} is not a parameter; got {item!r:.80}")


class _Numbered(Module):
    """What a list does, with the items as attributes "0", "1", ..."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.extend(items)

    def _item(self, where: str, item: Any) -> Any:
        return as_module(type(self).__name__, where, item)

    def _names(self) -> list[str]:
        return [name for name in vars(self) if name.isdecimal()]

    def _items(self) -> list[Any]:
        return [vars(self)[name] for name in self._names()]

    def _arrange(self, named: Iterable[tuple[str, Any]]) -> None:
        """Hold these from now on: what had a number gets that of its new place."""
        named = list(named)
        for name in self._names():
            del vars(self)[name]
        for position, (name, item) in enumerate(named):
            setattr(self, str(position) if name.isdecimal() else name, item)

    def _integer(self, index: Any) -> int:
        try:
            return operator.index(index)
        except TypeError:
            raise TypeError(f"{type(self).__name__}: an index is an integer or a slice; got {index!r}") from None

    def _position(self, index: Any) -> int:
        position = self._integer(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"{type(self).__name__}: there are {len(self)} items, and none at {position}")
        return position % len(self)

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __contains__(self, item: Any) -> bool:
        return any(item is other for other in self)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(self._items()[index])
        return self._items()[self._position(index)]

    def __setitem__(self, index: Any, item: Any) -> None:
        position = self._position(index)
        setattr(self, self._names()[position], self._item(f"item {position}", item))

    def __delitem__(self, index: Any) -> None:
        kept = [(name, vars(self)[name]) for name in self._names()]
        del kept[index if isinstance(index, slice) else self._position(index)]
        self._arrange(kept)

    def append(self: L, item: Any) -> L:
        """Add an item at the end; returns the container."""
        position = len(self)
        item = self._item(f"item {position}", item)
        while str(position) in vars(self):  # the names of a slice may start anywhere
            position += 1
        setattr(self, str(position), item)
        return self

    def extend(self: L, items: Iterable[Any]) -> L:
        """Add items at the end; returns the container."""
        if not isinstance(items, Iterable) or (isinstance(items, Module) and not isinstance(items, _Numbered)):
            raise TypeError(f"{type(self).__name__}: expected a list of items; got one {type(items).__name__}")
        for item in [self._item(f"item {len(self) + i}", item) for i, item in enumerate(list(items))]:
            self.append(item)
        return self

    def insert(self, index: int, item: Any) -> None:
        """Put an item before the one at `index`, or at the end."""
        named = [(name, vars(self)[name]) for name in self._names()]
        named.insert(self._integer(index), ("0", self._item(f"item {index}", item)))
        self._arrange(named)

    def pop(self, index: int = -1) -> Any:
        """Take an item away; returns it."""
        item = self[index]
        del self[index]
        return item

    __iadd__ = extend

    def __add__(self: L, items: Iterable[Any]) -> L:
        return type(self)([*self, *items])

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A list computes nothing."""
        raise NotImplementedError(
            f"{type(self).__name__} holds its items and computes nothing: call them one by one, or use nn.Sequential"
        )


class Sequential(_Numbered):
    """Modules applied one after the other.

    Parameters
    ----------
    *modules : Module or function, or one dict
        A dict gives them names; else they are numbered.

    Examples
    --------
    >>> tg.manual_seed(0)
    >>> tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Tanh())
    Sequential(  # 9 parameters
      (0): Linear(2, 3, init=fan_in_uniform_)  # 9 parameters
      (1): Tanh()
    )
    >>> tg.nn.Sequential({"inside": tg.nn.Linear(2, 3), "act": tg.nn.Tanh()}).act
    Tanh()
    """

    def __init__(self, *modules: Any) -> None:
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                self.register_module(name, as_module("Sequential", f"'{name}'", module))
            return
        if len(modules) == 1 and isinstance(modules[0], (list, tuple)):
            raise TypeError("Sequential: the modules are arguments of their own; write Sequential(*modules)")
        self.extend(modules)

    def _item(self, where: str, item: Any) -> Any:
        is_function = callable(item) and not isinstance(item, (type, Module))
        return item if is_function else super()._item(where.replace("item", "argument"), item)

    def _names(self) -> list[str]:
        # Modules assigned as attributes belong to the chain; a function does if it came with the others.
        return [name for name, part in vars(self).items() if isinstance(part, Module) or name.isdecimal()]

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return super().__getitem__(index)
        part = Sequential()
        for name in self._names()[index]:
            object.__setattr__(part, name, vars(self)[name])  # names stay, as those of the parameters do
        return part

    def __add__(self, items: Iterable[Any]) -> Sequential:
        return Sequential(*self, *items)

    def forward(self, input: Any) -> Any:
        """Apply every module in turn."""
        for module in self._items():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules.

    Examples
    --------
    >>> layers = tg.nn.ModuleList([tg.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), [name for name, _ in layers[:1].named_parameters()]
    (3, ['0.weight', '0.bias'])
    """


class ParameterList(_Numbered):
    """A list of parameters; other tensors and arrays that are put into it become parameters.

    Examples
    --------
    >>> scales = tg.nn.ParameterList([tg.ones(2), tg.ones(3)])
    >>> [p.shape for p in scales.parameters()]
    [(2,), (3,)]
    """

    def _item(self, where: str, item: Any) -> Any:
        return as_parameter("ParameterList", where, item)

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(str(parameter.shape) for parameter in self)
