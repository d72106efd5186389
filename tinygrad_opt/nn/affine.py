"""Layers that are affine maps, or bilinear ones."""

from __future__ import annotations

from typing import Any

from ..core.creation import zeros
from ..core.tensor import Parameter
from . import functional, init
from .arguments import positive, truth
from .init import Initializer
from .module import Module

__all__ = ["Bilinear", "Linear"]


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
        learns_bias = truth("Linear", "bias", bias)
        self.weight = Parameter(zeros(out_features, in_features, dtype=dtype, device=device))
        self.bias = Parameter(zeros(out_features, dtype=dtype, device=device)) if learns_bias else None
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


class Bilinear(Module):
    """Bilinear map of two inputs: ``yₖ = Σᵢⱼ x1ᵢ Wₖᵢⱼ x2ⱼ + bₖ``.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool
    init, bias_init : str, function or number
        What the parameters start with; the default is uniform in ``±1/√in1_features``, for both.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in1_features, in2_features)
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> tg.nn.Bilinear(2, 3, 4)(tg.ones(5, 2), tg.ones(5, 3)).shape
    (5, 4)
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, *,
        init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_", dtype: Any = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        positive("Bilinear", in1_features=in1_features, in2_features=in2_features, out_features=out_features)
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        learns_bias = truth("Bilinear", "bias", bias)
        self.weight = Parameter(zeros(out_features, in1_features, in2_features, dtype=dtype, device=device))
        self.bias = Parameter(zeros(out_features, dtype=dtype, device=device)) if learns_bias else None
        self.init, self.bias_init = init, bias_init
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values; the fan-in is that of the first input."""
        for tensor, how in ((self.weight, self.init), (self.bias, self.bias_init)):
            if tensor is not None:
                init.resolve("Bilinear", how, self.in1_features)(tensor)

    def forward(self, x1: Any, x2: Any) -> Any:
        """The map, for shapes (..., in1_features) and (..., in2_features)."""
        return functional.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes and the initializer."""
        bias = "" if self.bias is not None else ", bias=False"
        sizes = f"{self.in1_features}, {self.in2_features}, {self.out_features}"
        return f"{sizes}{bias}, init={init.shown(self.init)}"
