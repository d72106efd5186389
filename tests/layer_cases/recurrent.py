"""Recurrent layers and cells: layers, directions, axes, biases, states given or not, with and without a batch."""

from __future__ import annotations

from typing import Any

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import Domain, Source

VALUES = Domain(-1.5, 1.5, step=0.25)


def layer(name: str) -> Draw:
    """An RNN, LSTM or GRU."""

    def draw(source: Source) -> Layer:
        inputs, size, steps = source.integer(1, 3), source.integer(1, 3), source.integer(1, 4)
        options: dict[str, Any] = {
            "num_layers": source.integer(1, 2),
            "bias": source.flip(),
            "batch_first": source.flip(),
            "bidirectional": source.flip(),
        }
        if name == "RNN":
            options["nonlinearity"] = source.choose(("tanh", "relu"))
        if options["num_layers"] > 1 and source.flip():
            options["dropout"] = 0.5
        batch = (source.integer(1, 3),) if source.flip() else ()
        lengths = (*batch, steps) if options["batch_first"] else (steps, *batch)
        rows = options["num_layers"] * (1 + options["bidirectional"])
        called: tuple[Any, ...] = (source.array((*lengths, inputs), VALUES),)
        if source.flip():
            called += (_states(source, name, (rows, *batch, size)),)
        return Layer(name, (inputs, size), options, called, random="dropout" in options)

    return draw


def cell(name: str) -> Draw:
    """One step."""

    def draw(source: Source) -> Layer:
        inputs, size = source.integer(1, 4), source.integer(1, 4)
        batch = (source.integer(1, 3),) if source.flip() else ()
        called: tuple[Any, ...] = (source.array((*batch, inputs), VALUES),)
        if source.flip():
            called += (_states(source, name, (*batch, size)),)
        options: dict[str, Any] = {"bias": source.flip()}
        if name == "RNNCell":
            options["nonlinearity"] = source.choose(("tanh", "relu"))
        return Layer(name, (inputs, size), options, called)

    return draw


def _states(source: Source, name: str, shape: tuple[int, ...]) -> Any:
    h = source.array(shape, VALUES)
    return (h, source.array(shape, VALUES)) if name.startswith("LSTM") else h


CASES = [layer("RNN"), layer("LSTM"), layer("GRU"), cell("RNNCell"), cell("LSTMCell"), cell("GRUCell")]
