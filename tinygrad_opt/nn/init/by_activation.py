"""Starting values by the activation that follows: the table of a course, and that of Glorot and Bengio beside it.

With m inputs and n outputs, uniform in ``±f √(6/(m + n))``, or normal with ``σ = f √(2/(m + n))``. They differ in where
the factor 4 stands:

=====================  ========  ========
activation             course    glorot
=====================  ========  ========
logistic               1         4
tanh                   4         1
ReLU and its variants  √2        √2
=====================  ========  ========

The logistic unit has the slope 1/4 at 0, tanh the slope 1, which is why Glorot and Bengio have the 4 with the logistic
unit. (Rectifiers are not in their paper; the √2 is that of He and others, 2015.) docs/initialization.md measures both.
"""

from __future__ import annotations

import math
from typing import Any

from ...core.tensor import Tensor
from .fans import centred_uniform, glorot
from .filling import normal_, number

__all__ = ["activation_normal_", "activation_uniform_"]

_RECTIFIERS = ("relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "softplus")
_TABLES = {
    "course": {"logistic": 1.0, "tanh": 4.0, "rectifier": math.sqrt(2)},
    "glorot": {"logistic": 4.0, "tanh": 1.0, "rectifier": math.sqrt(2)},
}


def activation_uniform_(
    tensor: Tensor, activation: str, *, table: str = "course", gain: float = 1.0, groups: int = 1
) -> Tensor:
    """Uniform in ``±gain f √(6/(m + n))``, in place, with f by activation.

    Parameters
    ----------
    tensor : Tensor, shape (n, m, ...)
        m times the product of the further sides is the fan-in, n times it the fan-out.
    activation : str
        ``"logistic"`` (or ``"sigmoid"``), ``"tanh"``, or ``"relu"`` and its variants: ``"leaky_relu"``, ``"prelu"``,
        ``"elu"``, ``"selu"``, ``"gelu"``, ``"silu"``, ``"softplus"``.
    table : {"course", "glorot"}
        Whose f: the course has 1 for the logistic unit, 4 for tanh; Glorot and Bengio have 4 for the logistic unit, 1
        for tanh. Both have √2 for rectifiers here.
    gain : float
        A further factor: the scale is a hyper-parameter.
    groups : int
        Of a convolution.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.

    Examples
    --------
    >>> w = tg.nn.init.activation_uniform_(tg.zeros(3, 3), activation="tanh")
    >>> bool((abs(w) <= 4).all())
    True
    """
    factor = _factor("activation_uniform_", activation, table, gain)
    return centred_uniform(tensor, glorot("activation_uniform_", tensor, factor, groups))


def activation_normal_(
    tensor: Tensor, activation: str, *, table: str = "course", gain: float = 1.0, groups: int = 1
) -> Tensor:
    """Normal with ``σ = gain f √(2/(m + n))``, in place; parameters as for `activation_uniform_`.

    Examples
    --------
    >>> tg.nn.init.activation_normal_(tg.zeros(2, 3), activation="relu").shape
    (2, 3)
    """
    factor = _factor("activation_normal_", activation, table, gain)
    return normal_(tensor, 0.0, glorot("activation_normal_", tensor, factor, groups))


def _factor(function: str, activation: Any, table: Any, gain: float) -> float:
    if not isinstance(table, str) or table not in _TABLES:
        raise ValueError(f"{function}: table must be 'course' or 'glorot'; got {table!r}")
    kinds = {"logistic": "logistic", "sigmoid": "logistic", "tanh": "tanh"} | dict.fromkeys(_RECTIFIERS, "rectifier")
    if not isinstance(activation, str) or activation not in kinds:
        raise ValueError(f"{function}: unknown activation {activation!r}; known: {', '.join(kinds)}")
    return number(function, "gain", gain, 0) * _TABLES[table][kinds[activation]]
