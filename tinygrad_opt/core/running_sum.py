"""`total += loss`, seen for what it is: a sum that keeps the graph of every step alive.

Each `loss.backward()` frees what its own graph saved, but the nodes stay, for as long as `total` leads to them. That is
recognised without a doubt where the latest terms of a sum have been swept and the sum itself has not: it could never be
differentiated any more. Nothing is counted while computing; a look at the last terms is taken when somebody reads the
value (``total.item()``, ``print(total)``), which is what running sums are for.
"""

from __future__ import annotations

import sys
import warnings

from .anomaly import is_inside
from .tape import Node

__all__ = ["TERMS", "spent_terms", "warn"]

TERMS = 100  # so many swept terms in a row are no accident
_DEPTH = 8  # how far below a term its swept part may lie: `total += loss / n` adds a node that was never swept


def spent_terms(node: Node) -> int:
    """How many of the latest terms of a sum come from graphs that `backward` has freed: at most `TERMS`."""
    terms = 0
    while terms < TERMS and node.saved is not None and _is_sum(node):
        parents = sorted((p for p in node.parents if p is not None), key=lambda p: p.serial)
        if not parents or not _was_swept(parents[-1]):  # the younger one is the term, the older the sum so far
            break
        terms += 1
        node = parents[0]
    return terms


def _is_sum(node: Node) -> bool:
    return node.primitive is not None and node.primitive.name == "add"


def _was_swept(node: Node) -> bool:
    for _ in range(_DEPTH):
        if node.saved is None:
            return True
        parents = [p for p in node.parents if p is not None]
        if not parents:
            return False
        node = max(parents, key=lambda p: p.serial)
    return False


def warn(node: Node) -> None:
    """Warn where `node`, or what it was computed from (an average of it), is such a sum."""
    for candidate in (node, *node.parents):
        if candidate is not None and _is_sum(candidate) and spent_terms(candidate) == TERMS:
            level, frame = 1, sys._getframe()
            while frame.f_back is not None and is_inside(frame.f_code.co_filename):
                level, frame = level + 1, frame.f_back
            warnings.warn(
                f"this is a running sum, and its last {TERMS} terms come from graphs that backward() has been through: "
                "it keeps the nodes of every step alive. Add up numbers: total += loss.item(), or total += "
                "loss.detach() where reading the value at each step would cost too much.",
                stacklevel=level,
            )
            return
