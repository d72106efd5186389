"""More that is done to gradients between backward and update: cut tensor by tensor, or unit by unit; and noise."""

from __future__ import annotations

import math
from typing import Any

from .. import backend, ops
from ..core import ledger
from ..core.primitive import wrap
from ..core.tensor import Tensor
from .clipping import _gradients, _norm, _number, _stretches, _with_gradients

__all__ = ["add_grad_noise_", "clip_each_grad_norm_", "clip_grad_adaptive_"]

Array = Any


def clip_each_grad_norm_(parameters: Any, max_norm: float, norm_type: float = 2.0) -> list[Tensor]:
    """Scale the gradient of each parameter by itself so that its norm is at most `max_norm`.

    ``g ← g · min(1, max_norm / (‖g‖ + 1e-6))``, where `clip_grad_norm_` takes all gradients as one vector.

    Parameters
    ----------
    parameters : iterable of tensors, or one tensor
        Those without a gradient are left aside.
    max_norm : float
    norm_type : float
        p of the p-norm; ``inf`` for the largest magnitude.

    Returns
    -------
    list of Tensor
        The norms before, one for each parameter that has a gradient.

    Examples
    --------
    >>> w, b = (tg.tensor([0.0, 0.0], requires_grad=True) for _ in range(2))
    >>> (w * tg.tensor([3.0, 4.0]) + b * 0.5).sum().backward()
    >>> tg.nn.utils.clip_each_grad_norm_([w, b], max_norm=1.0)
    [tensor(5.), tensor(0.70710677)]
    >>> w.grad, b.grad
    (tensor([0.59999..., 0.79999...]), tensor([0.5, 0.5]))
    """
    limit = _number("clip_each_grad_norm_", "max_norm", max_norm, low=0.0)
    order = _number("clip_each_grad_norm_", "norm_type", norm_type)
    if not order > 0:
        raise ValueError(f"clip_each_grad_norm_: norm_type must be positive, or inf; got {norm_type!r}")
    norms = []
    for gradient in _gradients("clip_each_grad_norm_", parameters):
        array = gradient._array
        norms.append(_norm([array], order))
        with backend.beside(array):
            norm = norms[-1]._array
            array *= backend.namespace(norm).minimum(limit / (norm + 1e-6), 1.0)
        ledger.wrote(array, "clip_each_grad_norm_")
    return norms


def clip_grad_adaptive_(parameters: Any, clip_factor: float = 0.01, eps: float = 1e-3) -> None:
    """Adaptive gradient clipping: no unit's gradient is longer than a share λ of the unit's weights.

    ``G_i ← G_i · min(1, λ max(‖W_i‖, eps) / ‖G_i‖)``, where i runs over the rows of W: the first axis, which
    numbers the outputs of linear and convolutional layers. A vector or a scalar (a bias, a scale) is one unit.

    Parameters
    ----------
    parameters : iterable of tensors, or one tensor
        Those without a gradient are left aside. The paper leaves out the last linear layer.
    clip_factor : float
        λ, above 0.
    eps : float
        Above 0: weights at zero can move.

    References
    ----------
    A. Brock, S. De, S. L. Smith, K. Simonyan, "High-performance large-scale image recognition without normalization",
    ICML 2021.

    Examples
    --------
    >>> w = tg.tensor([[3.0, 4.0], [0.0, 1.0]], requires_grad=True)
    >>> (w * tg.tensor([[6.0, 8.0], [0.0, 0.25]])).sum().backward()
    >>> tg.nn.utils.clip_grad_adaptive_(w, clip_factor=0.5)
    >>> w.grad
    tensor([[1.5 , 2.  ],
            [0.  , 0.25]])
    """
    factor = _number("clip_grad_adaptive_", "clip_factor", clip_factor, low=0.0)
    floor = _number("clip_grad_adaptive_", "eps", eps, low=0.0)
    if not factor or not floor:
        raise ValueError(
            f"clip_grad_adaptive_: clip_factor and eps must be above 0; got {clip_factor!r} and {eps!r}. Else weights "
            "at zero could never move."
        )
    for parameter in _with_gradients("clip_grad_adaptive_", parameters):
        array = parameter.grad._array  # type: ignore[union-attr]
        with backend.beside(array):
            xp = backend.namespace(array)
            limits = factor * xp.maximum(_unit_norms(parameter._array), floor)
            array *= limits / xp.maximum(_unit_norms(array), limits)
        ledger.wrote(array, "clip_grad_adaptive_")


def _unit_norms(array: Array) -> Array:
    """The norm of each row of a matrix or stack, in its place to multiply with; of a vector or scalar as a whole."""
    units = len(array) if array.ndim > 1 else 1
    rows = array.reshape(units, -1)
    norms = ops.norm(wrap(rows.astype("float32") if rows.dtype.itemsize < 4 else rows), axis=1)._array
    return norms.reshape((units,) + (1,) * (array.ndim - 1) if array.ndim else ())


def add_grad_noise_(parameters: Any, step: int, eta: float = 0.01, gamma: float = 0.55) -> None:
    """Add normal noise to all gradients, of a variance that falls with the number of the step.

    ``g ← g + N(0, σ²)`` with ``σ² = η / (1 + t)^γ``, from the generator that `manual_seed` sets.

    Parameters
    ----------
    parameters : iterable of tensors, or one tensor
        Those without a gradient are left aside.
    step : int
        t, from 0 on.
    eta : float
        η; the paper tries 0.01, 0.3 and 1.
    gamma : float
        γ.

    References
    ----------
    A. Neelakantan et al., "Adding gradient noise improves learning for very deep networks", 2015.

    Examples
    --------
    >>> w = tg.tensor([0.0, 0.0], requires_grad=True)
    >>> for t in range(3):
    ...     w.zero_grad()
    ...     (w * w).sum().backward()
    ...     tg.nn.utils.add_grad_noise_([w], step=t)
    >>> bool((w.grad != 0).all())
    True
    """
    t = _number("add_grad_noise_", "step", step, low=0.0)
    variance = _number("add_grad_noise_", "eta", eta, low=0.0)
    sigma = math.sqrt(variance / (1 + t) ** _number("add_grad_noise_", "gamma", gamma, low=0.0))
    for stretch in _stretches(_gradients("add_grad_noise_", parameters)):
        with backend.beside(stretch):
            dtype = max(stretch.dtype, "float32")  # the generators draw no float16
            noise = backend.generator(backend.device_of(stretch)).standard_normal(stretch.shape, dtype=dtype)
            noise *= sigma
            stretch += noise
        ledger.wrote(stretch, "add_grad_noise_")
