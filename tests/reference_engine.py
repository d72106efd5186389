"""A reverse-mode engine so plain that it can be checked by reading it: the chain rule as a sum over paths.

A `Value` is a float64 array and the steps that lead back from it: pairs of an earlier value and a rule. A derivative
is what `paths` returns, one term for every path from the output to the input, and nothing is shared between paths: no
topological order, no accumulation, no freeing, none of what makes a real engine fast and can go wrong in it. The
cost is exponential in the number of diamonds.

The rules are written in the operations of this file, so derivatives of derivatives come by the same sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Rule = Callable[["Value"], "Value"]


class Value:
    """An array, and how it was computed: for each input, the map from the output's cotangent to the input's."""

    def __init__(self, array: Any, steps: Iterable[tuple[Value, Rule]] = ()) -> None:
        self.array = np.array(array, dtype=np.float64)
        self.steps = tuple(steps)
        self.key: object = self

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def overwritten(self, array: Any) -> Value:
        """The same variable, with other numbers in it from now on; what was computed before is left alone."""
        later = Value(array, self.steps)
        later.key = self.key
        return later

    def count_paths(self) -> int:
        """How many paths lead back to a start."""
        return sum(parent.count_paths() for parent, _ in self.steps) or 1

    def ancestors(self) -> set[object]:
        """The keys of everything that this value was computed from, its own included."""
        return {self.key}.union(*(parent.ancestors() for parent, _ in self.steps))


def paths(y: Value, x: Value, g: Value) -> list[Value]:
    """The cotangent of `x`, in one term for every path from `y` (whose cotangent is `g`) back to it."""
    if y.key is x.key:
        return [g]
    return [term for parent, rule in y.steps for term in paths(parent, x, rule(g))]


def total(terms: Sequence[Value], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Σ terms, and Σ |terms|, which bounds the rounding error of any order of summation."""
    arrays = [term.array for term in terms] or [np.zeros(shape)]
    return np.sum(arrays, axis=0), np.sum(np.abs(arrays), axis=0)


# Elementwise arithmetic. Arguments are first repeated to their common shape, so that the rules need not sum.


def _together(a: Value, b: Value) -> tuple[Value, Value]:
    shape = np.broadcast_shapes(a.shape, b.shape)
    return broadcast(a, shape), broadcast(b, shape)


def add(a: Value, b: Value) -> Value:
    a, b = _together(a, b)
    return Value(a.array + b.array, [(a, lambda g: g), (b, lambda g: g)])


def scale(a: Value, number: float) -> Value:
    return Value(a.array * number, [(a, lambda g: scale(g, number))])


def subtract(a: Value, b: Value) -> Value:
    return add(a, scale(b, -1.0))


def multiply(a: Value, b: Value) -> Value:
    a, b = _together(a, b)
    return Value(a.array * b.array, [(a, lambda g: multiply(g, b)), (b, lambda g: multiply(g, a))])


def reciprocal(a: Value) -> Value:
    y = Value(1 / a.array)
    y.steps = ((a, lambda g: scale(multiply(g, multiply(y, y)), -1.0)),)
    return y


def divide(a: Value, b: Value) -> Value:
    return multiply(a, reciprocal(b))


def exp(a: Value) -> Value:
    y = Value(np.exp(a.array))
    y.steps = ((a, lambda g: multiply(g, y)),)
    return y


def log(a: Value) -> Value:
    return Value(np.log(a.array), [(a, lambda g: divide(g, a))])


def tanh(a: Value) -> Value:
    y = Value(np.tanh(a.array))
    y.steps = ((a, lambda g: multiply(g, subtract(Value(1.0), multiply(y, y)))),)
    return y


def maximum(a: Value, b: Value) -> Value:
    """The larger one; where both are equal, each counts one half."""
    a, b = _together(a, b)
    share = Value((a.array > b.array) + 0.5 * (a.array == b.array))
    return add(multiply(share, a), multiply(subtract(Value(1.0), share), b))


# Sums, and moving elements around. Each pair below is a linear map and its transpose.


def broadcast(a: Value, shape: tuple[int, ...]) -> Value:
    if a.shape == shape:
        return a
    return Value(np.broadcast_to(a.array, shape), [(a, lambda g: sum_to(g, a.shape))])


def sum_to(a: Value, shape: tuple[int, ...]) -> Value:
    lead = len(a.shape) - len(shape)
    axes = tuple(i for i, n in enumerate(a.shape) if i < lead or shape[i - lead] != n)
    return Value(a.array.sum(axis=axes).reshape(shape), [(a, lambda g: broadcast(g, a.shape))])


def reshape(a: Value, shape: tuple[int, ...]) -> Value:
    return Value(a.array.reshape(shape), [(a, lambda g: reshape(g, a.shape))])


def transpose(a: Value, axes: Sequence[int]) -> Value:
    back = [int(i) for i in np.argsort(axes)]
    return Value(a.array.transpose(axes), [(a, lambda g: transpose(g, back))])


def pick(a: Value, index: Any) -> Value:
    return Value(a.array[index], [(a, lambda g: place(g, a.shape, index))])


def place(a: Value, shape: tuple[int, ...], index: Any) -> Value:
    """Zeros of `shape`, with `a` added at `index`."""
    array = np.zeros(shape)
    np.add.at(array, index, a.array)
    return Value(array, [(a, lambda g: pick(g, index))])


def sum_over(a: Value, axis: int, keepdims: bool) -> Value:
    kept = tuple(1 if i == axis else n for i, n in enumerate(a.shape))
    y = sum_to(a, kept)
    return y if keepdims else reshape(y, kept[:axis] + kept[axis + 1 :])


def concatenate(a: Value, b: Value) -> Value:
    """One after the other, along the first axis."""
    rows, more = a.shape[0], b.shape[0]
    shape = (rows + more, *a.shape[1:])
    return add(place(a, shape, slice(None, rows)), place(b, shape, slice(rows, None)))


def matmul(a: Value, b: Value) -> Value:
    """The product of two matrices, as a sum over the middle axis of a three-dimensional product."""
    (n, k), (middle, m) = a.shape, b.shape
    if k != middle:
        raise ValueError(f"matrices of shapes {a.shape} and {b.shape} have no product")
    return sum_over(multiply(reshape(a, (n, k, 1)), reshape(b, (1, k, m))), 1, keepdims=False)
