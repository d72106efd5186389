"""DOT text: every label comes out as it went in, whatever is in it."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tinygrad_opt as tg
from tinygrad_opt.core import kinds
from tinygrad_opt.viz import Cluster, Edge, Graph, Vertex, graph
from tinygrad_opt.viz.dot import escaped, quoted, to_dot

NASTY = ['say "hi"', "a<b>c</b>&amp;", "std::vector", "back\\slash\\N\\", "two\nlines", "θ → ∞", "", "\ud800\x00\x1b"]


def drawing(*titles: str, kind: str = "parameter") -> Graph:
    vertices = [Vertex(f"{title} {i}", kind, title, (title,)) for i, title in enumerate(titles)]
    return Graph((*vertices, Vertex("out", "output", "out")), tuple(Edge(v.key, "out", "forward") for v in vertices))


def titles(text: str) -> list[str]:
    """The titles in some DOT text, read back."""
    return [html.unescape(found).replace("\\\\", "\\") for found in re.findall(r"label=<<B>(.*?)</B>", text)]


def shown(title: str) -> str:
    """How a title appears: unprintable characters by their escapes, and at most 40 characters."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in title)
    return (text if len(text) <= 40 else text[:37] + "...") or " "


@given(st.lists(st.text(max_size=60) | st.sampled_from(NASTY), max_size=4))
@example(NASTY)
def test_any_text_comes_out_as_it_went_in(texts: list[str]) -> None:
    text = to_dot(drawing(*texts))
    assert titles(text) == [shown(title) for title in texts] + ["out"]
    assert text.encode().decode() == text
    assert len(text.splitlines()) == len(to_dot(drawing(*(["x"] * len(texts)))).splitlines())


@given(st.text() | st.sampled_from(NASTY))
def test_a_quoted_string_ends_where_it_should(text: str) -> None:
    assert re.fullmatch(r'"([^"\\]|\\["\\])*"', quoted(text))
    assert re.fullmatch(r'([^<>"\\]|\\\\)*', escaped(text))


def test_quoting_is_that_of_the_graphviz_package() -> None:
    graphviz_quoting = pytest.importorskip("graphviz.quoting")
    for text in ('say "hi"', "a<b>", "std::vector", "θ", "two words"):
        assert quoted(text).strip('"') == graphviz_quoting.quote(text).strip('"')


def test_every_kind_of_primitive_has_a_colour_of_its_own() -> None:
    names = ["parameter", "leaf", "input", "constant", "output"]
    names += [kind.kind for kind in (kinds.Elementwise, kinds.Linear, kinds.Multilinear, kinds.General)]
    fills = {re.search(r'fillcolor="(#\w+)"', to_dot(drawing("x", kind=kind)).splitlines()[4])[1] for kind in names}
    assert len(fills) == len(names)


def test_the_legend_explains_what_occurs_and_nothing_else() -> None:
    head = to_dot(drawing("w")).splitlines()[1]
    assert all(word in head for word in (">parameter ", ">output "))
    assert not any(word in head for word in (">constant ", ">linear ", "gradient"))
    assert ">gradient<" in to_dot(Graph((Vertex("a", "leaf", "a"),), (Edge("a", "a", "both"),)))


def test_notes_are_wrapped_and_escaped() -> None:
    text = to_dot(Graph((Vertex("a", "leaf", "a"),), (), notes=("<b> " + "word " * 40,)))
    lines = [html.unescape(line) for line in re.findall(r'<FONT COLOR="#c0392b">(.*?)</FONT>', text)]
    assert " ".join(lines) == "<b> " + " ".join(["word"] * 40)
    assert max(map(len, lines)) <= 70


def test_frames_are_nested_and_closed() -> None:
    clusters = (Cluster("r", "repeat", "x 12"), Cluster("m", "module", "layers.0 <Linear>", "r"))
    boxes = (Vertex("w", "parameter", "w", (), "m"), Vertex("relu", "elementwise", "relu", (), "r"))
    text = to_dot(Graph((*boxes, Vertex("y", "output", "y")), (), clusters))
    outline = [line.strip().split(" ")[0] for line in text.splitlines() if "{" in line or "}" in line or "[" in line]
    assert outline == [
        "digraph",
        "graph",
        "node",
        "edge",
        "subgraph",
        "subgraph",
        '"w"',
        "}",
        '"relu"',
        "}",
        '"y"',
        "}",
    ]
    assert "layers.0 &lt;Linear&gt;" in text


@pytest.mark.parametrize(
    ("kind", "look"),
    [("forward", 'color="#5a6775"]'), ("backward", 'dir="back"'), ("both", 'dir="both"'), ("omitted", '"dashed"')],
)
def test_arrows_look_like_what_they_carry(kind: str, look: str) -> None:
    text = to_dot(Graph((Vertex("a", "leaf", "a"), Vertex("b", "output", "b")), (Edge("a", "b", kind, "1"),)))
    (arrow,) = [line for line in text.splitlines() if "->" in line]
    assert look in arrow.replace(" label=<1>", "")
    assert "label=<1>" in arrow


def test_direction() -> None:
    x = tg.tensor(1.0, requires_grad=True)
    for direction in ("LR", "TB", "RL", "BT"):
        assert f'rankdir="{direction}"' in graph(x * x, direction=direction).to_dot()


def test_the_text_is_the_same_every_time() -> None:
    x = tg.tensor(1.0, requires_grad=True)
    y = tg.exp(x * x)
    assert graph(y).to_dot() == graph(y).to_dot()
