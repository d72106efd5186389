"""Nested lists, tuples and dicts, taken apart into their leaves and put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["flatten", "paths"]

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a nested structure in order, and a function that puts others into the same structure.

    Dicts keep their keys and their order; named tuples keep their type; None is a structure without leaves.

    Examples
    --------
    >>> leaves, rebuild = flatten({"w": 1, "rest": [2, (3,)]})
    >>> leaves
    [1, 2, 3]
    >>> rebuild([10, 20, 30])
    {'w': 10, 'rest': [20, (30,)]}
    """
    if tree is None:
        return [], lambda leaves: None
    if isinstance(tree, dict):
        keys, children = list(tree), list(tree.values())
    elif isinstance(tree, (list, tuple)):
        keys, children = None, list(tree)
    else:
        return [tree], lambda leaves: leaves[0]
    parts = [flatten(child) for child in children]
    sizes = [len(leaves) for leaves, _ in parts]

    def rebuild(leaves: Sequence[Any]) -> Any:
        items, start = [], 0
        for size, (_, part) in zip(sizes, parts, strict=True):
            items.append(part(leaves[start : start + size]))
            start += size
        if keys is not None:
            twin = tree.copy()  # keeps the kind of dict
            twin.update(zip(keys, items, strict=True))
            return twin
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)

    return [leaf for leaves, _ in parts for leaf in leaves], rebuild


def paths(tree: Any, prefix: str = "") -> list[str]:
    """How each leaf of a nested structure is reached: ``[0]['w']``."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [p for key, child in tree.items() for p in paths(child, f"{prefix}[{key!r}]")]
    if isinstance(tree, (list, tuple)):
        return [p for i, child in enumerate(tree) for p in paths(child, f"{prefix}[{i}]")]
    return [prefix]
