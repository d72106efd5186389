"""Normalization: which elements share a mean and a variance is all in which the layers differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import backend, errors, ops
from ...core.primitive import operand
from ...core.tensor import Tensor
from ...ops.arguments import floating
from ...ops.checks import as_number
from ...ops.normalizing import Normalized, normalized
from ...ops.shape import as_integer

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Normalize each channel (axis 1) over the batch and scale it: ``y = γ (x - μ) / √(σ² + eps) + β``.

    Parameters
    ----------
    input : tensor, shape (batch, channels, ...)
    running_mean, running_var : tensor, shape (channels,), or None
        What to normalize by, unless `training`. In training they move in place towards the mean and the *unbiased*
        variance of the batch; graphs that were recorded before keep the old values.
    weight, bias : tensor, shape (channels,), optional
        γ and β.
    training : bool
        Whether to use the batch's own mean and biased variance; derivatives go through both.
    momentum : float
        Weight of this batch in the running averages.
    eps : float
        Added to the variance.

    Raises
    ------
    ShapeError
        In training, for one value per channel: its variance is 0.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2.

    Examples
    --------
    >>> x = tg.tensor([[1.0], [3.0]])
    >>> tg.nn.functional.batch_norm(x, None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    x, eps = _start("batch_norm", input, eps)
    channels = _channels("batch_norm", x)
    _check_averages("batch_norm", channels, running_mean=running_mean, running_var=running_var)
    weight, bias = (_parameter("batch_norm", n, p, (channels,), x) for n, p in (("weight", weight), ("bias", bias)))
    if not training:
        return _by_running_averages("batch_norm", x, running_mean, running_var, weight, bias, eps)
    values = x.size // channels
    if values < 2:
        raise errors.ShapeError(no_variance("batch_norm", x.shape))
    found = normalized(x, (0, *range(2, len(x.shape))), eps, *_scale_and_shift(weight, bias, x))
    if running_mean is not None or running_var is not None:
        _move("batch_norm", found, (running_mean, running_var), as_number("batch_norm", "momentum", momentum), values)
    return found.y


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Normalize each channel of each example on its own, over what follows axis 1.

    Parameters are those of `batch_norm`, with ``use_input_stats=True`` for ``training=True``. The running averages move
    towards the mean over the batch of the means and unbiased variances of its examples.

    Raises
    ------
    ShapeError
        For one value per channel of an example.

    References
    ----------
    D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", 2016.

    Examples
    --------
    >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [5.0, 9.0]]]), eps=0.0)
    tensor([[[-1.,  1.],
             [-1.,  1.]]])
    """
    x, eps = _start("instance_norm", input, eps)
    channels = _channels("instance_norm", x, least=3)
    _check_averages("instance_norm", channels, running_mean=running_mean, running_var=running_var)
    weight, bias = (_parameter("instance_norm", n, p, (channels,), x) for n, p in (("weight", weight), ("bias", bias)))
    if not use_input_stats:
        return _by_running_averages("instance_norm", x, running_mean, running_var, weight, bias, eps)
    values = math.prod(x.shape[2:])
    if values < 2:
        raise errors.ShapeError(
            f"instance_norm: shape {tuple(x.shape)} has one value per channel of an example, or none, and so no "
            "variance; expected (batch, channels, ...) with at least two places"
        )
    found = normalized(x, tuple(range(2, len(x.shape))), eps, *_scale_and_shift(weight, bias, x))
    if running_mean is not None or running_var is not None:
        momentum = as_number("instance_norm", "momentum", momentum)
        _move("instance_norm", found, (running_mean, running_var), momentum, values)
    return found.y


def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalize each example over its last axes, of shape `normalized_shape`: ``y = γ (x - μ) / √(σ² + eps) + β``.

    Parameters
    ----------
    input : tensor, shape (..., *normalized_shape)
    normalized_shape : int or sequence of int
    weight, bias : tensor, shape `normalized_shape`, optional
        γ and β.
    eps : float
        Added to the (biased) variance.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016.

    Examples
    --------
    >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 3.0], [5.0, 9.0]]), 2, eps=0.0)
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """
    return _over_last_axes("layer_norm", input, normalized_shape, weight, bias, eps)


def rms_norm(input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Divide each example by the root of the mean square over its last axes: ``y = γ x / √(mean x² + eps)``.

    Parameters are those of `layer_norm`; without `eps`, the distance from 1 to the next number of the dtype of `input`.

    References
    ----------
    B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    Examples
    --------
    >>> tg.nn.functional.rms_norm(tg.tensor([1.0, 7.0]), 2, eps=0.0)
    tensor([0.2, 1.4])
    """
    return _over_last_axes("rms_norm", input, normalized_shape, weight, None, eps, centred=False)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalize each example over each of `num_groups` groups of neighbouring channels.

    Parameters
    ----------
    input : tensor, shape (batch, channels, ...)
    num_groups : int
        It divides the number of channels.
    weight, bias : tensor, shape (channels,), optional
        γ and β, one for each channel.
    eps : float
        Added to the (biased) variance.

    References
    ----------
    Y. Wu, K. He, "Group normalization", ECCV 2018.

    Examples
    --------
    >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 5.0, 9.0]]), 2, eps=0.0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    x, eps = _start("group_norm", input, eps)
    channels, groups = _channels("group_norm", x), as_integer("group_norm", "num_groups", num_groups)
    if groups < 1 or channels % groups:
        raise errors.ShapeError(f"group_norm: num_groups={groups} does not divide the {channels} channels")
    weight, bias = (_parameter("group_norm", n, p, (channels,), x) for n, p in (("weight", weight), ("bias", bias)))
    shape, each = tuple(x.shape), channels // groups
    if shape[0] * each * math.prod(shape[2:]) == 1:
        raise errors.ShapeError(f"group_norm: shape {shape} has one value per group, and so no variance")
    grouped = ops.reshape(x, (shape[0], groups, each, math.prod(shape[2:])))
    scale, shift = (
        default if vector is None else ops.reshape(vector, (1, groups, each, 1))
        for vector, default in ((weight, 1.0), (bias, 0.0))
    )
    return ops.reshape(normalized(grouped, (2, 3), eps, scale, shift).y, shape)


# What they have in common.


def _start(function: str, x: Any, eps: Any) -> tuple[Any, float]:
    return floating(operand(function, x)), float(as_number(function, "eps", eps))


def _channels(function: str, x: Any, least: int = 2) -> int:
    """The length of axis 1."""
    if len(x.shape) < least or x.shape[1] == 0:
        places = ", ..." if least == 2 else ", length, ..."
        raise errors.ShapeError(f"{function}: expected shape (batch, channels{places}); got {tuple(x.shape)}")
    return int(x.shape[1])


def no_variance(function: str, shape: Sequence[int]) -> str:
    """What to say where a batch has no variance."""
    return (
        f"{function}: shape {tuple(shape)} has one value per feature, or none, and so no variance. Use larger "
        "batches, DataLoader(..., drop_last=True) against a last batch of one, or model.eval() to predict (with "
        "track_running_stats=True)."
    )


def _check_averages(function: str, channels: int, **given: Any) -> None:
    """Running averages are tensors or arrays: in training they are written to."""
    for name, average in given.items():
        if average is not None and getattr(average, "shape", None) != (channels,):
            came = f"shape {tuple(average.shape)}" if hasattr(average, "shape") else type(average).__name__
            raise errors.ShapeError(
                f"{function}: {name} must have shape {(channels,)}, one value per channel; got {came}"
            )


def _parameter(function: str, name: str, given: Any, sides: tuple[int, ...], x: Any) -> Any:
    """A scale or a shift beside the elements `x`; None where there is none."""
    if given is None:
        return None
    parameter = floating(operand(function, given, x, name))
    if tuple(parameter.shape) != sides:
        raise errors.ShapeError(f"{function}: {name} must have shape {sides}; got {tuple(parameter.shape)}")
    return parameter


def _along_axis_1(vector: Any, x: Any) -> Any:
    """A vector over channels, shaped so that it broadcasts along axis 1 of `x` (as it is, where that comes last)."""
    behind = len(x.shape) - 2
    return vector if behind == 0 else ops.reshape(vector, (-1,) + (1,) * behind)


def _scale_and_shift(weight: Any, bias: Any, x: Any) -> tuple[Any, Any]:
    return (
        1.0 if weight is None else _along_axis_1(weight, x),
        0.0 if bias is None else _along_axis_1(bias, x),
    )


def _by_running_averages(function: str, x: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float) -> Any:
    if mean is None or variance is None:
        raise ValueError(f"{function}: without running_mean and running_var there are only the statistics of the input")
    scale = 1 / ops.sqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    y = (x - _along_axis_1(mean, x)) * _along_axis_1(scale, x)
    return y if bias is None else y + _along_axis_1(bias, x)


def _move(function: str, found: Normalized, averages: Sequence[Any], momentum: float, values: int) -> None:
    """Move the running averages, in place; they get new arrays, so that a graph that saved the old ones stays valid."""
    shares = momentum, momentum * values / (values - 1)  # the variance is to be the unbiased one
    for average, newest, share in zip(averages, found.statistics(), shares, strict=True):
        if average is None:
            continue
        old = getattr(average, "_array", average)
        if type(old) is not type(newest) or backend.device_of(old) != backend.device_of(newest):
            places = [("input", backend.device_of(newest)), ("running averages", backend.device_of(old))]
            raise errors.mixed_devices(function, places)
        with backend.beside(newest):
            if len(newest) > 1:  # one for each example
                newest = newest.mean(axis=0)
            moved = old * (1 - momentum)
            moved += newest.reshape(-1) * share  # in the dtype of the average
        if isinstance(average, Tensor):
            average.rehome(moved)
        else:
            average[...] = moved


def _over_last_axes(
    function: str, x: Any, normalized_shape: Any, weight: Any, bias: Any, eps: Any, centred: bool = True
) -> Any:
    """Normalize rows: what follows the leading axes of `x`."""
    x = floating(operand(function, x))
    sides = as_sides(function, normalized_shape)
    shape, n = tuple(x.shape), len(sides)
    if len(shape) < n or shape[len(shape) - n :] != sides:
        raise errors.ShapeError(
            f"{function}: expected shape (..., {', '.join(map(str, sides))}), which ends with normalized_shape; "
            f"got {shape}"
        )
    epsilon = backend.namespace(getattr(x, "_array", x)).finfo(x.dtype).eps if eps is None else eps
    rows = x if len(shape) == 2 and n == 1 else ops.reshape(x, (math.prod(shape[: len(shape) - n]), math.prod(sides)))
    scale, shift = (
        default if p is None else _as_row(_parameter(function, name, p, sides, x))
        for name, p, default in (("weight", weight, 1.0), ("bias", bias, 0.0))
    )
    y = normalized(rows, (1,), float(as_number(function, "eps", epsilon)), scale, shift, centred=centred).y
    return y if rows is x else ops.reshape(y, shape)


def _as_row(parameter: Any) -> Any:
    return parameter if len(parameter.shape) == 1 else ops.reshape(parameter, (-1,))


def as_sides(function: str, normalized_shape: Any) -> tuple[int, ...]:
    """`normalized_shape` as a tuple of positive integers."""
    given = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    sides = tuple(as_integer(function, "normalized_shape", n) for n in given)
    if not sides or min(sides) < 1:
        raise errors.ShapeError(
            f"{function}: normalized_shape must be one or more positive integers; got {normalized_shape!r}"
        )
    return sides
