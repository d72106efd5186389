"""Recompute instead of keep: memory for time."""

from __future__ import annotations

from typing import Any

from ..core.modes import current
from ..core.primitive import UNREAD
from ..core.recompute import Block
from .arguments import Fn, check_function

__all__ = ["checkpoint"]


def checkpoint(fn: Fn, *args: Any, **kwargs: Any) -> Any:
    """``fn(*args, **kwargs)``, keeping nothing inside for derivatives: it is computed anew when they are taken.

    The result and all its derivatives, of any order and in both modes, are those of the plain call, bit for bit. What
    is kept until then are the arguments; each sweep that passes runs the function once more. A network of n equal
    layers, checkpointed in √n blocks of √n layers, needs the memory of about 2√n layers and twice the time of a
    forward pass. Checkpoints may stand inside checkpoints.

    Parameters
    ----------
    fn : callable
        It may use tensors that are not arguments, such as the parameters of a module: derivatives by these come out
        as ever. It must do the same at its second run. Random numbers of the package are drawn again alike, and
        tensors that it changes (running averages of a normalization layer) change once. Other effects, such as
        printing, happen at every run.
    *args, **kwargs
        Anything.

    Returns
    -------
    What `fn` returns.

    Raises
    ------
    GraphError
        When derivatives are taken: where the second run differs from the first.
    InPlaceError
        Likewise, where something that the function reads was overwritten in between.

    Examples
    --------
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> y = tg.checkpoint(lambda z: tg.exp(tg.tanh(z)).sum(), x)
    >>> y.backward()  # runs the function again
    >>> x.grad
    tensor([0.8994..., 0.1852...])

    References
    ----------
    A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
    differentiation", Optimization Methods and Software 1 (1992); T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training
    deep nets with sublinear memory cost", arXiv:1604.06174 (2016).
    """
    check_function("checkpoint", fn)
    if not current.get().recording:
        return fn(*args, **kwargs)
    return Block(fn, args, kwargs).record(args, kwargs, UNREAD)
