"""Points in the plane, in classes that no straight line separates: small enough to draw, hard enough to need layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.creation import tensor
from ..core.dtypes import default_dtype
from ..core.tensor import Tensor
from .checks import checked_count, host_generator

__all__ = ["moons", "spirals"]


def moons(
    n: int = 200, noise: float = 0.1, seed: int | None = None, *, device: str | None = None
) -> tuple[Tensor, Tensor]:
    """Two half circles, each reaching into the other.

    With t evenly spaced in [0, π]: class 0 lies at ``(cos t, sin t)`` and class 1 at ``(1 - cos t, 1/2 - sin t)``,
    plus normal noise.

    Parameters
    ----------
    n : int
        The number of points in all, at least 2; class 0 has one less where it is odd.
    noise : float
        Standard deviation of the noise that is added to both coordinates.
    seed : int, optional
        Without it the generator that `tg.manual_seed` sets is used.
    device : str, optional

    Returns
    -------
    points : Tensor, shape (n, 2)
        In the default dtype, class 0 first.
    labels : Tensor of int64, shape (n,)

    Examples
    --------
    >>> points, labels = tg.data.moons(4, noise=0.0)
    >>> labels.tolist()
    [0, 0, 1, 1]
    >>> points[0]
    tensor([1., 0.])
    """
    sizes = _class_sizes("moons", n, 2)
    upper, lower = (np.linspace(0, math.pi, size) for size in sizes)
    x = np.concatenate([np.cos(upper), 1 - np.cos(lower)])
    y = np.concatenate([np.sin(upper), 0.5 - np.sin(lower)])
    return _finished("moons", x, y, sizes, noise, seed, device)


def spirals(
    n: int = 300, noise: float = 0.02, seed: int | None = None, *, arms: int = 2, turns: float = 1.0,
    device: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Spiral arms that wind around each other; each is a class.

    With r evenly spaced in (0, 1], arm k lies at ``r (cos φ, sin φ)``, ``φ = 2π (turns · r + k / arms)``, plus
    normal noise.

    Parameters
    ----------
    n : int
        The number of points in all, at least one for each arm; what does not divide goes to the last arms.
    noise : float
        Standard deviation of the noise that is added to both coordinates.
    seed : int, optional
        Without it the generator that `tg.manual_seed` sets is used.
    arms : int
    turns : float
        How often each arm winds around the centre.
    device : str, optional

    Returns
    -------
    points : Tensor, shape (n, 2)
        In the default dtype, arm after arm, from the centre outwards.
    labels : Tensor of int64, shape (n,)

    Examples
    --------
    >>> points, labels = tg.data.spirals(6, seed=0, arms=3)
    >>> points.shape, labels.tolist()
    ((6, 2), [0, 0, 1, 1, 2, 2])
    """
    sizes = _class_sizes("spirals", n, checked_count("spirals", "arms", arms))
    r = np.concatenate([np.arange(1, size + 1) / size for size in sizes])
    angle = 2 * math.pi * (turns * r + np.repeat(np.arange(arms), sizes) / arms)
    return _finished("spirals", r * np.cos(angle), r * np.sin(angle), sizes, noise, seed, device)


def _class_sizes(function: str, n: int, classes: int) -> list[int]:
    """How many points each class gets."""
    count = checked_count(function, "n", n, least=classes)
    return [(count + k) // classes for k in range(classes)]


def _finished(
    function: str, x: Any, y: Any, sizes: list[int], noise: float, seed: int | None, device: str | None
) -> tuple[Tensor, Tensor]:
    """Add the noise, and make tensors."""
    if not 0 <= noise < math.inf:
        raise ValueError(f"{function}: noise is a standard deviation, a number of at least 0; got {noise!r}")
    points = np.stack([x, y], axis=1)
    points += noise * host_generator(function, seed).standard_normal(points.shape)
    labels = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    return tensor(points.astype(default_dtype()), device=device), tensor(labels, device=device)
