"""Averages of the weights beside a training: a model to evaluate that the noise of single steps has left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import backend, errors
from ..core import ledger
from ..core.tensor import Tensor
from . import engines
from .arguments import check_number
from .optimizer import Optimizer, _plain

__all__ = ["EMA", "SWA"]

Array = Any


def _towards(average: Array, theta: Array, *, rho: float) -> tuple[Array]:
    """The average moves towards θ and keeps the share ρ of its distance, as an update rule for `engines`."""
    return (average + (1 - rho) * (theta - average),)


class WeightAverage:
    """What averages of weights share: where the weights are, and how a model gets their averages and its own back."""

    def __init__(self, source: Any) -> None:
        method = type(self).__name__
        self._optimizer = source if isinstance(source, Optimizer) else None
        self._parameters = [] if self._optimizer else _tensors_of(method, source)
        self.updates = 0
        self._averages = [_zeros_like(array) for array in self._weights()]
        self._inside = False  # whether the weights are exchanged for the averages

    def _weights(self) -> list[Array]:
        """The weights where they are now: the optimizer's vectors, or the array of each parameter."""
        if self._optimizer is None:
            return [parameter._array for parameter in self._parameters]
        vectors = [vector for _, vector in self._optimizer._vectors_by_group()]
        for vector in vectors:
            with backend.beside(vector.theta):
                vector.adopt()
        return [vector.theta for vector in vectors]

    def _pairs(self) -> Iterable[tuple[Array, Array]]:
        """The averages, and the weights that they are of."""
        weights = self._weights()
        found, expected = [_layout(array) for array in weights], [_layout(array) for array in self._averages]
        if found != expected:
            raise errors.DeviceError(
                f"{type(self).__name__}: the weights are now {_first_difference(found, expected)} when the average was "
                "made. Make it after model.to(...) and after all groups are added."
            )
        return zip(self._averages, weights, strict=True)

    def _share(self) -> float:
        """The share ρ of the distance to the weights that the average keeps, at the coming update."""
        raise NotImplementedError

    def update(self) -> None:
        """Take in the weights as they are now; to be called after ``optimizer.step()``. The first time copies them.

        Raises
        ------
        RuntimeError
            Inside of `averaged`, where the weights are the averages.
        """
        self._refuse_inside("update")
        rho = self._share() if self.updates else 0.0
        for average, weights in self._pairs():
            with backend.beside(average):
                engines.apply(_towards, [average.reshape(-1), weights.reshape(-1)], rho=rho)
        self.updates += 1

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside the block the parameters are the averages; afterwards, also on error, what they were before.

        Raises
        ------
        RuntimeError
            Before the first `update`, and inside of another such block.
        """
        self._refuse_inside("averaged")
        kept = [_copy(weights) for _, weights in self._pairs()]
        self.assign()
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
            self._write(kept)

    def assign(self) -> None:
        """Make the averages the parameters, for good.

        Raises
        ------
        RuntimeError
            Before the first `update`, and inside of `averaged`.
        """
        self._refuse_inside("assign")
        if not self.updates:
            name = type(self).__name__
            raise RuntimeError(f"{name}: there is no average before the first update(); call it after optimizer.step()")
        self._write(self._averages)

    def _write(self, values: Sequence[Array]) -> None:
        for (_, weights), value in zip(self._pairs(), values, strict=True):
            ledger.wrote(weights, f"{type(self).__name__}.averaged")
            with backend.beside(weights):
                weights[...] = value

    def _refuse_inside(self, function: str) -> None:
        if self._inside:
            name = type(self).__name__
            raise RuntimeError(f"{name}.{function}: not inside of averaged(), where the weights are the averages")

    def state_dict(self) -> dict[str, Any]:
        """The averages and their number of updates, copied to the host."""
        averages = [backend.of(average).to_host(average).copy() for average in self._averages]
        return {"method": type(self).__name__, "updates": self.updates, "averages": averages}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state; nothing is changed unless everything fits.

        Raises
        ------
        ValueError
            For the state of another method, or of other weights.
        """
        method = type(self).__name__
        if not isinstance(state, Mapping) or state.get("method") != method:
            got = state.get("method") if isinstance(state, Mapping) else type(state).__name__
            raise ValueError(f"load_state_dict: this is the state of {got}, not of {method}")
        updates, values = state.get("updates"), state.get("averages")
        if type(updates) is not int or updates < 0:
            raise ValueError(f"load_state_dict: updates is a whole number from 0 on; got {updates!r}")
        expected = [(a.shape, str(a.dtype)) for a in self._averages]
        found = [(getattr(a, "shape", None), str(getattr(a, "dtype", None))) for a in values or ()]
        if found != expected:
            raise ValueError(f"load_state_dict: the averages are of other weights; expected {expected}, got {found}")
        devices = [backend.device_of(average) for average in self._averages]
        self._averages = [backend.to_device(a.copy(), d) for a, d in zip(values or (), devices, strict=True)]
        self.updates = updates

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sum(a.size for a in self._averages):,} weights, {self.updates} updates)"


class EMA(WeightAverage):
    """The exponential moving average of the weights: a model smoother than the one that is trained.

    With θ the weights at an update, ρ the decay::

        θ̄ ← ρ θ̄ + (1 - ρ) θ             the first time θ̄ ← θ

    Parameters
    ----------
    source : Optimizer, Module or iterable of tensors
        Whose weights to average. Those of an optimizer are averaged as the few long vectors that they are; others one
        by one.
    decay : float
        ρ in [0, 1): the average reaches back over about ``1 / (1 - ρ)`` updates.

    Attributes
    ----------
    updates : int
        The number of updates so far.

    Raises
    ------
    TypeError, ValueError
        For what has no weights, and for a decay outside of its range.

    Notes
    -----
    Numbers are those of ``torch.optim.swa_utils.get_ema_multi_avg_fn``. Buffers are not averaged: `SWA` says what to do
    about batch normalization.

    References
    ----------
    B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control and
    Optimization 30 (1992), for the idea.

    Examples
    --------
    >>> w = tg.tensor([0.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=1.0)
    >>> ema = tg.optim.EMA(optimizer, decay=0.5)
    >>> for _ in range(3):
    ...     _ = optimizer.step(lambda: -w.sum())
    ...     ema.update()
    >>> with ema.averaged():
    ...     print(w)
    tensor([2.25], requires_grad=True)
    >>> w
    tensor([3.], requires_grad=True)
    """

    def __init__(self, source: Any, decay: float = 0.999) -> None:
        decay = _plain(decay)
        check_number("EMA", "decay", decay, high=1.0)
        super().__init__(source)
        self.decay = decay

    def _share(self) -> float:
        return self.decay

    def state_dict(self) -> dict[str, Any]:
        """The averages, their number of updates and the decay, copied to the host."""
        return {**super().state_dict(), "decay": self.decay}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state, as for all averages; the decay is that of the state."""
        decay = state.get("decay", self.decay) if isinstance(state, Mapping) else self.decay
        check_number("EMA", "decay", decay, high=1.0)
        super().load_state_dict(state)
        self.decay = decay


class SWA(WeightAverage):
    """Stochastic weight averaging: the mean of the weights at the updates, which is flatter ground than any of them.

    With θ the weights at update number n + 1::

        θ̄ ← (n θ̄ + θ) / (n + 1)

    Parameters
    ----------
    source : Optimizer, Module or iterable of tensors
        Whose weights to average. Those of an optimizer are averaged as the few long vectors that they are; others one
        by one.

    Attributes
    ----------
    updates : int
        The number of updates so far, n.

    Raises
    ------
    TypeError, ValueError
        For what has no weights.

    Notes
    -----
    Start late, train on with a constant (or cyclical) learning rate that is rather large, and update once an epoch (or
    a cycle). Then `assign` the averages. The statistics of batch normalization belong to the weights that were trained:
    renew them with ``tg.nn.utils.update_bn_statistics(model, loader)``.

    Numbers are those of ``torch.optim.swa_utils.AveragedModel``.

    References
    ----------
    P. Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI 2018, algorithm 1.

    Examples
    --------
    >>> w = tg.tensor([0.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=1.0)
    >>> swa = tg.optim.SWA(optimizer)
    >>> for _ in range(3):
    ...     _ = optimizer.step(lambda: -w.sum())
    ...     swa.update()
    >>> swa.assign()
    >>> w
    tensor([2.], requires_grad=True)
    """

    def _share(self) -> float:
        return self.updates / (self.updates + 1)


def _tensors_of(method: str, source: Any) -> list[Tensor]:
    """The parameters of a model, or those of a list."""
    if isinstance(source, Tensor) or not (hasattr(source, "parameters") or isinstance(source, Iterable)):
        got = "a tensor" if isinstance(source, Tensor) else f"{source!r:.80}"
        raise TypeError(f"{method}: source must be an optimizer, a model or a list of tensors; got {got}")
    tensors = list(source.parameters() if hasattr(source, "parameters") else source)
    for position, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor) or not tensor.is_leaf or tensor.dtype.kind != "f":
            raise TypeError(f"{method}: parameter {position} must be a floating leaf tensor; got {tensor!r:.80}")
    if not tensors:
        raise ValueError(f"{method}: there are no parameters. model.parameters() runs out after one use.")
    if len(set(map(id, tensors))) < len(tensors):
        raise ValueError(f"{method}: a parameter is given twice")
    return tensors


def _zeros_like(array: Array) -> Array:
    with backend.beside(array):
        return backend.namespace(array).zeros(array.shape, dtype=array.dtype)


def _copy(array: Array) -> Array:
    with backend.beside(array):
        return +array


def _layout(array: Array) -> tuple[Any, ...]:
    return array.shape, str(array.dtype), backend.device_of(array)


def _first_difference(found: list[Any], expected: list[Any]) -> str:
    for now, then in zip(found, expected, strict=False):
        if now != then:
            return "{} {} on {}, and were {} {} on {}".format(*now, *then)
    return f"{len(found)} arrays, and were {len(expected)}"
