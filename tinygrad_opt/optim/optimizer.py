"""What all first-order optimizers share: groups of parameters, flat vectors, and the loop over them.

A method adds its hyper-parameters and one pure function, the update rule as it stands in the book.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..core.modes import enable_grad
from ..core.tensor import Tensor
from .flat import FlatVector

__all__ = ["Optimizer", "check_number"]

Array = Any


class Optimizer:
    """Base class of the optimizers.

    Parameters
    ----------
    params : iterable of tensors, or of dicts ``{"params": ..., "lr": ...}``
        What to optimize. Dicts make groups with hyper-parameters of their own.
    **defaults
        Hyper-parameters of groups that do not set them.

    Attributes
    ----------
    param_groups : list of dict
        The groups with their hyper-parameters; changes take effect at the next step.
    """

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        if isinstance(params, Tensor):
            raise TypeError(f"{type(self).__name__}: params must be a list of tensors; write [{params.name or 'w'}]")
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._vectors: list[list[FlatVector]] = []
        entries = list(params)
        groups = entries if entries and isinstance(entries[0], dict) else [{"params": entries}]
        for group in groups:
            self.add_param_group(group)

    # A method defines these three.

    def check(self, group: Mapping[str, Any]) -> None:
        """Refuse bad hyper-parameters."""

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The names of the vectors that the rule carries from step to step."""
        return ()

    def rule(self, theta: Array, g: Array, *state: Array, t: int, **hyper: Any) -> tuple[Array, ...]:
        """Update number t: new parameters and new state from old ones and the gradient."""
        raise NotImplementedError

    # The rest is shared.

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters, with hyper-parameters of their own where the dict names some.

        Raises
        ------
        TypeError, ValueError
            For what is not a floating leaf tensor, for an empty group, and for a parameter given twice.
        """
        method = type(self).__name__
        unknown = set(group) - set(self.defaults) - {"params"}
        if unknown:
            known = ", ".join(sorted(self.defaults))
            raise TypeError(f"{method}: unknown argument {sorted(unknown)[0]!r}; it takes params, {known}")
        given = group["params"]
        parameters = [given] if isinstance(given, Tensor) else list(given)
        if not parameters:
            raise ValueError(f"{method}: the list of parameters is empty. model.parameters() runs out after one use.")
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for position, parameter in enumerate(parameters):
            if not isinstance(parameter, Tensor) or not parameter.is_leaf or parameter.dtype.kind != "f":
                raise TypeError(
                    f"{method}: parameter {position} must be a floating leaf tensor; got {parameter!r:.80}. "
                    "A result of a computation is no leaf: detach() it first."
                )
            if id(parameter) in seen:
                raise ValueError(f"{method}: parameter {parameter.name or position} is given twice")
            seen.add(id(parameter))
        complete = {**self.defaults, **group, "params": parameters}
        check_number(method, "lr", complete["lr"])
        check_number(method, "weight_decay", complete.get("weight_decay", 0.0))
        self.check(complete)
        self.param_groups.append(complete)
        kinds: dict[Any, list[Tensor]] = {}
        for parameter in parameters:
            kinds.setdefault((parameter.dtype, parameter.device), []).append(parameter)
        self._vectors.append([FlatVector(alike) for alike in kinds.values()])

    def zero_grad(self) -> None:
        """Forget the gradients: the next `backward` starts anew."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.zero_grad()

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Update every parameter that has a gradient; the others keep their value and their state.

        Parameters
        ----------
        closure : callable, optional
            Returns the loss, and does nothing else: gradients are cleared and computed here.

        Returns
        -------
        Tensor or None
            The closure's loss.
        """
        loss = None
        if closure is not None:
            self.zero_grad()
            with enable_grad():
                loss = closure()
            loss.backward()
        writer = f"{type(self).__name__}.step"
        for group, vectors in zip(self.param_groups, self._vectors, strict=True):
            hyper = {name: value for name, value in group.items() if name != "params"}
            names = self.state_names(group)
            for vector in vectors:
                vector.update(self.rule, names, writer, **hyper)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later: hyper-parameters, state vectors and step counts, copied to the host."""
        groups = []
        for group, vectors in zip(self.param_groups, self._vectors, strict=True):
            hyper = {name: value for name, value in group.items() if name != "params"}
            groups.append({"hyper": hyper, "vectors": [vector.state_dict() for vector in vectors]})
        return {"method": type(self).__name__, "groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state; nothing is changed unless everything fits.

        Raises
        ------
        ValueError
            For the state of another method, or of other parameters.
        """
        method = type(self).__name__
        if state.get("method") != method:
            raise ValueError(f"load_state_dict: this is the state of {state.get('method')}, not of {method}")
        saved = [[(kept["size"], len(kept["steps"])) for kept in group["vectors"]] for group in state["groups"]]
        own = [[(vector.bounds[-1], len(vector.steps)) for vector in vectors] for vectors in self._vectors]
        if saved != own:
            raise ValueError(
                "load_state_dict: the state belongs to other parameters; (numbers, tensors) per vector and group: "
                f"expected {own}, got {saved}"
            )
        for group, vectors, kept in zip(self.param_groups, self._vectors, state["groups"], strict=True):
            group.update(kept["hyper"])
            for vector, values in zip(vectors, kept["vectors"], strict=True):
                vector.load_state_dict(values)

    def __repr__(self) -> str:
        lines = []
        for group in self.param_groups:
            count = sum(p.size for p in group["params"])
            hyper = ", ".join(f"{name}={value}" for name, value in group.items() if name != "params")
            lines.append(f"{count:,} parameters, {hyper}")
        return f"{type(self).__name__}({'; '.join(lines)})"


def check_number(method: str, name: str, value: Any, low: float = 0.0, high: float = math.inf) -> None:
    """Refuse a hyper-parameter outside ``[low, high)``, or one that is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < high:
        bounds = f"at least {low:g}" if high == math.inf else f"in [{low:g}, {high:g})"
        raise ValueError(f"{method}: {name} must be a number {bounds}; got {value!r}")
