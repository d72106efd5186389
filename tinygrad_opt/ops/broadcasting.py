"""The transpose of broadcasting, as a function for everybody: what was repeated on the way up is summed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import errors
from ..core.kinds import sum_to
from ..core.primitive import operand
from .shape import as_shape, broadcasts

__all__ = ["unbroadcast"]


def unbroadcast(x: Any, shape: int | Sequence[int]) -> Any:
    """Sum `x` over the axes along which an array of `shape` was repeated to meet it: the transpose of `broadcast_to`.

    Whoever writes a derivative by hand needs it wherever an argument was broadcast: the cotangent has the shape of
    the result, the gradient must have the shape of the argument.

    Parameters
    ----------
    x : tensor or array
        Numbers; a cotangent, as a rule.
    shape : int or sequence of int
        The shape of what was broadcast.

    Returns
    -------
    tensor or array
        Of that shape, with the dtype of `x`; derivatives flow through.

    Raises
    ------
    ShapeError
        Where `shape` does not broadcast to the shape of `x`.
    TypeError
        For anything but real numbers; bool has no sum of its own type.

    Examples
    --------
    >>> tg.unbroadcast(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), (2,))
    tensor([4., 6.])
    >>> tg.unbroadcast(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), (2, 1))
    tensor([[3.],
            [7.]])
    """
    x = operand("unbroadcast", x)
    wanted, sides = as_shape("unbroadcast", shape), tuple(x.shape)
    if not broadcasts(wanted, sides):
        raise errors.ShapeError(
            f"unbroadcast: {wanted} does not broadcast to the shape {sides} of x, so x is no gradient of it. "
            "Aligned on the right, each side must be equal, or 1, or missing."
        )
    if x.dtype.kind not in "iuf":
        raise TypeError(f"unbroadcast: expected real numbers to add up; got {x.dtype}. Write x.astype(tg.float32).")
    return sum_to(x, shape=wanted)
