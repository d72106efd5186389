"""Specifications of recurrent sequences, step by step as in the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.gru import gru_planes, gru_run, gru_sequence
from ...ops.lstm import lstm_gates, lstm_run, lstm_sequence
from ...ops.recurrent import rnn_sequence, together
from ..sources import Domain, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]

VALUES = Domain(-1.5, 1.5, step=0.25)


def _drawn(gates: int, states: int) -> Callable[[Source], Sample]:
    """Input, weights, biases and initial states."""

    def sample(source: Source) -> Sample:
        steps = source.integer(1, 4)
        batch, inputs, size = (source.choose((2, 1, 3, 0)) for _ in range(3))
        rows = gates * size
        shapes = [(steps, batch, inputs), (rows, inputs), (rows, size), (rows,), (rows,)]
        arrays = [source.array(shape, VALUES) for shape in (*shapes, *((batch, size),) * states)]
        return Sample(arrays)

    return sample


def _called(sequence: Callable[..., Any], **always: Any) -> Callable[..., Any]:
    """A sequence as a function of the arrays that it takes as one vector."""

    def run(x: Any, ih: Any, hh: Any, *rest: Any) -> Any:
        return sequence(together(x, ih, hh, *rest), sides=(*x.shape, hh.shape[1]), **always)

    return run


def _inner(inner: Any, sequence: Callable[..., Any], run: Any) -> Callable[..., Any]:
    """The gates of a run, by way of its states."""

    def gates(vector: Any, *, sides: Any) -> Any:
        return inner(vector, sequence(vector, sides=sides), run(vector, sides=sides), sides=sides, learns=True)

    return _called(gates)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _rnn_reference(x: Any, ih: Any, hh: Any, ib: Any, hb: Any, h: Any) -> Any:
    states = [h]
    for now in x:
        states.append(np.tanh(now @ ih.T + ib + states[-1] @ hh.T + hb))
    return np.stack(states)


def _lstm_reference(x: Any, ih: Any, hh: Any, ib: Any, hb: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """States (h, c), and gates."""
    hs, cs, gates = [h], [c], []
    for now in x:
        i, f, g, o = np.split(now @ ih.T + ib + hs[-1] @ hh.T + hb, 4, axis=-1)
        gates.append([_sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)])
        i, f, g, o = gates[-1]
        cs.append(f * cs[-1] + i * g)
        hs.append(o * np.tanh(cs[-1]))
    return np.stack([np.stack(hs), np.stack(cs)]), np.swapaxes(np.stack(gates), 0, 1)


def _gru_reference(x: Any, ih: Any, hh: Any, ib: Any, hb: Any, h: Any) -> tuple[Any, Any]:
    """States, and what the derivative needs: n, r, z and q."""
    states, planes = [h], []
    for now in x:
        a, b = (np.split(part, 3, axis=-1) for part in (now @ ih.T + ib, states[-1] @ hh.T + hb))
        r, z = _sigmoid(a[0] + b[0]), _sigmoid(a[1] + b[1])
        n = np.tanh(a[2] + r * b[2])
        planes.append([n, r, z, b[2]])
        states.append((1 - z) * n + z * states[-1])
    return np.stack(states), np.swapaxes(np.stack(planes), 0, 1)


def _flat(reference: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
    return lambda *args: np.concatenate([part.ravel() for part in reference(*args)])


SPECS = [
    Spec("rnn_sequence", _rnn_reference, _drawn(1, 1), function=_called(rnn_sequence, learns=True, bend="tanh")),
    Spec("lstm_sequence", lambda *args: _lstm_reference(*args)[0], _drawn(4, 2), function=_called(lstm_sequence)),
    Spec("gru_sequence", lambda *args: _gru_reference(*args)[0], _drawn(3, 1), function=_called(gru_sequence)),
    Spec(
        "lstm_gates",
        lambda *args: _lstm_reference(*args)[1],
        _drawn(4, 2),
        function=_inner(lstm_gates, lstm_sequence, lstm_run),
    ),
    Spec(
        "gru_planes",
        lambda *args: _gru_reference(*args)[1],
        _drawn(3, 1),
        function=_inner(gru_planes, gru_sequence, gru_run),
    ),
    Spec("lstm_run", _flat(_lstm_reference), _drawn(4, 2), function=_called(lstm_run)),
    Spec("gru_run", _flat(_gru_reference), _drawn(3, 1), function=_called(gru_run)),
]
