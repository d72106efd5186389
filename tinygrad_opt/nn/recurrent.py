"""Recurrent layers, and their cells for loops of one's own."""

from __future__ import annotations

import warnings
from typing import Any

from .. import errors, ops
from ..core.creation import zeros
from ..core.tensor import Parameter
from . import init
from .arguments import positive, truth
from .functional import recurrent as functional
from .functional.dropping import dropout, probability
from .init import Initializer
from .module import Module

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell"]


class Recurrent(Module):
    """What layers and cells share: parameters, one row of blocks for each gate, and how they start.

    With the default initializers every parameter is uniform in ``±1/√hidden_size``, as in PyTorch. Others are applied
    to each gate's block by itself.
    """

    kind = "rnn"
    input_size: int
    hidden_size: int
    bias: bool

    def _prepare(
        self, input_size: int, hidden_size: int, bias: bool, init: Initializer, recurrent_init: Initializer,
        bias_init: Initializer,
    ) -> None:  # fmt: skip
        positive(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.bias = truth(type(self).__name__, "bias", bias)
        self.init, self.recurrent_init, self.bias_init = init, recurrent_init, bias_init

    def _add(self, suffix: str, inputs: int, dtype: Any, device: str | None) -> None:
        """The parameters of one layer and direction."""
        rows = functional.GATES[self.kind] * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, self.hidden_size)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(zeros(shape, dtype=dtype, device=device)))

    def _weights(self, suffix: str) -> list[Any]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [getattr(self, name + suffix, None) for name in names]

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        for name, parameter in self.named_parameters():
            how = self.bias_init if name.startswith("bias") else self.init
            how = self.recurrent_init if name.startswith("weight_hh") else how
            start, blocks = init.resolve(type(self).__name__, how, self.hidden_size), []
            for _ in range(functional.GATES[self.kind]):
                block = zeros(self.hidden_size, *parameter.shape[1:], dtype=parameter.dtype)
                start(block)
                blocks.append(block)
            parameter.data = ops.concatenate(blocks).to(parameter.device).data

    def _shown(self, **options: tuple[Any, Any]) -> str:
        """Sizes, the options that are not the default, and the initializers."""
        changed = [f"{name}={value!r}" for name, (value, default) in options.items() if value != default]
        changed += [] if self.bias else ["bias=False"]
        starts = [f"init={init.shown(self.init)}"]
        if self.recurrent_init != self.init:
            starts.append(f"recurrent_init={init.shown(self.recurrent_init)}")
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed, *starts])

    def _nonlinearity(self, nonlinearity: str) -> str:
        if not isinstance(nonlinearity, str) or nonlinearity not in functional.NONLINEARITIES:
            raise ValueError(f"{type(self).__name__}: nonlinearity must be 'tanh' or 'relu'; got {nonlinearity!r}")
        return nonlinearity

    def _input(self, x: Any, ranks: tuple[int, int], axes: str, weight: Any) -> Any:
        """The input, checked; lists take the dtype and device of the weight."""
        name = type(self).__name__
        x = functional.floating(name, "input", x, weight)
        if len(x.shape) not in ranks or x.shape[-1] != self.input_size:
            raise errors.ShapeError(
                f"{name}: expected input ({axes}, {self.input_size}), or without batch; got {tuple(x.shape)}"
            )
        return x

    def _state(self, name: str, state: Any, x: Any, shape: tuple[int, ...]) -> Any:
        layer = type(self).__name__
        state = functional.floating(layer, name, state, x)
        if tuple(state.shape) != shape:
            raise errors.ShapeError(f"{layer}: expected {name} of shape {shape}; got {tuple(state.shape)}")
        return state

    def _states(self, hx: Any, x: Any, shape: tuple[int, ...]) -> list[Any] | None:
        """The initial states as a list, checked; None where none are given."""
        if hx is None:
            return None
        if self.kind == "lstm":
            h, c = functional.pair(type(self).__name__, hx) or (None, None)
            return [self._state("h_0", h, x, shape), self._state("c_0", c, x, shape)]
        if isinstance(hx, tuple):
            raise TypeError(f"{type(self).__name__}: hx must be one tensor of shape {shape}; got a tuple")
        return [self._state("hx", hx, x, shape)]


class Layers(Recurrent):
    """Layers of recurrent cells over all steps of a sequence, in one direction or both."""

    nonlinearity = "tanh"

    def _build(
        self, num_layers: int, batch_first: bool, dropout: float, bidirectional: bool, dtype: Any, device: str | None
    ) -> None:
        name = type(self).__name__
        positive(name, num_layers=num_layers)
        self.dropout = probability(name, dropout, "dropout")
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} acts between layers, and there is one layer: it does nothing. Add layers, "
                "or put a Dropout behind this one.",
                stacklevel=4,
            )
        self.num_layers, self.batch_first = num_layers, truth(name, "batch_first", batch_first)
        self.bidirectional = truth(name, "bidirectional", bidirectional)
        for layer in range(num_layers):
            inputs = self.hidden_size * (1 + self.bidirectional) if layer else self.input_size
            for end in self._ends():
                self._add(f"_l{layer}{end}", inputs, dtype, device)
        self.reset_parameters()

    def _ends(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _run(self, x: Any, hx: Any) -> tuple[Any, list[Any]]:
        """The output of the last layer, and the last states of all layers and directions."""
        x = self._input(x, (2, 3), "batch, steps" if self.batch_first else "steps, batch", self._weights("_l0")[0])
        batched = len(x.shape) == 3
        if not batched:
            x = ops.expand_dims(x, 1)
        elif self.batch_first:
            x = x.swapaxes(0, 1)
        rows = self.num_layers * len(self._ends())
        batch = (x.shape[1],) if batched else ()
        states = self._states(hx, x, (rows, *batch, self.hidden_size))
        if states is not None and not batched:
            states = [ops.expand_dims(state, 1) for state in states]
        last: list[Any] = []
        for layer in range(self.num_layers):
            outputs = []
            for end in self._ends():
                first = None if states is None else [state[len(last)] for state in states]
                output, reached = functional.sequence(
                    type(self).__name__, self.kind, x, first, self._weights(f"_l{layer}{end}"), bool(end),
                    self.nonlinearity,
                )  # fmt: skip
                outputs.append(output)
                last.append(reached)
            x = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, -1)
            if layer < self.num_layers - 1:
                x = dropout(x, self.dropout, self.training)
        reached = [ops.stack(part) for part in zip(*last, strict=True)]
        if not batched:
            return x[:, 0], [state[:, 0] for state in reached]
        return x.swapaxes(0, 1) if self.batch_first else x, reached

    def extra_repr(self) -> str:
        """The sizes, what differs from the defaults, and the initializers."""
        return self._shown(
            num_layers=(self.num_layers, 1), nonlinearity=(self.nonlinearity, "tanh"),
            batch_first=(self.batch_first, False), dropout=(self.dropout, 0.0),
            bidirectional=(self.bidirectional, False),
        )  # fmt: skip


class RNN(Layers):
    """Elman's recurrent network: ``hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh)``.

    Called with input (steps, batch, input_size), or (steps, input_size), and initial states (layers, batch,
    hidden_size), zero by default; returns the states of the last layer at all steps, and the last states of all layers.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
    nonlinearity : {"tanh", "relu"}
    bias : bool
    batch_first : bool
        Whether input and output are (batch, steps, ...); states are not.
    dropout : float
        Probability with which outputs of all layers but the last are dropped, in training.
    bidirectional : bool
        A second network runs from the last step to the first; the outputs of both are concatenated, and their states
        alternate: layers count twice.
    init, recurrent_init, bias_init : str, function or number
        What the weights of input and state, and the biases, start with; uniform in ``±1/√hidden_size`` by default.
        Others, such as ``recurrent_init="orthogonal_"``, are applied to each gate by itself.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, weight_ih_l1, ... : Parameter

    Examples
    --------
    >>> layer = tg.nn.RNN(3, 4, num_layers=2)
    >>> output, h = layer(tg.ones(5, 2, 3))
    >>> output.shape, h.shape
    ((5, 2, 4), (2, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *,
        init: Initializer = "fan_in_uniform_", recurrent_init: Initializer = "fan_in_uniform_",
        bias_init: Initializer = "fan_in_uniform_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self.nonlinearity = self._nonlinearity(nonlinearity)
        self._prepare(input_size, hidden_size, bias, init, recurrent_init, bias_init)
        self._build(num_layers, batch_first, dropout, bidirectional, dtype, device)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The output of all steps, and the last states."""
        output, (h,) = self._run(input, hx)
        return output, h


class GRU(Layers):
    """Gated recurrent units: ``h = (1 - z) n + z h``, with gates r, z and ``n = tanh(W x + b + r (U h + b'))``.

    Parameters, input and output are those of `RNN`, without a choice of the nonlinearity; weights have three blocks of
    rows, for ``r, z, n``.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP 2014.

    Examples
    --------
    >>> output, h = tg.nn.GRU(3, 4, batch_first=True)(tg.ones(2, 5, 3))
    >>> output.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    kind = "gru"

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, *, init: Initializer = "fan_in_uniform_",
        recurrent_init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_",
        dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self._prepare(input_size, hidden_size, bias, init, recurrent_init, bias_init)
        self._build(num_layers, batch_first, dropout, bidirectional, dtype, device)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The output of all steps, and the last states."""
        output, (h,) = self._run(input, hx)
        return output, h


class LSTM(Layers):
    """Long short-term memory: ``c = σ(f) c + σ(i) tanh(g)`` and ``h = σ(o) tanh(c)``.

    Parameters, input and output are those of `RNN`, without a choice of the nonlinearity; weights have four blocks of
    rows, for ``i, f, g, o``. States are pairs (h, c).

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997).

    Examples
    --------
    >>> output, (h, c) = tg.nn.LSTM(3, 4, bidirectional=True)(tg.ones(5, 2, 3))
    >>> output.shape, c.shape
    ((5, 2, 8), (2, 2, 4))
    """

    kind = "lstm"

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *,
        init: Initializer = "fan_in_uniform_", recurrent_init: Initializer = "fan_in_uniform_",
        bias_init: Initializer = "fan_in_uniform_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        if proj_size != 0:
            raise NotImplementedError(
                f"LSTM: projections are not built; got proj_size={proj_size!r}. Put a Linear layer behind the LSTM "
                "to make its output smaller."
            )
        self._prepare(input_size, hidden_size, bias, init, recurrent_init, bias_init)
        self._build(num_layers, batch_first, dropout, bidirectional, dtype, device)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        """The output of all steps, and the last states (h, c)."""
        output, (h, c) = self._run(input, hx)
        return output, (h, c)


class Cell(Recurrent):
    """One step of a recurrent layer."""

    nonlinearity = "tanh"

    def _build(self, dtype: Any, device: str | None) -> None:
        self._add("", self.input_size, dtype, device)
        self.reset_parameters()

    def _step(self, x: Any, hx: Any) -> list[Any]:
        x = self._input(x, (1, 2), "batch", self._weights("")[0])
        batched = len(x.shape) == 2
        states = self._states(hx, x, (*x.shape[:-1], self.hidden_size))
        if not batched:
            x, states = x[None], states and [state[None] for state in states]
        reached = functional.step(type(self).__name__, self.kind, x, states, self._weights(""), self.nonlinearity)
        return reached if batched else [state[0] for state in reached]

    def extra_repr(self) -> str:
        """The sizes, what differs from the defaults, and the initializers."""
        return self._shown(nonlinearity=(self.nonlinearity, "tanh"))


class RNNCell(Cell):
    """One step of an `RNN`: from input (batch, input_size) and state (batch, hidden_size) to the next state.

    Attributes
    ----------
    weight_ih, weight_hh, bias_ih, bias_hh : Parameter

    Examples
    --------
    >>> tg.nn.RNNCell(3, 4)(tg.ones(2, 3)).shape
    (2, 4)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *,
        init: Initializer = "fan_in_uniform_", recurrent_init: Initializer = "fan_in_uniform_",
        bias_init: Initializer = "fan_in_uniform_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self.nonlinearity = self._nonlinearity(nonlinearity)
        self._prepare(input_size, hidden_size, bias, init, recurrent_init, bias_init)
        self._build(dtype, device)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        return self._step(input, hx)[0]


class GRUCell(Cell):
    """One step of a `GRU`: from input (batch, input_size) and state (batch, hidden_size) to the next state.

    Examples
    --------
    >>> tg.nn.GRUCell(3, 4)(tg.ones(2, 3), tg.zeros(2, 4)).shape
    (2, 4)
    """

    kind = "gru"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, init: Initializer = "fan_in_uniform_",
        recurrent_init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_",
        dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self._prepare(input_size, hidden_size, bias, init, recurrent_init, bias_init)
        self._build(dtype, device)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        return self._step(input, hx)[0]


class LSTMCell(Cell):
    """One step of an `LSTM`: from input (batch, input_size) and a pair of states to the next pair (h, c).

    Examples
    --------
    >>> h, c = tg.nn.LSTMCell(3, 4)(tg.ones(2, 3))
    >>> c.shape
    (2, 4)
    """

    kind = "lstm"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, init: Initializer = "fan_in_uniform_",
        recurrent_init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_",
        dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self._prepare(input_size, hidden_size, bias, init, recurrent_init, bias_init)
        self._build(dtype, device)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The next (h, c)."""
        h, c = self._step(input, hx)
        return h, c
