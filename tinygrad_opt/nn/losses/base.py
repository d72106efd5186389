"""What the loss modules have in common: each is a function of `functional.losses`, and options for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ...core.creation import asarray
from ...core.primitive import operand
from ..functional.losses.checks import check_reduction, checked
from ..module import Module

__all__: list[str] = []

_WEIGHTS = ("weight", "pos_weight")


class Loss(Module):
    """A function of predictions and targets, with its options kept; weights are buffers, as in PyTorch."""

    function: ClassVar[Callable[..., Any]]
    reductions: ClassVar[tuple[str, ...]] = ()  # beside those that all losses have

    def __init__(self, reduction: str, **options: Any) -> None:
        name = type(self).__name__
        for weight in _WEIGHTS:
            if isinstance(options.get(weight), str):
                raise TypeError(f"{name}: {weight} must be a tensor; got a string. Write reduction={options[weight]!r}")
        check_reduction(name, reduction, self.reductions)
        self.reduction = reduction
        for key, value in options.items():
            if key in _WEIGHTS:
                setattr(self, key, None if value is None else asarray(operand(name, value, None, key)).detach())
            else:
                setattr(self, key, checked(name, **{key: value})[0])
        self._options = ("reduction", *options)

    def forward(self, *tensors: Any, **named: Any) -> Any:
        """The loss of a prediction and a target, which may be given by the names that the function has for them."""
        return type(self).function(*tensors, **named, **{key: getattr(self, key) for key in self._options})

    def extra_repr(self) -> str:
        """The options; weights by their shape."""
        shown = {key: getattr(self, key) for key in self._options}
        shown = {key: getattr(value, "shape", value) for key, value in shown.items() if value is not None}
        return ", ".join(f"{key}={value!r}" for key, value in shown.items())
