"""Recurrent layers: one direction of one layer over a whole sequence, and single steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import backend, errors
from ...core.primitive import operand
from ...core.tape import Variable
from ...ops.gru import gru_sequence
from ...ops.lstm import lstm_sequence
from ...ops.recurrent import Sides, rnn_sequence, together
from ...ops.shape import copy

__all__ = ["gru", "gru_cell", "lstm", "lstm_cell", "rnn", "rnn_cell"]

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
NONLINEARITIES = ("tanh", "relu")


def rnn(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, nonlinearity: str = "tanh",
    reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Elman's recurrent network: ``hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh)``.

    Parameters
    ----------
    x : tensor, shape (steps, batch, inputs)
    h : tensor, shape (batch, size), or None
        The initial state; None is zero.
    w_ih, w_hh : tensor, shapes (size, inputs) and (size, size)
    b_ih, b_hh : tensor, shape (size,), optional
    nonlinearity : {"tanh", "relu"}
    reverse : bool
        Begin with the last step. The states stand beside the steps that they have come to.

    Returns
    -------
    output : tensor, shape (steps, batch, size)
        The states of all steps.
    h : tensor, shape (batch, size)
        The state that was reached last.

    Raises
    ------
    ShapeError
        Where the shapes do not fit, and for no steps.

    Examples
    --------
    >>> y, h = tg.nn.functional.rnn(tg.ones(3, 1, 1), None, tg.ones(1, 1), tg.ones(1, 1), nonlinearity="relu")
    >>> y.ravel().tolist(), h.item()
    ([1.0, 2.0, 3.0], 3.0)
    """
    states = None if h is None else (h,)
    output, (h,) = sequence("rnn", "rnn", x, states, (w_ih, w_hh, b_ih, b_hh), reverse, nonlinearity)
    return output, h


def lstm(
    x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, reverse: bool = False
) -> tuple[Any, tuple[Any, Any]]:
    """Long short-term memory: ``c = σ(f) c + σ(i) tanh(g)``, ``h = σ(o) tanh(c)``.

    Parameters are those of `rnn`; the weights have (4 size) rows, for the gates ``i, f, g, o``, and `hx` is a pair of
    states (h, c), or None. Returns the output, and the last pair.

    Examples
    --------
    >>> y, (h, c) = tg.nn.functional.lstm(tg.ones(5, 2, 3), None, tg.zeros(16, 3), tg.zeros(16, 4))
    >>> y.shape, h.shape, c.shape
    ((5, 2, 4), (2, 4), (2, 4))
    """
    output, (h, c) = sequence("lstm", "lstm", x, pair("lstm", hx), (w_ih, w_hh, b_ih, b_hh), reverse)
    return output, (h, c)


def gru(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, reverse: bool = False
) -> tuple[Any, Any]:
    """Gated recurrent units: ``h = (1 - z) n + z h``, with ``n = tanh(W xₜ + b + r (U hₜ₋₁ + b'))`` and gates r, z.

    Parameters and results are those of `rnn`; the weights have (3 size) rows, in the order ``r, z, n``.

    Examples
    --------
    >>> y, h = tg.nn.functional.gru(tg.ones(5, 2, 3), tg.ones(2, 4), tg.zeros(12, 3), tg.zeros(12, 4))
    >>> h[0].tolist()
    [0.03125, 0.03125, 0.03125, 0.03125]
    """
    states = None if h is None else (h,)
    output, (h,) = sequence("gru", "gru", x, states, (w_ih, w_hh, b_ih, b_hh), reverse)
    return output, h


def rnn_cell(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, nonlinearity: str = "tanh"
) -> Any:
    """One step of `rnn`: the next state, from x (batch, inputs) and h (batch, size).

    Examples
    --------
    >>> tg.nn.functional.rnn_cell(tg.ones(1, 1), None, tg.ones(1, 1), tg.ones(1, 1), nonlinearity="relu")
    tensor([[1.]])
    """
    states = None if h is None else (h,)
    return step("rnn_cell", "rnn", x, states, (w_ih, w_hh, b_ih, b_hh), nonlinearity)[0]


def lstm_cell(x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> tuple[Any, Any]:
    """One step of `lstm`: the next (h, c), from x (batch, inputs) and the pair hx of shapes (batch, size).

    Examples
    --------
    >>> h, c = tg.nn.functional.lstm_cell(tg.ones(1, 1), (tg.ones(1, 1), tg.ones(1, 1)), tg.zeros(4, 1), tg.zeros(4, 1))
    >>> c
    tensor([[0.5]])
    """
    h, c = step("lstm_cell", "lstm", x, pair("lstm_cell", hx), (w_ih, w_hh, b_ih, b_hh))
    return h, c


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of `gru`: the next state, from x (batch, inputs) and h (batch, size).

    Examples
    --------
    >>> tg.nn.functional.gru_cell(tg.ones(1, 1), tg.ones(1, 1), tg.zeros(3, 1), tg.zeros(3, 1))
    tensor([[0.5]])
    """
    return step("gru_cell", "gru", x, None if h is None else (h,), (w_ih, w_hh, b_ih, b_hh))[0]


# What layers and functions have in common; `function` is what messages call it.


def pair(function: str, hx: Any) -> tuple[Any, Any] | None:
    """Two states, or None."""
    if hx is None:
        return None
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise TypeError(f"{function}: hx must be a pair of states (h, c), or None for zeros; got a {type(hx).__name__}")
    return hx[0], hx[1]


def floating(function: str, argument: str, x: Any, beside: Any = None) -> Any:
    """A tensor of floating numbers, or a refusal."""
    if hasattr(x, "batch_sizes"):
        raise TypeError(
            f"{function}: packed sequences are not built. Pass the padded tensor, (steps, batch, inputs), and mask "
            "what comes behind the end of a sequence."
        )
    x = operand(function, x, beside, argument)
    if x.dtype.kind != "f":
        raise TypeError(f"{function}: {argument} must be floating; got {x.dtype}. Write {argument}.astype(tg.float32).")
    return x


def _checked_weights(function: str, kind: str, x: Any, weights: Sequence[Any]) -> list[Any]:
    """The four weights, with zeros in the place of biases that are not there."""
    names = ("w_ih", "w_hh", "b_ih", "b_hh")
    found = [
        w if w is None and name.startswith("b") else floating(function, name, w, x)
        for name, w in zip(names, weights, strict=True)
    ]
    recurrent: Any = found[1]
    size = recurrent.shape[-1] if len(recurrent.shape) == 2 else 0
    rows = GATES[kind] * size
    expected = ((rows, x.shape[-1]), (rows, size), (rows,), (rows,))
    for name, w, shape in zip(names, found, expected, strict=True):
        if w is not None and tuple(w.shape) != shape:
            factor = "" if kind == "rnn" else f"{GATES[kind]} "
            raise errors.ShapeError(
                f"{function}: {name} has shape {tuple(w.shape)}; expected w_ih ({factor}size, inputs), w_hh "
                f"({factor}size, size) and biases ({factor}size,), for x of shape {tuple(x.shape)}"
            )
    return [zeros(rows, beside=recurrent) if w is None else w for w in found]


def zeros(*shape: int, beside: Any) -> Any:
    """Zeros in the dtype and the library of a tensor, as an array: nothing learns from them."""
    array = getattr(beside, "_array", beside)
    with backend.beside(array):
        return backend.namespace(array).zeros(shape, dtype=array.dtype)


def sequence(
    function: str, kind: str, x: Any, states: Sequence[Any] | None, weights: Sequence[Any], reverse: bool = False,
    nonlinearity: str = "tanh",
) -> tuple[Any, list[Any]]:  # fmt: skip
    """One direction of a layer: the output, (steps, batch, size), and the last states, (batch, size)."""
    x = floating(function, "x", x)
    if len(x.shape) != 3 or not x.shape[0]:
        raise errors.ShapeError(
            f"{function}: expected x (steps, batch, inputs), of 1 step or more; got {tuple(x.shape)}"
        )
    if not isinstance(nonlinearity, str) or nonlinearity not in NONLINEARITIES:
        raise ValueError(f"{function}: nonlinearity must be 'tanh' or 'relu'; got {nonlinearity!r}")
    weights = _checked_weights(function, kind, x, weights)
    size = weights[1].shape[1]
    count = 2 if kind == "lstm" else 1
    expected = (x.shape[1], size)
    first = [zeros(*expected, beside=weights[1])] * count
    if states is not None:
        first = [floating(function, name, state, x) for name, state in zip("hc", states, strict=False)]
    for name, state in zip("hc", first, strict=False):
        if tuple(state.shape) != expected:
            raise errors.ShapeError(
                f"{function}: the initial state {name} has shape {tuple(state.shape)}; expected (batch, size) = "
                f"{expected}"
            )
    vector = together(x[::-1] if reverse else x, *weights, *first)
    sides: Sides = (*x.shape, size)
    learns = getattr(x, "_node", None) is not None
    if kind == "rnn":
        all_states = [rnn_sequence(vector, sides=sides, learns=learns, bend=nonlinearity)]
    elif kind == "lstm":
        y = lstm_sequence(vector, sides=sides, learns=learns)
        all_states = [y[0], y[1]]
    else:
        all_states = [gru_sequence(vector, sides=sides, learns=learns)]
    output = all_states[0][1:]
    if not isinstance(output, Variable) or output._node is None:
        output = copy(output)  # else it would keep the gates of all steps in memory
    return output[::-1] if reverse else output, [state[-1] for state in all_states]


def step(
    function: str, kind: str, x: Any, states: Sequence[Any] | None, weights: Sequence[Any], nonlinearity: str = "tanh"
) -> list[Any]:
    """One step: the next states."""
    x = floating(function, "x", x)
    if len(x.shape) != 2:
        raise errors.ShapeError(f"{function}: expected x (batch, inputs); got {tuple(x.shape)}")
    return sequence(function, kind, x[None], states, weights, nonlinearity=nonlinearity)[1]
