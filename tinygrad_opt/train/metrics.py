"""Numbers that say how good predictions are, and their means over the examples of many batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import errors
from ..core.creation import asarray
from ..core.tensor import Tensor

__all__ = ["Means", "Metrics", "accuracy", "as_number", "named_metrics"]

Metric = Callable[[Any, Any], Any]
Metrics = str | Iterable[str] | Mapping[str, str | Metric] | None


def accuracy(logits: Any, labels: Any) -> float:
    """The share of examples whose largest logit is that of their label.

    Parameters
    ----------
    logits : tensor or array, shape (..., classes)
        Or probabilities, or any other score per class. Of equal scores the first counts.
    labels : tensor or array of int, shape (...)

    Returns
    -------
    float
        Between 0 and 1. On a GPU this waits for the computation to finish.

    Raises
    ------
    ShapeError, TypeError
        For shapes that do not fit, a single class, no examples, and labels that are not whole numbers.

    Examples
    --------
    >>> tg.train.accuracy(tg.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), tg.tensor([0, 1, 1]))
    0.6666666666666666
    """
    logits, labels = asarray(logits).detach(), asarray(labels)
    if logits.shape[:-1] != labels.shape or not logits.shape:
        raise errors.ShapeError(
            f"accuracy: logits {logits.shape}, labels {labels.shape}; expected one label for each row of logits: "
            f"labels {logits.shape[:-1]}. One-hot labels: tg.argmax(labels, axis=-1)"
        )
    if logits.shape[-1] < 2:
        raise errors.ShapeError(
            f"accuracy: expected scores of two or more classes in the last axis; got logits {logits.shape}. For one "
            "logit per example pass a function: metrics={'accuracy': lambda z, y: ((z > 0) == (y > 0.5)).mean()}"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"accuracy: labels are whole numbers; got {labels.dtype}. Write labels.astype(tg.int64)")
    if labels.size == 0:
        raise errors.ShapeError("accuracy: there are no examples")
    return int((logits.argmax(axis=-1) == labels).sum()) / labels.size


_KNOWN: dict[str, Metric] = {"accuracy": accuracy}


def named_metrics(function: str, metrics: Metrics) -> dict[str, Metric]:
    """Metrics by name, from any of the forms in which they may be given."""
    if isinstance(metrics, str) or callable(metrics):
        metrics = [metrics]
    if not isinstance(metrics, Mapping):
        metrics = {name: name for name in metrics or ()}
    chosen: dict[str, Metric] = {}
    for name, metric in metrics.items():
        found = _KNOWN.get(metric) if isinstance(metric, str) else metric
        if not isinstance(name, str) or not callable(found):
            raise ValueError(
                f"{function}: unknown metric {metric!r}. Known by name: {', '.join(_KNOWN)}; for others pass a dict of "
                "functions, metrics={'name': lambda prediction, target: ...}"
            )
        if name == "loss":
            raise ValueError(f"{function}: a metric cannot be named 'loss'; that is the name of the loss itself")
        chosen[name] = found
    return chosen


def as_number(name: str, value: Any) -> float:
    """The number that a loss or metric returned, as a Python float."""
    if isinstance(value, Tensor) and value.size != 1:
        raise errors.ShapeError(
            f"{name} must return one number; got a tensor of shape {value.shape}. Reduce it with .mean(), or build the "
            "loss with reduction='mean'"
        )
    return float(value)


class Means:
    """Running means over examples: a batch counts as much as it has examples, so a small last one is no bias."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, float] = {}

    def add(self, values: Mapping[str, float], count: int) -> None:
        """Take in a batch of `count` examples, given its means."""
        self.count += count
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * count

    def result(self) -> dict[str, float]:
        """The means over all examples so far."""
        return {name: total / self.count for name, total in self._sums.items()}
