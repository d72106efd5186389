"""Rectifiers and their relatives as modules, with the two that learn: PReLU and Maxout."""

from __future__ import annotations

from typing import Any

from ..core.creation import zeros
from ..core.tensor import Parameter
from ..ops.checks import as_number
from . import functional, init
from .activations import Activation
from .arguments import new_result, positive, truth
from .init import Initializer
from .module import Module

__all__ = [
    "CELU", "ELU", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "Maxout", "PReLU", "ReLU", "ReLU6", "SELU",
    "Threshold",
]  # fmt: skip


class ReLU(Activation):
    """``y = max(x, 0)``, elementwise.

    Examples
    --------
    >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = staticmethod(functional.relu)

    def __init__(self, inplace: bool = False) -> None:
        new_result("ReLU", inplace)


class ReLU6(Activation):
    """``y = min(max(x, 0), 6)``, elementwise.

    Examples
    --------
    >>> tg.nn.ReLU6()(tg.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """

    function = staticmethod(functional.relu6)

    def __init__(self, inplace: bool = False) -> None:
        new_result("ReLU6", inplace)


class LeakyReLU(Activation):
    """``y = x`` where x > 0, ``negative_slope · x`` elsewhere; see `functional.leaky_relu`.

    Parameters
    ----------
    negative_slope : float

    Examples
    --------
    >>> tg.nn.LeakyReLU(0.5)(tg.tensor([-1.0, 2.0]))
    tensor([-0.5,  2. ])
    """

    function = staticmethod(functional.leaky_relu)
    options = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        new_result("LeakyReLU", inplace)
        self.negative_slope = as_number("LeakyReLU", "negative_slope", negative_slope)


class ELU(Activation):
    """``y = x`` where x > 0, ``α (eˣ - 1)`` elsewhere; see `functional.elu`.

    Parameters
    ----------
    alpha : float

    Examples
    --------
    >>> tg.nn.ELU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321...,  2.       ])
    """

    function = staticmethod(functional.elu)
    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        new_result("ELU", inplace)
        self.alpha = as_number("ELU", "alpha", alpha)


class SELU(Activation):
    """A scaled ELU, whose constants keep mean 0 and variance 1; see `functional.selu`.

    Examples
    --------
    >>> tg.nn.SELU()(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113...,  2.1014...])
    """

    function = staticmethod(functional.selu)

    def __init__(self, inplace: bool = False) -> None:
        new_result("SELU", inplace)


class CELU(Activation):
    """``y = x`` where x > 0, ``α (exp(x/α) - 1)`` elsewhere; see `functional.celu`.

    Parameters
    ----------
    alpha : float
        Not 0.

    Examples
    --------
    >>> tg.nn.CELU(2.0)(tg.tensor([-1.0, 2.0]))
    tensor([-0.7869...,  2.       ])
    """

    function = staticmethod(functional.celu)
    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        new_result("CELU", inplace)
        self.alpha = as_number("CELU", "alpha", alpha)
        if self.alpha == 0:
            raise ValueError("CELU: alpha must not be 0, by which x is divided; ReLU is the limit")


class Hardtanh(Activation):
    """``y = min(max(x, min_val), max_val)``, elementwise.

    Parameters
    ----------
    min_val, max_val : float

    Examples
    --------
    >>> tg.nn.Hardtanh()(tg.tensor([-2.0, 0.5, 2.0]))
    tensor([-1. ,  0.5,  1. ])
    """

    function = staticmethod(functional.hardtanh)
    options = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        new_result("Hardtanh", inplace)
        self.min_val, self.max_val = (as_number("Hardtanh", "min_val", min_val),
                                      as_number("Hardtanh", "max_val", max_val))  # fmt: skip
        if not self.min_val < self.max_val:
            raise ValueError(f"Hardtanh: min_val must be less than max_val; got {min_val!r} and {max_val!r}")


class Hardsigmoid(Activation):
    """``y = clip(x/6 + 1/2, 0, 1)``, elementwise.

    Examples
    --------
    >>> tg.nn.Hardsigmoid()(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0. , 0.5, 1. ])
    """

    function = staticmethod(functional.hardsigmoid)

    def __init__(self, inplace: bool = False) -> None:
        new_result("Hardsigmoid", inplace)


class Hardswish(Activation):
    """``y = x · clip(x + 3, 0, 6) / 6``, elementwise; see `functional.hardswish`.

    Examples
    --------
    >>> tg.nn.Hardswish()(tg.tensor([0.0, 4.0]))
    tensor([0., 4.])
    """

    function = staticmethod(functional.hardswish)

    def __init__(self, inplace: bool = False) -> None:
        new_result("Hardswish", inplace)


class Threshold(Activation):
    """``y = x`` where x > threshold, `value` elsewhere.

    Parameters
    ----------
    threshold, value : float

    Examples
    --------
    >>> tg.nn.Threshold(1.0, -7.0)(tg.tensor([0.5, 2.0]))
    tensor([-7.,  2.])
    """

    function = staticmethod(functional.threshold)
    options = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        new_result("Threshold", inplace)
        self.threshold = as_number("Threshold", "threshold", threshold)
        self.value = as_number("Threshold", "value", value)


class PReLU(Module):
    """A leaky rectifier that learns its slope on the left, one for all channels or one for each.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels (axis 1 of the input).
    init : float, str or function
        What the slopes start with.
    dtype, device
        Of the parameter.

    Attributes
    ----------
    weight : Parameter, shape (num_parameters,)

    References
    ----------
    K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> tg.nn.PReLU()(tg.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(
        self, num_parameters: int = 1, init: Initializer = 0.25, *, dtype: Any = None, device: str | None = None
    ) -> None:
        positive("PReLU", num_parameters=num_parameters)
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(zeros(num_parameters, dtype=dtype, device=device))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give the slopes their starting values."""
        init.resolve("PReLU", self.init)(self.weight)

    def forward(self, x: Any) -> Any:
        """`x` on the right of 0, and on the left times the slope."""
        return functional.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes, and what they start with."""
        return f"num_parameters={self.num_parameters}, init={init.shown(self.init)}"


class Maxout(Module):
    """The largest of several affine maps, for each output: ``yᵢ = maxⱼ (wᵢⱼ · x + bᵢⱼ)``.

    The activation is learned: any convex function, approximated by `pieces` straight lines.

    Parameters
    ----------
    in_features, out_features : int
    pieces : int
        How many maps there are for each output.
    bias : bool
    init, bias_init : str, function or number
        What the parameters start with, as for `Linear`.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_features * pieces, in_features)
        The rows of output i are those from ``i * pieces`` on.
    bias : Parameter, shape (out_features * pieces,), or None

    References
    ----------
    I. Goodfellow et al., "Maxout networks", ICML 2013.

    Examples
    --------
    >>> tg.nn.Maxout(2, 3)(tg.ones(4, 2)).shape
    (4, 3)
    """

    def __init__(
        self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True, *,
        init: Initializer = "fan_in_uniform_", bias_init: Initializer = "fan_in_uniform_", dtype: Any = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        positive("Maxout", in_features=in_features, out_features=out_features, pieces=pieces)
        self.in_features, self.out_features, self.pieces = in_features, out_features, pieces
        self.weight = Parameter(zeros(out_features * pieces, in_features, dtype=dtype, device=device))
        self.bias = (
            Parameter(zeros(out_features * pieces, dtype=dtype, device=device))
            if truth("Maxout", "bias", bias)
            else None
        )
        self.init, self.bias_init = init, bias_init
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        init.begin("Maxout", self.weight, self.bias, self.init, self.bias_init)

    def forward(self, x: Any) -> Any:
        """The largest piece, for x of shape (..., in_features)."""
        return functional.maxout(x, self.weight, self.bias, self.pieces)

    def extra_repr(self) -> str:
        """The sizes and the initializer."""
        bias = "" if self.bias is not None else ", bias=False"
        sizes = f"{self.in_features}, {self.out_features}, pieces={self.pieces}"
        return f"{sizes}{bias}, init={init.shown(self.init)}"
