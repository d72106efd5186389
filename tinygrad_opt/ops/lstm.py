"""Long short-term memory: gates i, f, g, o and states h, c. See `recurrent` for the plan of a sequence.

S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); the forget gate is of F. Gers,
J. Schmidhuber, F. Cummins, "Learning to forget", Neural Computation 12 (2000).
"""

from __future__ import annotations

from typing import Any

from .. import backend
from ..core.kinds import Constant, General
from .arguments import wide
from .concatenation import concatenate, stack
from .index import scatter_add
from .precision import widened
from .recurrent import (
    Array,
    Sides,
    apart,
    arguments,
    brought,
    brought_by_tangents,
    brought_into,
    each_step,
    in_blocks,
    recorded,
    to_arguments,
    to_states,
    together,
)
from .trigonometric import tanh

__all__: list[str] = []  # for the layers, not for users


def _run_parts(run: Any, sides: Sides) -> list[Any]:
    """The states (h, c), from the initial ones on, and the gates."""
    steps, batch, _, size = sides
    return apart(run, ((2, steps + 1, batch, size), (4, steps, batch, size)))


def _kernel(xp: Any, vector: Array, *, sides: Sides) -> Array:
    x, ih, hh, ib, hb, *first = arguments(vector, sides, 4, 2)
    steps, batch, _, size = sides
    run = xp.empty((6 * steps + 2) * batch * size, dtype=vector.dtype)
    (h, c), gates = _run_parts(run, sides)
    h[0], c[0] = first
    half = xp.asarray(0.5, dtype=vector.dtype)
    halves = xp.asarray([0.5, 0.5, 1.0, 0.5], dtype=vector.dtype).reshape(4, 1, 1)
    brought_into(xp, gates, x, ih * halves, (ib + hb) * halves[:, 0])
    turned = xp.ascontiguousarray(hh.swapaxes(1, 2) * halves)
    summed, spare = xp.empty_like(gates[:, 0]), xp.empty_like(c[0])
    for now, h_old, h_new, c_old, c_new in zip(each_step(gates), h, h[1:], c, c[1:], strict=False):
        xp.matmul(h_old, turned, out=summed)
        summed += now
        xp.tanh(summed, out=now)
        for gate in (now[:2], now[3]):
            gate *= half
            gate += half
        i, f, g, o = now
        xp.multiply(f, c_old, out=c_new)
        xp.multiply(i, g, out=spare)
        c_new += spare
        xp.tanh(c_new, out=spare)
        xp.multiply(o, spare, out=h_new)
    return run


def _slopes(gates: Any) -> Any:
    i, f, g, o = gates
    return stack([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)])


def _gates_push(t: Any, gates: Any, vector: Any, y: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    x, ih, *_ = arguments(vector, sides, 4, 2)
    by_input, by_state = brought_by_tangents(arguments(t, sides, 4, 2), x, ih, y[0])
    return _slopes(gates) * (by_input + by_state)


def _gates_pull(g: Any, gates: Any, vector: Any, y: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    x, ih, *_ = arguments(vector, sides, 4, 2)
    d = _slopes(gates) * g
    parts = together(*to_arguments(d, d, x, ih, y[0], learns))
    return scatter_add(parts, shape=vector.shape, index=(slice(parts.shape[0]),))


def _gates_push_states(t: Any, gates: Any, vector: Any, _y: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    return _slopes(gates) * brought(t[0][:-1], arguments(vector, sides, 4, 2)[2])


def _gates_pull_states(g: Any, gates: Any, vector: Any, y: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    return to_states(_slopes(gates) * g, arguments(vector, sides, 4, 2)[2], y.shape, (0,))


lstm_gates: General = General(
    "lstm_gates",
    [_gates_push, _gates_push_states, None],
    [_gates_pull, _gates_pull_states, None],
    kernel=lambda xp, vector, y, run, *, sides, learns: _run_parts(run, sides)[1],
    doc="The gates of all steps, as a function of the arguments and of the states; `run` has their values.",
)


def _push(t: Any, y: Any, vector: Any, run: Any, *, sides: Sides, learns: bool) -> Any:
    t, y, vector, run = wide(t), wide(y), wide(vector), wide(run)
    x, ih, hh, *_ = arguments(vector, sides, 4, 2)
    tangents = arguments(t, sides, 4, 2)
    h, c = y
    gates = lstm_gates(vector, y, run, sides=sides, learns=learns)
    by_input, by_state = brought_by_tangents(tangents, x, ih, h)
    turned, (h_t, c_t) = hh.swapaxes(1, 2), tangents[-2:]
    states = [(h_t, c_t)]
    loop = zip(
        each_step(gates), each_step(by_input + by_state), each_step(_slopes(gates)), c, tanh(c[1:]), strict=False
    )  # fmt: skip
    for (i, f, g, o), extra, slope, before, bent in loop:
        i_t, f_t, g_t, o_t = slope * (extra + h_t @ turned)
        c_t = f * c_t + f_t * before + i_t * g + i * g_t
        h_t = o_t * bent + o * (1 - bent * bent) * c_t
        states.append((h_t, c_t))
    return stack([stack(part) for part in zip(*states, strict=True)])


def _back(g: Any, y: Any, gates: Any, weight: Any) -> tuple[Any, Any, Any]:
    """The cotangents of what was brought to each step, and of the initial states, in operations."""
    (h_g, c_g), (_, c) = g, y
    i, f, n, o = gates
    slopes, bent = _slopes(gates), tanh(c[1:])
    by_cell = slopes[:3] * stack([n, c[:-1], i])
    by_output, into_cell = slopes[3] * bent, o * (1 - bent * bent)
    dh, dc, d = h_g[-1], c_g[-1], []
    loop = zip(
        each_step(by_cell)[::-1], by_output[::-1], into_cell[::-1], f[::-1], h_g[-2::-1], c_g[-2::-1], strict=True
    )  # fmt: skip
    for to_cell, to_output, into, forget, h_more, c_more in loop:
        dc = dc + dh * into
        d.append(concatenate([to_cell * dc, (to_output * dh)[None]]))
        dh = (d[-1] @ weight).sum(0) + h_more
        dc = dc * forget + c_more
    return stack(d[::-1], 1), dh, dc


def _back_in_place(
    xp: Any, g: Array, y: Array, gates: Array, weight: Array, dh: Array, dc: Array
) -> Array:  # fmt: skip
    """As `_back`, on arrays: the slopes are written where the cotangents will be, and `dh`, `dc` go back in time."""
    (h_g, c_g), (_, c) = g, y
    i, f, n, o = gates
    d = xp.subtract(1, gates)
    d *= gates
    xp.multiply(n, n, out=d[2])
    xp.subtract(1, d[2], out=d[2])
    into_cell = xp.tanh(c[1:])
    for slope, factor in zip(d, (n, c[:-1], i, into_cell), strict=True):
        slope *= factor
    into_cell *= into_cell
    xp.subtract(1, into_cell, out=into_cell)
    into_cell *= o
    spare, summed = xp.empty_like(dh), xp.empty_like(d[:, 0])
    loop = zip(each_step(d)[::-1], into_cell[::-1], f[::-1], h_g[-2::-1], c_g[-2::-1], strict=True)
    for now, into, forget, h_more, c_more in loop:
        xp.multiply(dh, into, out=spare)
        dc += spare
        now[:3] *= dc
        now[3] *= dh
        xp.matmul(now, weight, out=summed)
        summed.sum(axis=0, out=dh)
        dh += h_more
        dc *= forget
        dc += c_more
    return d


def _pull(g: Any, y: Any, vector: Any, run: Any, *, sides: Sides, learns: bool) -> Any:
    g, y, vector, run = wide(g), wide(y), wide(vector), wide(run)
    x, ih, hh, *_ = arguments(vector, sides, 4, 2)
    gates = lstm_gates(vector, y, run, sides=sides, learns=learns)
    if recorded(g, y, vector):
        d, dh, dc = _back(g, y, gates, hh)
        return together(*to_arguments(d, d, x, ih, y[0], learns), dh, dc)
    dh, dc = g[:, -1].copy()

    def gradients(block: slice) -> Any:
        around = slice(block.start, block.stop + 1)
        d = _back_in_place(backend.namespace(g), g[:, around], y[:, around], gates[:, block], hh, dh, dc)
        return to_arguments(d, d, x[block], ih, y[0, around], learns)

    return together(*in_blocks(gates, gradients), dh, dc)


lstm_run: Constant = Constant("lstm_run", kernel=widened(_kernel))
_lstm: General = General(
    "lstm_sequence",
    [_push, None],
    [_pull, None],
    kernel=lambda xp, vector, run, *, sides, learns: _run_parts(run, sides)[0],
)


def lstm_sequence(vector: Any, *, sides: Sides, learns: bool = True) -> Any:
    """The states h and c from the initial ones on, (2, steps + 1, batch, size).

    Parameters
    ----------
    vector
        The arguments `together`: input, weights of input and state, biases of both, initial h and c.
    sides : (steps, batch, inputs, size)
    learns : bool
        Whether the gradient of the input is wanted.
    """
    return _lstm(vector, lstm_run(vector, sides=sides), sides=sides, learns=learns)
