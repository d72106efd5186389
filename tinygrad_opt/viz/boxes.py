"""From what was read off the tape to what is drawn: which items become boxes, and what is written in and around them.

Everything here is plain data, strings and tuples: a test can look at it without drawing anything.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .describe import gradient_text, shape_text, value_lines
from .repeats import common_name
from .trace import Item

__all__ = ["Cluster", "Edge", "Vertex", "edges", "frames", "nearest", "omissions", "vertices"]

# Operations whose operands may change places, so that the edges into them need no numbers.
_SYMMETRIC = frozenset("add multiply maximum minimum fmax fmin logaddexp logaddexp2 hypot".split())


@dataclass(frozen=True)
class Vertex:
    """A box: what it is (`kind` decides its colour), a title, smaller lines below, and the frame it stands in."""

    key: str
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    cluster: str | None = None


@dataclass(frozen=True)
class Edge:
    """An arrow between an input and what uses it: ``"forward"``, ``"backward"``, ``"both"``, or ``"omitted"``."""

    source: str
    target: str
    kind: str
    label: str = ""


@dataclass(frozen=True)
class Cluster:
    """A frame around boxes: a ``"module"``, or a block that ``"repeat"``s; it may stand inside another."""

    key: str
    kind: str
    title: str
    parent: str | None = None


def nearest(items: Sequence[Item], limit: int, hide_constants: bool) -> list[int]:
    """The places of at most `limit` items, those with the fewest steps to an output."""
    queue = deque(place for place, item in enumerate(items) if item.kind == "output")
    seen = set(queue)
    kept: list[int] = []
    while queue and len(kept) < limit:
        place = queue.popleft()
        kept.append(place)
        for source in items[place].sources:
            if source not in seen and not (hide_constants and items[source].node is None):
                seen.add(source)
                queue.append(source)
    return sorted(kept)


def omissions(items: Sequence[Item], kept: Sequence[int], hide_constants: bool) -> list[str]:
    """A note on what was left out for want of room."""
    shown = set(kept)
    lost: Counter[str] = Counter()
    for place, item in enumerate(items):
        if place not in shown and not (hide_constants and item.kind != "output" and item.node is None):
            what = "operations" if item.is_operation else "outputs" if item.kind == "output" else "leaves and constants"
            lost[what] += len(item.members) or 1
    if not lost:
        return []
    counts = ", ".join(f"{what}: {count:,}" for what, count in sorted(lost.items(), reverse=True))
    return [f"Not drawn, being further from the output than these {len(kept):,} boxes: {counts}."]


def key(items: Sequence[Item], place: int) -> str:
    """What a box is called inside the drawing: its title in plain letters, which no renderer trips over."""
    return f"{re.sub('[^A-Za-z0-9_.]+', '_', items[place].title)} {place}"


def vertices(
    items: Sequence[Item], kept: Sequence[int], clusters: Mapping[int, str], gradients: bool, values: bool
) -> list[Vertex]:
    """The boxes, in the order of computation."""
    usual = items[-1].dtype
    boxes = []
    for place in kept:
        item = items[place]
        lines = [item.name] if item.name else []
        if item.shape is not None and not _is_number(item):
            lines.append(shape_text(item.shape) + ("" if item.dtype == usual else f" {item.dtype}"))
        if item.arguments:
            lines.append(item.arguments)
        if item.members and not item.is_operation:
            lines.append(f"{len(item.members):,} of them")
        if values and not item.members and not _is_number(item):
            lines += ["value not kept"] if item.array is None else value_lines(item.array)
        if gradients:
            lines += _gradient(item)
        boxes.append(Vertex(key(items, place), item.kind, item.title, tuple(lines), clusters.get(place)))
    return boxes


def _is_number(item: Item) -> bool:
    """Whether the title of a constant is already its value."""
    return item.kind == "constant" and item.shape == ()


def _gradient(item: Item) -> list[str]:
    """The gradient that a leaf, or a result that was asked to retain it, holds."""
    nodes = [member.node for member in item.members or [item]]
    if any(node is None or not hasattr(node, "grad") for node in nodes):
        return []
    return [gradient_text([node.grad for node in nodes if node is not None])]


def edges(
    items: Sequence[Item], kept: Sequence[int], show: str, hide_constants: bool
) -> tuple[list[Vertex], list[Edge]]:
    """The arrows, and a box of dots for each item some of whose inputs are not drawn."""
    shown = set(kept)
    dots: list[Vertex] = []
    arrows: list[Edge] = []
    for place in kept:
        item = items[place]
        labels = _operand_labels(item, [items[source] for source in item.sources])
        for label, source in zip(labels, item.sources, strict=True):
            if source in shown:
                kind = "forward" if items[source].node is None else show
                arrows.append(Edge(key(items, source), key(items, place), kind, label))
            elif not (hide_constants and items[source].node is None):
                stub = f"before {place}"
                if not dots or dots[-1].key != stub:
                    dots.append(Vertex(stub, "omitted", "..."))
                    arrows.append(Edge(stub, key(items, place), "omitted"))
    return dots, arrows


def _operand_labels(item: Item, operands: Sequence[Item]) -> list[str]:
    """What to write at the edges: numbers where operands could be mistaken for each other, and argument names."""
    count = len(operands) - len(item.roles)
    values = sum(operand.kind != "parameter" for operand in operands[:count])
    numbered = count > 1 and item.title not in _SYMMETRIC and (item.kind == "elementwise" or values > 1)
    return [str(i + 1) if numbered else "" for i in range(count)] + item.roles


def frames(
    items: Sequence[Item], kept: Sequence[int], counts: Sequence[int], depth: int | None, modules: Mapping[str, str]
) -> tuple[dict[int, str], list[Cluster]]:
    """In which frame each item stands, by its place; and the frames, outer ones first.

    An operation belongs to the module whose parameters it uses, if that is one; a module inside a repeated block is
    framed inside the block's frame.
    """
    home: dict[int, str] = {}
    found: dict[tuple[str | None, str], Cluster] = {}
    for place in kept:
        item = items[place]
        outer = None
        if item.repeat is not None:
            home[place] = outer = f"repeat {item.repeat}"
            found.setdefault((outer, ""), Cluster(outer, "repeat", f"x {counts[item.repeat]:,}"))
        users = [items[source] for source in item.sources] if item.is_operation else [item]
        owners = {owner for owner in (_module(user, depth) for user in users) if owner is not None}
        if len(owners) == 1:
            ((title, first),) = owners
            kind = f" ({modules[first]})" if first in modules else ""
            frame = Cluster(f"module {len(found)}", "module", title + kind, outer)
            home[place] = found.setdefault((outer, title), frame).key
    return home, list(found.values())


def _module(item: Item, depth: int | None) -> tuple[str, str] | None:
    """The module that a parameter belongs to: its title, and the name of the first, if the parameter is several."""
    if depth is None or item.kind not in ("parameter", "leaf"):
        return None
    prefixes = [".".join(member.title.split(".")[:-1][:depth]) for member in item.members or [item]]
    return (common_name(prefixes), prefixes[0]) if prefixes[0] else None
