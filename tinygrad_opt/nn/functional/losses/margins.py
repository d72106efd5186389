"""Losses of margins: nothing is paid where scores, or distances, keep far enough apart."""

from __future__ import annotations

from typing import Any

from .... import errors, ops
from ....core.primitive import operand
from ....ops.arguments import wide
from ....ops.index import pick
from ....ops.normal import _nll
from .checks import (
    beside_each_other,
    check_power,
    check_reduction,
    checked,
    pair,
    reduced,
    same_shape,
    scores_of,
    signs,
)
from .labels import class_weight, labelled

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss", "soft_margin_loss",
    "triplet_margin_loss",
]  # fmt: skip


def _excess(z: Any) -> Any:
    """``max(z, 0)``, with the slope 1 at 0 (as PyTorch has it): what just reaches the margin is still pushed."""
    return ops.clip(z, 0.0)


def hinge_embedding_loss(prediction: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Any:
    """Distances of pairs: x where the target is 1 (alike), ``max(0, margin - x)`` where it is -1 (different).

    Parameters
    ----------
    prediction : tensor
        The distances x.
    target : tensor or array, of the same shape
        1 or -1.
    margin : float
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError, ValueError
        For unequal shapes, and targets other than 1 and -1.

    Examples
    --------
    >>> tg.nn.functional.hinge_embedding_loss(tg.tensor([0.2, 0.2]), tg.tensor([1, -1]), reduction="none")
    tensor([0.2, 0.8])
    """
    check_reduction("hinge_embedding_loss", reduction)
    (margin,) = checked("hinge_embedding_loss", margin=margin)
    x, target, dtype = pair("hinge_embedding_loss", prediction, target)
    signs("hinge_embedding_loss", target, strict=True)
    return reduced("hinge_embedding_loss", ops.where(target == 1, x, _excess(margin - x)), reduction, dtype)


def soft_margin_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Logistic loss of scores with the sign of their class: ``ln(1 + exp(-y x))``, without overflow.

    Parameters as for `hinge_embedding_loss`.

    Examples
    --------
    >>> tg.nn.functional.soft_margin_loss(tg.tensor([0.0, 1e4]), tg.tensor([1, -1]), reduction="none")
    tensor([6.931...e-01, 1.000...e+04])
    """
    check_reduction("soft_margin_loss", reduction)
    x, target, dtype = pair("soft_margin_loss", prediction, target)
    signs("soft_margin_loss", target)
    return reduced("soft_margin_loss", ops.softplus(-target * x), reduction, dtype)


def margin_ranking_loss(
    prediction: Any, other: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """Two scores in the right order: ``max(0, -y (x₁ - x₂) + margin)``; y is 1 where x₁ should be the larger, else -1.

    Examples
    --------
    >>> scores = tg.tensor([2.0, 2.0]), tg.tensor([1.0, 1.0])
    >>> tg.nn.functional.margin_ranking_loss(*scores, tg.tensor([1, -1]), reduction="none")
    tensor([0., 1.])
    """
    name = "margin_ranking_loss"
    check_reduction(name, reduction)
    (margin,) = checked(name, margin=margin)
    a, target, dtype = pair(name, prediction, target)
    b = scores_of(name, other, a, "other")
    same_shape(name, a, b, ("prediction", "other"))
    beside_each_other(name, prediction=a, other=b)
    signs(name, target)
    return reduced(name, _excess(margin - target * (a - wide(b))), reduction, dtype)


def multi_margin_loss(
    prediction: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """Hinge loss of classes: ``w_y Σ_{c≠y} max(0, margin - x_y + x_c)ᵖ / classes``, of slope 0 on the margin.

    Parameters
    ----------
    prediction : tensor, shape (batch, classes) or (classes,)
        Scores.
    target : tensor or array of int, shape (batch,) or ()
        Labels.
    p : {1, 2}
    margin : float
    weight : tensor, shape (classes,), optional
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.functional.multi_margin_loss(tg.tensor([[1.0, 0.5, -3.0, 2.0]]), tg.tensor([0]))
    tensor(0.625)
    """
    name = "multi_margin_loss"
    check_reduction(name, reduction)
    (margin,) = checked(name, margin=margin)
    check_power(name, p)
    x = scores_of(name, prediction, None)
    if len(x.shape) > 2:
        raise errors.ShapeError(f"{name}: prediction must have the shape (batch, classes) or (classes,); got {x.shape}")
    x, labels, _ = labelled(name, x, target, name="prediction")
    classes, dtype, x = x.shape[-1], x.dtype, wide(x)
    weight = class_weight(name, weight, classes, x)
    own = -_nll(x, labels=labels, reduction="none")
    over = ops.relu(margin + x - ops.expand_dims(own, -1))
    losses = ops.where(ops.one_hot(labels, classes, bool), 0.0, over if p == 1 else ops.square(over))
    losses = ops.sum(losses, axis=-1) * (1 / max(classes, 1))
    if weight is not None:
        losses = losses * pick(weight, index=(labels,))
    return reduced(name, losses, reduction, dtype)


def cosine_embedding_loss(
    prediction: Any, other: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """Directions of pairs: ``1 - cos(x₁, x₂)`` where the target is 1, ``max(0, cos(x₁, x₂) - margin)`` where it is -1.

    Parameters
    ----------
    prediction, other : tensor, shape (batch, features) or (features,)
        x₁ and x₂. 10⁻¹² is added to their squared lengths.
    target : tensor or array, shape (batch,) or ()
    margin : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.functional.cosine_embedding_loss(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 1.0]]), tg.tensor([1]))
    tensor(1.)
    """
    name = "cosine_embedding_loss"
    check_reduction(name, reduction)
    (margin,) = checked(name, margin=margin)
    a, b, dtype = pair(name, prediction, other, ("prediction", "other"))
    target = operand(name, target, a, "target")
    if len(a.shape) not in (1, 2) or tuple(target.shape) != tuple(a.shape[:-1]):
        raise errors.ShapeError(
            f"{name}: expected vectors (batch, features) and targets (batch,), or (features,) and (); got "
            f"{tuple(a.shape)} and {tuple(target.shape)}"
        )
    beside_each_other(name, prediction=a, target=target)
    signs(name, target, strict=True)
    lengths = (ops.sum(a * a, axis=-1) + 1e-12) * (ops.sum(b * b, axis=-1) + 1e-12)
    cosine = ops.sum(a * b, axis=-1) / ops.sqrt(lengths)
    return reduced(name, ops.where(target == 1, 1 - cosine, _excess(cosine - margin)), reduction, dtype)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, *, reduction: str = "mean",
) -> Any:  # fmt: skip
    """An anchor nearer to what is like it than to what is not: ``max(0, d(a, p) - d(a, n) + margin)``.

    Parameters
    ----------
    anchor, positive, negative : tensor, shape (..., features)
    margin : float
    p : float
        Distances are p-norms, ``d(x, y) = ‖x - y + eps‖ₚ``.
    eps : float
    swap : bool
        Take the smaller of d(a, n) and d(p, n).
    reduction : {"mean", "sum", "none"}

    References
    ----------
    V. Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses", BMVC 2016.

    Examples
    --------
    >>> a, n = tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]])
    >>> tg.nn.functional.triplet_margin_loss(a, a, n, margin=6.0)
    tensor(1.0000...)
    """
    name = "triplet_margin_loss"
    check_reduction(name, reduction)
    margin, p, eps, swap = checked(name, margin=margin, p=p, eps=eps, swap=swap)
    anchor, positive, dtype = pair(name, anchor, positive, ("anchor", "positive"))
    negative = scores_of(name, negative, anchor, "negative")
    same_shape(name, anchor, negative, ("anchor", "negative"))
    beside_each_other(name, anchor=anchor, negative=negative)
    if not anchor.shape:
        raise errors.ShapeError(f"{name}: expected vectors, shape (..., features); got shape ()")

    def distance(x: Any, y: Any) -> Any:
        return ops.linalg.norm(x - y + eps, ord=p, axis=-1)

    negative = wide(negative)
    apart = distance(anchor, negative)
    if swap:
        apart = ops.minimum(apart, distance(positive, negative))
    return reduced(name, _excess(margin + distance(anchor, positive) - apart), reduction, dtype)
