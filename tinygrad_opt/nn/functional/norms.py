"""Normalization."""

from __future__ import annotations

from typing import Any

from ... import ops

__all__ = ["batch_norm"]


def batch_norm(
    x: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalize each channel (axis 1) and scale it: ``y = γ (x - μ) / √(σ² + eps) + β``.

    Parameters
    ----------
    x : tensor, shape (batch, channels, ...)
    running_mean, running_var : tensor, shape (channels,), optional
        μ and σ². Without them the batch's own mean and biased variance are used, and derivatives go through both.
    weight, bias : tensor, shape (channels,), optional
        γ and β.
    eps : float

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2.

    Examples
    --------
    >>> tg.nn.functional.batch_norm(tg.tensor([[1.0], [3.0]]), eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    sides = (1, -1) + (1,) * (len(x.shape) - 2)
    along = (0, *range(2, len(x.shape)))
    if running_mean is None or running_var is None:
        y = ops.normalize(x, axis=along, eps=eps)
    else:
        y = (x - _as_channels(running_mean, sides)) / ops.sqrt(_as_channels(running_var, sides) + eps)
    if weight is not None:
        y = y * _as_channels(weight, sides)
    return y if bias is None else y + _as_channels(bias, sides)


def _as_channels(vector: Any, sides: tuple[int, ...]) -> Any:
    """A vector over channels, shaped so that it broadcasts along axis 1 (as it stands where that is the last axis)."""
    return vector if len(sides) == 2 else ops.reshape(vector, sides)
