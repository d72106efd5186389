"""PyTorch's counterparts of the functional updates: one value after the other."""

from __future__ import annotations

import operator
from typing import Any

import torch

from .index import flat_index

__all__ = ["TORCH", "WITHOUT"]


def one_by_one(operation: Any) -> Any:
    def call(t: Any, v: Any, index: Any) -> Any:
        places = flat_index(t.shape, index)
        out = list(t.reshape(-1))
        for place, value in zip(places.reshape(-1).tolist(), v.expand(places.shape).reshape(-1), strict=True):
            out[place] = operation(out[place], value)
        return (torch.stack(out) if out else t.reshape(-1) * 1.0).reshape(t.shape) + 0.0 * v.sum()

    return call


def extreme(reduce: str) -> Any:
    """Ties share equally, the element itself among them."""

    def call(t: Any, v: Any, index: Any) -> Any:
        places = flat_index(t.shape, index)
        flat = t.reshape(-1).scatter_reduce(0, places.reshape(-1), v.expand(places.shape).reshape(-1), reduce)
        return flat.reshape(t.shape) + 0.0 * v.sum()

    return call


TORCH = {
    "set_at": one_by_one(lambda old, new: new),
    "add_at": one_by_one(operator.add),
    "subtract_at": one_by_one(operator.sub),
    "multiply_at": one_by_one(operator.mul),
    "divide_at": one_by_one(operator.truediv),
    "power_at": one_by_one(operator.pow),
    "min_at": extreme("amin"),
    "max_at": extreme("amax"),
    "clear": lambda x, index: one_by_one(lambda old, new: new)(x, torch.zeros((), dtype=x.dtype), index),
}
WITHOUT: dict[str, str] = {}
