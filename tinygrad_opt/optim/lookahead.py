"""Lookahead: k steps forward by any method, one step back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import backend
from ..core import ledger
from ..core.tensor import Tensor
from .flat import FlatVector
from .optimizer import Optimizer
from .wrapper import Wrapper

__all__ = ["Lookahead"]

Array = Any


class Lookahead(Wrapper):
    """Slow weights that follow fast ones.

    With θ the weights that the optimizer inside moves, after every k of its steps::

        φ ← φ + α (θ - φ)
        θ ← φ                       φ begins as θ

    Parameters
    ----------
    optimizer : Optimizer
        The method that moves the fast weights θ. Its own state (momentum, moments) goes on over the corrections.
    k : int
        How many steps the fast weights go alone, 1 or more.
    alpha : float
        α in (0, 1], the share of the way that the slow weights follow. With 1 nothing is corrected.

    Raises
    ------
    TypeError, ValueError
        For what is no optimizer, and for numbers outside their range.

    Notes
    -----
    The first step notes where the slow weights begin. Steps are counted for each parameter, as everywhere: one without
    a gradient keeps its place in the cycle. For a result, stop after a multiple of k steps.

    References
    ----------
    M. R. Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", NeurIPS 2019, algorithm 1.

    Examples
    --------
    >>> w = tg.tensor([0.0], requires_grad=True)
    >>> optimizer = tg.optim.Lookahead(tg.optim.SGD([w], lr=1.0), k=2, alpha=0.5)
    >>> for _ in range(4):
    ...     _ = optimizer.step(lambda: -w.sum())
    ...     print(w.item())
    1.0
    1.0
    2.0
    2.0
    """

    k: int
    alpha: float

    def __init__(self, optimizer: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        super().__init__(optimizer, k=k, alpha=alpha)
        self._slow: list[Array] = []  # one for each vector that has been there in a step

    def check_options(self, options: Mapping[str, Any]) -> None:
        """A whole number from 1 on, and a share."""
        k, alpha = options["k"], options["alpha"]
        if type(k) is not int or k < 1:
            raise ValueError(f"Lookahead: k must be a whole number from 1 on; got {k!r}")
        if type(alpha) not in (int, float) or not 0 < alpha <= 1:
            raise ValueError(f"Lookahead: alpha must be a number in (0, 1]; got {alpha!r}")

    def _apply(self, loss: Tensor | None) -> None:
        vectors = self._all_vectors()
        for vector in vectors[len(self._slow) :]:
            with backend.beside(vector.theta):
                vector.adopt()
                self._slow.append(+vector.theta)
        before = [vector.steps.copy() for vector in vectors]
        super()._apply(loss)
        for vector, slow, counts in zip(vectors, self._slow, before, strict=True):
            due = [new != old and new % self.k == 0 for new, old in zip(vector.steps, counts, strict=True)]
            with backend.beside(slow):
                for start, stop in vector.stretches(due):
                    self._follow(slow[start:stop], vector.theta[start:stop])

    def _follow(self, slow: Array, fast: Array) -> None:
        ledger.wrote(fast, self._writer)
        slow += self.alpha * (fast - slow)
        fast[...] = slow

    def _all_vectors(self) -> list[FlatVector]:
        return [vector for _, vector in self._vectors_by_group()]

    def own_state(self) -> dict[str, Any]:
        """The slow weights; none before the first step."""
        return {"slow": [backend.of(slow).to_host(slow).copy() for slow in self._slow]}

    def check_own_state(self, state: Mapping[str, Any]) -> None:
        """Slow weights have the layout of the vectors."""
        slow = state.get("slow") if isinstance(state, Mapping) else None
        expected = [(vector.theta.shape, str(vector.dtype)) for vector in self._all_vectors()]
        found = [(getattr(s, "shape", None), str(getattr(s, "dtype", None))) for s in slow or ()]
        if not isinstance(slow, (list, tuple)) or found != expected[: len(found)]:
            raise ValueError(
                f"load_state_dict: the slow weights are of other parameters; expected {expected}, got {found}"
            )

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        """Take over slow weights."""
        vectors = zip(state["slow"], self._all_vectors(), strict=False)
        self._slow = [backend.to_device(slow.copy(), vector.device) for slow, vector in vectors]
