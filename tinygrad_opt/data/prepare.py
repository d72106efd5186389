"""Preparing features: what is measured on the training data is applied to all data."""

from __future__ import annotations

from typing import Any

from .. import backend, errors
from ..core.creation import asarray
from ..core.dtypes import default_dtype
from ..core.tensor import Tensor

__all__ = ["standardize"]


def standardize(train: Any, *others: Any) -> Any:
    """Shift and scale each feature to mean 0 and standard deviation 1 on the training data: ``(x - μ) / σ``.

    Parameters
    ----------
    train : tensor or array, shape (n, ...)
        μ and σ (the square root of the biased variance) are measured here, over the first axis. Whole numbers become
        the default floating dtype; floating numbers keep theirs.
    *others : tensor or array, shape (m, ...)
        Validation and test data: scaled with the *training* data's μ and σ, as nothing may be learned from them.

    Returns
    -------
    tensor, or tuple of tensors
        One for each argument. A feature that is constant on the training data is shifted only.

    Raises
    ------
    ShapeError
        For training data without rows, and for features of another shape.

    Examples
    --------
    >>> train, test = tg.data.standardize([[0.0, 5.0], [2.0, 5.0]], [[3.0, 6.0]])
    >>> train.tolist(), test.tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [[2.0, 1.0]])
    """
    tensors = [_floating(data) for data in (train, *others)]
    first = tensors[0]
    if not first.shape or not len(first):
        raise errors.ShapeError(f"standardize: expected training data of shape (n, ...), n > 0; got {first.shape}")
    for position, other in enumerate(tensors):
        if other.shape[1:] != first.shape[1:] or not other.shape:
            raise errors.ShapeError(
                f"standardize: argument {position} has shape {other.shape}; expected features as in the training "
                f"data, {('m', *first.shape[1:])}"
            )
    mean, scale = _mean_and_scale(first)
    results = [(tensor - mean) / scale for tensor in tensors]
    return tuple(results) if others else results[0]


def _floating(data: Any) -> Tensor:
    tensor = asarray(data)
    return tensor if tensor.dtype.kind == "f" else tensor.astype(default_dtype())


def _mean_and_scale(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the first axis; 1 for a feature that does not vary."""
    array, dtype, device = tensor.data, tensor.dtype, tensor.device
    xp = backend.namespace(array)
    with backend.for_device(device).on(device):
        # Summed in float64: along the first axis NumPy adds row after row, and rounding would grow with their number.
        mean = xp.mean(array, axis=0, dtype="float64").astype(dtype)
        deviation = xp.std(array, axis=0, dtype="float64").astype(dtype)
        # Rounding may give a constant feature a tiny deviation, and a tiny deviation may round to 0.
        varies = (xp.max(array, axis=0) > xp.min(array, axis=0)) & (deviation > 0)
        return Tensor(mean), Tensor(xp.where(varies, deviation, xp.ones_like(deviation)))
