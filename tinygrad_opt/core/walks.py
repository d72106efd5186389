"""The two walks over the tape, and the route that they take.

- `pull_back` goes from the outputs down and carries cotangents: reverse mode.
- `push_forward` goes from the inputs up and carries tangents: forward mode.

Both visit the nodes of a `Route` once, in the order of their creation: each rule runs once, after everything that
feeds it is complete, and no walk recurses. A route is collected once and can be walked any number of times.

A walk runs on raw arrays (fast, nothing is recorded), or on Tensors, so that its result can be differentiated again.
Then the caller says which nodes are `live`: what the rules read at these is tied to the tape again, and everything
else is a constant. The walks know no operation: a node's primitive answers for it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from .. import backend, errors
from . import anomaly, ledger
from .modes import current
from .patches import Patches, gathered
from .recompute import Recall
from .tape import Node, downstream, reachable

__all__ = ["Route", "pull_back", "push_forward"]

Array = Any
Step = tuple[Node, list["Node | None"], list[Node]]


class Route:
    """The part of the tape between some inputs and some outputs.

    Parameters
    ----------
    outputs : sequence of Node
    inputs : sequence of Node, optional
        None means every leaf, and every node that retains its gradient.

    Attributes
    ----------
    everything : list of Node
        All that the outputs were computed from, in the order of creation.
    order : list of Node
        Those on the way from the inputs.
    """

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node] | None = None) -> None:
        self.outputs, self.inputs = outputs, inputs
        self.everything = self.order = reachable(outputs)
        self.path: set[Node] | None = None
        if inputs is not None:
            self.path = downstream(self.everything, inputs)
            self.order = [node for node in self.everything if node in self.path]
        self._steps: list[Step] | None = None

    def steps(self) -> list[Step]:
        """For a walk up: each node to compute, the parents that have a tangent, and those needed no more after it."""
        if self._steps is None:
            given, kept, path = set(self.inputs or ()), set(self.outputs), self.path or ()
            nodes = [node for node in self.order if node.parents and node not in given]
            last_use = {parent: node for node in nodes for parent in node.parents}
            ending: dict[Node, list[Node]] = {node: [] for node in nodes}
            for parent, node in last_use.items():
                if parent in path and parent not in kept:
                    ending[node].append(parent)  # type: ignore[arg-type]
            self._steps = [(node, [p if p in path else None for p in node.parents], ending[node]) for node in nodes]
        return self._steps


def _checked(node: Node, recall: Recall, last_write: int) -> tuple[Any, ...]:
    """What the rules of `node` read; an error where it was freed, or overwritten since."""
    if node.saved is None:
        raise errors.freed_graph(node.primitive.name)
    saved = recall(node)
    if node.serial < last_write:
        for position, array in enumerate(saved):
            if backend.is_array(array) and (writer := ledger.writer_since(array, node.serial)):
                raise errors.changed_in_place(_saved_label(node, position), writer, node.primitive.name)
    if hasattr(node, "origin"):
        anomaly.compare(node, saved, lambda position: _saved_label(node, position))
    return saved


def _saved_label(node: Node, position: int) -> str:
    source = node if position == 0 else node.parents[position - 1]
    # Memory that was overwritten from outside belongs to what a view was made of: 'fc1.weight' behind its transpose.
    while source is not None and source.primitive and source.primitive.kind == "linear" and len(source.parents) == 1:
        source = source.parents[0]
    return source.label if source is not None else f"input {position - 1}"


def located(function: Callable[..., Any], position: int) -> Callable[..., Any]:
    """`function` on the device of its argument `position`: rules run beside what they get, where there are several."""

    def run(*args: Any) -> Any:
        value = args[position]
        with backend.beside(getattr(value, "_array", value)):
            return function(*args)

    return run


def recorded(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A primitive's `pull` or `push`, given Tensors, which has to return one: an array would end the record there."""

    def run(node: Node, *rest: Any) -> Any:
        product = rule(node, *rest)
        if not hasattr(product, "_array"):
            raise errors.rule_returned(node.primitive.name, product)
        return product

    return run


def pull_back(
    route: Route, cotangents: Sequence[Any], live: Container[Node] | None = None, *, free: bool = False
) -> dict[Node, Any]:
    """Carry cotangents from the outputs down to the inputs: the transposed Jacobian, applied to a vector.

    Parameters
    ----------
    route
    cotangents
        One for each output: arrays, or Tensors where `live` is given.
    live
        The nodes at which the result can be differentiated again; None for a walk on raw arrays.
    free
        Drop each node's saved arrays once its rules have run.

    Returns
    -------
    dict
        The cotangent of each input that was reached.
    """
    path = route.path
    wanted = None if route.inputs is None else set(route.inputs)
    inspecting = current.get().inspecting
    last_write = ledger.last_write()
    several = backend.has_several_devices()
    recall = Recall()
    pending: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose pending sum is an array of our own, which may be added to in place
    result: dict[Node, Any] = {}

    def add(node: Node, cotangent: Any) -> None:
        """Sum what reaches a node from several consumers."""
        if type(cotangent) is Patches or type(pending[node]) is Patches:
            pending[node] = gathered(pending[node], cotangent)
        elif node in owned:
            pending[node] += cotangent
        else:
            pending[node] = pending[node] + cotangent
            if live is None:
                owned.add(node)

    if several:
        add = located(add, 1)
    for node, cotangent in zip(route.outputs, cotangents, strict=True):
        if inspecting:
            anomaly.inspect_seed(node, cotangent, "gradient")
        if node in pending:
            add(node, cotangent)
        else:
            pending[node] = cotangent
    for node in reversed(route.order):
        cotangent = pending.pop(node, None)
        if cotangent is None:
            continue
        if type(cotangent) is Patches:
            with backend.beside(cotangent._array):
                cotangent = cotangent.whole()
        parents = node.parents
        if wanted is None:
            if not parents or hasattr(node, "grad"):
                result[node] = cotangent
        elif node in wanted:
            result[node] = cotangent
        if inspecting:
            anomaly.inspect_sum(node, cotangent)
        if not parents or (path is not None and path.isdisjoint(parents)):
            continue
        saved = node.saved
        if type(saved) is not tuple or node.serial < last_write or inspecting:
            saved = _checked(node, recall, last_write)
        pull = node.primitive.pull
        if live is not None:
            pull, saved = recorded(pull), node.primitive.revive(node, saved, live)
        if inspecting:
            pull = anomaly.inspected(pull, "reverse")
        if node.primitive.common is not None:
            prepare = node.primitive.prepare
            saved = (located(prepare, 1) if several else prepare)(node, cotangent, saved)
        if several:
            pull = located(pull, 2)
        for position, parent in enumerate(parents):
            if parent is None or (path is not None and parent not in path):
                continue
            product = pull(node, position, cotangent, saved)
            if parent in pending:
                add(parent, product)
            else:
                pending[parent] = product
        if free:
            node.saved = None
    return result


def push_forward(route: Route, tangents: Sequence[Any], live: Container[Node] | None = None) -> dict[Node, Any]:
    """Carry tangents from the inputs up to the outputs: the Jacobian, applied to a vector.

    Parameters are those of `pull_back`, mirrored. Returns the tangent of every output that one of the inputs reaches.
    """
    inspecting = current.get().inspecting
    last_write = ledger.last_write()
    several = backend.has_several_devices()
    recall = Recall()
    result = dict(zip(route.inputs or (), tangents, strict=True))
    if inspecting:
        for node, tangent in result.items():
            anomaly.inspect_seed(node, tangent, "tangent")
    for node, sources, ending in route.steps():
        incoming = [None if source is None else result[source] for source in sources]
        saved = node.saved
        if type(saved) is not tuple or node.serial < last_write or inspecting:
            saved = _checked(node, recall, last_write)
        push = node.primitive.push
        if live is not None:
            push, saved = recorded(push), node.primitive.revive(node, saved, live)
        if inspecting:
            push = anomaly.inspected(push, "forward")
        if several:
            known = next(tangent for tangent in incoming if tangent is not None)
            with backend.beside(getattr(known, "_array", known)):
                result[node] = push(node, incoming, saved)
        else:
            result[node] = push(node, incoming, saved)
        for parent in ending:
            del result[parent]
    return {node: result[node] for node in route.outputs if node in result}
