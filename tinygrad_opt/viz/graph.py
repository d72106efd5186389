"""The graph of a computation as plain data, ready to be drawn: boxes, edges, clusters, notes.

`graph` reads the tape in four steps, each a loop over a flat list: read what there is (`trace`), fold what repeats
(`repeats`), leave out what is too much, and put the rest into words (`describe`). `dot` writes the result down and
`render` turns it into a picture.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from .. import errors
from ..core.tensor import Tensor
from ..core.tree import flatten, paths
from . import dot, render
from .boxes import Cluster, Edge, Vertex, edges, frames, nearest, omissions, vertices
from .names import Names
from .repeats import fold
from .trace import read

__all__ = ["Graph", "graph"]

_CHOICES = {"show": ("forward", "backward", "both"), "direction": ("LR", "TB", "RL", "BT")}


@dataclass(frozen=True, repr=False)
class Graph:
    """A computation, ready to be drawn; what `graph` returns.

    Attributes
    ----------
    vertices, edges, clusters : tuples of `Vertex`, `Edge`, `Cluster`
        Vertices in the order of computation.
    notes : tuple of str
        What the picture says in words below.
    direction : str
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    notes: tuple[str, ...] = ()
    direction: str = "LR"

    def to_dot(self) -> str:
        """The picture as text in the DOT language, for any Graphviz program."""
        return dot.to_dot(self)

    def render(self, path: Any) -> None:
        """Draw into a file; the suffix decides the format: ``.svg``, ``.png``, ``.pdf``, or ``.dot`` for the text.

        The file appears complete or not at all. Graphviz itself writes every format, graphviz-pure all but PDF.

        Raises
        ------
        ValueError
            For another suffix.
        RendererError
            Where no program is found that draws, or the one found cannot write the format.
        """
        render.to_file(self.to_dot(), path)

    def svg(self) -> str:
        """The picture as SVG text."""
        return render.picture(self.to_dot(), "svg").decode()

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except errors.RendererError:
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The picture for a notebook; without a renderer, the hint how to get one, and the text."""
        try:
            return {"image/svg+xml": self.svg()}
        except errors.RendererError as error:
            return {"text/plain": f"{error}\n\n{self.to_dot()}"}

    def __repr__(self) -> str:
        counts = Counter(vertex.kind for vertex in self.vertices)
        return f"Graph({', '.join(f'{kind}: {count}' for kind, count in counts.items())})"


def graph(
    output: Any, *, params: Any = None, inputs: Any = None, depth: int | None = None, show: str = "forward",
    values: bool = False, direction: str = "LR", collapse: bool = True, limit: int = 200,
) -> Graph:  # fmt: skip
    """Draw how something was computed: a loss, or the gradient of a loss.

    Parameters
    ----------
    output : tensor, or nested lists, tuples and dicts of tensors
        What was computed; for instance the result of ``tg.gradients(loss, params, create_graph=True)``.
    params : module, dict of tensors, or list of tensors, optional
        The parameters, for their names.
    inputs : dict of tensors, optional
        The data, for its names. Data that no derivative rule reads cannot be told apart on the tape, nor can any
        once `backward` has freed what was saved: it is drawn as "data" (a single one finds its name all the same).
    depth : int, optional
        Frame the modules whose names have so many parts: with 2, ``layers.0`` is framed, together with the
        operations that use its parameters.
    show : {"forward", "backward", "both"}
        The computation; the way back of the gradients, with those that leaves (and results after ``retain_grad()``)
        hold; or both.
    values : bool
        Write values into the boxes, as far as they are known: small ones in full, others by mean, standard deviation
        and range. The value of a result is known where a derivative rule keeps it.
    direction : {"LR", "TB", "RL", "BT"}
        Where the computation goes: from left to right, from top to bottom, ...
    collapse : bool
        Draw a block that repeats at least four times only once, marked with "x 12".
    limit : int
        At most so many boxes, those nearest to the output; a note tells what was left out.

    Returns
    -------
    Graph
        It shows itself in a notebook; ``.render("loss.svg")`` writes a file, ``.to_dot()`` returns the text.

    Raises
    ------
    GraphError
        Where nothing was recorded.

    Examples
    --------
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = (w * w).sum()
    >>> picture = tg.viz.graph(loss, params={"w": w})
    >>> picture
    Graph(parameter: 1, elementwise: 1, linear: 1, output: 1)
    >>> picture.vertices[0]
    Vertex(key='w 0', kind='parameter', title='w', lines=('(2,)',), cluster=None)
    """
    _check_choice("show", show)
    _check_choice("direction", direction)
    _check_count("depth", depth if depth is not None else 1)
    _check_count("limit", limit)
    outputs = _outputs(output)
    if all(tensor._node is None for _, tensor in outputs):
        raise errors.no_graph("the output")
    items = read(outputs, Names(params, inputs))
    items, counts = fold(items) if collapse else (items, [])
    backward_only = show == "backward"
    kept = nearest(items, limit, backward_only)
    modules = {name: type(part).__name__ for name, part in getattr(params, "named_modules", tuple)()}
    home, clusters = frames(items, kept, counts, depth, modules)
    boxes = vertices(items, kept, home, gradients=show != "forward", values=values)
    dots, arrows = edges(items, kept, show, backward_only)
    notes = omissions(items, kept, backward_only)
    return Graph(tuple(dots + boxes), tuple(arrows), tuple(clusters), tuple(notes), direction)


def _outputs(output: Any) -> list[tuple[str, Tensor]]:
    """Titles and tensors of what is to be drawn."""
    tensors = flatten(output)[0]
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"graph: expected a tensor, or lists, tuples and dicts of tensors; got {type(tensor).__name__}. "
                "Pass what was computed, such as the loss: tg.viz.graph(loss, params=model)."
            )
    titles = list(output) if isinstance(output, dict) else [f"output{path}" for path in paths(output)]
    if len(titles) != len(tensors):
        titles = paths(output)
    return [(tensor.name or str(title), tensor) for title, tensor in zip(titles, tensors, strict=True)]


def _check_choice(argument: str, value: Any) -> None:
    if value not in _CHOICES[argument]:
        choices = ", ".join(repr(choice) for choice in _CHOICES[argument])
        raise ValueError(f"graph: {argument} is one of {choices}; got {value!r}")


def _check_count(argument: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"graph: {argument} is a whole number of at least 1; got {value!r}")
