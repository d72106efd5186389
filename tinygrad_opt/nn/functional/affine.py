"""Affine and bilinear maps."""

from __future__ import annotations

import math
from typing import Any

from ... import errors, ops
from ...core.primitive import operand
from ...ops.checks import together

__all__ = ["bilinear", "linear"]


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


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Any:
    """``yₖ = Σᵢⱼ x1ᵢ Wₖᵢⱼ x2ⱼ + bₖ``.

    Parameters
    ----------
    x1 : tensor, shape (..., n)
    x2 : tensor, shape (..., m)
        With the same leading axes.
    weight : tensor, shape (p, n, m)
    bias : tensor, shape (p,), optional

    Returns
    -------
    tensor, shape (..., p)

    Raises
    ------
    ShapeError
        Where the shapes do not fit.

    Examples
    --------
    >>> tg.nn.functional.bilinear(tg.ones(1, 2), tg.ones(1, 3), tg.ones(1, 2, 3))
    tensor([[6.]])
    """
    x1, x2 = operand("bilinear", x1), operand("bilinear", x2, x1, "x2")
    weight = operand("bilinear", weight, x1, "weight")
    bias = bias if bias is None else operand("bilinear", bias, x1, "bias")
    first, second, sides = tuple(x1.shape), tuple(x2.shape), tuple(weight.shape)
    if (
        len(sides) != 3 or not first or not second or first[:-1] != second[:-1] or (first[-1], second[-1]) != sides[1:]
        or (bias is not None and tuple(bias.shape) != sides[:1])
    ):  # fmt: skip
        given = "none" if bias is None else tuple(bias.shape)
        raise errors.ShapeError(
            f"bilinear: expected x1 (..., n), x2 (..., m), weight (p, n, m) and bias (p,); got {first}, {second}, "
            f"{sides} and {given}"
        )
    together("bilinear", x1=x1, x2=x2, weight=weight, bias=bias)
    (p, n, m), rows = sides, math.prod(first[:-1])
    left = ops.matmul(ops.reshape(x1, (rows, n)), ops.reshape(ops.permute_dims(weight, (1, 0, 2)), (n, p * m)))
    y = ops.matmul(ops.reshape(left, (rows, p, m)), ops.reshape(x2, (rows, m, 1)))
    y = ops.reshape(y, (*first[:-1], p))
    return y if bias is None else y + bias
