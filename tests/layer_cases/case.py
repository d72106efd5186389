"""What the tests of all layers are given: how to make a layer, in our words and in PyTorch's, and how to call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinygrad_opt.testing.sources import Source

Array = Any


@dataclass(frozen=True)
class Layer:
    """One layer and one call of it. Names and arguments are PyTorch's, so one spelling makes both.

    Attributes
    ----------
    name : str
        Of the class, in ``tg.nn`` and in ``torch.nn``.
    args, options
        What it is made with; arrays among the options are tensors for either.
    inputs : tuple
        What it is called with: arrays (float64 ones take the dtype of the example and are differentiated), None, or
        nested tuples of them.
    call : mapping
        Keyword arguments of the call; arrays among them as above.
    order : int
        How many times PyTorch can differentiate it.
    random : bool
        Whether training mode draws random numbers: then only evaluation is compared.
    """

    name: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    call: Mapping[str, Any] = field(default_factory=dict)
    order: int = 2
    random: bool = False


Draw = Callable[[Source], Layer]
