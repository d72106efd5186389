"""One run of a function, with its tape: what every transform starts from.

The function runs on *entry points*: a fresh leaf for a plain argument, or, where the argument is itself part of
somebody's graph, an alias whose node hangs below the caller's. What a transform returns is tied to the graph exactly
as far as somebody outside can still ask for a derivative: where it depends on a leaf that is *open*. A user's leaf
always is; the entry point of another transform is while that one's function runs (see `scopes`). Everything else, the
transform's own entry points first of all, is a constant to those outside. That is asked anew at each sweep, so a
pullback that was made inside a differentiated function can be used after it, and one made before can be used inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.modes import current, enable_grad
from ..core.primitive import wrap
from ..core.scopes import Entry, Scope
from ..core.tape import Leaf, Node, downstream, reachable
from ..core.tensor import Tensor, seed_for
from ..core.tree import flatten, leaves_like, paths
from ..core.walks import Route, pull_back, push_forward
from ..ops.shape import alias
from . import sweeps
from .arguments import Fn, check_function, check_tensors

__all__ = ["Recording"]


class Recording:
    """One run of ``fn(*args, **kwargs)``, by whose arguments at `places` derivatives will be taken.

    Attributes
    ----------
    inputs, outputs : list of Tensor
        The entry points, and the leaves of what the function returned.
    aux
        What the function returned beside it, as the caller may have it.
    """

    def __init__(
        self, name: str, fn: Fn, args: Sequence[Any], places: Sequence[int], *, kwargs: dict[str, Any] | None = None,
        has_aux: bool = False,
    ) -> None:  # fmt: skip
        check_function(name, fn)
        self.name = name
        self.arguments = [args[i] for i in places]
        trees = [flatten(argument) for argument in self.arguments]
        self._sizes = [len(leaves) for leaves, _ in trees]
        self._rebuilds = [rebuild for _, rebuild in trees]
        self.inputs: list[Tensor] = []
        with Scope() as scope, enable_grad():
            arguments = list(args)
            for i, (leaves, rebuild) in zip(places, trees, strict=True):
                labels = paths(args[i], f"argument {i}")
                entered = [self._entry(scope, leaf, label) for leaf, label in zip(leaves, labels, strict=True)]
                arguments[i] = rebuild(entered)
                self.inputs += entered
            result = fn(*arguments, **(kwargs or {}))
        self.aux: Any = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise TypeError(f"{name}: with has_aux=True the function must return a pair (output, aux)")
            result, self.aux = result
        self.result = result
        self.outputs, self._rebuild_output = flatten(result)
        check_tensors(name, "what the function returns", self.outputs)
        self._route = Route([y._node for y in self.outputs if y._node is not None], sweeps.nodes_of(self.inputs))
        self._leaves = [node for node in self._route.everything if isinstance(node, Leaf)]
        self._open: list[Leaf] | None = None
        self._live: set[Node] = set()
        self.aux = self._beside(self.aux) if has_aux else None

    def _entry(self, scope: Scope, leaf: Any, label: str) -> Tensor:
        if not isinstance(leaf, Tensor):
            try:
                leaf = Tensor(leaf)
            except (TypeError, ValueError) as error:
                raise errors.in_argument(self.name, label, error) from None
        if leaf.dtype.kind != "f":
            raise TypeError(f"{self.name}: {label}: {errors.only_floating(leaf.dtype)}")
        if leaf._node is not None:
            return alias(leaf)
        return wrap(leaf._array, Entry(scope, leaf.shape, leaf.dtype, leaf.name))

    def grouped(self, leaves: Sequence[Any]) -> list[Any]:
        """A flat list over all inputs, as one structure per argument."""
        result, start = [], 0
        for size, rebuild in zip(self._sizes, self._rebuilds, strict=True):
            result.append(rebuild(leaves[start : start + size]))
            start += size
        return result

    def built(self, leaves: Sequence[Any]) -> Any:
        """A flat list over all outputs, in the structure of what the function returned."""
        return self._rebuild_output(leaves)

    # What is tied to the graph.

    def live(self, vectors: Sequence[Tensor] = ()) -> set[Node] | None:
        """The nodes by which somebody outside may differentiate; None where nobody can, by `vectors` neither."""
        if not current.get().recording:
            return None
        leaves = [leaf for leaf in self._leaves if leaf.is_open]
        if not leaves and all(vector._node is None for vector in vectors):
            return None
        if leaves != self._open:
            self._open, self._live = leaves, downstream(self._route.everything, leaves)
        return self._live

    def output(self) -> Any:
        """What the function returned, as the caller may have it: cut off where nobody outside can differentiate."""
        live = self.live() or ()
        return self.built([y if y._node in live else y.detach() for y in self.outputs])

    def _beside(self, aux: Any) -> Any:
        """What the function returned beside its output, cut off likewise."""
        values, rebuild = flatten(aux)
        order = reachable(x._node for x in values if isinstance(x, Tensor) and x._node is not None)
        leaves = [node for node in order if isinstance(node, Leaf) and node.is_open]
        live = downstream(order, leaves) if current.get().recording else ()
        return rebuild([x.detach() if isinstance(x, Tensor) and x._node not in live else x for x in values])

    # Vectors of the caller, and what the sweeps make of them.

    def tangents(self, given: Sequence[Any]) -> list[Tensor]:
        """One tangent for each input, from the caller's, which are built like the arguments."""
        return self._vectors(given, self.arguments, self.inputs, "tangents")

    def cotangents(self, given: Any) -> list[Tensor]:
        """One cotangent for each output, from the caller's, which are built like the result."""
        return self._vectors(given, self.result, self.outputs, "cotangent")

    def _vectors(self, given: Any, like: Any, tensors: Sequence[Tensor], what: str) -> list[Tensor]:
        what = f"{self.name}: {what}"
        vectors = leaves_like(given, like, what)
        return [seed_for(x, v, label) for x, v, label in zip(tensors, vectors, paths(like, what), strict=True)]

    def pull(self, cotangents: Sequence[Tensor]) -> list[Any]:
        """One cotangent for each input, zeros for what the outputs do not depend on; grouped by argument."""
        vectors = [v for y, v in zip(self.outputs, cotangents, strict=True) if y._node is not None]
        found = sweeps.swept(pull_back, self._route, vectors, self.live(vectors))
        return self.grouped([found[x._node] if x._node in found else sweeps.zeros_like(x) for x in self.inputs])

    def push(self, tangents: Sequence[Tensor]) -> list[Tensor]:
        """One tangent for each output, zeros for what does not depend on the inputs."""
        found = sweeps.swept(push_forward, self._route, tangents, self.live(tangents))
        return sweeps.each_its_own(found[y._node] if y._node in found else sweeps.zeros_like(y) for y in self.outputs)
