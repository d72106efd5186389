"""What losses of classes ask of their labels, and of the scores and weights of classes."""

from __future__ import annotations

import warnings
from typing import Any

from .... import backend, errors, ops
from ....core import modes
from ....core.primitive import operand
from ....ops.arguments import as_type
from ....ops.normal import check_labels, labels_beside, labels_fit
from .checks import beside_each_other

__all__ = ["class_weight", "labelled", "warn_of_probabilities"]


def labelled(
    function: str, scores: Any, labels: Any, ignore_index: int | None = None, name: str = "logits"
) -> tuple[Any, Any, Any]:
    """Scores with the classes in the last axis, labels of our own, and which of these count (None: all of them).

    Scores have the shape (classes,) or (batch, classes, ...), labels that without the classes. A label that does not
    count becomes 0.
    """
    listed = not hasattr(labels, "shape")
    labels = operand(function, labels, None, "labels")
    shape, array = tuple(scores.shape), getattr(labels, "_array", labels)
    if not shape:
        raise errors.ShapeError(f"{function}: {name} must have an axis of classes; got shape ()")
    classes, rows = shape[min(1, len(shape) - 1)], shape[:1] + shape[2:] if len(shape) > 1 else ()
    array, kept = _counted(function, array, classes, ignore_index if tuple(array.shape) == rows else None)
    if tuple(array.shape) != rows:
        raise _one_for_each_row(function, name, shape, tuple(array.shape), rows)
    scores = ops.moveaxis(scores, 1, -1) if len(shape) > 2 else scores
    raw = getattr(scores, "_array", scores)
    if backend.of(raw) is not backend.HOST or backend.of(array) is not backend.HOST:
        array = labels_beside(function, array, raw, listed)
        kept = kept if kept is None else backend.to_device(kept, backend.device_of(raw))
    with backend.beside(array):
        return scores, array.copy(), kept  # changing the labels later changes no derivative


def _counted(function: str, labels: Any, classes: int, ignore_index: int | None) -> tuple[Any, Any]:
    """Labels, those that do not count as 0, and which of them count (None: all of them)."""
    usual = labels.dtype.kind in "iu" and labels_fit(labels, classes)
    if usual and (ignore_index is None or not 0 <= ignore_index < classes):
        return labels, None
    kept = None
    if ignore_index is not None and labels.dtype.kind in "iu":
        with backend.beside(labels):
            xp, kept = backend.namespace(labels), labels.astype("int64") != ignore_index
            labels = xp.where(kept, labels, xp.zeros((), dtype=labels.dtype))
    check_labels(function, labels, classes)
    return labels, kept


def _one_for_each_row(
    function: str, name: str, shape: tuple[int, ...], found: tuple[int, ...], rows: tuple[int, ...]
) -> errors.ShapeError:
    hint = ""
    if found == shape:
        hint = ". Of one-hot labels: tg.argmax(labels, axis=1)"
    elif found == shape[:-1]:
        hint = f". The classes are axis 1: tg.moveaxis({name}, -1, 1)"
    return errors.ShapeError(
        f"{function}: {name} {shape}, labels {found}; expected one label for each row of {name}: labels {rows}{hint}"
    )


def class_weight(function: str, weight: Any, classes: int, like: Any) -> Any:
    """One weight for each class, or None."""
    if weight is None:
        return None
    if isinstance(weight, str):
        raise TypeError(
            f"{function}: weight must be one number for each class; got {weight!r}. Write reduction={weight!r}"
        )
    weight = operand(function, weight, like, "weight")
    if tuple(weight.shape) != (classes,) or weight.dtype.kind == "b":
        raise errors.ShapeError(
            f"{function}: weight must be one number for each of the {classes} classes, shape ({classes},); got "
            f"{tuple(weight.shape)} {weight.dtype}"
        )
    beside_each_other(function, scores=like, weight=weight)
    return as_type(weight, like.dtype)


def warn_of_probabilities(function: str, scores: Any, axis: int, remedy: str) -> None:
    """Inside `detect_anomaly`: say so where what should be logits looks like probabilities."""
    array = getattr(scores, "_array", scores)
    if not modes.current.get().inspecting or array.size == 0 or array.shape[axis] < 2:
        return
    with backend.beside(array):
        if bool((array >= 0).all()) and bool((abs(array.sum(axis=axis) - 1) < 1e-3).all()):
            warnings.warn(
                f"{function}: every row is non-negative and sums to 1, as probabilities do. {remedy}", stacklevel=2
            )
