"""Nested numbers, texts and arrays as JSON beside a dict of arrays, and back: states without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from ..core.tensor import Tensor

__all__ = ["decode", "encode"]

Arrays = dict[str, np.ndarray[Any, Any]]


def encode(where: str, value: Any, arrays: Arrays) -> Any:
    """The value as JSON knows it; arrays are put aside, under new names that begin with `where`.

    Raises
    ------
    TypeError
        For anything else, such as a function, naming the place.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [encode(f"{where}[{i}]", item, arrays) for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": encode(where, list(value), arrays)}
    if isinstance(value, Mapping):
        pairs = [[encode(where, key, arrays), encode(f"{where}[{key!r}]", item, arrays)] for key, item in value.items()]
        return {"dict": pairs}
    kind = "tensor" if isinstance(value, Tensor) else "number" if isinstance(value, np.generic) else "array"
    array = value._array if isinstance(value, Tensor) else np.asarray(value) if kind == "number" else value
    if not backend.is_array(array) or array.dtype.kind not in "biuf":
        raise TypeError(
            f"{where} is a {type(value).__name__}, which a file cannot hold: it holds numbers, texts, arrays, tensors, "
            "and lists, tuples and dicts of them"
        )
    name = f"{where}#{len(arrays)}"
    arrays[name] = backend.of(array).to_host(array)
    return {kind: name}


def decode(value: Any, arrays: Mapping[str, Any]) -> Any:
    """What `encode` was given; arrays and tensors are copies in host memory."""
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(decode(content, arrays))
    if kind == "dict":
        return {decode(key, arrays): decode(item, arrays) for key, item in content}
    array = arrays[content].copy()
    return Tensor(array) if kind == "tensor" else array[()] if kind == "number" else array
