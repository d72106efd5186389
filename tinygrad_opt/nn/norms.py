"""Normalization layers."""

from __future__ import annotations

from typing import Any

from .. import errors, ops
from ..core.creation import ones, zeros
from ..core.dtypes import float16, float32
from ..core.modes import no_grad
from ..core.tensor import Parameter, Tensor
from . import functional
from .arguments import positive
from .frozen import statistics_frozen
from .module import Module

__all__ = ["BatchNorm1d"]


class BatchNorm1d(Module):
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

    Raises
    ------
    ShapeError
        Where the batch's own statistics are needed, for one value per feature: its variance is 0.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015.

    Examples
    --------
    >>> layer = tg.nn.BatchNorm1d(1, eps=0.0)
    >>> layer(tg.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, *, dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        positive("BatchNorm1d", num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        made = {"dtype": dtype, "device": device}
        self.weight = Parameter(ones(num_features, **made)) if affine else None
        self.bias = Parameter(zeros(num_features, **made)) if affine else None
        self.running_mean = zeros(num_features, **made) if track_running_stats else None
        self.running_var = ones(num_features, **made) if track_running_stats else None
        self.num_batches_tracked = zeros((), dtype="int64", device=device) if track_running_stats else None

    def forward(self, x: Any) -> Any:
        """Normalize `x`; in training mode, move the running averages."""
        if len(x.shape) not in (2, 3) or x.shape[1] != self.num_features:
            raise errors.ShapeError(
                f"BatchNorm1d: expected shape (batch, {self.num_features}) or (batch, {self.num_features}, length); "
                f"got {tuple(x.shape)}"
            )
        if not self.training and self.running_mean is not None:
            return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.eps)
        self._check_batch(x)
        if self.training and not statistics_frozen(self):
            self._track(x)
        return functional.batch_norm(x, None, None, self.weight, self.bias, self.eps)

    def _check_batch(self, x: Any) -> None:
        if x.size // self.num_features < 2:
            raise errors.ShapeError(
                f"BatchNorm1d: shape {tuple(x.shape)} has one value per feature, or none, and so no variance. Use "
                "larger batches, DataLoader(..., drop_last=True) against a last batch of one, or model.eval() to "
                "predict (with track_running_stats=True)."
            )

    def _track(self, x: Tensor) -> None:
        """Move the running averages. They get new arrays: a graph that saved the old ones stays valid."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        with no_grad():
            x = x.astype(float32) if x.dtype == float16 else x  # squares leave the range of float16
            self.num_batches_tracked.rehome((self.num_batches_tracked + 1).data)
            share = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked.item()
            along = (0, *range(2, len(x.shape)))
            count = x.size // self.num_features
            mean = ops.mean(x, axis=along, keepdims=True)
            variance = ops.sum(ops.square(x - mean), axis=along) / (count - 1)
            for average, newest in ((self.running_mean, ops.ravel(mean)), (self.running_var, variance)):
                average.rehome(((1 - share) * average + share * newest).to(average.dtype).data)

    def extra_repr(self) -> str:
        """The size and the options."""
        return f"{self.num_features}, eps={self.eps:g}, momentum={self.momentum}"
