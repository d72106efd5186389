"""What attention needs beside products of matrices: a softmax that leaves elements out."""

from __future__ import annotations

import math
from typing import Any

from ..core.folding import row_maxima, row_sums
from ..core.kinds import General, Multilinear, fit
from .blend import blend
from .precision import widened, wider

__all__: list[str] = []  # for nn.functional


def _masked_softmax_kernel(xp: Any, x: Any, mask: Any) -> Any:
    """A row that is left out as a whole is 0: it has no largest element to subtract, and no sum to be divided by."""
    if mask is not False:
        x = blend(xp, mask, -math.inf, x) if getattr(mask, "dtype", None) == "bool" else x + mask
    if x.size == 0:
        return xp.exp(x)
    top = row_maxima(xp, x := x.astype(wider(dtype := x.dtype), copy=False))
    y = x - blend(xp, xp.equal(top, -math.inf), 0.0, top)
    y = xp.exp(y, out=y)
    y /= xp.maximum(row_sums(xp, y), 1.0)  # the largest one is 1
    return y.astype(dtype, copy=False)


# The dot products of corresponding rows; the axis stays, with length 1.
row_dot: Multilinear = Multilinear(
    "row_dot",
    lambda g, _a, b: g * b,
    lambda g, a, _b: g * a,
    kernel=widened(lambda xp, a, b: xp.einsum("...i,...i->...", a, b)[..., None]),
)


def _rule(t: Any, y: Any, _x: Any, _mask: Any) -> Any:
    return y * (t - row_dot(t, y))


# Along the last axis. False leaves nothing out, truth values what they mark; numbers are added to x, and get a
# derivative too.
masked_softmax: General = General(
    "masked_softmax",
    [_rule, lambda t, y, _x, _mask: _rule(fit(t, y), y, _x, _mask)],
    [_rule, _rule],
    kernel=_masked_softmax_kernel,
)
