"""Population statistics for batch normalization: the exact mean and variance of all data, layer by layer.

Running averages lag behind the weights, and forget old batches. The exact way is to push all data through once more for
each layer, from the first to the last: a layer's statistics are gathered while the layers before it already normalize
by their final ones, which is how they will be used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from .. import ops
from ..core.creation import asarray
from ..core.dtypes import float64
from ..core.modes import no_grad
from .module import Module
from .norms import BatchNorm1d, BatchNorm2d, BatchNorm3d

__all__ = ["update_bn_statistics"]

Array = Any


class _Reached(BaseException):
    """The layer in question has its input: the rest of the forward pass is of no use. No model catches this."""


class _Population:
    """Mean and variance of each feature over everything seen, in float64; batches are merged as by Chan et al."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0  # the sum of the squared distances from the mean

    def see(self, x: Any) -> None:
        """Merge a batch, of shape (batch, features, ...)."""
        values = asarray(x).astype(float64)
        along = (0, *range(2, values.ndim))
        count = values.size // values.shape[1]
        if count == 0:
            return
        mean = values.mean(along)
        squares = ops.var(values, along) * count
        total = self.count + count
        distance = mean - self.mean
        self.squares = self.squares + squares + distance * distance * (self.count * count / total)
        self.mean = self.mean + distance * (count / total)
        self.count = total

    def store(self, layer: Any, batches: int) -> None:
        """Make these the running averages of a layer: the mean, and the unbiased variance."""
        variance = self.squares / max(self.count - 1, 1)
        layer.running_mean.rehome(self.mean.astype(layer.running_mean.dtype).data)
        layer.running_var.rehome(variance.astype(layer.running_var.dtype).data)
        layer.num_batches_tracked.rehome((layer.num_batches_tracked * 0 + batches).data)


class _Pass:
    """One pass of the data, for the first of the pending layers that it reaches."""

    def __init__(self, pending: list[Any]) -> None:
        self.pending = pending
        self.target: Any = None
        self.seen = False  # whether there were any data
        self.found = _Population()
        self.batches = 0  # that have reached the layer, with this one
        self.calls, self.again = 0, False  # by this batch; whether a batch calls the layer more than once

    def forward(self, layer: Any, x: Any) -> Any:
        """What a pending layer does in place of its own forward pass."""
        if self.target is None:
            self.target = layer
        if layer is self.target:
            self.calls += 1
            self.batches += self.calls == 1
            self.again = self.again or self.calls > 1
            self.found.see(layer._checked(x))
            if self.batches > 1 and not self.again:
                raise _Reached
            self.found.store(layer, self.batches)  # for a layer that is called again: what is known up to now
        return type(layer).forward(layer, x)

    def run(self, model: Any, loader: Iterable[Any]) -> None:
        for layer in self.pending:
            vars(layer)["forward"] = lambda x, layer=layer: self.forward(layer, x)
        try:
            for batch in loader:
                self.seen, self.calls = True, 0
                with contextlib.suppress(_Reached):
                    model(batch[0] if isinstance(batch, (tuple, list)) else batch)
        finally:
            for layer in self.pending:
                del vars(layer)["forward"]


def update_bn_statistics(model: Module, loader: Iterable[Any]) -> None:
    """Replace the running averages of all batch normalization by the exact mean and variance of the data.

    Layer by layer, in the order in which the model first calls them: all data are pushed through, and the mean and the
    unbiased variance of what reaches the layer are stored, while the layers before it normalize by the final statistics
    that they have by then. The model computes as in evaluation mode (no dropout), without recording; every module keeps
    its mode, and nothing is changed where something fails.

    This costs one pass over the data for each layer, up to that layer. The statistics are summed in float64, and do not
    depend on how the data are divided into batches.

    Parameters
    ----------
    model : Module
        Layers that it never calls, and such without running averages, are left alone. One that it calls several times
        gets the statistics of all its inputs; between its calls it normalizes by what was gathered up to then.
    loader : iterable of x, or of (x, ...)
        It is gone through several times: a list, or a `DataLoader` (without ``drop_last=True``, which leaves data out).

    Raises
    ------
    TypeError
        For an iterator, which can be gone through only once.
    ValueError
        Where there are no data, or one value per feature altogether.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithm 2. T. F. Chan, G. H. Golub, R. J. LeVeque,
    "Updating formulae and a pairwise algorithm for computing sample variances", 1979.

    Examples
    --------
    >>> model = tg.nn.Sequential(tg.nn.BatchNorm1d(1), tg.nn.ReLU())
    >>> tg.nn.utils.update_bn_statistics(model, [tg.tensor([[1.0], [2.0]]), tg.tensor([[6.0]])])
    >>> model[0].running_mean, model[0].running_var
    (tensor([3.]), tensor([7.]))
    """
    if not isinstance(model, Module):
        raise TypeError(f"update_bn_statistics: model must be a Module; got {type(model).__name__}")
    if not isinstance(loader, Iterable):
        raise TypeError(f"update_bn_statistics: loader must be an iterable of batches; got {type(loader).__name__}")
    if isinstance(loader, Iterator):
        raise TypeError(
            "update_bn_statistics: the data are gone through once for each layer, and this iterator allows one time "
            "only. Pass list(loader), or a DataLoader."
        )
    kinds = (BatchNorm1d, BatchNorm2d, BatchNorm3d)
    pending = [m for m in model.modules() if isinstance(m, kinds) and m.running_mean is not None]
    modes = [(module, module.training) for module in model.modules()]
    before = [(buffer, buffer.data) for layer in pending for buffer in layer.buffers()]
    model.eval()
    try:
        with no_grad():
            while pending:
                this = _Pass(pending)
                this.run(model, loader)
                if this.target is None:
                    if not this.seen:
                        raise ValueError("update_bn_statistics: the loader gave no data")
                    break
                if this.found.count < 2:
                    raise ValueError(
                        "update_bn_statistics: one value per feature, or none, has no variance; pass more data"
                    )
                this.found.store(this.target, this.batches)
                pending = [layer for layer in pending if layer is not this.target]
    except BaseException:
        for buffer, array in before:
            buffer.rehome(array)
        raise
    finally:
        for module, training in modes:
            object.__setattr__(module, "training", training)
