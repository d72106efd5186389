"""Specifications of the maps that rescale a whole group of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _along_an_axis(source: Source) -> Sample:
    shape = source.shape(low=1)
    return Sample([source.array(shape)], {"axis": source.axis(len(shape))})


def _softmax(x: Any, axis: int) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: int) -> Any:
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _one_hot(source: Source) -> Sample:
    classes = source.integer(1, 4)
    meta = {"classes": classes, "dtype": np.dtype(source.choose(["float32", "float64"]))}
    return Sample([source.labels(source.shape(high=3), classes)], meta)


def _labelled(source: Source) -> tuple[Any, Any, str]:
    """Scores, a label for each row of them, and what to do with the rows."""
    shape, classes = source.shape(high=3), source.integer(1, 4)
    labels = source.labels(shape, classes)
    reduction = source.choose(("mean", "sum", "none") if labels.size else ("sum", "none"))
    return source.array((*shape, classes)), labels, reduction


def _reduced(y: Any, reduction: str) -> Any:
    return y if reduction == "none" else y.sum() / (y.size if reduction == "mean" else 1)


def _cross_entropy(source: Source) -> Sample:
    x, labels, reduction = _labelled(source)
    return Sample([x, labels], {"reduction": reduction})


def _nll(source: Source) -> Sample:
    x, labels, reduction = _labelled(source)
    return Sample([x], {"labels": labels, "reduction": reduction})


def _nll_reference(x: Any, labels: Any, reduction: str) -> Any:
    return _reduced(-np.take_along_axis(x, labels[..., None], axis=-1)[..., 0], reduction)


def _nll_transposed(source: Source) -> Sample:
    x, labels, reduction = _labelled(source)
    shape = labels.shape if reduction == "none" else ()
    return Sample([source.array(shape)], {"labels": labels, "reduction": reduction, "classes": x.shape[-1]})


def _nll_transposed_reference(g: Any, labels: Any, reduction: str, classes: int) -> Any:
    rows = np.zeros(labels.shape, dtype=g.dtype) + (g / labels.size if reduction == "mean" else g)
    return -rows[..., None] * np.eye(classes, dtype=g.dtype.char.lower())[labels]


SPECS = [
    Spec("softmax", _softmax, _along_an_axis),
    Spec("log_softmax", _log_softmax, _along_an_axis),
    Spec("one_hot", lambda labels, classes, dtype: np.eye(classes, dtype=dtype)[labels], _one_hot),
    Spec(
        "softmax_cross_entropy",
        lambda x, labels, reduction: _nll_reference(_log_softmax(x, -1), labels, reduction),
        _cross_entropy,
        primitive="nll",
    ),
    Spec("nll", _nll_reference, _nll),
    Spec("nll_transposed", _nll_transposed_reference, _nll_transposed),
]
