"""Modules that hold modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules applied one after the other.

    Examples
    --------
    >>> tg.manual_seed(0)
    >>> tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Tanh())
    Sequential(  # 9 parameters
      (0): Linear(2, 3, init=fan_in_uniform_)  # 9 parameters
      (1): Tanh()
    )
    """

    def __init__(self, *modules: Module) -> None:
        for position, module in enumerate(modules):
            if not callable(module):
                raise TypeError(f"Sequential: argument {position} is not a module; got {module!r}")
            setattr(self, str(position), module)

    def _parts(self) -> list[Module]:
        return [part for name, part in vars(self).items() if name.isdecimal()]

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._parts())

    def __getitem__(self, index: int | slice) -> Module:
        parts = self._parts()[index]
        return Sequential(*parts) if isinstance(parts, list) else parts

    def forward(self, x: Any) -> Any:
        """Apply every module in turn."""
        for name, part in vars(self).items():
            if name.isdecimal():
                x = part(x)
        return x
