"""The two walks with Tensors at both ends, which share no memory with each other or with the vectors given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

from .. import backend
from ..core.gradients import own
from ..core.modes import enable_grad
from ..core.primitive import wrap
from ..core.tape import Node
from ..core.tensor import Tensor
from ..core.walks import Route

__all__ = ["each_its_own", "nodes_of", "swept", "zeros_like"]

Found = dict[Node, Tensor]
Walk = Callable[..., dict[Node, Any]]


def swept(walk: Walk, route: Route, vectors: Sequence[Tensor], live: Container[Node] | None) -> Found:
    """The results of `pull_back` or `push_forward`; recorded where `live` is given."""
    if live is not None:
        with enable_grad():
            return _apart(walk(route, vectors, live), vectors)
    taken = {id(vector._array) for vector in vectors}
    found = walk(route, [vector._array for vector in vectors])
    return {node: wrap(own(array, taken)) for node, array in found.items()}


def _apart(found: dict[Node, Any], vectors: Sequence[Tensor]) -> Found:
    """Recorded results, each with an array of its own."""
    tensors = {node: g if isinstance(g, Tensor) else wrap(g) for node, g in found.items()}
    holders = Counter(id(g._array) for g in (*vectors, *tensors.values()))
    return {
        node: g if holders[id(g._array)] == 1 and getattr(g._array, "base", None) is None else g.clone()
        for node, g in tensors.items()
    }


def each_its_own(tensors: Iterable[Any]) -> list[Any]:
    """The tensors (or None), a copy in the place of one that came before: what is asked for twice shares no memory."""
    seen: set[int] = set()
    result = []
    with enable_grad():
        for tensor in tensors:
            result.append(tensor.clone() if tensor is not None and id(tensor) in seen else tensor)
            seen.add(id(tensor))
    return result


def nodes_of(tensors: Iterable[Tensor]) -> list[Node]:
    """The nodes of those tensors that have one, each once."""
    return list({x._node: None for x in tensors if x._node is not None})


def zeros_like(x: Tensor) -> Tensor:
    """Zeros for what does not depend on something else."""
    with backend.beside(x._array):
        return wrap(backend.namespace(x._array).zeros(x.shape, dtype=x.dtype))
