"""Draw every picture of docs/ and write its generated tables: ``python tools/draw_docs.py``.

The pictures come from computations with the package itself, so they show what the code on the pages does. The tables
come from the registry of primitives, the table of conventions and the table of functions. Needs the `viz` extra.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # the package beside this tool, installed or not

import tinygrad_opt as tg  # noqa: E402
from tinygrad_opt.core.primitive import Primitive, ours  # noqa: E402
from tinygrad_opt.core.tape import Node, reachable  # noqa: E402
from tinygrad_opt.testing import conventions  # noqa: E402

DOCS = ROOT / "docs"
INK, PALE, RED, BLUE = "#1b2733", "#5a6775", "#c0392b", "#2f80c2"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: smaller files, and the words can be searched for
    "svg.hashsalt": "tinygrad_opt",  # the same names inside the file at each run
    "font.size": 10,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "xtick.color": PALE,
    "ytick.color": PALE,
}


# Graphs of computations.


def leaf(name: str, value: Any) -> tg.Tensor:
    """A tensor that requires gradients and has a name."""
    tensor = tg.tensor(value, requires_grad=True)
    tensor.name = name
    return tensor


def named(name: str, result: tg.Tensor) -> tg.Tensor:
    """A result with a name."""
    result.name = name
    return result


def plain(graph: tg.viz.Graph) -> tg.viz.Graph:
    """A graph of numbers, without the lines that say nothing about numbers."""
    noise = {"scalar", "value not kept"}
    vertices = [replace(v, lines=tuple(line for line in v.lines if line not in noise)) for v in graph.vertices]
    return replace(graph, vertices=tuple(vertices))


def tape() -> tg.viz.Graph:
    """The first tape of the page on the tape."""
    x = leaf("x", [1.0, 2.0])
    return tg.viz.graph(named("loss", (tg.exp(x) * x).sum()), values=True)


def doubling() -> tg.viz.Graph:
    """A value used twice, twice over."""
    a = leaf("a", 1.0)
    b = named("b", a + a)
    return plain(tg.viz.graph(named("c", b + b)))


def diamond() -> tg.viz.Graph:
    """Two paths that part and meet again."""
    x = leaf("x", 3.0)
    h = named("h", x * x)
    return plain(tg.viz.graph(named("y", h + 10 * h)))


def example_function() -> tuple[tg.Tensor, list[tg.Tensor]]:
    """The function of the page on the two walks, at its point."""
    x, w = leaf("x", 2.0), leaf("w", 3.0)
    a = named("a", x * w)
    b = named("b", a + x)
    return named("y", a * b), [x, w]


def example() -> tg.viz.Graph:
    """Its graph."""
    y, _ = example_function()
    return plain(tg.viz.graph(y, values=True))


def gradient() -> tg.viz.Graph:
    """The graph of its gradient by x."""
    y, (x, _) = example_function()
    (by_x,) = tg.gradients(y, [x], create_graph=True)
    return plain(tg.viz.graph(named("dy/dx", by_x), values=True))


# Figures.


def jacobian(function: Callable[[Any], Any], x: tg.Tensor) -> np.ndarray:
    """The matrix of all derivatives, one column for each direction."""
    _, pushforward = tg.linearize(lambda flat: function(flat.reshape(x.shape)).ravel(), x.ravel())
    return np.stack([pushforward(e).numpy() for e in tg.eye(x.size, dtype=x.dtype)], axis=1)


def jacobians() -> Figure:
    """The pattern of the Jacobian of one function of each kind."""
    x, B = tg.tensor([[0.2, -0.4, 0.9], [0.5, 1.2, -0.1]]), tg.tensor([[1.0, -0.5], [0.3, 0.8], [-0.9, 0.4]])
    examples: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "Elementwise": ("exp(x)", tg.exp),
        "Linear": ("x[[0, 0, 2, 5]]", lambda x: x.ravel()[[0, 0, 2, 5]]),
        "Multilinear": ("A @ B, by A", lambda A: A @ B),
        "General": ("softmax(x)", lambda x: tg.softmax(x.ravel())),
        "Constant": ("sign(x)", tg.sign),
    }
    colours = LinearSegmentedColormap.from_list("signed", [BLUE, "white", RED])
    figure = Figure(figsize=(9.2, 2.7))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.1, top=0.78, wspace=0.08)
    for axes, (kind, (formula, function)) in zip(figure.subplots(1, len(examples)), examples.items(), strict=True):
        matrix = jacobian(function, x)
        top = np.abs(matrix).max() or 1.0
        axes.pcolormesh(matrix, cmap=colours, vmin=-top, vmax=top, edgecolors="#d5dbe1", linewidth=0.6)
        axes.set(xlim=(0, 6), ylim=(6, 0), aspect="equal", anchor="N", xticks=[], yticks=[])
        axes.set_title(kind, fontsize=11, fontweight="bold", pad=20)
        axes.text(3, -0.2, formula, ha="center", va="bottom", family="monospace", fontsize=9, color=PALE)
        axes.spines[:].set_visible(False)
    figure.supxlabel(
        "one row for each output, one column for each input; red is positive, blue negative, white 0",
        fontsize=9, color=PALE,
    )  # fmt: skip
    return figure


def visits(node: Node) -> int:
    """How many nodes a recursive walk enters: it really walks."""
    return 1 + sum(visits(parent) for parent in node.parents if parent is not None)


def rule_calls() -> Figure:
    """What `y = y + y` costs, many times over, with recursion and with one sorted pass."""
    y = tg.tensor(1.0, requires_grad=True)
    recursive, sweeping = [], []
    for doublings in range(1, 61):
        y = y + y
        node: Any = y._node
        sweeping.append(len(reachable([node])))
        if doublings <= 16:
            recursive.append(visits(node))
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    n = np.arange(1, 61)
    axes.semilogy(n, 2.0 ** (n + 1) - 1, color=RED, linewidth=1, linestyle=":")
    axes.semilogy(n[: len(recursive)], recursive, "o", color=RED, markersize=3.5)
    axes.semilogy(n, sweeping, color=BLUE, linewidth=2)
    axes.text(23, 2e5, "recursive: 2ⁿ⁺¹ − 1 (dots: counted)", color=RED)
    axes.text(60, 400, "one pass in serial order: n + 1", color=BLUE, ha="right")
    axes.set(xlabel="doublings y = y + y", ylabel="values visited", xlim=(0, 61), ylim=(1, 1e19))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def table(axes: Axes, values: np.ndarray, left: float, top: float, colour: str) -> None:
    """A grid of numbers, its upper left corner at a point."""
    for (row, column), value in np.ndenumerate(values):
        axes.add_patch(mpl.patches.Rectangle((left + column, top - row - 1), 1, 1, facecolor=colour, edgecolor=PALE))
        axes.text(left + column + 0.5, top - row - 0.5, f"{value:g}", ha="center", va="center")


def broadcasting() -> Figure:
    """A row is repeated on the way up; on the way down the rows of cotangents are summed."""
    b = tg.tensor([10.0, 20.0])
    repeated, pullback = tg.vjp(lambda b: tg.broadcast_to(b, (3, 2)), b)
    g = tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    (summed,) = pullback(g)
    figure = Figure(figsize=(7.2, 2.1), layout="constrained")
    axes = figure.subplots()
    for left, small, large, colour, word, arrow in (
        (0, b, repeated, "#d3e9fb", "repeat", "->"),
        (8, summed, g, "#fbd9d3", "sum", "<-"),
    ):
        table(axes, small.numpy()[None], left, 2, colour)
        table(axes, large.numpy(), left + 4, 3, colour)
        axes.annotate("", (left + 3.8, 1.5), (left + 2.2, 1.5), arrowprops={"arrowstyle": arrow, "color": INK})
        axes.text(left + 3, 1.65, word, ha="center", fontsize=9, color=PALE)
    for left, text in ((1, "b"), (5, "b as x sees it"), (9, "cotangent of b"), (13, "cotangent g")):
        axes.text(left, 3.2, text, ha="center", fontsize=10, fontweight="bold")
    axes.set(xlim=(-0.2, 14.2), ylim=(-0.1, 3.6), aspect="equal")
    axes.axis("off")
    return figure


PICTURES: dict[str, Callable[[], Any]] = {
    "tape": tape,
    "doubling": doubling,
    "diamond": diamond,
    "example": example,
    "gradient": gradient,
    "jacobians": jacobians,
    "rule-calls": rule_calls,
    "broadcasting": broadcasting,
}


def draw(name: str, folder: Path) -> None:
    """Draw one picture."""
    path = folder / f"{name}.svg"
    with mpl.rc_context(STYLE):
        picture = PICTURES[name]()
        if isinstance(picture, Figure):
            picture.savefig(path, metadata={"Date": None})
        else:
            picture.render(path)


# Tables.

KEPT = {(): "nothing", (True,): "output", (False,): "inputs", (False, True): "inputs, output"}


def kept(primitive: Primitive) -> str:
    """What a primitive keeps for its derivative where every argument requires one."""
    reads = [{0, 1} if positions is None else positions for positions in primitive._reads]
    return KEPT[tuple(sorted({position == 0 for positions in reads for position in positions}))]


def primitives() -> str:
    """All primitives, by kind and by what they keep."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, primitive in sorted(ours().items()):
        groups[primitive.kind, kept(primitive)].append(f"`{name}`")
    rows = ["| kind | keeps | primitives |", "|---|---|---|"]
    for kind in ("elementwise", "linear", "multilinear", "general", "constant"):
        for what in KEPT.values():
            if names := groups.get((kind, what)):
                rows.append(f"| {kind} | {what} | {' '.join(names)} |")
    return "\n".join(rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "primitives": ("kinds.md", primitives),
    "conventions": ("conventions.md", conventions.markdown),
    "functions": ("functions.md", lambda: tg.functions().markdown()),
}


def rewritten(page: str, marker: str, content: str) -> str:
    """The text of a page, with what stands between two markers replaced."""
    begin, end = f"<!-- begin {marker}: written by tools/draw_docs.py -->\n", f"<!-- end {marker} -->\n"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"draw_docs: expected the lines {begin.strip()!r} and {end.strip()!r} in the page")
    return f"{before}{begin}{content}\n{end}{after}"


def main() -> None:
    """Draw and write everything."""
    for name in PICTURES:
        draw(name, DOCS / "pictures")
        print(f"docs/pictures/{name}.svg")
    for marker, (page, content) in TABLES.items():
        path = DOCS / page
        path.write_text(rewritten(path.read_text("utf-8"), marker, content()), "utf-8")
        print(f"docs/{page}: {marker}")


if __name__ == "__main__":
    main()
