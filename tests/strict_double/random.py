"""Random numbers on a device: CuPy's generator has few methods, and its numbers are not NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .array import ndarray, operand
from .devices import launch
from .names import signatures


class Generator:
    """Draws on the device that was current when it was made, by another algorithm than the host's."""

    def __init__(self, seed: int | None = None) -> None:
        self._host = np.random.Generator(np.random.MT19937(seed))
        self._device = launch(())

    def _draw(self, name: str, arguments: dict[str, Any]) -> ndarray:
        launch([self._device])
        dtype, out = arguments.pop("dtype", None), arguments.pop("out", None)
        size = arguments.pop("size", None)
        lowered = {key: operand(value) for key, value in arguments.items()}
        drawn = np.asarray(getattr(self._host, name)(size=size, **lowered))
        fresh = ndarray(drawn if dtype is None else drawn.astype(dtype), self._device)
        if out is None:
            return fresh
        out[...] = fresh
        return out


def _method(name: str, signature: Any) -> Callable[..., ndarray]:
    def draw(self: Generator, *args: Any, **kwargs: Any) -> ndarray:
        return self._draw(name, signature.bind(*args, **kwargs).arguments)

    return draw


for _name, _signature in signatures("random.Generator").items():
    setattr(Generator, _name, _method(_name, _signature))
