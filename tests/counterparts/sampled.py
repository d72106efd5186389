"""PyTorch's counterparts of what is done with the samples of a function."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def extended(x: Any, first: Any, last: Any, n: int, axis: int) -> Any:
    slab = list(x.shape)
    slab[axis] = 1
    first, last = (value if value.ndim else value.expand(slab) for value in (first, last))
    return torch.diff(x, n, axis, first, last)


def trapezoid(y: Any, x: Any = None, axis: int = -1) -> Any:
    return torch.trapezoid(y, dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Each piece of the broken line in turn."""
    x, xp, fp = torch.broadcast_tensors(x[..., None], xp, fp) if x.ndim else (x[None], xp, fp)
    y = fp[..., -1]
    for i in reversed(range(xp.shape[-1] - 1)):
        slope = (fp[..., i + 1] - fp[..., i]) / (xp[..., i + 1] - xp[..., i])
        at_end = (i == xp.shape[-1] - 2) & (x[..., 0] == xp[..., -1])
        inside = (x[..., 0] < xp[..., i + 1]) | at_end
        y = torch.where(inside, fp[..., i] + (x[..., 0] - xp[..., i]) * slope, y)
    y = torch.where(x[..., 0] < xp[..., 0], fp[..., 0] if left is None else torch.tensor(left).to(y), y)
    y = torch.where(x[..., 0] > xp[..., -1], fp[..., -1] if right is None else torch.tensor(right).to(y), y)
    return y + 0.0 * (x[..., 0] + xp[..., 0])


def periodic(x: Any, xp: Any, fp: Any, period: float) -> Any:
    x, xp = x - period * torch.floor(x / period), xp - period * torch.floor(xp / period)
    order = torch.argsort(xp)
    xp, fp = xp[order], fp[order]
    return interp(
        x, torch.cat([xp[-1:] - period, xp, xp[:1] + period]), torch.cat([fp[-1:], fp, fp[:1]])
    )  # fmt: skip


TORCH = {
    "diff": lambda x, n, axis: torch.diff(x, n, axis),
    "diff_extended": extended,
    "trapezoid": trapezoid,
    "interp": interp,
    "interp_periodic": periodic,
    "segment": lambda x, xp: (torch.searchsorted(xp, x, right=True) - 1).clip(0, max(len(xp) - 2, 0)),
}
WITHOUT: dict[str, str] = {"gradient": "PyTorch's takes another formula at the ends, and no derivative by the places"}
