"""Losses of numbers: how far a prediction is from what was measured."""

from __future__ import annotations

import math
from typing import Any

from .... import backend, errors, ops
from ....core.primitive import operand
from ....core.tensor import Tensor
from ....ops.arguments import as_type, wide
from ....ops.losses import huber
from .checks import beside_each_other, check_reduction, checked, element_weight, pair, reduced

__all__ = ["gaussian_nll_loss", "huber_loss", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss"]


def mse_loss(prediction: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """Mean squared error, ``(ŷ - y)²``.

    Parameters
    ----------
    prediction : tensor
    target : tensor or array, of the same shape
        Whole numbers are taken as floating ones.
    reduction : {"mean", "sum", "none"}
    weight : tensor, optional
        Of the elements; the mean is then Σ w (ŷ - y)² / Σ w.

    Raises
    ------
    ShapeError
        For unequal shapes, (64, 1) and (64,) too: broadcasting would compare every pair.

    Examples
    --------
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction("mse_loss", reduction)
    prediction, target, dtype = pair("mse_loss", prediction, target)
    return _weighted_mean("mse_loss", ops.square(prediction - target), weight, reduction, dtype)


def l1_loss(prediction: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """Mean absolute error, ``|ŷ - y|``, of slope 0 at 0; parameters as for `mse_loss`.

    Examples
    --------
    >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """
    check_reduction("l1_loss", reduction)
    prediction, target, dtype = pair("l1_loss", prediction, target)
    return _weighted_mean("l1_loss", ops.absolute(prediction - target), weight, reduction, dtype)


def _weighted_mean(function: str, losses: Any, weight: Any, reduction: str, dtype: Any) -> Any:
    """The reduction of losses; with weights, their mean is Σ w l / Σ w."""
    if weight is None:
        return reduced(function, losses, reduction, dtype)
    weight = element_weight(function, weight, losses)
    if reduction != "mean":
        return reduced(function, losses * weight, reduction, dtype)
    return as_type(ops.sum(losses * weight) / ops.sum(ops.broadcast_to(weight, losses.shape)), dtype)


def huber_loss(prediction: Any, target: Any, reduction: str = "mean", delta: float = 1.0, *, weight: Any = None) -> Any:
    """Squares of small residuals z = ŷ - y, a straight line for large ones: ``z²/2`` to δ, ``δ |z| - δ²/2`` beyond.

    Parameters
    ----------
    prediction, target, reduction
        As for `mse_loss`.
    delta : float
        δ, where the line begins. The second derivative there is 0, that of the line.
    weight : tensor, optional
        Factors of the elements; the mean is over all elements, whatever their weights.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35 (1964).

    Examples
    --------
    >>> tg.nn.functional.huber_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), "none")
    tensor([0.125, 2.5  ])
    """
    check_reduction("huber_loss", reduction)
    (delta,) = checked("huber_loss", delta=delta)
    prediction, target, dtype = pair("huber_loss", prediction, target)
    losses = huber(prediction - target, delta=float(delta))
    if weight is not None:
        losses = losses * element_weight("huber_loss", weight, losses)
    return reduced("huber_loss", losses, reduction, dtype)


def smooth_l1_loss(prediction: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Absolute value of z = ŷ - y with a round bottom: ``z²/2β`` to β, ``|z| - β/2`` beyond.

    The Huber loss with δ = β, divided by β; the absolute error for β = 0. Parameters as for `mse_loss`.

    References
    ----------
    R. Girshick, "Fast R-CNN", ICCV 2015, equation 3.

    Examples
    --------
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), reduction="none")
    tensor([0.125, 2.5  ])
    """
    check_reduction("smooth_l1_loss", reduction)
    (beta,) = checked("smooth_l1_loss", beta=beta)
    prediction, target, dtype = pair("smooth_l1_loss", prediction, target)
    z = prediction - target
    if beta == 0:
        return reduced("smooth_l1_loss", ops.absolute(z), reduction, dtype)
    return reduced("smooth_l1_loss", huber(z, delta=float(beta)) * (1 / beta), reduction, dtype)


def poisson_nll_loss(
    prediction: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """Negative log-likelihood of counts: ``λ - y ln λ``, where the prediction is ln λ.

    Parameters
    ----------
    prediction : tensor
        ln λ; with ``log_input=False`` λ itself, and then eps is added to it in the logarithm.
    target : tensor or array, of the same shape
        The counts y.
    log_input : bool
    full : bool
        Add ln y! in Stirling's approximation, ``y ln y - y + ln(2πy)/2``, for y > 1.
    eps : float
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> tg.nn.functional.poisson_nll_loss(tg.tensor([0.0]), tg.tensor([3.0]))
    tensor(1.)
    """
    check_reduction("poisson_nll_loss", reduction)
    log_input, full, eps = checked("poisson_nll_loss", log_input=log_input, full=full, eps=eps)
    prediction, target, dtype = pair("poisson_nll_loss", prediction, target)
    if log_input:
        losses = ops.exp(prediction) - target * prediction
    else:
        losses = prediction - target * ops.log(prediction + eps)
    if full:
        many = target > 1
        y = ops.where(many, target, 1.0)
        losses = losses + ops.where(many, y * ops.log(y) - y + 0.5 * ops.log(2 * math.pi * y), 0.0)
    return reduced("poisson_nll_loss", losses, reduction, dtype)


def gaussian_nll_loss(
    prediction: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Negative log-likelihood of a normal distribution, ``(ln σ² + (μ - y)²/σ²) / 2``.

    Parameters
    ----------
    prediction : tensor
        The means μ.
    target : tensor or array, of the same shape
        What was measured, y.
    var : tensor or number
        The variances σ²: one for each element, or one for all along an axis, of length 1 or, the last one, left away.
    full : bool
        Add the constant ln(2π)/2.
    eps : float
        The least variance: a smaller one is replaced by it, with the slope that it has there, so that it can grow.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        For a variance below 0.

    References
    ----------
    D. A. Nix, A. S. Weigend, "Estimating the mean and variance of the target probability distribution", ICNN 1994.

    Examples
    --------
    >>> tg.nn.functional.gaussian_nll_loss(tg.tensor([1.0]), tg.tensor([3.0]), tg.tensor([1.0]))
    tensor(2.)
    """
    check_reduction("gaussian_nll_loss", reduction)
    full, eps = checked("gaussian_nll_loss", full=full, eps=eps)
    prediction, target, dtype = pair("gaussian_nll_loss", prediction, target)
    var = _variance(var, prediction, eps)
    losses = 0.5 * (ops.log(var) + ops.square(prediction - target) / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced("gaussian_nll_loss", losses, reduction, dtype)


def _variance(var: Any, prediction: Any, eps: float) -> Any:
    """Variances that broadcast to the prediction, none of them below eps."""
    var = wide(operand("gaussian_nll_loss", var, prediction, "var"))
    shape, sides = tuple(prediction.shape), tuple(var.shape)
    if sides == shape[:-1] and sides != shape:
        var = ops.expand_dims(var, -1)
    elif sides not in ((), shape) and (
        len(sides) != len(shape) or [n for n, m in zip(sides, shape, strict=True) if n != m] != [1]
    ):
        raise errors.ShapeError(
            f"gaussian_nll_loss: var {sides} for a prediction {shape}; expected {shape}, or one axis of length 1, or "
            f"{shape[:-1]}"
        )
    beside_each_other("gaussian_nll_loss", prediction=prediction, var=var)
    var = as_type(var, prediction.dtype)
    array = getattr(var, "_array", var)
    with backend.beside(array):
        least = float(array.min()) if array.size else eps
    if least < 0:
        raise ValueError(f"gaussian_nll_loss: variances cannot be negative; got {least:g}. Of a logarithm: tg.exp(var)")
    if least < eps:
        lift = ops.maximum(array, eps) - array  # a constant: the slope stays 1
        var = var + (lift.detach() if isinstance(lift, Tensor) else lift)
    return var
