"""Layers and losses as plain functions of tensors."""

from __future__ import annotations

from typing import Any

from .. import errors, ops
from ..core.primitive import operand

__all__ = ["batch_norm", "cross_entropy", "linear", "log_softmax", "relu", "softmax", "tanh"]
__all__ += [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "unfold",
]

relu = ops.relu
tanh = ops.tanh
softmax = ops.softmax
log_softmax = ops.log_softmax
adaptive_avg_pool1d = ops.adaptive_avg_pool1d
adaptive_avg_pool2d = ops.adaptive_avg_pool2d
adaptive_avg_pool3d = ops.adaptive_avg_pool3d
avg_pool1d = ops.avg_pool1d
avg_pool2d = ops.avg_pool2d
avg_pool3d = ops.avg_pool3d
conv1d = ops.conv1d
conv2d = ops.conv2d
conv3d = ops.conv3d
conv_transpose1d = ops.conv_transpose1d
conv_transpose2d = ops.conv_transpose2d
conv_transpose3d = ops.conv_transpose3d
fold = ops.fold
max_pool1d = ops.max_pool1d
max_pool2d = ops.max_pool2d
max_pool3d = ops.max_pool3d
unfold = ops.unfold


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """``y = x Wᵀ + b``.

    Parameters
    ----------
    x : tensor, shape (..., n)
    weight : tensor, shape (m, n)
    bias : tensor, shape (m,), optional

    Returns
    -------
    tensor, shape (..., m)

    Raises
    ------
    ShapeError
        Where the shapes do not fit.

    Examples
    --------
    >>> tg.nn.functional.linear(tg.ones(1, 2), tg.ones(3, 2))
    tensor([[2., 2., 2.]])
    """
    if bias is not None:
        return ops.affine(x, weight, bias)
    x, weight = operand("linear", x, weight), operand("linear", weight, x, "weight")
    if len(weight.shape) != 2 or not x.shape or x.shape[-1] != weight.shape[1]:
        raise errors.ShapeError(
            f"linear: x {tuple(x.shape)} and weight {tuple(weight.shape)} do not fit; expected (..., n) and (m, n)"
        )
    return ops.matmul(x, ops.swapaxes(weight, 0, 1))


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


def cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """Negative log-likelihood of the labels under the softmax of the logits.

    Parameters
    ----------
    logits : tensor, shape (batch, classes)
        Unnormalized: no softmax before this loss.
    labels : tensor or array of int, shape (batch,)
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    tensor
        A scalar in nats, or one value per row with ``reduction="none"``.

    Raises
    ------
    ShapeError, IndexError, TypeError
        For shapes that do not fit, labels outside the classes, and labels that are not integers.

    Examples
    --------
    >>> tg.nn.functional.cross_entropy(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931...)
    """
    return ops.softmax_cross_entropy(logits, labels, reduction)
