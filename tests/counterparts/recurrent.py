"""PyTorch's counterparts of recurrent sequences: its own layers, and its cells where states in between are wanted."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def sequence(cell: Any) -> Any:
    """All states of a cell, from the initial one on."""

    def run(x: Any, ih: Any, hh: Any, ib: Any, hb: Any, *state: Any) -> Any:
        states = [state]
        for now in x:
            hx = states[-1] if len(state) > 1 else states[-1][0]
            reached = cell(now, hx, ih, hh, ib, hb)
            states.append(reached if len(state) > 1 else (reached,))
        parts = [torch.stack(part) for part in zip(*states, strict=True)]
        return torch.stack(parts) if len(state) > 1 else parts[0]

    return run


TORCH = {
    "rnn_sequence": sequence(torch.rnn_tanh_cell),
    "lstm_sequence": sequence(torch.lstm_cell),
    "gru_sequence": sequence(torch.gru_cell),
}
INNER = "PyTorch does not give its gates; the states are compared"
WITHOUT = dict.fromkeys(["lstm_run", "gru_run", "lstm_gates", "gru_planes"], INNER)
