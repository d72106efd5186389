"""Layers that are affine maps."""

from __future__ import annotations

from typing import Any

from ..core.creation import zeros
from ..core.tensor import Parameter
from . import functional, init
from .arguments import positive
from .init import Initializer
from .module import Module

__all__ = ["Linear"]


class Linear(Module):
    """Affine map ``y = x Wᵀ + b``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    init, bias_init : str, function or number
        What the parameters start with: a name or a function of `tg.nn.init`, or a constant. The default is uniform in
        ``±1/√in_features``, for both.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> tg.nn.Linear(2, 3)(tg.ones(4, 2)).shape
    (4, 3)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, init: Initializer = "fan_in_uniform_",
        bias_init: Initializer = "fan_in_uniform_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        positive("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(zeros(out_features, in_features, dtype=dtype, device=device))
        self.bias = Parameter(zeros(out_features, dtype=dtype, device=device)) if bias else None
        self.init, self.bias_init = init, bias_init
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        init.begin("Linear", self.weight, self.bias, self.init, self.bias_init)

    def forward(self, x: Any) -> Any:
        """``x Wᵀ + b`` for x of shape (..., in_features)."""
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes and the initializer."""
        bias = "" if self.bias is not None else ", bias=False"
        return f"{self.in_features}, {self.out_features}{bias}, init={init.shown(self.init)}"
