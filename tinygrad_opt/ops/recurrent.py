"""Recurrent layers: all time steps of one direction in a single operation, whose loops run on arrays. Elman's network.

A step adds what the input brings to what the last state brings, and bends the sum into the next state. Gates are an
axis in front: weights are (gates, size, ...), what the input brings is (gates, steps, batch, size), computed for all
steps in one product, and so each gate of a step is one contiguous matrix.

- The loop of a derivative yields the cotangents of all arguments at once, and a rule answers for one argument. So a
  sequence takes its arguments as one vector: the input, the weights, the biases, the initial states.
- A *run* computes everything, gates too, and a *sequence* gives the states of it their derivative. Gates are, for the
  derivative, a function of the vector and of the states, whose values the run has at hand: no product of its first
  derivative is computed twice.
- The rules' loops work in place on arrays. Where the derivative itself is recorded, they are written in operations:
  the same numbers in the same order, with derivatives of every order.
- In the loops is what one step needs from the next, and nothing more. Slopes of all steps are computed together, and so
  are the gradients of the weights, in one product over all steps.

The logistic function of a gate is ``σ(a) = (1 + tanh(a/2)) / 2``, which never overflows.

What the cells have in common is here, with the simplest of them: J. Elman, "Finding structure in time", Cognitive
Science 14 (1990). The others are in `lstm` and `gru`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..core.kinds import General
from ..core.tape import Variable
from .arguments import wide
from .choice import where
from .concatenation import concatenate, stack
from .index import scatter_add
from .precision import widened

__all__: list[str] = []  # for the layers, not for users

Array = Any
Sides = tuple[int, int, int, int]  # steps, batch, inputs, size
Shape = tuple[int, ...]
BLOCK = 1 << 20  # bytes that a block of steps writes: about what stays in the cache
FEWEST = 8  # steps of a block


def together(*parts: Any) -> Any:
    """Arrays as one vector, one behind the other."""
    return concatenate(parts, None)


def apart(vector: Any, shapes: tuple[Shape, ...]) -> list[Any]:
    """The arrays of these shapes that `together` made a vector of."""
    parts, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        parts.append(vector[start:stop].reshape(shape))
        start = stop
    return parts


def arguments(vector: Any, sides: Sides, gates: int, states: int) -> list[Any]:
    """Input, weights of the input and of the state, biases of both, initial states."""
    steps, batch, inputs, size = sides
    weights = (gates, size, inputs), (gates, size, size), (gates, size), (gates, size)
    return apart(vector, ((steps, batch, inputs), *weights, *((batch, size),) * states))


def brought(x: Any, weight: Any, bias: Any = None) -> Any:
    """``x Wᵀ + b`` for each gate: (gates, steps, batch, size)."""
    steps, batch, inputs = x.shape
    y = x.reshape((steps * batch, inputs)) @ weight.swapaxes(1, 2)
    y = y if bias is None else y + bias.reshape((bias.shape[0], 1, bias.shape[1]))
    return y.reshape((weight.shape[0], steps, batch, weight.shape[1]))


def brought_into(xp: Any, out: Array, x: Array, weight: Array, bias: Array) -> None:
    rows = x.shape[0] * x.shape[1]
    flat = out.reshape(out.shape[0], rows, out.shape[-1])
    xp.matmul(x.reshape(rows, x.shape[-1]), weight.swapaxes(1, 2), out=flat)
    flat += bias[:, None]


def brought_by_tangents(tangents: Any, x: Any, weight: Any, h: Any) -> tuple[Any, Any]:
    """What the tangents of the arguments bring to each step: through the input's weight, and through the state's."""
    x_t, ih_t, hh_t, ib_t, hb_t, *_ = tangents
    return brought(x_t, weight) + brought(x, ih_t, ib_t), brought(h[:-1], hh_t, hb_t)


def each_step(planes: Any) -> Any:
    """What there is at each step, of (planes, steps, batch, size)."""
    return planes.swapaxes(0, 1)


def to_arguments(
    into: Any, back: Any, x: Any, weight: Any, h: Any, learns: bool
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """The gradients of input, weights and biases: one product, and one sum, over all steps.

    `into` and `back` are the cotangents of what input and state brought. Where nobody asks for the input's gradient,
    it is zeros.
    """
    (ih_g, ib_g), (hh_g, hb_g) = _over_time(into, x), _over_time(back, h[:-1])
    return _through(into, weight) if learns else nothing_like(x), ih_g, hh_g, ib_g, hb_g


def in_blocks(planes: Array, gradients: Callable[[slice], Sequence[Array]]) -> list[Array]:
    """The gradients of blocks of steps, from the last to the first, as those of the whole.

    What a block writes stays in the cache, and memory for all steps is not needed: gradients of the input, which come
    first, stand side by side, and those of the weights are added up.
    """
    steps, each = planes.shape[1], planes[:, 0].size * planes.dtype.itemsize
    length = max(FEWEST, BLOCK // max(1, each))
    inputs: list[Array] = []
    totals: list[Array] = []
    for stop in range(steps, 0, -length):
        x_g, *parts = gradients(slice(max(0, stop - length), stop))
        inputs.append(x_g)
        for total, part in zip(totals, parts, strict=False):
            total += part
        totals = totals or parts
    return [inputs[0] if len(inputs) == 1 else concatenate(inputs[::-1]), *totals]


def to_states(back: Any, weight: Any, shape: Shape, index: tuple[Any, ...]) -> Any:
    """The gradient of the states that brought something: all but the last, at `index` of the states of a run."""
    return scatter_add(_through(back, weight), shape=shape, index=(*index, slice(None, -1)))


def _over_time(d: Any, x: Any) -> tuple[Any, Any]:
    planes, steps, batch, size = d.shape
    flat = d.reshape((planes, steps * batch, size))
    return flat.swapaxes(1, 2) @ x.reshape((1, steps * batch, x.shape[2])), d.sum(1).sum(1)


def _through(d: Any, weight: Any) -> Any:
    planes, steps, batch, size = d.shape
    return (d.reshape((planes, steps * batch, size)) @ weight).sum(0).reshape((steps, batch, weight.shape[2]))


def nothing_like(x: Any) -> Any:
    """Zeros of that shape, whatever x holds."""
    return where(False, x, 0.0)


def recorded(*values: Any) -> bool:
    return any(isinstance(value, Variable) for value in values)


# Elman's network: one gate, the state itself.


def _kernel(xp: Any, vector: Array, *, sides: Sides, bend: str, learns: bool) -> Array:
    x, ih, hh, ib, hb, first = arguments(vector, sides, 1, 1)
    h = xp.empty((sides[0] + 1, *first.shape), dtype=vector.dtype)
    h[0] = first
    brought_into(xp, h[None, 1:], x, ih, ib + hb)
    turned, spare = xp.ascontiguousarray(hh[0].T), xp.empty_like(first)
    for old, new in itertools.pairwise(h):
        xp.matmul(old, turned, out=spare)
        new += spare
        if bend == "tanh":
            xp.tanh(new, out=new)
        else:
            xp.maximum(new, 0, out=new)
    return h


def _slopes(h: Any, bend: str) -> Any:
    return 1 - h * h if bend == "tanh" else h > 0


def _push(t: Any, h: Any, vector: Any, *, sides: Sides, bend: str, learns: bool) -> Any:
    x, ih, hh, *_ = arguments(vector, sides, 1, 1)
    tangents = arguments(t, sides, 1, 1)
    by_input, by_state = brought_by_tangents(tangents, x, ih, h)
    turned, states = hh[0].swapaxes(0, 1), [tangents[-1]]
    for extra, slope in zip((by_input + by_state)[0], _slopes(h[1:], bend), strict=True):
        states.append(slope * (extra + states[-1] @ turned))
    return stack(states)


def _pull(g: Any, h: Any, vector: Any, *, sides: Sides, bend: str, learns: bool) -> Any:
    g, h, vector = wide(g), wide(h), wide(vector)
    x, ih, hh, *_ = arguments(vector, sides, 1, 1)
    slopes = _slopes(h[1:], bend)
    d, dh = [], g[-1]
    for slope, more in zip(slopes[::-1], g[-2::-1], strict=True):
        d.append(slope * dh)
        dh = d[-1] @ hh[0] + more
    over = stack(d[::-1])[None]
    return together(*to_arguments(over, over, x, ih, h, learns), dh)


rnn_sequence: General = General("rnn_sequence", [_push], [_pull], kernel=widened(_kernel))
