"""Gated recurrent units: gates r, z, n and one state. See `recurrent` for the plan of a sequence.

K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP
2014. As in PyTorch, the reset gate multiplies what the state brings to the new one, ``n = tanh(a + r q)`` with
``q = h Wᵀ + b``. The planes of a run are n, r, z, q: the first three lead to the input, the last three to the state.
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
    nothing_like,
    recorded,
    to_arguments,
    to_states,
    together,
)

__all__: list[str] = []  # for the layers, not for users


def _run_parts(run: Any, sides: Sides) -> list[Any]:
    """The states, from the initial one on, and the planes."""
    steps, batch, _, size = sides
    return apart(run, ((steps + 1, batch, size), (4, steps, batch, size)))


def _kernel(xp: Any, vector: Array, *, sides: Sides) -> Array:
    x, ih, hh, ib, hb, first = arguments(vector, sides, 3, 1)
    steps, batch, _, size = sides
    run = xp.empty((5 * steps + 1) * batch * size, dtype=vector.dtype)
    h, planes = _run_parts(run, sides)
    h[0] = first
    half = xp.asarray(0.5, dtype=vector.dtype)
    brought_into(xp, planes[1:3], x, ih[:2] * half, (ib + hb)[:2] * half)
    brought_into(xp, planes[:1], x, ih[2:], ib[2:])
    turned = xp.ascontiguousarray(hh.swapaxes(1, 2) * xp.asarray([[[0.5]], [[0.5]], [[1.0]]], dtype=vector.dtype))
    summed, spare = xp.empty_like(planes[1:, 0]), xp.empty_like(first)
    for now, old, new in zip(each_step(planes), h, h[1:], strict=False):
        xp.matmul(old, turned, out=summed)
        gates = now[1:3]
        gates += summed[:2]
        xp.tanh(gates, out=gates)
        gates *= half
        gates += half
        n, r, z, q = now
        xp.add(summed[2], hb[2], out=q)
        xp.multiply(r, q, out=spare)
        n += spare
        xp.tanh(n, out=n)
        xp.subtract(old, n, out=new)
        new *= z
        new += n
    return run


def _bent(planes: Any, by_input: Any, by_state: Any) -> Any:
    """Tangents of the planes, from those of what input and state brought to r, z and the third."""
    n, r, z, q = planes
    r_t, z_t = r * (1 - r) * (by_input[0] + by_state[0]), z * (1 - z) * (by_input[1] + by_state[1])
    return stack([(1 - n * n) * (by_input[2] + r_t * q + r * by_state[2]), r_t, z_t, by_state[2]])


def _unbent(planes: Any, g: Any) -> Any:
    """The transpose of `_bent`: n leads to the input, q to the state, r and z to both."""
    n, r, z, q = planes
    n_g = (1 - n * n) * g[0]
    return stack([n_g, r * (1 - r) * (g[1] + n_g * q), z * (1 - z) * g[2], g[3] + n_g * r])


def _to_arguments(d: Any, x: Any, weight: Any, h: Any, learns: bool) -> list[Any]:
    """The gradients of input, weights and biases; the planes that lead to the input begin with the last gate."""
    n_first = concatenate([weight[2:], weight[:2]])
    x_g, ih_g, hh_g, ib_g, hb_g = to_arguments(d[:3], d[1:], x, n_first, h, learns)
    return [x_g, ih_g[1:], ih_g[:1], hh_g, ib_g[1:], ib_g[:1], hb_g]


def _planes_push(t: Any, planes: Any, vector: Any, h: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    x, ih, *_ = arguments(vector, sides, 3, 1)
    return _bent(planes, *brought_by_tangents(arguments(t, sides, 3, 1), x, ih, h))


def _planes_pull(g: Any, planes: Any, vector: Any, h: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    x, ih, *_ = arguments(vector, sides, 3, 1)
    parts = together(*_to_arguments(_unbent(planes, g), x, ih, h, learns))
    return scatter_add(parts, shape=vector.shape, index=(slice(parts.shape[0]),))


def _planes_push_states(t: Any, planes: Any, vector: Any, _h: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    by_state = brought(t[:-1], arguments(vector, sides, 3, 1)[2])
    return _bent(planes, nothing_like(by_state), by_state)


def _planes_pull_states(g: Any, planes: Any, vector: Any, h: Any, _run: Any, *, sides: Sides, learns: bool) -> Any:
    return to_states(_unbent(planes, g)[1:], arguments(vector, sides, 3, 1)[2], h.shape, ())


gru_planes: General = General(
    "gru_planes",
    [_planes_push, _planes_push_states, None],
    [_planes_pull, _planes_pull_states, None],
    kernel=lambda xp, vector, h, run, *, sides, learns: _run_parts(run, sides)[1],
    doc="n, r, z and q of all steps, as a function of the arguments and of the states; `run` has their values.",
)


def _push(t: Any, h: Any, vector: Any, run: Any, *, sides: Sides, learns: bool) -> Any:
    t, h, vector, run = wide(t), wide(h), wide(vector), wide(run)
    x, ih, hh, *_ = arguments(vector, sides, 3, 1)
    tangents = arguments(t, sides, 3, 1)
    planes = gru_planes(vector, h, run, sides=sides, learns=learns)
    by_input, by_state = brought_by_tangents(tangents, x, ih, h)
    turned, states = hh.swapaxes(1, 2), [tangents[-1]]
    for (n, r, z, q), given_t, kept_t, old in zip(
        each_step(planes), each_step(by_input), each_step(by_state), h, strict=False
    ):
        kept_t = kept_t + states[-1] @ turned
        r_t = r * (1 - r) * (given_t[0] + kept_t[0])
        z_t = z * (1 - z) * (given_t[1] + kept_t[1])
        n_t = (1 - n * n) * (given_t[2] + r_t * q + r * kept_t[2])
        states.append(n_t + z_t * (old - n) + z * (states[-1] - n_t))
    return stack(states)


def _slopes(h: Any, planes: Any) -> Any:
    """Of n and z by the new state, and of r and q by n."""
    n, r, z, q = planes
    return stack([(1 - z) * (1 - n * n), q * r * (1 - r), (h[:-1] - n) * z * (1 - z), r])


def _back(g: Any, h: Any, planes: Any, weight: Any) -> tuple[Any, Any]:
    """The cotangents of the planes of each step before they are bent, and of the initial state, in operations."""
    dh, d = g[-1], []
    slopes = each_step(_slopes(h, planes))
    for (n, r, z, q), keep, more in zip(slopes[::-1], planes[2][::-1], g[-2::-1], strict=True):
        dn = n * dh
        d.append(stack([dn, r * dn, z * dh, q * dn]))
        dh = dh * keep + (d[-1][1:] @ weight).sum(0) + more
    return stack(d[::-1], 1), dh


def _back_in_place(xp: Any, g: Array, h: Array, planes: Array, weight: Array, dh: Array) -> Array:
    """As `_back`, on arrays: the slopes are written where the cotangents will be, and `dh` goes back in time."""
    d = _slopes(h, planes)
    spare, summed = xp.empty_like(dh), xp.empty_like(d[1:, 0])
    for now, keep, more in zip(each_step(d)[::-1], planes[2][::-1], g[-2::-1], strict=True):
        n, r, z, q = now
        n *= dh
        z *= dh
        r *= n
        q *= n
        xp.matmul(now[1:], weight, out=summed)
        summed.sum(axis=0, out=spare)
        dh *= keep
        dh += spare
        dh += more
    return d


def _pull(g: Any, h: Any, vector: Any, run: Any, *, sides: Sides, learns: bool) -> Any:
    g, h, vector, run = wide(g), wide(h), wide(vector), wide(run)
    x, ih, hh, *_ = arguments(vector, sides, 3, 1)
    planes = gru_planes(vector, h, run, sides=sides, learns=learns)
    if recorded(g, h, vector):
        d, dh = _back(g, h, planes, hh)
        return together(*_to_arguments(d, x, ih, h, learns), dh)
    dh = g[-1].copy()

    def gradients(block: slice) -> Any:
        around = slice(block.start, block.stop + 1)
        d = _back_in_place(backend.namespace(g), g[around], h[around], planes[:, block], hh, dh)
        return _to_arguments(d, x[block], ih, h[around], learns)

    return together(*in_blocks(planes, gradients), dh)


gru_run: Constant = Constant("gru_run", kernel=widened(_kernel))
_gru: General = General(
    "gru_sequence",
    [_push, None],
    [_pull, None],
    kernel=lambda xp, vector, run, *, sides, learns: _run_parts(run, sides)[0],
)


def gru_sequence(vector: Any, *, sides: Sides, learns: bool = True) -> Any:
    """The states from the initial one on, (steps + 1, batch, size); parameters as for `lstm_sequence`."""
    return _gru(vector, gru_run(vector, sides=sides), sides=sides, learns=learns)
