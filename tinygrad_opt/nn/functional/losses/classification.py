"""Losses of classes: negative log-likelihoods, and the divergence of one distribution from another."""

from __future__ import annotations

from typing import Any

from .... import errors, ops
from ....core.dtypes import float16
from ....core.primitive import operand
from ....ops.arguments import as_type, wide
from ....ops.index import pick
from ....ops.losses import clamped_log, logistic_loss
from ....ops.normal import _log_softmax, _nll
from .checks import chances, check_reduction, checked, coins, element_weight, pair, reduced, scores_of
from .labels import class_weight, labelled, warn_of_probabilities

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div", "nll_loss"]


def cross_entropy(
    logits: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """Negative log-likelihood of classes under the softmax p of logits: ``-Σ_c q_c w_c ln p_c``.

    Parameters
    ----------
    logits : tensor, shape (classes,), (batch, classes) or (batch, classes, ...)
        Unnormalized: no softmax before this loss.
    target : tensor or array
        Labels: whole numbers, of the shape without the axis of classes; q is then 1 at the label. Or probabilities
        q: floating numbers, of the shape of the logits.
    weight : tensor, shape (classes,), optional
        w. With labels, the mean is then Σ w_y loss / Σ w_y; with probabilities it is over the examples, as it stands.
    ignore_index : int
        A label that does not count, neither in the sum nor in the mean; none, where the targets are probabilities.
    reduction : {"mean", "sum", "none"}
        The mean over labels of which none counts is 0, with the gradient 0: such a batch teaches nothing. (PyTorch
        says nan.)
    label_smoothing : float
        ε: q is replaced by ``(1 - ε) q + ε / classes``.

    Returns
    -------
    tensor
        A scalar in nats, or one value per row with ``reduction="none"``.

    Raises
    ------
    ShapeError, IndexError, TypeError
        For shapes that do not fit, labels outside the classes, and labels that are not integers.

    Notes
    -----
    Inside `detect_anomaly`, logits that look like probabilities are warned of.

    Examples
    --------
    >>> tg.nn.functional.cross_entropy(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931...)
    """
    check_reduction("cross_entropy", reduction)
    ignore_index, smoothing = checked("cross_entropy", ignore_index=ignore_index, label_smoothing=label_smoothing)
    logits = scores_of("cross_entropy", logits, None, "logits")
    warn_of_probabilities(
        "cross_entropy", logits, min(1, len(logits.shape) - 1), "Logits are expected: leave the softmax away."
    )
    given = operand("cross_entropy", target, None, "target")
    if given.dtype.kind == "f" and tuple(given.shape) == tuple(logits.shape) != ():
        if ignore_index >= 0:
            raise ValueError(
                f"cross_entropy: ignore_index={ignore_index} is a label, and the targets are probabilities; give the "
                "rows that are not to count the weight 0: (losses * weights).sum() / weights.sum()"
            )
        return _of_probabilities(logits, target, weight, reduction, smoothing)
    logits, labels, kept = labelled("cross_entropy", logits, target, ignore_index)
    log_p = _log_softmax(logits, axis=len(logits.shape) - 1)
    return _of_labels("cross_entropy", log_p, labels, kept, weight, reduction, smoothing)


def nll_loss(
    log_probabilities: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Negative log-likelihood of labels, given the logarithms of probabilities; parameters as for `cross_entropy`.

    Examples
    --------
    >>> tg.nn.functional.nll_loss(tg.log_softmax(tg.tensor([[0.0, 0.0]])), tg.tensor([1]))
    tensor(0.6931...)
    """
    check_reduction("nll_loss", reduction)
    (ignore_index,) = checked("nll_loss", ignore_index=ignore_index)
    log_p = scores_of("nll_loss", log_probabilities, None, "log_probabilities")
    warn_of_probabilities(
        "nll_loss", log_p, min(1, len(log_p.shape) - 1), "Logarithms are expected: write tg.log_softmax(logits)."
    )
    log_p, labels, kept = labelled("nll_loss", log_p, target, ignore_index, "log_probabilities")
    return _of_labels("nll_loss", log_p, labels, kept, weight, reduction)


def _of_labels(
    function: str, log_p: Any, labels: Any, kept: Any, weight: Any, reduction: str, smoothing: float = 0.0
) -> Any:
    """The loss of labels under logarithms of probabilities, whose classes are in the last axis."""
    classes, dtype = log_p.shape[-1], log_p.dtype
    if reduction == "mean" and labels.size == 0:
        raise errors.ShapeError(f"{function}: the mean over an empty batch has no value")
    weight = class_weight(function, weight, classes, log_p)
    if kept is None and weight is None and not smoothing:
        return _nll(log_p, labels=labels, reduction=reduction)
    log_p, weight = wide(log_p), None if weight is None else wide(weight)
    losses, share = _nll(log_p, labels=labels, reduction="none"), None
    if weight is not None:
        share = pick(weight, index=(labels,))
        losses = losses * share
    if smoothing:
        even = ops.sum(log_p if weight is None else log_p * weight, axis=-1)
        losses = (1 - smoothing) * losses - (smoothing / classes) * even
    if kept is not None:
        losses = ops.where(kept, losses, 0.0)
        share = as_type(kept, log_p.dtype) if share is None else ops.where(kept, share, 0.0)
    if reduction != "mean" or share is None:
        return reduced(function, losses, reduction, dtype)
    total = ops.sum(share)
    return as_type(ops.sum(losses) / ops.where(total == 0, 1.0, total), dtype)


def _of_probabilities(logits: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """The loss of probabilities, one for each logit."""
    logits, target, dtype = pair("cross_entropy", logits, target)
    axis = min(1, len(logits.shape) - 1)
    classes = logits.shape[axis]
    weight = class_weight("cross_entropy", weight, classes, logits)
    if smoothing:
        target = (1 - smoothing) * target + smoothing / max(classes, 1)
    if weight is not None:
        target = target * ops.reshape(weight, (-1,) + (1,) * (len(logits.shape) - 1 - axis))
    return reduced("cross_entropy", -ops.sum(target * ops.log_softmax(logits, axis), axis), reduction, dtype)


def binary_cross_entropy(prediction: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """Negative log-likelihood of yes or no: ``-y ln p - (1 - y) ln(1 - p)``, for probabilities p.

    Logarithms are clamped at -100, and their slopes at 10¹² (2¹⁵ in float16), so that p = 0 and p = 1 are finite. The
    loss of logits, `binary_cross_entropy_with_logits`, needs no such measures.

    Parameters
    ----------
    prediction : tensor
        p, between 0 and 1.
    target : tensor or array, of the same shape
        y: 0 or 1, or a probability.
    weight : tensor, optional
        Factors of the elements; it broadcasts.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        For unequal shapes.
    ValueError
        For predictions outside 0 … 1, and whole targets other than 0 and 1.

    Examples
    --------
    >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 0.0]), tg.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931..., 100.        ])
    """
    check_reduction("binary_cross_entropy", reduction)
    name = "binary_cross_entropy"
    floor = 2.0**-15 if getattr(prediction, "dtype", None) == float16 else 1e-12
    p, target, dtype = pair(name, prediction, target)
    chances(name, p)
    coins(name, target)
    losses = (target - 1) * clamped_log(-p, offset=1, floor=floor) - target * clamped_log(p, offset=0, floor=floor)
    if weight is not None:
        losses = losses * element_weight(name, weight, losses)
    return reduced(name, losses, reduction, dtype)


def binary_cross_entropy_with_logits(
    prediction: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Negative log-likelihood of yes or no, given logits x: ``-y ln σ(x) - (1 - y) ln σ(-x)``, stable at any x.

    Parameters
    ----------
    prediction : tensor
        The logits x.
    target : tensor or array, of the same shape
        y: 0 or 1, or a probability.
    weight : tensor, optional
        Factors of the elements; it broadcasts.
    reduction : {"mean", "sum", "none"}
    pos_weight : tensor, optional
        Factors of the first term, against rare positives; it broadcasts.

    Raises
    ------
    ShapeError
        For unequal shapes.
    ValueError
        For whole targets other than 0 and 1.

    Examples
    --------
    >>> tg.nn.functional.binary_cross_entropy_with_logits(tg.tensor([0.0, 1e4]), tg.tensor([1, 0]), reduction="none")
    tensor([6.931...e-01, 1.000...e+04])
    """
    name = "binary_cross_entropy_with_logits"
    check_reduction(name, reduction)
    x, target, dtype = pair(name, prediction, target)
    coins(name, target)
    if pos_weight is None:
        losses = logistic_loss(x, target)
    else:
        pos_weight = element_weight(name, pos_weight, x, "pos_weight")
        losses = pos_weight * target * ops.softplus(-x) + (1 - target) * ops.softplus(x)
    if weight is not None:
        losses = losses * element_weight(name, weight, losses)
    return reduced(name, losses, reduction, dtype)


def kl_div(prediction: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """Kullback-Leibler divergence of the prediction from the target: ``q (ln q - ln p)``, 0 where q is 0.

    Parameters
    ----------
    prediction : tensor
        The logarithms ln p, from `log_softmax` for instance.
    target : tensor or array, of the same shape
        q; with `log_target` ln q. Its gradient where q is 0 leaves ln q + 1, which is infinite, out.
    reduction : {"mean", "batchmean", "sum", "none"}
        Only ``"batchmean"``, the sum divided by the length of the first axis, is the divergence itself; the mean is
        over all elements.
    log_target : bool

    Examples
    --------
    >>> p, q = tg.tensor([[0.5, 0.5]]), tg.tensor([[0.0, 1.0]])
    >>> tg.nn.functional.kl_div(tg.log(p), q, reduction="batchmean")
    tensor(0.6931...)
    """
    check_reduction("kl_div", reduction, ("batchmean",))
    checked("kl_div", log_target=log_target)
    prediction, target, dtype = pair("kl_div", prediction, target)
    if prediction.shape:
        warn_of_probabilities("kl_div", prediction, -1, "Logarithms are expected: write tg.log_softmax(logits).")
    if log_target:
        losses = ops.exp(target) * (target - prediction)
    else:
        losses = ops.xlogy(target, target) - target * prediction
    if reduction != "batchmean":
        return reduced("kl_div", losses, reduction, dtype)
    batch = losses.shape[0] if losses.shape else 1
    if batch == 0:
        raise errors.ShapeError("kl_div: the mean over an empty batch has no value")
    return as_type(ops.sum(losses) / batch, dtype)
