"""Plain data to DOT text. All colours and sizes of the drawings are here.

Labels are written in Graphviz's HTML-like form, the only one in which a title and smaller lines can differ in size.
Every character that means something there, or could not be drawn, is escaped.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .describe import shortened
from .trace import OPERATIONS

if TYPE_CHECKING:
    from .boxes import Cluster, Edge, Vertex
    from .graph import Graph

__all__ = ["escaped", "quoted", "to_dot"]

_FONT = "Arial"  # every renderer knows its widths
_INK, _PALE_INK = "#1b2733", "#5a6775"
_FORWARD, _BACKWARD = "#5a6775", "#c0392b"

# kind of box: what the legend says, fill, border
_ROLES = {
    "parameter": ("parameter", "#ffe3a3", "#c98a00"),
    "leaf": ("leaf (requires gradient)", "#fff3d6", "#c98a00"),
    "input": ("input", "#d3e9fb", "#2f80c2"),
    "constant": ("constant", "#eef1f4", "#9aa5b1"),
    "elementwise": ("elementwise", "#def3dc", "#4f9a4b"),
    "linear": ("linear", "#e3e4fa", "#6a6fc9"),
    "multilinear": ("multilinear", "#f8dded", "#b6518f"),
    "general": ("general", "#d3f0ee", "#249189"),
    "output": ("output", "#fbd9d3", "#c0392b"),
}


def quoted(text: str) -> str:
    """A DOT string, such as the name of a box."""
    text = _visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def escaped(text: str) -> str:
    """Text for the inside of an HTML-like label, where one backslash alone would start a placeholder."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\\", "\\\\")):
        text = text.replace(character, entity)
    return text if text != "]" else "&#93;"  # on which, alone, Graphviz 2 stumbles


def _text(text: str) -> str:
    """A line of a label, at most so long; never nothing, which no element of a label may contain."""
    return escaped(shortened(_visible(text))) or "&#32;"


def _visible(text: str) -> str:
    """The text with what cannot be printed (newlines, control characters, lone surrogates) in Python's notation."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _attributes(**attributes: str) -> str:
    """``[name="value" ...]``; a value in angle brackets is a label already escaped."""
    return "[" + " ".join(f"{k}={v if v.startswith('<') else quoted(v)}" for k, v in attributes.items()) + "]"


def _label(title: str, lines: Iterable[str]) -> str:
    """A title in bold, and smaller lines below."""
    rows = [f"<B>{_text(title)}</B>"]
    for line in lines:
        rows.append(f'<FONT POINT-SIZE="9" COLOR="{_PALE_INK}">{_text(line)}</FONT>')
    return f"<{'<BR/>'.join(rows)}>"


def _vertex(vertex: Vertex) -> str:
    name, label = quoted(vertex.key), _label(vertex.title, vertex.lines)
    if vertex.kind == "omitted":
        return f"{name} {_attributes(label=label, shape='plain', style='')}"
    _, fill, border = _ROLES[vertex.kind]
    look = {"label": label, "fillcolor": fill, "color": border}
    if vertex.kind == "constant":
        look |= {"fontsize": "10", "margin": "0.08,0.04"}
    elif vertex.kind == "output":
        look |= {"penwidth": "2.2"}
    elif vertex.kind in ("parameter", "leaf", "input"):
        look |= {"style": "filled"}
    return f"{name} {_attributes(**look)}"


def _edge(edge: Edge, source: Vertex) -> str:
    look = {
        "forward": {"color": _FORWARD},
        "backward": {"color": _BACKWARD, "dir": "back"},
        "both": {"color": f"{_FORWARD}:{_BACKWARD}", "dir": "both"},
        "omitted": {"color": _FORWARD, "style": "dashed"},
    }[edge.kind]
    if source.kind in OPERATIONS:  # a straight backbone, with leaves and data at its sides
        look |= {"weight": "5"}
    if edge.label:
        look |= {"label": f"<{escaped(edge.label)}>"}
    return f"{quoted(edge.source)} -> {quoted(edge.target)} {_attributes(**look)}"


def _frame(cluster: Cluster) -> list[str]:
    """The looks of a frame, as statements inside its subgraph."""
    look = {"label": f"<<B>{_text(cluster.title)}</B>>", "fontcolor": _PALE_INK, "labelloc": "t"}
    if cluster.kind == "repeat":
        look |= {"style": "rounded,dashed", "color": _INK, "fontcolor": _INK, "fontsize": "14"}
    else:
        look |= {"style": "rounded,filled", "color": "#cbd2da", "fillcolor": "#f6f8fa", "fontsize": "10"}
    return [f"{name}={value if value.startswith('<') else quoted(value)}" for name, value in look.items()]


def _nested(graph: Graph, parent: str | None, indent: str) -> Iterator[str]:
    """The boxes and frames that stand directly inside a frame (at most two deep), or inside none."""
    for cluster in graph.clusters:
        if cluster.parent == parent:
            yield f"{indent}subgraph {quoted(f'cluster {cluster.key}')} {{"
            yield from (f"{indent}  {line}" for line in _frame(cluster))
            yield from _nested(graph, cluster.key, indent + "  ")
            yield f"{indent}}}"
    for vertex in graph.vertices:
        if vertex.cluster == parent:
            yield f"{indent}{_vertex(vertex)}"


def _legend(graph: Graph) -> str:
    """A row of the colours that occur, with their meaning, and the notes below it."""
    kinds = {vertex.kind for vertex in graph.vertices}
    cells = ""
    for kind, (meaning, fill, border) in _ROLES.items():
        if kind in kinds:
            box = f'FIXEDSIZE="TRUE" WIDTH="16" HEIGHT="12" BORDER="1" COLOR="{border}" BGCOLOR="{fill}"'
            cells += f"<TD {box}></TD>"
            cells += f'<TD ALIGN="LEFT">{meaning}  </TD>'
    if {edge.kind for edge in graph.edges} & {"backward", "both"}:
        cells += f'<TD><FONT COLOR="{_BACKWARD}"><B>&lt;--</B></FONT></TD><TD ALIGN="LEFT">gradient</TD>'
    rows = [f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3"><TR>{cells}</TR></TABLE>']
    for note in graph.notes:
        rows += [f'<FONT COLOR="{_BACKWARD}">{escaped(line)}</FONT>' for line in textwrap.wrap(_visible(note), 70)]
    rows = ["", *rows]
    body = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0">{body}</TABLE>>'


def to_dot(graph: Graph) -> str:
    """The whole drawing as DOT text."""
    font = {"fontname": _FONT, "fontcolor": _INK}
    whole = _attributes(
        rankdir=graph.direction, label=_legend(graph), labelloc="b", labeljust="l", fontsize="10", bgcolor="white",
        pad="0.25", nodesep="0.22", ranksep="0.42", **font,
    )  # fmt: skip
    box = _attributes(
        shape="box", style="rounded,filled", margin="0.13,0.07", height="0.3", width="0.3", penwidth="1.2",
        fontsize="12", **font,
    )  # fmt: skip
    arrow = _attributes(arrowsize="0.65", penwidth="1.1", fontname=_FONT, fontsize="8.5", fontcolor=_PALE_INK)
    vertex = {vertex.key: vertex for vertex in graph.vertices}
    lines = [
        "digraph {", f"  graph {whole}", f"  node {box}", f"  edge {arrow}", *_nested(graph, None, "  "),
        *(f"  {_edge(edge, vertex[edge.source])}" for edge in graph.edges), "}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
