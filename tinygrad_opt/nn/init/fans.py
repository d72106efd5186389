"""Random starting values whose spread comes from the numbers of inputs and outputs of a unit: its fans.

For a weight of shape (n, m, ...), as layers have it, the *fan-in* is m, the *fan-out* n, each times the product of the
further sides: the receptive field of a convolution. In ``groups`` groups, an input feeds only n / groups outputs.
"""

from __future__ import annotations

import math
from typing import Any

from ... import errors
from ...core.tensor import Tensor
from .filling import normal_, number, uniform_, writable

__all__ = [
    "calculate_gain", "centred_uniform", "fan_in_uniform_", "fans", "glorot", "kaiming_normal_", "kaiming_uniform_",
    "lecun_normal_", "lecun_uniform_", "xavier_normal_", "xavier_uniform_",
]  # fmt: skip


def fans(function: str, tensor: Tensor, groups: int = 1) -> tuple[int, int]:
    """Fan-in and fan-out."""
    writable(function, tensor)
    if tensor.ndim < 2:
        raise errors.ShapeError(
            f"{function}: shape {tensor.shape} does not tell the number of inputs; expected a weight (n, m, ...). For "
            "a bias: zeros_, constant_, or fan_in_uniform_ with fan_in="
        )
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"{function}: groups must divide the number of outputs, {tensor.shape[0]}; got {groups!r}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] // groups * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights are larger, because of the activation that follows.

    1 for ``"linear"``, ``"sigmoid"`` and convolutions, 5/3 for ``"tanh"``, √2 for ``"relu"``, √(2/(1 + a²)) for
    ``"leaky_relu"`` with the slope a = `param` (0.01 where nothing is said), 3/4 for ``"selu"``.

    Examples
    --------
    >>> tg.nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    slope = 0.01 if param is None else number("calculate_gain", "param", param)
    return _gain("calculate_gain", nonlinearity, slope)


def _gain(function: str, nonlinearity: Any, slope: float) -> float:
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    gains |= {f"conv{kind}{n}d": 1.0 for kind in ("", "_transpose") for n in (1, 2, 3)}
    gains["leaky_relu"] = math.sqrt(2 / (1 + slope * slope))
    if not isinstance(nonlinearity, str) or nonlinearity not in gains:
        known = ", ".join(sorted(gains))
        raise ValueError(f"{function}: unknown nonlinearity {nonlinearity!r}; known: {known}")
    return gains[nonlinearity]


def centred_uniform(tensor: Tensor, std: float) -> Tensor:
    """Uniform numbers around 0 of that standard deviation."""
    bound = math.sqrt(3) * std
    return uniform_(tensor, -bound, bound)


def _spread(gain: float, fan: float) -> float:
    """``gain / √fan``; a layer without inputs has nothing to spread."""
    return gain / math.sqrt(fan) if fan else 0.0


def fan_in_uniform_(tensor: Tensor, fan_in: int | None = None) -> Tensor:
    """Uniform random numbers in ``[-1/√m, 1/√m)``, in place, for a layer with m inputs.

    Parameters
    ----------
    tensor : Tensor, shape (n, m, ...)
        A weight of n outputs; m times the product of the further sides is its number of inputs (its *fan-in*).
    fan_in : int, optional
        The number of inputs, where the shape does not tell it (biases).

    References
    ----------
    Goodfellow, Bengio, Courville, *Deep Learning*, section 8.4. PyTorch starts its linear layers in the same way.

    Examples
    --------
    >>> w = tg.nn.init.fan_in_uniform_(tg.zeros(3, 4))
    >>> bool((abs(w) <= 0.5).all())
    True
    """
    writable("fan_in_uniform_", tensor)
    if fan_in is None:
        if tensor.ndim < 2:
            raise errors.ShapeError(
                f"fan_in_uniform_: shape {tensor.shape} does not tell the number of inputs; pass fan_in="
            )
        fan_in = math.prod(tensor.shape[1:])
    bound = _spread(1.0, number("fan_in_uniform_", "fan_in", fan_in, 0))
    return uniform_(tensor, -bound, bound)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, *, groups: int = 1) -> Tensor:
    """Uniform in ``±gain √(6/(m + n))``, in place, with m the fan-in and n the fan-out.

    The variance ``2/(m + n)`` is a compromise: 1/m keeps that of activations, 1/n that of gradients.

    Parameters
    ----------
    tensor : Tensor, shape (n, m, ...)
    gain : float
    groups : int
        Of a convolution.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
    equation 16.

    Examples
    --------
    >>> w = tg.nn.init.xavier_uniform_(tg.zeros(2, 4))
    >>> bool((abs(w) <= 1).all())
    True
    """
    return centred_uniform(tensor, glorot("xavier_uniform_", tensor, gain, groups))


def xavier_normal_(tensor: Tensor, gain: float = 1.0, *, groups: int = 1) -> Tensor:
    """Normal with ``σ = gain √(2/(m + n))``, in place; parameters and source as for `xavier_uniform_`.

    Examples
    --------
    >>> tg.nn.init.xavier_normal_(tg.zeros(2, 4)).shape
    (2, 4)
    """
    return normal_(tensor, 0.0, glorot("xavier_normal_", tensor, gain, groups))


def glorot(function: str, tensor: Tensor, gain: float, groups: int) -> float:
    """``gain √(2/(m + n))``."""
    return _spread(math.sqrt(2) * number(function, "gain", gain, 0), sum(fans(function, tensor, groups)))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, groups: int = 1
) -> Tensor:
    """Uniform in ``±gain √(3/fan)``, in place: what keeps the variance under rectifiers.

    Parameters
    ----------
    tensor : Tensor, shape (n, m, ...)
    a : float
        The slope of a leaky rectifier below 0.
    mode : {"fan_in", "fan_out"}
        Whether the variance of activations is kept, or that of gradients.
    nonlinearity : str
        As for `calculate_gain`, which gives the gain: √2 for a rectifier.
    groups : int
        Of a convolution.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015, equations 10, 14 and 15.

    Examples
    --------
    >>> w = tg.nn.init.kaiming_uniform_(tg.zeros(2, 6))
    >>> bool((abs(w) <= 1).all())
    True
    """
    return centred_uniform(tensor, _he("kaiming_uniform_", tensor, a, mode, nonlinearity, groups))


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, groups: int = 1
) -> Tensor:
    """Normal with ``σ = gain / √fan``, in place; parameters and source as for `kaiming_uniform_`.

    Examples
    --------
    >>> tg.nn.init.kaiming_normal_(tg.zeros(2, 6), mode="fan_out").shape
    (2, 6)
    """
    return normal_(tensor, 0.0, _he("kaiming_normal_", tensor, a, mode, nonlinearity, groups))


def _he(function: str, tensor: Tensor, a: float, mode: Any, nonlinearity: str, groups: int) -> float:
    if not isinstance(mode, str) or mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{function}: mode must be 'fan_in' or 'fan_out'; got {mode!r}")
    fan = fans(function, tensor, groups)[mode == "fan_out"]
    return _spread(_gain(function, nonlinearity, number(function, "a", a)), fan)


def lecun_uniform_(tensor: Tensor) -> Tensor:
    """Uniform in ``±√(3/m)``, in place, with m the fan-in: a linear unit keeps the variance of its inputs.

    References
    ----------
    Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp", 1998, section 4.6.

    Examples
    --------
    >>> w = tg.nn.init.lecun_uniform_(tg.zeros(2, 3))
    >>> bool((abs(w) <= 1).all())
    True
    """
    return centred_uniform(tensor, _spread(1.0, fans("lecun_uniform_", tensor)[0]))


def lecun_normal_(tensor: Tensor) -> Tensor:
    """Normal with ``σ = 1/√m``, in place; see `lecun_uniform_`.

    Examples
    --------
    >>> tg.nn.init.lecun_normal_(tg.zeros(2, 3)).shape
    (2, 3)
    """
    return normal_(tensor, 0.0, _spread(1.0, fans("lecun_normal_", tensor)[0]))
