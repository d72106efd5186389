"""More elements around images, in PyTorch's words; `tg.pad` is the same in NumPy's."""

from __future__ import annotations

from typing import Any

from ... import errors, ops
from ...core.primitive import operand
from ...ops.shape import as_integer

__all__ = ["pad"]

# What NumPy calls PyTorch's modes.
MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """More elements before and behind the last axes; negative numbers take elements away.

    Parameters
    ----------
    input : tensor
    pad : sequence of int
        ``(before, behind)`` of the last axis, then of the one before it, and so on.
    mode : {"constant", "reflect", "replicate", "circular"}
        What is put there: `value`; what is mirrored in the first or last element; that element again and again; what
        stands at the other end.
    value : number, optional
        0 by default.

    Raises
    ------
    ShapeError
        For widths that do not fit the axes: a mirror shows less than the axis, "circular" no more than it.
    ValueError
        For an unknown mode, and a value in another mode than "constant".

    Examples
    --------
    >>> tg.nn.functional.pad(tg.tensor([[1.0, 2.0, 3.0]]), (2, 1), "reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    return padded("pad", input, pad, mode, value)


def padded(function: str, x: Any, widths: Any, mode: str, value: float | None = None) -> Any:
    """`pad`, for the public `function` of which errors speak."""
    x = operand(function, x)
    if mode not in tuple(MODES):
        raise ValueError(f"{function}: mode must be one of {', '.join(MODES)}; got {mode!r}")
    if value and mode != "constant":
        raise ValueError(f"{function}: value={value!r} goes with mode='constant'; got mode={mode!r}")
    pairs = _pairs(function, widths, tuple(x.shape))
    for axis, (pair, n) in enumerate(zip(pairs, x.shape, strict=True)):
        widest = max(pair)
        if (mode == "reflect" and widest >= max(n, 1)) or (mode == "circular" and widest > n):
            less = "less than" if mode == "reflect" else "at most"
            raise errors.ShapeError(
                f"{function}: with mode={mode!r}, axis {axis} of length {n} can be padded by {less} {n} on each side; "
                f"got {pair}"
            )
        if n + sum(pair) < 0 or (n and min(pair) < -n):
            raise errors.ShapeError(f"{function}: {pair} takes more away than axis {axis} of length {n} has")
    if mode == "circular":  # the other modes first continue what is then taken away
        x = _shortened(x, pairs)
        pairs = [(max(before, 0), max(behind, 0)) for before, behind in pairs]
    added = [(max(before, 0), max(behind, 0)) for before, behind in pairs]
    if any(map(any, added)):
        options = {"constant_values": value or 0} if mode == "constant" else {}
        x = ops.pad(x, added, MODES[mode], **options)
    return _shortened(x, pairs)


def _shortened(x: Any, pairs: list[tuple[int, int]]) -> Any:
    """`x` without what negative widths take away."""
    if all(min(pair) >= 0 for pair in pairs):
        return x
    return x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True))]


def _pairs(function: str, widths: Any, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The widths before and behind each axis."""
    given = list(widths) if isinstance(widths, (tuple, list)) else None
    if given is None or len(given) % 2 or len(given) > 2 * len(shape):
        raise errors.ShapeError(
            f"{function}: pad must be pairs (before, behind), the last axis first, for no more than the {len(shape)} "
            f"axes of shape {shape}; got {widths!r}"
        )
    numbers = [as_integer(function, "pad", n) for n in given]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    return [(0, 0)] * (len(shape) - len(pairs)) + pairs[::-1]
