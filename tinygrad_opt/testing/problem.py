"""A function of tensors, seen as what a numeric check can handle: a map from vectors to vectors.

All floating leaves of the inputs, one after the other, are the vector x; all floating outputs, one after the other,
are the vector y. Whatever else the function takes or returns (labels, indices, numbers, names) stays out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, errors, transforms
from ..core.modes import no_grad
from ..core.tensor import Tensor
from ..core.tree import flatten, paths

__all__ = ["Layout", "Problem"]

Array = Any
Sweep = Callable[[Array], Array]


class Layout:
    """Where the elements of several arrays lie in one long vector."""

    def __init__(self, labels: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
        self.labels = list(labels)
        self.shapes = list(shapes)
        self.ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        self.size = int(self.ends[-1])

    def split(self, vector: Array) -> list[Array]:
        """The vector as arrays of their shapes."""
        parts = np.split(vector, self.ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def part(self, index: int) -> int:
        """The number of the array that element `index` of the vector belongs to."""
        return int(np.searchsorted(self.ends, index, side="right"))

    def label(self, index: int) -> str:
        """What to call element `index` of the vector: ``inputs[0][2, 1]``."""
        part = self.part(index)
        shape = self.shapes[part]
        within = index - (self.ends[part] - int(np.prod(shape)))
        place = ", ".join(str(int(i)) for i in np.unravel_index(within, shape))
        return f"{self.labels[part]}[{place}]" if shape else self.labels[part]


class Problem:
    """The vector map behind a call ``fn(*inputs)``, and the package's own derivatives of it."""

    def __init__(self, fn: Callable[..., Any], inputs: Any) -> None:
        self.fn = fn
        self.name = getattr(fn, "__name__", type(fn).__name__)
        args = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
        self._leaves, self._rebuild = flatten(args)
        labels = paths(args, "inputs")
        self._places = [i for i, leaf in enumerate(self._leaves) if _is_floating(leaf)]
        if not self._places:
            raise ValueError(f"gradcheck of {self.name!r}: none of the inputs is a floating tensor; got {inputs!r}")
        for i in self._places:
            if self._leaves[i].dtype != np.float64:
                raise TypeError(_needs_float64(self.name, labels[i], self._leaves[i].dtype))
        self._devices = [backend.device_of(_array(self._leaves[i])) for i in self._places]
        points = [_to_host(self._leaves[i]) for i in self._places]
        self.inputs = Layout([labels[i] for i in self._places], [x.shape for x in points])
        self.x = _join(points)
        self._others = [(labels[i], leaf) for i, leaf in enumerate(self._leaves) if i not in self._places]
        self._snapshots = [_bytes(leaf) for _, leaf in self._others]
        self._used: list[tuple[Array, list[Tensor]]] = []
        outputs = self.call(*self.tensors(self.x))
        for i, y in enumerate(outputs):
            if y.dtype != np.float64:
                raise TypeError(_needs_float64(self.name, f"outputs[{i}]", y.dtype))
        self.outputs = Layout([f"outputs[{i}]" for i in range(len(outputs))], [y.shape for y in outputs])

    def tensors(self, x: Array) -> list[Tensor]:
        """The vector as fresh tensors, each where its original lives."""
        parts = [part.copy() for part in self.inputs.split(x)]
        made = [Tensor(backend.to_device(p, device)) for p, device in zip(parts, self._devices, strict=True)]
        self._used = [*self._used[-7:], (x, made)]
        return made

    def call(self, *tensors: Tensor) -> list[Tensor]:
        """The floating outputs of ``fn`` on these tensors."""
        leaves = list(self._leaves)
        for place, tensor in zip(self._places, tensors, strict=True):
            leaves[place] = tensor
        outputs = [y for y in flatten(self.fn(*self._rebuild(leaves)))[0] if _is_floating(y)]
        if not outputs:
            raise ValueError(f"gradcheck of {self.name!r}: it returns no floating tensor, so it has no derivative")
        return outputs

    def value(self, x: Array) -> Array:
        """The vector map itself."""
        with no_grad():
            return _join(self.call(*self.tensors(x)))

    def gradient_of(self, scalar: Callable[..., Tensor]) -> Sweep:
        """The package's gradient of a scalar function of the tensors, as a vector map."""
        positions = range(len(self._places))
        return lambda x: _join(transforms.grad(scalar, argnums=positions)(*self.tensors(x)))

    def pullback(self) -> Sweep:
        """The package's transposed Jacobian at the point."""
        tensors = self.tensors(self.x)
        outputs, pull = transforms.vjp(self.call, *tensors)

        def sweep(v: Array) -> Array:
            products = list(pull(self._like(v, self.outputs, outputs)))
            return _join([self._checked("reverse", g, x) for g, x in zip(products, tensors, strict=True)])

        return sweep

    def pushforward(self) -> Sweep:
        """The package's Jacobian at the point."""
        tensors = self.tensors(self.x)
        outputs, push = transforms.linearize(self.call, *tensors)

        def sweep(t: Array) -> Array:
            products = push(*self._like(t, self.inputs, tensors))
            return _join([self._checked("forward", g, y) for g, y in zip(products, outputs, strict=True)])

        return sweep

    def hessian_product(self, scalar: Callable[..., Tensor], route: str) -> Sweep:
        """The package's Hessian of a scalar function of the tensors, by one of the routes of `hvp`."""

        def sweep(w: Array) -> Array:
            tensors = self.tensors(self.x)
            tangents = self._like(w, self.inputs, tensors)
            products = transforms.hvp(scalar, tuple(tensors), tuple(tangents), mode=route)
            return _join([self._checked(route, g, x) for g, x in zip(products, tensors, strict=True)])

        return sweep

    def changed(self) -> str | None:
        """The label of an input that one of the last calls overwrote; None where all are as they were."""
        for x, tensors in self._used:
            for label, before, tensor in zip(self.inputs.labels, self.inputs.split(x), tensors, strict=True):
                if _to_host(tensor).tobytes() != before.tobytes():
                    return label
        for (label, leaf), before in zip(self._others, self._snapshots, strict=True):
            if _bytes(leaf) != before:
                return label
        return None

    def _like(self, vector: Array, layout: Layout, tensors: Sequence[Tensor]) -> list[Tensor]:
        return [
            Tensor(backend.to_device(part.astype(t.dtype), t.device))
            for part, t in zip(layout.split(vector), tensors, strict=True)
        ]

    def _checked(self, mode: str, derivative: Tensor, like: Tensor) -> Tensor:
        if derivative.shape != like.shape or derivative.dtype != like.dtype:
            raise errors.GradcheckError(
                f"gradcheck of {self.name!r}, {mode}: a derivative must look like what it belongs to, {like.shape} "
                f"{like.dtype}; it is {derivative.shape} {derivative.dtype}"
            )
        return derivative


def _array(leaf: Any) -> Array:
    return leaf._array if isinstance(leaf, Tensor) else leaf


def _is_floating(leaf: Any) -> bool:
    return (isinstance(leaf, Tensor) or backend.is_array(leaf)) and leaf.dtype.kind == "f"


def _to_host(leaf: Any) -> Array:
    array = _array(leaf)
    return backend.of(array).to_host(array).astype(np.float64, copy=False)


def _join(leaves: Sequence[Any]) -> Array:
    return np.concatenate([_to_host(leaf).reshape(-1) for leaf in leaves])


def _bytes(leaf: Any) -> bytes:
    array = _array(leaf)
    return backend.of(array).to_host(array).tobytes() if backend.is_array(array) else b""


def _needs_float64(name: str, label: str, dtype: Any) -> str:
    return (
        f"gradcheck of {name!r} needs float64 throughout; {label} is {dtype}, in which numeric differences keep three "
        "good digits at best. Write gradcheck(fn, x.astype(tg.float64)); the rules are the same for every dtype."
    )
