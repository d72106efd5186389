"""Maps that rescale a whole group of elements: softmax and its relatives.

Their Jacobians mix the elements of a group but stay cheap to apply. That of `softmax` is symmetric, so one rule is both
the push and the pull.
"""

from __future__ import annotations

from typing import Any

from .. import backend, errors
from ..core.dtypes import as_dtype, default_dtype
from ..core.kinds import Constant, General, Linear
from ..core.primitive import operand
from .arguments import floating
from .checks import holdable, one_of
from .exponential import exp
from .precision import widened
from .shape import as_integer, normalize_axis

__all__ = ["log_softmax", "one_hot", "softmax", "softmax_cross_entropy"]


def _softmax_kernel(xp: Any, x: Any, *, axis: int) -> Any:
    if x.size == 0:
        return xp.exp(x)  # nothing, in the dtype of a result
    y = xp.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


_softmax: General = General(
    "softmax",
    [lambda t, y, _x, *, axis: y * (t - (t * y).sum(axis, keepdims=True))],
    kernel=widened(_softmax_kernel),
)


def _log_softmax_kernel(xp: Any, x: Any, *, axis: int) -> Any:
    if x.size == 0:
        return xp.exp(x)
    z = x - x.max(axis=axis, keepdims=True)
    total = xp.log(xp.exp(z).sum(axis=axis, keepdims=True))
    return xp.subtract(z, total, out=z if z.dtype == total.dtype else None)  # whole numbers have a floating result


_log_softmax: General = General(
    "log_softmax",
    [lambda t, y, _x, *, axis: t - (t * exp(y)).sum(axis, keepdims=True)],
    [lambda g, y, _x, *, axis: g - exp(y) * g.sum(axis, keepdims=True)],
    kernel=widened(_log_softmax_kernel),
)

_one_hot: Constant = Constant(
    "one_hot",
    kernel=lambda xp, labels, *, classes, dtype: (labels[..., None] == xp.arange(classes)).astype(dtype),
)


# The sum of the rows' entries at their labels, negated: a linear map, and its transpose, which writes back there.


def _at_labels(xp: Any, labels: Any) -> tuple[Any, Any]:
    return xp.arange(labels.size), labels.reshape(-1)


def _nll_kernel(xp: Any, x: Any, *, labels: Any, reduction: str) -> Any:
    picked = x.reshape(labels.size, x.shape[-1])[_at_labels(xp, labels)]
    if reduction == "none":
        return -picked.reshape(labels.shape)
    return -picked.sum() if reduction == "sum" else picked.sum() / -labels.size


def _nll_transposed_kernel(xp: Any, g: Any, *, labels: Any, reduction: str, classes: int) -> Any:
    out = xp.zeros((labels.size, classes), dtype=g.dtype)
    if reduction == "mean":
        g = g * (-1 / labels.size)
    else:
        g = -g.reshape(-1) if reduction == "none" else -g
    out[_at_labels(xp, labels)] = g
    return out.reshape(*labels.shape, classes)


_nll: Linear = Linear(
    "nll",
    lambda g, like, *, labels, reduction: _nll_transposed(
        g, labels=labels, reduction=reduction, classes=like.shape[-1]
    ),
    kernel=widened(_nll_kernel),
)
_nll_transposed: Linear = Linear(
    "nll_transposed",
    lambda g, like, *, labels, reduction, classes: _nll(g, labels=labels, reduction=reduction),
    kernel=_nll_transposed_kernel,
)


def softmax(x: Any, axis: int = -1) -> Any:
    """Positive numbers that sum to 1 along `axis`: ``yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)``, without overflow.

    Examples
    --------
    >>> tg.softmax(tg.tensor([1000.0, 1000.0]))
    tensor([0.5, 0.5])
    """
    x = floating(operand("softmax", x))
    return _softmax(x, axis=normalize_axis("softmax", axis, len(x.shape)))


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of the softmax along `axis`: ``yᵢ = xᵢ - ln Σⱼ exp(xⱼ)``, without overflow.

    Examples
    --------
    >>> tg.log_softmax(tg.tensor([0.0, 0.0]))
    tensor([-0.6931..., -0.6931...])
    """
    x = floating(operand("log_softmax", x))
    return _log_softmax(x, axis=normalize_axis("log_softmax", axis, len(x.shape)))


def one_hot(labels: Any, classes: int, dtype: Any = None) -> Any:
    """A row of `classes` zeros with a single 1, at the place of the label, for each label.

    Parameters
    ----------
    labels : tensor or array of int, any shape
    classes : int
    dtype : dtype, optional
        The default floating dtype where nothing else is said.

    Raises
    ------
    IndexError
        For a label outside ``0 … classes - 1``.

    Examples
    --------
    >>> tg.one_hot(tg.tensor([0, 2]), 3)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    labels = operand("one_hot", labels)
    classes = as_integer("one_hot", "classes", classes)
    if classes < 0:
        raise ValueError(f"one_hot: classes must not be negative; got {classes}")
    check_labels("one_hot", labels, classes)
    wanted = default_dtype() if dtype is None else as_dtype(dtype, "one_hot")
    holdable("one_hot", (*labels.shape, classes))
    return _one_hot(labels, classes=classes, dtype=wanted)


def softmax_cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """Negative logarithm of the probability that the softmax of `logits` gives to each label.

    ``y = ln Σⱼ exp(xⱼ) - x_label``, over the last axis; no overflow at any logit.

    Parameters
    ----------
    logits : tensor, shape (..., classes)
    labels : tensor or array of int, shape (...)
    reduction : {"mean", "sum", "none"}
        What to do with the values of the rows.

    Returns
    -------
    tensor
        A scalar in nats; of shape (...) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        Where the shapes do not fit, and for the mean over no rows.
    IndexError
        For a label outside ``0 … classes - 1``.
    TypeError
        For labels that are not integers, and logits that are not floating.

    Examples
    --------
    >>> tg.softmax_cross_entropy(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931...)
    """
    one_of("softmax_cross_entropy", "reduction", reduction, ("mean", "sum", "none"))
    listed = not hasattr(labels, "shape")
    logits, labels = operand("softmax_cross_entropy", logits), operand("softmax_cross_entropy", labels)
    x, array = getattr(logits, "_array", logits), getattr(labels, "_array", labels)
    shape = x.shape
    check_labels("softmax_cross_entropy", array, shape[-1] if shape else 0)
    if array.shape != shape[:-1] or not shape:
        raise errors.ShapeError(
            f"softmax_cross_entropy: logits {tuple(shape)}, labels {tuple(array.shape)}; expected one label "
            f"for each row of logits: labels {tuple(shape[:-1])}"
        )
    if x.dtype.kind != "f":
        raise TypeError(
            f"softmax_cross_entropy: logits are floating numbers, of which derivatives are taken; got {x.dtype}. "
            "Write logits.astype(tg.float32). (Labels come second.)"
        )
    if reduction == "mean" and array.size == 0:
        raise errors.ShapeError("softmax_cross_entropy: the mean over an empty batch has no value")
    if backend.of(x) is not backend.HOST or backend.of(array) is not backend.HOST:
        array = labels_beside("softmax_cross_entropy", array, x, listed)
    with backend.beside(array):
        own = array.copy()  # changing the labels later changes no derivative
    return _nll(_log_softmax(logits, axis=len(shape) - 1), labels=own, reduction=reduction)


def labels_beside(function: str, labels: Any, logits: Any, listed: bool) -> Any:
    """Labels on the device of the logits: a list is brought there, labels that live elsewhere are a mistake."""
    places = [("logits", backend.device_of(logits)), ("labels", backend.device_of(labels))]
    if not listed and places[0][1] != places[1][1]:
        raise errors.mixed_devices(function, places)
    return backend.to_device(labels, places[0][1])


_UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}


def check_labels(function: str, labels: Any, classes: int) -> None:
    """Refuse labels that are not whole numbers between 0 and ``classes - 1`` (on a GPU this waits for them)."""
    dtype = getattr(labels, "dtype", None)
    if dtype is None or dtype.kind not in "iu":
        raise TypeError(
            f"{function}: labels are whole numbers, one per row; got {dtype or type(labels).__name__}. "
            "Write labels.astype(tg.int64), or tg.argmax(labels, axis=-1) if they are one-hot."
        )
    array = getattr(labels, "_array", labels)
    if not labels_fit(array, classes):
        with backend.beside(array):
            bad = int(array.min()) if int(array.min()) < 0 else int(array.max())
        raise IndexError(f"{function}: label {bad} is outside 0 … {classes - 1}, for {classes} classes")


def labels_fit(array: Any, classes: int) -> bool:
    """Whether whole numbers lie between 0 and ``classes - 1``."""
    # Read as unsigned, a negative label is a huge one: a single pass finds both kinds of fault.
    with backend.beside(array):
        return not array.size or int(array.view(_UNSIGNED[array.dtype.itemsize]).max()) < classes
