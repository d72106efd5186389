"""What all first-order optimizers share: groups of parameters, flat vectors, and the loop over them.

A method adds its hyper-parameters and one pure function, the update rule as it stands in the book.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..core.modes import enable_grad
from ..core.tensor import Tensor
from .arguments import check_number
from .flat import FlatVector
from .trace import Trace

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
    trace : Trace or None
        What the last step did; None before the first.

    Notes
    -----
    From here on ``p.data`` and ``p.grad`` are views of the optimizer's vectors. A gradient that is to outlive the
    next `backward` has to be copied: ``p.grad.clone()``.

    A gradient that is not finite is used as it is, by every method: nan spoils its own element of the parameter, and of
    the state, and no other; with norms or matrices, its parameter (`detect_anomaly` finds where it came from). A
    gradient of zero is a gradient: the state decays, momentum moves on. No gradient at all (a frozen parameter, one
    that the loss does not use) leaves parameter, state and step count alone.
    """

    whole = False  # whether the rule takes whole parameters in their shapes, instead of elements

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        if isinstance(params, Tensor) or hasattr(params, "parameters"):
            write = "[w]" if isinstance(params, Tensor) else "model.parameters()"
            raise TypeError(f"{type(self).__name__}: params must be a list of tensors; write {write}")
        self.defaults = defaults
        self.trace: Trace | None = None
        self.param_groups: list[dict[str, Any]] = []
        self._vectors: list[list[FlatVector]] = []
        entries = list(params)
        groups = entries if any(isinstance(entry, dict) for entry in entries) else [{"params": entries}]
        for group in groups:
            self.add_param_group(group)

    # A method defines some of these.

    def complete(self, group: Mapping[str, Any]) -> Mapping[str, Any]:
        """The hyper-parameters with defaults that depend on others filled in."""
        return group

    def check(self, group: Mapping[str, Any]) -> None:
        """Refuse bad hyper-parameters."""

    @staticmethod
    def state_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the state `name` of a parameter of this shape; methods for whole parameters may choose it."""
        return shape

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The names of the vectors that the rule carries from step to step."""
        return ()

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """The value that every element of the state vector `name` has before the first step."""
        return 0.0

    def rule(self, theta: Array, g: Array, *state: Array, t: int, **hyper: Any) -> tuple[Array, ...]:
        """Update number t: new parameters and new state from old ones and the gradient.

        A pure function of elements, made of operators and elementwise functions of the package (`sqrt`, `maximum`,
        `where`, ...); what depends on t and the hyper-parameters alone may be computed by Python. It is called with
        flat vectors, with placeholders, or with numbers. In a class with ``whole = True`` it is called for one
        parameter at a time, with arrays in its shape, and may use norms and products too; `state_shape` then says what
        shapes its state has.
        """
        raise NotImplementedError

    def looks_ahead(self, group: Mapping[str, Any]) -> bool:
        """Whether the gradient is taken at `ahead` instead of at θ."""
        return False

    def ahead(self, theta: Array, *state: Array, **hyper: Any) -> Array:
        """The point at which the gradient is taken, for methods that look ahead."""
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
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f"{method}: a group is a dict such as {{'params': [w], 'lr': 0.1}}; got {group!r:.80}")
        given = group["params"]
        parameters = [given] if isinstance(given, Tensor) else list(given)
        if not parameters:
            raise ValueError(f"{method}: the list of parameters is empty. model.parameters() runs out after one use.")
        self._check_parameters(parameters)
        hyper = _hyper({**self.defaults, **group})
        self._check_known(hyper)
        notes = {name: float(group[name]) for name in _NOTES if name in group}
        hyper = dict(self.complete(hyper))
        self._check_hyper(hyper)
        kinds: dict[Any, list[Tensor]] = {}
        for parameter in parameters:
            kinds.setdefault((parameter.dtype, parameter.device), []).append(parameter)
        self._vectors.append([FlatVector(alike, self.state_shape if self.whole else None) for alike in kinds.values()])
        self.param_groups.append({"params": parameters, **hyper, **notes})

    def _check_parameters(self, parameters: Sequence[Any]) -> None:
        method = type(self).__name__
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for position, parameter in enumerate(parameters):
            if not isinstance(parameter, Tensor) or not parameter.is_leaf or parameter.dtype.kind != "f":
                computed = isinstance(parameter, Tensor) and not parameter.is_leaf
                hint = " It is the result of a computation, which is no leaf: detach() it first." if computed else ""
                raise TypeError(
                    f"{method}: parameter {position} must be a floating leaf tensor; got {parameter!r:.80}.{hint}"
                )
            if id(parameter) in seen:
                raise ValueError(f"{method}: parameter {parameter.name or position} is given twice")
            seen.add(id(parameter))

    def _check_known(self, hyper: Mapping[str, Any]) -> None:
        if unknown := sorted(set(hyper) - set(self.defaults), key=str):
            known = ", ".join(sorted(self.defaults))
            raise TypeError(f"{type(self).__name__}: unknown argument {unknown[0]!r}; it takes params, {known}")

    def _check_hyper(self, hyper: Mapping[str, Any]) -> None:
        method = type(self).__name__
        for name in {"lr", "weight_decay"} & set(hyper):
            check_number(method, name, hyper[name])
        self.check(hyper)

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
        if closure is None and self.needs_closure:
            raise TypeError(
                f"{type(self).__name__}.step: this form takes the gradient at the look-ahead point, so it has to "
                "evaluate the loss there itself: write step(closure), where closure() returns the loss"
            )
        loss = None if closure is None else self._evaluate(closure)
        self._apply(loss)
        return loss

    def _apply(self, loss: Tensor | None) -> None:
        """The update by the gradients that are there; the loss is for the record."""
        counts = []
        for group, vector in self._vectors_by_group():
            before = vector.steps.copy()
            names, hyper = self._begin(group, vector)
            vector.update(self.rule, names, self._writer, **hyper)
            counts.append((vector, before, vector.steps.copy()))
        rates = tuple([group["lr"] for group in self.param_groups if "lr" in group])
        self.trace = Trace(rates, counts, None if loss is None else loss.detach())

    @property
    def needs_closure(self) -> bool:
        """Whether `step` has to be given the closure."""
        return any(map(self.looks_ahead, self.param_groups))

    @property
    def _writer(self) -> str:
        return f"{type(self).__name__}.step"

    def _vectors_by_group(self) -> Iterable[tuple[dict[str, Any], FlatVector]]:
        for group, vectors in zip(self.param_groups, self._vectors, strict=True):
            for vector in vectors:
                yield group, vector

    def _begin(self, group: Mapping[str, Any], vector: FlatVector) -> tuple[Sequence[str], dict[str, Any]]:
        """The state names and the hyper-parameters of a group, after its state is there."""
        names = self.state_names(group)
        for name in names:
            if name not in vector.state:
                vector.begin(name, self.start(name, group))
        return names, _hyper(group)

    def _evaluate(self, closure: Callable[[], Tensor]) -> Tensor:
        """The closure's loss, and its gradient in the parameters; both at the look-ahead point where there is one."""
        with self._looking_ahead():
            return self._gradient(closure)

    @contextlib.contextmanager
    def _looking_ahead(self) -> Iterator[None]:
        """Inside the block the parameters stand at the look-ahead point, where there is one."""
        with contextlib.ExitStack() as moves:
            for group, vector in self._vectors_by_group():
                if self.looks_ahead(group):
                    names, hyper = self._begin(group, vector)
                    moves.enter_context(vector.moved(self.ahead, names, self._writer, **hyper))
            yield

    def _gradient(self, closure: Callable[[], Tensor]) -> Tensor:
        """The closure's loss, and the gradient that the step goes by: that of the loss, where the parameters are."""
        self.zero_grad()
        with enable_grad():
            loss = closure()
            if not isinstance(loss, Tensor):
                got = type(loss).__name__
                raise TypeError(f"{self._writer}: the closure must return the loss, a tensor; got {got}")
            loss.backward()
        return loss

    def state_of(self, parameter: Tensor) -> dict[str, Tensor]:
        """The state of one parameter, by name: copies in its shape. Empty before the first step.

        Raises
        ------
        KeyError
            For a tensor that is none of the optimizer's parameters.
        """
        for vectors in self._vectors:
            for vector in vectors:
                for position, candidate in enumerate(vector.parameters):
                    if candidate is parameter:
                        return vector.state_of(position)
        raise KeyError(f"{type(self).__name__}.state_of: this is none of the optimizer's parameters")

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later: hyper-parameters, state vectors and step counts, copied to the host."""
        groups = []
        for group, vectors in zip(self.param_groups, self._vectors, strict=True):
            notes = {name: group[name] for name in _NOTES if name in group}
            groups.append({"hyper": _hyper(group), **notes, "vectors": [vector.state_dict() for vector in vectors]})
        return {"method": type(self).__name__, "groups": groups}

    def _check_method(self, state: Mapping[str, Any]) -> None:
        """Refuse the state of another method."""
        method = type(self).__name__
        if state.get("method") != method:
            raise ValueError(f"load_state_dict: this is the state of {state.get('method')}, not of {method}")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state; nothing is changed unless everything fits.

        Raises
        ------
        TypeError, ValueError
            For the state of another method, or of other parameters.
        """
        self._check_method(state)
        kept_vectors = [kept["vectors"] for kept in state["groups"]]
        if [len(kept) for kept in kept_vectors] != [len(vectors) for vectors in self._vectors]:
            raise ValueError(
                f"load_state_dict: the state has {len(kept_vectors)} groups of {[len(kept) for kept in kept_vectors]} "
                f"vectors; expected {len(self._vectors)} of {[len(vectors) for vectors in self._vectors]}"
            )
        for vectors, kept in zip(self._vectors, kept_vectors, strict=True):
            for vector, values in zip(vectors, kept, strict=True):
                vector.check_state(values)
        for group, kept in zip(self.param_groups, state["groups"], strict=True):
            hyper = {**_hyper(group), **kept["hyper"]}
            self._check_known(hyper)
            self._check_hyper(hyper)
        for group, vectors, kept in zip(self.param_groups, self._vectors, state["groups"], strict=True):
            group.update(kept["hyper"], **{name: kept[name] for name in _NOTES if name in kept})
            for vector, values in zip(vectors, kept["vectors"], strict=True):
                vector.load_state_dict(values)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "trace": None}  # a copy has made no step yet

    def __repr__(self) -> str:
        lines = []
        for group in self.param_groups:
            count = sum(p.size for p in group["params"])
            hyper = ", ".join(f"{name}={value}" for name, value in _hyper(group).items())
            lines.append(f"{count:,} parameters, {hyper}")
        return f"{type(self).__name__}({'; '.join(lines)})"


_NOTES = ("initial_lr",)  # what schedules write into a group; no hyper-parameters


def _hyper(group: Mapping[str, Any]) -> dict[str, Any]:
    """The hyper-parameters of a group, as Python's own numbers: those of NumPy turn float32 into float64."""
    return {name: _plain(value) for name, value in group.items() if name != "params" and name not in _NOTES}


def _plain(value: Any) -> Any:
    if type(value) in (float, int, bool, str):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return value.item() if getattr(value, "ndim", None) == 0 else value
