"""Gradients cut between the backward pass and the update, in `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..nn import utils
from .callbacks import Callback, Run
from .loop import needs_closure

__all__ = ["GradientClipping"]

_WAYS: dict[str, Callable[..., Any]] = {
    "norm": utils.clip_grad_norm_,
    "value": utils.clip_grad_value_,
    "each": utils.clip_each_grad_norm_,
    "adaptive": utils.clip_grad_adaptive_,
}


class GradientClipping(Callback):
    """Cut the gradients of every batch before the update.

    Parameters
    ----------
    limit : float
        The largest norm, the largest value, or the largest share of the weights' norm.
    by : {"norm", "value", "each", "adaptive"}
        ``nn.utils``' `clip_grad_norm_`, `clip_grad_value_`, `clip_each_grad_norm_` or `clip_grad_adaptive_`.

    Raises
    ------
    TypeError
        At the start of a training whose optimizer evaluates the loss itself: its gradients do not pass by here.

    Examples
    --------
    >>> callbacks = [tg.train.GradientClipping(1.0), tg.train.GradientClipping(0.1, by="value")]
    >>> callbacks
    [GradientClipping(1.0, by='norm'), GradientClipping(0.1, by='value')]
    """

    def __init__(self, limit: float, by: str = "norm") -> None:
        if not isinstance(by, str) or by not in _WAYS:
            raise ValueError(f"GradientClipping: by must be one of {', '.join(map(repr, _WAYS))}; got {by!r:.80}")
        _WAYS[by]([], limit)  # refuses a limit that is none
        self.limit, self.by = limit, by

    def on_train_begin(self, run: Run) -> None:
        """Refuse an optimizer whose gradients are out of reach."""
        if needs_closure(run.optimizer):
            raise TypeError(
                f"GradientClipping: {type(run.optimizer).__name__} computes its gradients itself, inside "
                "step(closure), where they cannot be clipped"
            )

    def on_backward_end(self, run: Run) -> None:
        """Cut."""
        parameters = [parameter for group in run.optimizer.param_groups for parameter in group["params"]]
        _WAYS[self.by](parameters, self.limit)

    def __repr__(self) -> str:
        return f"GradientClipping({self.limit}, by={self.by!r})"
