"""Normalization layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import errors, ops
from ..core.creation import full_like, ones, zeros
from ..core.primitive import operand
from ..core.tensor import Parameter
from ..ops.checks import as_number
from . import functional, init
from .arguments import positive, truth
from .frozen import statistics_frozen
from .functional.norms import as_sides, no_variance
from .init import Initializer
from .module import Module

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "LayerNorm", "RMSNorm",
]  # fmt: skip


class _Norm(Module):
    """A scale (γ, `weight`) and a shift (β, `bias`) that are learned, or are not there."""

    _shifts = True  # whether a scale usually has a shift beside it

    def _learn(
        self, shape: tuple[int, ...], weight: bool, bias: bool, starts: tuple[Initializer, Initializer],
        made: dict[str, Any],
    ) -> None:  # fmt: skip
        self.weight = Parameter(ones(shape, **made)) if weight else None
        self.bias = Parameter(zeros(shape, **made)) if bias else None
        self.init, self.bias_init = starts
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give the scale and the shift their starting values."""
        for parameter, how in ((self.weight, self.init), (self.bias, self.bias_init)):
            if parameter is not None:
                init.resolve(type(self).__name__, how)(parameter)

    def _shown(self, *always: str, **unless: Any) -> str:
        """Options for ``repr``: some always, some unless they are the usual ones."""
        unless = {**unless, "init": "ones_", "bias_init": "zeros_"}
        names = [*always, *(name for name, usual in unless.items() if getattr(self, name) != usual)]
        shown = [f"{n}={init.shown(getattr(self, n)) if 'init' in n else getattr(self, n)}" for n in names]
        alone = self._shifts and self.weight is not None and self.bias is None
        return ", ".join([*shown, "bias=False"] if alone else shown)


def _as_eps(layer: str, eps: Any) -> float:
    eps = as_number(layer, "eps", eps)
    if not eps >= 0:
        raise ValueError(f"{layer}: eps is added to a variance and must not be negative; got {eps!r}")
    return eps


class _Tracking(_Norm):
    """A layer with running averages of mean and variance, by which it can normalize in evaluation mode."""

    _affine, _tracks = True, True  # the usual ones
    _shapes: dict[int, str]  # what `forward` takes, by the number of axes
    _single: int | None = None  # the number of axes of one example, where that is taken too

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, *, bias: bool = True, init: Initializer = "ones_",
        bias_init: Initializer = "zeros_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        positive(name, num_features=num_features)
        self.num_features, self.eps = num_features, _as_eps(name, eps)
        self.momentum = None if momentum is None else as_number(name, "momentum", momentum)
        self.affine = affine = truth(name, "affine", affine)
        self.track_running_stats = track_running_stats = truth(name, "track_running_stats", track_running_stats)
        made = {"dtype": dtype, "device": device}
        self._learn((num_features,), affine, truth(name, "bias", bias) and affine, (init, bias_init), made)
        self.running_mean = zeros(num_features, **made) if track_running_stats else None
        self.running_var = ones(num_features, **made) if track_running_stats else None
        self.num_batches_tracked = zeros((), dtype="int64", device=device) if track_running_stats else None

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1."""
        for average, start in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if average is not None:
                average.rehome(full_like(average.detach(), start).data)

    def _tracking(self) -> bool:
        """Whether the running averages follow the batches now."""
        return self.training and self.running_mean is not None and not statistics_frozen(self)

    def _checked(self, x: Any) -> Any:
        """The input, which has as many features as the layer."""
        x = operand(type(self).__name__, x)
        axes = len(x.shape)
        if axes not in self._shapes or x.shape[0 if axes == self._single else 1] != self.num_features:
            wanted = " or ".join(self._shapes.values()).replace("features", str(self.num_features))
            raise errors.ShapeError(f"{type(self).__name__}: expected shape {wanted}; got {tuple(x.shape)}")
        return x

    def extra_repr(self) -> str:
        """The number of features, and the options."""
        shown = self._shown("eps", "momentum", affine=self._affine, track_running_stats=self._tracks)
        return f"{self.num_features}, {shown}"


class _BatchNorm(_Tracking):
    def forward(self, x: Any) -> Any:
        """Normalize `x`; in training mode, move the running averages."""
        x = self._checked(x)
        mean, variance, momentum = self.running_mean, self.running_var, self.momentum
        by_batch = self.training or mean is None
        if by_batch:
            if x.size // self.num_features < 2:
                raise errors.ShapeError(no_variance(type(self).__name__, x.shape))
            if not self._tracking():
                mean = variance = None
            elif self.num_batches_tracked is not None:
                self.num_batches_tracked.rehome((self.num_batches_tracked + 1).data)
                momentum = momentum if momentum is not None else 1 / self.num_batches_tracked.item()
        return functional.batch_norm(
            x, mean, variance, self.weight, self.bias, by_batch, 0.0 if momentum is None else momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalization of features, shape (batch, features) or (batch, features, length).

    In training mode each feature is normalized by the mean and biased variance of the batch, through which the
    derivative goes; the running averages move towards the batch's mean and *unbiased* variance. In evaluation mode
    the running averages are used and stay as they are.

    Parameters
    ----------
    num_features : int
    eps : float
        Added to the variance.
    momentum : float or None
        Weight of the newest batch in the running averages; None averages over all batches seen.
    affine : bool
        Whether there are a learned scale (`weight`, starts at 1) and shift (`bias`, starts at 0).
    track_running_stats : bool
        Without running averages the batch's own statistics are used in both modes.
    bias : bool
        Whether there is a shift where there is a scale.
    init, bias_init : str, function or number
        What scale and shift start with: see `Linear`.
    dtype, device
        Of the parameters.

    Raises
    ------
    ShapeError
        Where the batch's own statistics are needed, for one value per feature: its variance is 0.

    See Also
    --------
    nn.utils.update_bn_statistics : exact statistics of all data, in place of running averages.
    nn.utils.frozen_stats : a block inside which the running averages stand still.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015.

    Examples
    --------
    >>> layer = tg.nn.BatchNorm1d(1, eps=0.0)
    >>> layer(tg.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    _shapes = {2: "(batch, features)", 3: "(batch, features, length)"}  # noqa: RUF012


class BatchNorm2d(_BatchNorm):
    """Batch normalization of images, shape (batch, features, height, width); as `BatchNorm1d`.

    Examples
    --------
    >>> tg.nn.BatchNorm2d(3)(tg.randn(8, 3, 5, 5)).shape
    (8, 3, 5, 5)
    """

    _shapes = {4: "(batch, features, height, width)"}  # noqa: RUF012


class BatchNorm3d(_BatchNorm):
    """Batch normalization of volumes, shape (batch, features, depth, height, width); as `BatchNorm1d`.

    Examples
    --------
    >>> tg.nn.BatchNorm3d(2)(tg.randn(4, 2, 3, 3, 3)).shape
    (4, 2, 3, 3, 3)
    """

    _shapes = {5: "(batch, features, depth, height, width)"}  # noqa: RUF012


class _InstanceNorm(_Tracking):
    _affine, _tracks = False, False

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
        track_running_stats: bool = False, *, bias: bool = True, init: Initializer = "ones_",
        bias_init: Initializer = "zeros_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, bias=bias, init=init, bias_init=bias_init,
            dtype=dtype, device=device,
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        """Normalize `x`; in training mode, move the running averages, if there are any."""
        x = self._checked(x)
        shape = tuple(x.shape)
        if len(shape) == self._single:
            x = ops.reshape(x, (1, *shape))
        mean, variance = self.running_mean, self.running_var
        by_input = self.training or mean is None
        if by_input and x.size // (x.shape[0] * self.num_features or 1) < 2:
            raise errors.ShapeError(
                f"{type(self).__name__}: shape {shape} has one value per feature of an example, or none, and so no "
                "variance"
            )
        if by_input and not self._tracking():
            mean = variance = None
        y = functional.instance_norm(
            x, mean, variance, self.weight, self.bias, by_input, self.momentum or 0.0, self.eps
        )
        return y if len(shape) != self._single else ops.reshape(y, shape)


class InstanceNorm1d(_InstanceNorm):
    """Instance normalization of sequences, shape (batch, features, length) or (features, length).

    Each feature of each example is normalized by its own mean and biased variance along its length.

    Parameters
    ----------
    num_features : int
    eps : float
        Added to the variance.
    momentum : float or None
        Weight of the newest batch in the running averages; with None they stand still, as in PyTorch.
    affine : bool
        Whether there are a learned scale (`weight`, starts at 1) and shift (`bias`, starts at 0).
    track_running_stats : bool
        Keep running averages, over the batch, of the examples' means and *unbiased* variances, and normalize by them in
        evaluation mode.
    bias : bool
        Whether there is a shift where there is a scale.
    init, bias_init : str, function or number
        What scale and shift start with: see `Linear`.
    dtype, device
        Of the parameters.

    Raises
    ------
    ShapeError
        For a length of 1, which has no variance.

    References
    ----------
    D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", 2016.

    Examples
    --------
    >>> tg.nn.InstanceNorm1d(2, eps=0.0)(tg.tensor([[1.0, 3.0], [5.0, 9.0]]))
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """

    _single, _shapes = 2, {2: "(features, length)", 3: "(batch, features, length)"}


class InstanceNorm2d(_InstanceNorm):
    """Instance normalization of images, shape (batch, features, height, width) or (features, height, width).

    As `InstanceNorm1d`.

    Examples
    --------
    >>> tg.nn.InstanceNorm2d(3)(tg.randn(8, 3, 5, 5)).shape
    (8, 3, 5, 5)
    """

    _single, _shapes = 3, {3: "(features, height, width)", 4: "(batch, features, height, width)"}


class InstanceNorm3d(_InstanceNorm):
    """Instance normalization of volumes, shape (batch, features, depth, height, width), or without the batch.

    As `InstanceNorm1d`.

    Examples
    --------
    >>> tg.nn.InstanceNorm3d(2)(tg.randn(4, 2, 3, 3, 3)).shape
    (4, 2, 3, 3, 3)
    """

    _single, _shapes = 4, {4: "(features, depth, height, width)", 5: "(batch, features, depth, height, width)"}


class LayerNorm(_Norm):
    """Layer normalization: each example over its last axes, of shape `normalized_shape`.

    Parameters
    ----------
    normalized_shape : int or sequence of int
    eps : float
        Added to the (biased) variance.
    elementwise_affine : bool
        Whether there is a learned scale (`weight`, starts at 1), one number for each normalized element.
    bias : bool
        Whether there is a learned shift (`bias`, starts at 0) beside it.
    init, bias_init : str, function or number
        What scale and shift start with: see `Linear`.
    dtype, device
        Of the parameters.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016.

    Examples
    --------
    >>> tg.nn.LayerNorm(2, eps=0.0)(tg.tensor([[1.0, 3.0], [5.0, 9.0]])).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, *, init: Initializer = "ones_", bias_init: Initializer = "zeros_", dtype: Any = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        self.normalized_shape = as_sides("LayerNorm", normalized_shape)
        self.eps = _as_eps("LayerNorm", eps)
        self.elementwise_affine = affine = truth("LayerNorm", "elementwise_affine", elementwise_affine)
        made = {"dtype": dtype, "device": device}
        self._learn(self.normalized_shape, affine, truth("LayerNorm", "bias", bias) and affine, (init, bias_init), made)

    def forward(self, x: Any) -> Any:
        """Normalize `x`, of shape (..., *normalized_shape)."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The normalized shape, and the options."""
        return f"{self.normalized_shape}, {self._shown('eps', elementwise_affine=True)}"


class RMSNorm(_Norm):
    """Each example divided by the root of the mean square over its last axes, of shape `normalized_shape`.

    Parameters
    ----------
    normalized_shape : int or sequence of int
    eps : float, optional
        Added to the mean square; by default the distance from 1 to the next number of the input's dtype.
    elementwise_affine : bool
        Whether there is a learned scale (`weight`, starts at 1), one number for each normalized element.
    init : str, function or number
        What the scale starts with: see `Linear`.
    dtype, device
        Of the parameters.

    References
    ----------
    B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    Examples
    --------
    >>> tg.nn.RMSNorm(2)(tg.tensor([1.0, 7.0])).tolist()
    [0.2, 1.4]
    """

    _shifts = False

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True, *,
        init: Initializer = "ones_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self.normalized_shape = as_sides("RMSNorm", normalized_shape)
        self.eps = None if eps is None else _as_eps("RMSNorm", eps)
        self.elementwise_affine = truth("RMSNorm", "elementwise_affine", elementwise_affine)
        made = {"dtype": dtype, "device": device}
        self._learn(self.normalized_shape, self.elementwise_affine, False, (init, "zeros_"), made)

    def forward(self, x: Any) -> Any:
        """Scale `x`, of shape (..., *normalized_shape)."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The normalized shape, and the options."""
        return f"{self.normalized_shape}, {self._shown('eps', elementwise_affine=True)}"


class GroupNorm(_Norm):
    """Group normalization: each example over each of `num_groups` groups of neighbouring channels.

    Parameters
    ----------
    num_groups, num_channels : int
        The first divides the second.
    eps : float
        Added to the (biased) variance.
    affine : bool
        Whether there are a learned scale (`weight`, starts at 1) and shift (`bias`, starts at 0) for each channel.
    bias : bool
        Whether there is a shift where there is a scale.
    init, bias_init : str, function or number
        What scale and shift start with: see `Linear`.
    dtype, device
        Of the parameters.

    References
    ----------
    Y. Wu, K. He, "Group normalization", ECCV 2018.

    Examples
    --------
    >>> tg.nn.GroupNorm(2, 4)(tg.randn(8, 4, 5, 5)).shape
    (8, 4, 5, 5)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, bias: bool = True,
        init: Initializer = "ones_", bias_init: Initializer = "zeros_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        positive("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_groups={num_groups} does not divide num_channels={num_channels}")
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps = _as_eps("GroupNorm", eps)
        self.affine = affine = truth("GroupNorm", "affine", affine)
        made = {"dtype": dtype, "device": device}
        self._learn((num_channels,), affine, truth("GroupNorm", "bias", bias) and affine, (init, bias_init), made)

    def forward(self, x: Any) -> Any:
        """Normalize `x`, of shape (batch, num_channels, ...)."""
        x = operand("GroupNorm", x)
        if len(x.shape) < 2 or x.shape[1] != self.num_channels:
            raise errors.ShapeError(
                f"GroupNorm: expected shape (batch, {self.num_channels}, ...); got {tuple(x.shape)}"
            )
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The numbers of groups and channels, and the options."""
        return f"{self.num_groups}, {self.num_channels}, {self._shown('eps', affine=True)}"
