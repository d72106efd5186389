"""Affine maps."""

from __future__ import annotations

from typing import Any

from ... import errors, ops
from ...core.primitive import operand

__all__ = ["linear"]


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
