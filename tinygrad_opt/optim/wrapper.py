"""An optimizer around another: it changes what comes before or after the other's update, and leaves the rest to it.

A step has three parts: the point where the gradient is taken (`_looking_ahead`), the gradient (`_gradient`), and the
update (`_apply`). A wrapper hands all of them on; its method replaces the one that it is about.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..core.tensor import Tensor
from .optimizer import Optimizer, _hyper

__all__ = ["Wrapper"]


class Wrapper(Optimizer):
    """Base class of the wrappers; groups, vectors and their state are those of the optimizer inside.

    Parameters
    ----------
    optimizer : Optimizer
        The method to wrap, which may be a wrapper.
    **options
        The wrapper's own numbers, which become attributes.
    """

    def __init__(self, optimizer: Optimizer, **options: Any) -> None:
        method = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            hint = f"; write {method}(tg.optim.SGD(params, lr=0.1))"
            raise TypeError(f"{method}: optimizer must be an optimizer; got {optimizer!r:.80}{hint}")
        options = _hyper(options)
        self.check_options(options)
        self.optimizer = optimizer
        self._options = tuple(options)
        vars(self).update(options)
        self.trace = optimizer.trace
        # The lists themselves, not copies: groups that are added later are seen from both sides.
        self.defaults, self.param_groups, self._vectors = optimizer.defaults, optimizer.param_groups, optimizer._vectors

    # A method defines some of these.

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse bad options."""

    def own_state(self) -> dict[str, Any]:
        """What the wrapper itself has to remember, on the host."""
        return {}

    def check_own_state(self, state: Mapping[str, Any]) -> None:
        """Refuse what `own_state` would not give."""

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `own_state` gave."""

    # The rest is the same for all, or the optimizer's.

    @property
    def needs_closure(self) -> bool:
        """Whether `step` has to be given the closure."""
        return self.optimizer.needs_closure

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters, as the optimizer inside does."""
        self.optimizer.add_param_group(group)

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The names of the state of the optimizer inside."""
        return self.optimizer.state_names(group)

    def looks_ahead(self, group: Mapping[str, Any]) -> bool:
        """Whether the optimizer inside takes the gradient at a look-ahead point."""
        return self.optimizer.looks_ahead(group)

    @contextlib.contextmanager
    def _looking_ahead(self) -> Iterator[None]:
        with self.optimizer._looking_ahead():
            yield

    def _gradient(self, closure: Callable[[], Tensor]) -> Tensor:
        return self.optimizer._gradient(closure)

    def _apply(self, loss: Tensor | None) -> None:
        self.optimizer._apply(loss)
        self.trace = self.optimizer.trace

    def _shown(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._options}

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later: the state of the optimizer inside, and what the wrapper adds."""
        inside = self.optimizer.state_dict()
        return {"method": type(self).__name__, "options": self._shown(), "own": self.own_state(), "optimizer": inside}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state; nothing is changed unless everything fits.

        Raises
        ------
        TypeError, ValueError
            For the state of another method, or of other parameters.
        """
        self._check_method(state)
        try:
            options, own, inside = dict(state["options"]), state["own"], state["optimizer"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"load_state_dict: this is no state of an optimizer ({error!r})") from None
        if sorted(options) != sorted(self._options):
            raise ValueError(
                f"load_state_dict: {type(self).__name__} has the options {self._options}; got {tuple(options)}"
            )
        self.check_options(options)
        self.check_own_state(own)
        self.optimizer.load_state_dict(inside)
        vars(self).update(options)
        self.load_own_state(own)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self._shown().items())
        return f"{type(self).__name__}({self.optimizer!r}, {options})"
