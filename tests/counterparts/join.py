"""PyTorch's counterparts of what puts tensors together and takes them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT", "row_of"]


def row_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with several results: the last result first, all in one row."""
    return lambda *args, **meta: torch.cat([y.ravel() for y in function(*args, **meta)][::-1])


def joined(*xs: Any, axis: Any) -> Any:
    return torch.cat([x.ravel() for x in xs] if axis is None else xs, axis or 0)


def pieces(x: Any, indices_or_sections: Any, axis: int) -> Any:
    if isinstance(indices_or_sections, tuple):
        n = x.shape[axis]
        bounds = [min(max(i + n if i < 0 else i, 0), n) for i in indices_or_sections]
        pairs = list(zip([0, *bounds], [*bounds, n]))  # noqa: B905 - PyTorch takes no negative places
        return [x.narrow(axis, a, max(b - a, 0)) for a, b in pairs]
    return torch.tensor_split(x, indices_or_sections, axis)


TORCH = {
    "concatenate": joined,
    "concat": joined,
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "hstack": lambda *xs: torch.hstack(xs),
    "vstack": lambda *xs: torch.vstack(xs),
    "dstack": lambda *xs: torch.dstack(xs),
    "column_stack": lambda *xs: torch.column_stack(xs),
    "append": lambda x, values, axis=None: joined(x, values, axis=axis),
    "split": row_of(pieces),
    "array_split": row_of(pieces),
    "hsplit": row_of(lambda x, indices_or_sections: pieces(x, indices_or_sections, min(1, x.ndim - 1))),
    "vsplit": row_of(lambda x, indices_or_sections: pieces(x, indices_or_sections, 0)),
    "dsplit": row_of(lambda x, indices_or_sections: pieces(x, indices_or_sections, 2)),
    "unstack": row_of(lambda x, axis: torch.unbind(x, axis)),
}
WITHOUT: dict[str, str] = {}
