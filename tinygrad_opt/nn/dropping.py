"""Dropout as modules: random in training mode, nothing in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import functional
from .arguments import new_result
from .functional.dropping import probability
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d"]


class _Dropping(Module):
    """Something that is left out with probability `p`; a subclass names the function."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        new_result(type(self).__name__, inplace)
        self.p = probability(type(self).__name__, p)

    def forward(self, x: Any) -> Any:
        """`x` with something left out; in evaluation mode `x` itself."""
        return type(self).function(x, self.p, self.training)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout(_Dropping):
    """Leave out elements in training mode, and multiply the others by ``1 / (1 - p)``; see `functional.dropout`.

    Parameters
    ----------
    p : float
        The probability of being left out, from 0 to 1.
    inplace : False
        Tensors are not overwritten.

    Examples
    --------
    >>> tg.nn.Dropout(0.5).eval()(tg.ones(2))
    tensor([1., 1.])
    """

    function = staticmethod(functional.dropout)


class Dropout1d(_Dropping):
    """Leave out whole channels of sequences, (batch, channels, length) or (channels, length), in training mode.

    Parameters
    ----------
    p : float
        The probability of being left out, from 0 to 1.
    inplace : False
        Tensors are not overwritten.

    Examples
    --------
    >>> tg.nn.Dropout1d(0.5)
    Dropout1d(p=0.5)
    """

    function = staticmethod(functional.dropout1d)


class Dropout2d(_Dropping):
    """Leave out whole channels of images, (batch, channels, height, width), in training mode.

    Parameters
    ----------
    p : float
        The probability of being left out, from 0 to 1.
    inplace : False
        Tensors are not overwritten.

    Examples
    --------
    >>> tg.nn.Dropout2d(0.5)
    Dropout2d(p=0.5)
    """

    function = staticmethod(functional.dropout2d)


class AlphaDropout(_Dropping):
    """Dropout for layers with `SELU`: it keeps mean 0 and variance 1; see `functional.alpha_dropout`.

    Parameters
    ----------
    p : float
        The probability of being left out, from 0 to 1.
    inplace : False
        Tensors are not overwritten.

    Examples
    --------
    >>> tg.nn.AlphaDropout(0.5)
    AlphaDropout(p=0.5)
    """

    function = staticmethod(functional.alpha_dropout)
