"""Smooth activations as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..ops.checks import as_number, one_of
from ..ops.shape import as_integer
from . import functional
from .arguments import new_result
from .module import Module

__all__ = [
    "GLU", "GELU", "LogSigmoid", "LogSoftmax", "Mish", "SiLU", "Sigmoid", "Softmax", "Softplus", "Softsign", "Tanh",
    "Tanhshrink",
]  # fmt: skip


class Activation(Module):
    """A function with options that are chosen once; a subclass names both."""

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()

    def forward(self, x: Any) -> Any:
        """The function of `x`."""
        return type(self).function(x, *(getattr(self, name) for name in self.options))

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options)


class Tanh(Activation):
    """Hyperbolic tangent, elementwise.

    Examples
    --------
    >>> tg.nn.Tanh()(tg.tensor([0.0]))
    tensor([0.])
    """

    function = staticmethod(functional.tanh)


class Sigmoid(Activation):
    """Logistic function, elementwise: ``y = 1 / (1 + e⁻ˣ)``.

    Examples
    --------
    >>> tg.nn.Sigmoid()(tg.tensor([0.0]))
    tensor([0.5])
    """

    function = staticmethod(functional.sigmoid)


class LogSigmoid(Activation):
    """Logarithm of the logistic function, elementwise: ``y = -ln(1 + e⁻ˣ)``, without overflow.

    Examples
    --------
    >>> tg.nn.LogSigmoid()(tg.tensor([0.0]))
    tensor([-0.6931...])
    """

    function = staticmethod(functional.logsigmoid)


class GELU(Activation):
    """Gaussian error linear unit, elementwise: ``y = x Φ(x)``; see `functional.gelu`.

    Parameters
    ----------
    approximate : {"none", "tanh"}

    Examples
    --------
    >>> tg.nn.GELU()(tg.tensor([1.0]))
    tensor([0.8413...])
    """

    function = staticmethod(functional.gelu)
    options = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = one_of("GELU", "approximate", approximate, ("none", "tanh"))


class SiLU(Activation):
    """Sigmoid linear unit (*swish*), elementwise: ``y = x / (1 + e⁻ˣ)``; see `functional.silu`.

    Examples
    --------
    >>> tg.nn.SiLU()(tg.tensor([1.0]))
    tensor([0.7310...])
    """

    function = staticmethod(functional.silu)

    def __init__(self, inplace: bool = False) -> None:
        new_result("SiLU", inplace)


class Mish(Activation):
    """``y = x tanh(ln(1 + eˣ))``, elementwise; see `functional.mish`.

    Examples
    --------
    >>> tg.nn.Mish()(tg.tensor([1.0]))
    tensor([0.8650...])
    """

    function = staticmethod(functional.mish)

    def __init__(self, inplace: bool = False) -> None:
        new_result("Mish", inplace)


class Softplus(Activation):
    """Smooth rectifier, elementwise: ``y = ln(1 + exp(β x)) / β``, and ``y = x`` where ``β x > threshold``.

    Parameters
    ----------
    beta : float
        How sharp the bend is; not 0.
    threshold : float

    Examples
    --------
    >>> tg.nn.Softplus()(tg.tensor([0.0, 100.0]))
    tensor([  0.6931..., 100.       ])
    """

    function = staticmethod(functional.softplus)
    options = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = as_number("Softplus", "beta", beta), as_number("Softplus", "threshold", threshold)
        if self.beta == 0:
            raise ValueError("Softplus: beta must not be 0, by which the result is divided")


class Softsign(Activation):
    """``y = x / (1 + |x|)``, elementwise.

    Examples
    --------
    >>> tg.nn.Softsign()(tg.tensor([-1.0, 3.0]))
    tensor([-0.5 ,  0.75])
    """

    function = staticmethod(functional.softsign)


class Tanhshrink(Activation):
    """``y = x - tanh x``, elementwise.

    Examples
    --------
    >>> tg.nn.Tanhshrink()(tg.tensor([0.0, 100.0]))
    tensor([ 0., 99.])
    """

    function = staticmethod(functional.tanhshrink)


class _Along(Activation):
    """An activation along one axis, which has to be said: no guess is right for every shape."""

    options = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        name = type(self).__name__
        if dim is None:
            raise TypeError(f"{name}: along which axis? Write {name}(dim=-1) for the last one.")
        self.dim = as_integer(name, "dim", dim)


class Softmax(_Along):
    """Positive numbers that sum to 1 along an axis: ``yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)``.

    Parameters
    ----------
    dim : int
        The axis.

    Examples
    --------
    >>> tg.nn.Softmax(dim=-1)(tg.tensor([[0.0, 0.0]]))
    tensor([[0.5, 0.5]])
    """

    function = staticmethod(functional.softmax)


class LogSoftmax(_Along):
    """Logarithm of the softmax along an axis: ``yᵢ = xᵢ - ln Σⱼ exp(xⱼ)``.

    Parameters
    ----------
    dim : int
        The axis.

    Examples
    --------
    >>> tg.nn.LogSoftmax(dim=-1)(tg.tensor([[0.0, 0.0]]))
    tensor([[-0.6931..., -0.6931...]])
    """

    function = staticmethod(functional.log_softmax)


class GLU(Activation):
    """Gated linear unit: ``y = a · sigmoid(b)``, where a and b are the halves of x along an axis.

    Parameters
    ----------
    dim : int
        The axis, of even length.

    Examples
    --------
    >>> tg.nn.GLU()(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5, 1. ])
    """

    function = staticmethod(functional.glu)
    options = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        self.dim = as_integer("GLU", "dim", dim)
