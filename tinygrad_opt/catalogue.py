"""The table of all public functions of tensors, made by looking at them: nothing in it is typed in.

The names come from the families' own ``__all__``, the kinds from the registry. What a function records, and which of
its derivatives there are, is found out by calling it on the samples of its specification, the same that the property
suite uses on every backend.
"""

from __future__ import annotations

import functools as _functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import ops, transforms
from .core.kinds import Constant
from .core.primitive import Primitive, ours
from .core.tape import reachable
from .core.tensor import Tensor
from .core.tree import flatten
from .testing.sources import RandomSource
from .testing.specs import SPECS, Sample, Spec

__all__ = ["Function", "Table", "functions"]

_NAMESPACES = ("linalg",)  # functions that are public below a name of their own
_SEEDS = range(8)


class Function(NamedTuple):
    """One line of the table.

    Attributes
    ----------
    name : str
        As in ``tg.<name>``.
    kind : str
        The kind of primitive that a call records, ``"composition"`` where it records several.
    records : tuple of str
        The primitives found on the tape after calls.
    forward, reverse, second : str
        First derivatives in either mode, and second ones: ``"yes"``, ``"no"``, ``"zero"`` for piecewise constant
        functions, ``"untested"`` for a function without a specification.
    backends : tuple of str
        The array libraries on which the suite tests it.
    numpy : bool
        Whether NumPy has a function of this name.
    summary : str
        The first sentence of its documentation.
    """

    name: str
    kind: str
    records: tuple[str, ...]
    forward: str
    reverse: str
    second: str
    backends: tuple[str, ...]
    numpy: bool
    summary: str


class Table(tuple[Function, ...]):
    """The lines, which print as a table."""

    __slots__ = ()

    def _cells(self) -> Iterator[tuple[str, ...]]:
        yield "function", "kind", "forward", "reverse", "second", "backends", "in NumPy", "records"
        for f in self:
            where, numpy = ", ".join(f.backends), "yes" if f.numpy else ""
            yield f.name, f.kind, f.forward, f.reverse, f.second, where, numpy, ", ".join(f.records)

    def __repr__(self) -> str:
        rows = list(self._cells())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def markdown(self) -> str:
        """The table in Markdown, which notebooks show in place of the text."""
        head, *rows = self._cells()
        lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        for name, *cells, records in rows:
            marked = " ".join(f"`{record}`" for record in records.split(", ") if record)
            lines.append(f"| {' | '.join([f'`{name}`', *cells, marked])} |")
        return "\n".join(lines)

    _repr_markdown_ = markdown


def functions() -> Table:
    """Every public function of tensors: its kind, its derivatives, its backends, and what it records.

    Returns
    -------
    Table
        A tuple of `Function`, sorted by name, that prints as a table (and in Markdown: ``.markdown()``).

    Examples
    --------
    >>> table = {f.name: f for f in tg.functions()}
    >>> table["exp"].kind, table["exp"].second, table["exp"].numpy
    ('elementwise', 'yes', True)
    >>> table["softmax_cross_entropy"].kind, table["softmax_cross_entropy"].records
    ('composition', ('log_softmax', 'nll'))
    >>> table["argmax"].forward
    'zero'
    """
    return _functions()


@_functools.cache
def _functions() -> Table:
    return Table(sorted(_described(name, function) for name, function in _public()))


def _public() -> Iterator[tuple[str, Any]]:
    for name in sorted(set(ops.__all__)):
        yield name, getattr(ops, name)
    for space in _NAMESPACES:
        module = getattr(ops, space, None)
        for name in getattr(module, "__all__", ()):
            if not isinstance(function := getattr(module, name), type):  # it may list exceptions too
                yield f"{space}.{name}", function


def _described(name: str, function: Any) -> Function:
    own = getattr(function, "__name__", name)  # that of what an alias stands for
    spec = SPECS.get(name) or SPECS.get(own)
    summary = " ".join((function.__doc__ or "").split("\n\n")[0].split())
    numpy = callable(_attribute(np, name))
    if spec is None:
        kind = function.kind if isinstance(function, Primitive) else "untested"
        return Function(name, kind, (), "untested", "untested", "untested", (), numpy, summary)
    records, most = _recorded(spec, function)
    if isinstance(function, Primitive):
        kind = function.kind
    elif own in records or (len(records) == 1 and most == 1):
        kind = ours()[own if own in records else next(iter(records))].kind
    else:
        kind = "composition" if records else "constant"
    forward, reverse, second = _derivatives(spec) if records else ("zero", "zero", "zero")
    return Function(name, kind, tuple(sorted(records)), forward, reverse, second, ("NumPy", "CuPy"), numpy, summary)


def _attribute(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part, None)
    return module


def _on_leaves(sample: Sample) -> list[Any]:
    """The arguments of a call, the floating ones as leaves."""
    args = list(sample.args)
    for i in sample.inputs:
        args[i] = Tensor(args[i].copy(), requires_grad=True)
    return args


def _results(spec: Spec, function: Any, sample: Sample) -> list[Tensor]:
    """What a call returns. Of several results a specification makes one; here they are wanted as they are."""
    with np.errstate(all="ignore"):
        if spec.function is not None:
            try:
                several = function(*_on_leaves(sample), **sample.meta)
            except Exception:  # it takes its arguments in another form, which the specification knows
                several = None
            if isinstance(several, (tuple, list)):
                return [y for y in flatten(several)[0] if isinstance(y, Tensor)]
        return [spec.call(*_on_leaves(sample), **sample.meta)]


def _recorded(spec: Spec, function: Any) -> tuple[set[str], int]:
    """The primitives that calls record, and the largest number of nodes behind one result."""
    records: set[str] = set()
    most = 0
    if not isinstance(spec.recorded, Constant):
        for seed in _SEEDS:
            for y in _results(spec, function, spec.sample(RandomSource(seed))):
                nodes = [] if y._node is None else [n for n in reachable([y._node]) if n.primitive is not None]
                records |= {node.primitive.name for node in nodes}
                most = max(most, len(nodes))
    return records, most


def _derivatives(spec: Spec) -> tuple[str, str, str]:
    """Whether each derivative can be had, by asking for it."""
    for seed in _SEEDS:
        sample = spec.sample(RandomSource(seed))
        args = _on_leaves(sample)
        with np.errstate(all="ignore"):
            y = spec.call(*args, **sample.meta)
        if y._node is not None and y.size:
            break

    def half_square(*wanted: Any) -> Any:
        given = list(sample.args)
        for i, x in zip(sample.inputs, wanted, strict=True):
            given[i] = x
        out = spec.call(*given, **sample.meta)
        return ops.sum(out * out) * 0.5

    points = tuple(args[i].detach() for i in sample.inputs)
    attempts = (
        lambda: transforms.jvp(half_square, points, points),
        lambda: transforms.grad(half_square, argnums=range(len(points)))(*points),
        lambda: transforms.hvp(half_square, points, points),
    )
    forward, reverse, second = map(_works, attempts)
    return forward, reverse, second


def _works(attempt: Any) -> str:
    try:
        with np.errstate(all="ignore"):
            attempt()
    except (NotImplementedError, RuntimeError, TypeError):
        return "no"
    return "yes"
