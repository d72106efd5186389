"""Tables that are kept a family a file: what all files of a package have under one name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["families"]


def families(package: str, path: Iterable[str], name: str) -> Iterator[Any]:
    """The value of `name` in each module of a package that has it, in the order of the modules' names.

    Examples
    --------
    >>> from tinygrad_opt.testing import specs
    >>> sum(map(len, families(specs.__name__, specs.__path__, "SPECS"))) == len(specs.SPECS)
    True
    """
    for found in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{found.name}")
        if hasattr(module, name):
            yield getattr(module, name)
