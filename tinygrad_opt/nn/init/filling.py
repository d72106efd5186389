"""Starting values that know nothing of the layer: constants, and random numbers of a given spread."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import backend
from ...core.tensor import Tensor

__all__ = ["constant_", "fill", "number", "normal_", "ones_", "trunc_normal_", "uniform_", "writable", "zeros_"]

Array = np.ndarray[Any, Any]


def fill(tensor: Tensor, values: Array | float) -> Tensor:
    """Write values into the tensor, in place and in its dtype."""
    tensor.data = backend.to_device(np.asarray(values, dtype=tensor.dtype), tensor.device)
    return tensor


def writable(function: str, tensor: Any) -> None:
    """Refuse what cannot take random numbers: anything but floating tensors."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{function}: expected a tensor, to write into; got {type(tensor).__name__}")
    if tensor.dtype.kind != "f":
        raise TypeError(f"{function}: expected a floating tensor; got {tensor.dtype}")


def number(function: str, name: str, value: Any, low: float = -math.inf) -> float:
    """A finite number, and none below `low`."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
        raise ValueError(f"{function}: {name} must be a finite number; got {value!r}")
    if value < low:
        raise ValueError(f"{function}: {name} must not be below {low:g}; got {value!r}")
    return float(value)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere, in place.

    Examples
    --------
    >>> tg.nn.init.constant_(tg.zeros(2), 0.1)
    tensor([0.1, 0.1])
    """
    return _constant("constant_", tensor, number("constant_", "val", val))


def _constant(function: str, tensor: Tensor, value: float) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{function}: expected a tensor, to write into; got {type(tensor).__name__}")
    return fill(tensor, np.full(tensor.shape, value))


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros, in place.

    Examples
    --------
    >>> tg.nn.init.zeros_(tg.ones(2))
    tensor([0., 0.])
    """
    return _constant("zeros_", tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones, in place.

    Examples
    --------
    >>> tg.nn.init.ones_(tg.zeros(2))
    tensor([1., 1.])
    """
    return _constant("ones_", tensor, 1.0)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform random numbers in [a, b), in place; their variance is ``(b - a)²/12``.

    Examples
    --------
    >>> t = tg.nn.init.uniform_(tg.zeros(100), -1, 1)
    >>> bool((abs(t) <= 1).all())
    True
    """
    writable("uniform_", tensor)
    a, b = number("uniform_", "a", a), number("uniform_", "b", b)
    if a > b:
        raise ValueError(f"uniform_: a must not be above b; got a={a:g}, b={b:g}")
    return fill(tensor, backend.generator("cpu").uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal random numbers of that mean and standard deviation, in place.

    Examples
    --------
    >>> t = tg.nn.init.normal_(tg.zeros(1000), std=0.01)
    >>> bool(0.009 < t.std() < 0.011)
    True
    """
    writable("normal_", tensor)
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std, 0)
    return fill(tensor, mean + std * backend.generator("cpu").standard_normal(tensor.shape))


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> Tensor:
    """Normal random numbers, but only those in [a, b], in place.

    Parameters
    ----------
    tensor : Tensor
    mean, std : float
        Of the normal distribution that is cut off: what is left of it has another mean, unless the bounds lie even
        around it, and less spread.
    a, b : float
        The bounds themselves, not in units of `std`.

    References
    ----------
    C. P. Robert, "Simulation of truncated normal variables", Statistics and Computing 5 (1995).

    Examples
    --------
    >>> t = tg.nn.init.trunc_normal_(tg.zeros(100), std=0.02, a=-0.04, b=0.04)
    >>> bool((abs(t) <= 0.04).all())
    True
    """
    writable("trunc_normal_", tensor)
    mean, std = number("trunc_normal_", "mean", mean), number("trunc_normal_", "std", std, 0)
    if (
        not isinstance(a, (int, float))
        or not isinstance(b, (int, float))
        or not a <= b
        or a == math.inf
        or b == -math.inf
    ):
        raise ValueError(f"trunc_normal_: a must be a number not above b; got a={a!r}, b={b!r}")
    if std == 0:
        if not a <= mean <= b:
            raise ValueError(f"trunc_normal_: with std=0 all is at mean={mean:g}, which is outside [{a:g}, {b:g}]")
        return _constant("trunc_normal_", tensor, mean)
    values = mean + std * _truncated((a - mean) / std, (b - mean) / std, tensor.size)
    return fill(tensor, np.clip(values, a, b).reshape(tensor.shape))


def _truncated(low: float, high: float, count: int) -> Array:
    """Standard normal numbers between two bounds, by rejection.

    Candidates x with a simple density are kept with a probability proportional to the normal density over theirs, at
    most 1. Which density costs few candidates depends on the interval.
    """
    if high < 0:
        return -_truncated(-high, -low, count)
    rng = backend.generator("cpu")
    nearest = max(low, 0.0)
    rate = (nearest + math.hypot(nearest, 2)) / 2
    kept = np.empty(count)
    done = 0
    while done < count:
        n = count - done
        if high - low < (1 / rate if low > 0 else math.sqrt(2 * math.pi)):  # short: even candidates
            x = rng.uniform(low, high, n)
            chance = np.exp((nearest - x) * (nearest + x) / 2)
        elif low > 0:  # a tail: exponential ones from its beginning
            x = low + rng.exponential(1 / rate, n)
            chance = np.exp(-((x - rate) ** 2) / 2) * (x <= high)
        else:  # around the middle: normal ones
            x = rng.standard_normal(n)
            chance = ((low <= x) & (x <= high)).astype(float)
        x = x[rng.random(n) < chance]
        kept[done : done + len(x)] = x
        done += len(x)
    return kept
