"""Nested containers come apart into leaves and go together again."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_opt.core.tree import flatten, paths

Point = namedtuple("Point", "x y")
leaves = st.integers() | st.text(max_size=3)
trees = st.recursive(
    leaves | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.builds(Point, inner, inner)
    ),
)


@given(trees)
def test_a_tree_is_rebuilt_as_it_was(tree: Any) -> None:
    found, rebuild = flatten(tree)
    again = rebuild(found)
    assert again == tree
    assert type(again) is type(tree)


@given(trees)
def test_paths_lead_to_the_leaves_in_order(tree: Any) -> None:
    found, _ = flatten(tree)
    assert [eval("tree" + path, {"tree": tree}) for path in paths(tree)] == found


@given(trees)
def test_other_leaves_take_the_same_places(tree: Any) -> None:
    found, rebuild = flatten(tree)
    numbered = rebuild(list(range(len(found))))
    assert flatten(numbered)[0] == list(range(len(found)))
    assert paths(numbered) == paths(tree)


def test_kinds_are_kept() -> None:
    tree = {"b": [1, (2,)], "a": Point(3, None)}
    found, rebuild = flatten(tree)
    again = rebuild([10 * n for n in found])
    assert again == {"b": [10, (20,)], "a": Point(30, None)}
    assert list(again) == ["b", "a"]  # in the dict's own order
    assert isinstance(again["a"], Point)


@pytest.mark.parametrize("tree", [OrderedDict(a=1), {"a": 1}])
def test_dicts_of_all_sorts(tree: Any) -> None:
    found, rebuild = flatten(tree)
    assert rebuild(found) == tree


def test_paths_start_from_a_prefix() -> None:
    assert paths({"w": 1, "rest": [2, None, (3,)]}, "inputs") == [
        "inputs['w']", "inputs['rest'][0]", "inputs['rest'][2][0]",
    ]  # fmt: skip
    assert paths(5, "x") == ["x"]
