"""A model as a table: its parts, what each returned for a given input, and how many parameters each holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..core.modes import no_grad
from ..core.tree import flatten
from ..nn.module import Module
from ..train.evaluation import mode
from .describe import shape_text

__all__ = ["Row", "Summary", "summary"]


@dataclass(frozen=True)
class Row:
    """One part of a model; `parameters` counts those that it holds itself, not those of its parts."""

    name: str
    type: str
    output: str
    parameters: int


@dataclass(frozen=True, repr=False)
class Summary:
    """The parts of a model in order, and the total number of its parameters; ``repr`` is a table."""

    rows: tuple[Row, ...]
    total: int
    frozen: int

    def __repr__(self) -> str:
        lines = [("part", "type", "output", "parameters")]
        lines += [(row.name, row.type, row.output, f"{row.parameters:,}") for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = []
        for *texts, number in lines:
            cells = [text.ljust(width) for text, width in zip(texts, widths, strict=False)]
            table.append("  ".join([*cells, number.rjust(widths[-1])]))
        frozen = f", {self.frozen:,} of them frozen" if self.frozen else ""
        return "\n".join([*table, f"{self.total:,} parameters{frozen}"])


def summary(model: Module, input: Any) -> Summary:
    """The parts of a model, the shapes that they return, and their numbers of parameters.

    The model is called once, in evaluation mode and without recording; it is left as it was.

    Parameters
    ----------
    model : Module
    input : tensor, or tuple of tensors
        What the model is called with.

    Returns
    -------
    Summary
        A part that is called several times shows what it returned first.

    Examples
    --------
    >>> model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Tanh())
    >>> tg.viz.summary(model, tg.zeros((8, 2)))
    part  type        output  parameters
          Sequential  (8, 3)           0
    0     Linear      (8, 3)           9
    1     Tanh        (8, 3)           0
    9 parameters
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"summary: expected a module; got {type(model).__name__}. Write tg.viz.summary(model, x), the model first."
        )
    outputs: dict[int, str] = {}
    with mode(model, training=False), no_grad(), _watched(model, outputs):
        model(*input) if isinstance(input, tuple) else model(input)
    parameters = dict(model.named_parameters())
    modules = dict(model.named_modules())
    held = dict.fromkeys(modules, 0)
    for name, parameter in parameters.items():
        held[_holder(name, held)] += parameter.size
    rows = [
        Row(name, type(part).__name__, outputs.get(id(part), "not called"), held[name])
        for name, part in modules.items()
    ]
    frozen = sum(parameter.size for parameter in parameters.values() if not parameter.requires_grad)
    return Summary(tuple(rows), sum(held.values()), frozen)


def _holder(parameter: str, modules: dict[str, int]) -> str:
    """The innermost module that a parameter belongs to, by their names."""
    name = parameter
    while name not in modules:
        name = name.rpartition(".")[0]
    return name


@contextmanager
def _watched(model: Module, outputs: dict[int, str]) -> Iterator[None]:
    """Note what each part returns: while this is open, each has a ``forward`` of its own around that of its class."""
    parts = list(model.modules())
    for part in parts:
        object.__setattr__(part, "forward", _noting(part, part.forward, outputs))
    try:
        yield
    finally:
        for part in parts:
            object.__delattr__(part, "forward")


def _noting(part: Module, forward: Callable[..., Any], outputs: dict[int, str]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = forward(*args, **kwargs)
        shapes = [shape_text(leaf.shape) for leaf in flatten(result)[0] if hasattr(leaf, "shape")]
        outputs.setdefault(id(part), ", ".join(shapes))
        return result

    return wrapper
