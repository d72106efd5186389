"""Nested lists, tuples and dicts, taken apart into their leaves and put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["flatten", "leaves_like", "paths"]

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


def leaves_like(tree: Any, like: Any, what: str) -> list[Any]:
    """The leaves of `tree`, in the order of those of `like`, which must be built in the same way.

    Dicts are matched by their keys, whatever their order; lists and tuples stand for each other.

    Raises
    ------
    ValueError
        Naming the place where the two are built differently.

    Examples
    --------
    >>> leaves_like({"b": 2, "a": 1}, {"a": 0, "b": 0}, "tangent")
    [1, 2]
    """
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            raise ValueError(f"{what}: expected a dict with the keys {list(like)}; got {_kind(tree)}")
        return [leaf for key in like for leaf in leaves_like(tree[key], like[key], f"{what}[{key!r}]")]
    if isinstance(like, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(like):
            raise ValueError(f"{what}: expected a list or tuple of {len(like)}; got {_kind(tree)}")
        return [
            leaf for i, (t, x) in enumerate(zip(tree, like, strict=True)) for leaf in leaves_like(t, x, f"{what}[{i}]")
        ]
    if isinstance(tree, (dict, list, tuple)) or (tree is None) != (like is None):
        raise ValueError(f"{what}: expected one tensor or array; got {_kind(tree)}")
    return [] if like is None else [tree]


def _kind(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict with the keys {list(tree)}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return "None" if tree is None else f"one {type(tree).__name__}"


def paths(tree: Any, prefix: str = "") -> list[str]:
    """How each leaf of a nested structure is reached: ``[0]['w']``."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [p for key, child in tree.items() for p in paths(child, f"{prefix}[{key!r}]")]
    if isinstance(tree, (list, tuple)):
        return [p for i, child in enumerate(tree) for p in paths(child, f"{prefix}[{i}]")]
    return [prefix]
