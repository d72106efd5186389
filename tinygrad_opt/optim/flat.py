"""Parameters, gradients and state of an optimizer as contiguous vectors.

`FlatVector` moves the values of its parameters into one vector, and gives the gradient of each a slot in another:
``p.data`` and ``p.grad`` become views. An update rule then runs over whole vectors, in blocks small enough to stay
in cache, however many parameters there are.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import backend, errors
from ..core import anomaly, ledger
from ..core.gradients import Slot
from ..core.modes import current
from ..core.tape import Leaf
from ..core.tensor import Tensor
from . import engines

__all__ = ["FlatVector"]

Array = Any
Shape = tuple[int, ...]
Rule = Callable[..., Sequence[Array]]


class FlatVector:
    """The parameters of one group, of one dtype and on one device, laid out one after the other.

    Parameters
    ----------
    parameters : sequence of tensors
    shape_of : callable, optional
        For update rules that take whole parameters in their shapes: ``shape_of(name, shape)`` is the shape of the
        state `name` of a parameter. Without it rules take elements, and the state has an element for each.

    Attributes
    ----------
    theta, grad : array, shape (n,)
        Values and gradients of all parameters.
    state : dict of str to array
        What the update rule carries from step to step: flat vectors, of shape (n,) as a rule.
    steps : list of int
        How many updates each parameter has had.
    """

    def __init__(self, parameters: Sequence[Tensor], shape_of: Callable[[str, Shape], Shape] | None = None) -> None:
        self.parameters = list(parameters)
        self.shape_of = shape_of
        first = self.parameters[0]._array
        self.dtype, self.device = first.dtype, backend.device_of(first)
        self.bounds = [0]
        for parameter in self.parameters:
            self.bounds.append(self.bounds[-1] + parameter.size)
        self.theta = self.zeros()
        self.grad = self.zeros()
        self.region = ledger.region(self.theta)
        self.state: dict[str, Array] = {}
        self.steps = [0] * len(self.parameters)
        self._views = [self._view(self.theta, i) for i in range(len(self.parameters))]
        self._slots = [Slot(self._view(self.grad, i)) for i in range(len(self.parameters))]
        with backend.beside(self.theta):
            self.adopt()

    def zeros(self, length: int | None = None) -> Array:
        """A vector of zeros, as long as this one unless told otherwise."""
        library = backend.for_device(self.device)
        with library.on(self.device):
            return library.namespace.zeros(self.bounds[-1] if length is None else length, dtype=self.dtype)

    def _view(self, vector: Array, position: int) -> Array:
        stretch = vector[self.bounds[position] : self.bounds[position + 1]]
        return stretch.reshape(self.parameters[position].shape)

    def adopt(self) -> None:
        """Bring in parameters whose memory is elsewhere: at first all, later those that someone has moved."""
        for position, (parameter, view, slot) in enumerate(zip(self.parameters, self._views, self._slots, strict=True)):
            if parameter._array is not view:
                self._bring_in(position, parameter)
            leaf = parameter._node
            if isinstance(leaf, Leaf) and leaf.slot is not slot:
                if leaf.grad is not None:
                    slot.add(leaf.grad._array, anew=True)
                    leaf.grad = slot.tensor
                leaf.slot = slot

    def _bring_in(self, position: int, parameter: Tensor) -> None:
        array, view = parameter._array, self._views[position]
        if (array.shape, array.dtype, parameter.device) != (view.shape, view.dtype, self.device):
            raise errors.DeviceError(
                f"parameter {parameter.name or position} is now {array.shape} {array.dtype} on {parameter.device}; "
                f"the optimizer was made for {view.shape} {view.dtype} on {self.device}. Make the optimizer after "
                "model.to(...)."
            )
        view[...] = array
        parameter._array = view

    # State.

    def _shapes(self, name: str) -> list[Shape]:
        """The shapes of the state `name`, one for each parameter."""
        shapes = [parameter.shape for parameter in self.parameters]
        return shapes if self.shape_of is None else [tuple(self.shape_of(name, shape)) for shape in shapes]

    def _length(self, name: str) -> int:
        return sum(map(math.prod, self._shapes(name)))

    def begin(self, name: str, value: float = 0.0) -> None:
        """Make the state vector `name`, with `value` in every element, unless it is there."""
        if name not in self.state:
            self.state[name] = self.zeros(self._length(name))
            if value:
                with backend.beside(self.theta):
                    self.state[name] += value

    def _state_views(self, name: str) -> list[Array]:
        """The state `name` of each parameter."""
        views, start = [], 0
        for shape in self._shapes(name):
            stop = start + math.prod(shape)
            views.append(self.state[name][start:stop].reshape(shape))
            start = stop
        return views

    def state_of(self, position: int) -> dict[str, Tensor]:
        """The state of one parameter: copies in its shape."""
        with backend.beside(self.theta):
            return {name: Tensor(+self._state_views(name)[position]) for name in self.state}

    # Updates.

    def have_gradients(self) -> list[bool]:
        """For each parameter whether it has a gradient now."""
        leaves = [parameter._node for parameter in self.parameters]
        return [leaf is not None and leaf.grad is not None for leaf in leaves]

    def _tell_of_replaced(self, position: int) -> None:
        slot = self._slots[position]
        name, slot.replaced = slot.replaced, ""
        warnings.warn(
            f"{name} is another parameter now than when the optimizer was made, and the old one gets no gradient: the "
            "new one is not updated. Make the optimizer after the replacement, or write values into the parameter that "
            "is there: p.data = values",
            stacklevel=2,
        )

    def due(self) -> Iterator[int]:
        """For each parameter the number of its coming update, which is then counted; 0 without a gradient."""
        for position, has_gradient in enumerate(self.have_gradients()):
            if has_gradient:
                self.steps[position] += 1
                yield self.steps[position]
            else:
                if self._slots[position].replaced:
                    self._tell_of_replaced(position)
                yield 0

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Stretches ``(start, stop, t)`` of neighbours with a gradient, all due for their update number t."""
        start, stop, due = 0, 0, 0
        for position, t in enumerate(self.due()):
            if t != due:
                if due and stop > start:
                    yield start, stop, due
                start, due = self.bounds[position], t
            stop = self.bounds[position + 1]
        if due and stop > start:
            yield start, stop, due

    def stretches(self, chosen: Sequence[bool]) -> Iterator[tuple[int, int]]:
        """Stretches ``(start, stop)`` of neighbours among the chosen parameters."""
        start = stop = 0
        for position, taken in enumerate(chosen):
            if not taken:
                continue
            if self.bounds[position] != stop:
                if stop > start:
                    yield start, stop
                start = self.bounds[position]
            stop = self.bounds[position + 1]
        if stop > start:
            yield start, stop

    def written(self, position: int) -> int:
        """The serial number of the last write into the gradient of one parameter."""
        return self._slots[position].region.serial

    @contextlib.contextmanager
    def moved(self, point: Callable[..., Array], names: Sequence[str], writer: str, **hyper: Any) -> Iterator[None]:
        """Inside the block, what is not frozen stands at ``point(theta, *state, **hyper)``; then where it was."""
        with backend.beside(self.theta):
            self.adopt()
            home = +self.theta
            there = point(home, *(self.state[name] for name in names), **hyper)
            for position, parameter in enumerate(self.parameters):
                if parameter.requires_grad:
                    self._views[position][...] = self._view(there, position)
        self.region.touch(writer)
        try:
            yield
        finally:
            with backend.beside(self.theta):
                self.theta[...] = home
            self.region.touch(writer)

    def update(self, rule: Rule, names: Sequence[str], writer: str, **hyper: Any) -> None:
        """Apply ``rule(theta, g, *state, t=..., **hyper) -> (theta, *state)`` to every parameter with a gradient.

        The state of these names has begun.
        """
        with backend.beside(self.theta):
            self.adopt()
            (self._update_runs if self.shape_of is None else self._update_wholes)(rule, names, writer, hyper)
        if current.get().inspecting:
            anomaly.inspect_update(self.parameters, writer)

    def _update_runs(self, rule: Rule, names: Sequence[str], writer: str, hyper: dict[str, Any]) -> None:
        """A rule for elements takes stretches of the vectors, over the borders of parameters."""
        vectors = [self.theta, self.grad, *(self.state[name] for name in names)]
        for start, stop, t in self.runs():
            everything = start == 0 and stop == len(self.theta)
            stretch = vectors if everything else [vector[start:stop] for vector in vectors]
            # Only what is written is noted: graphs that saved other parameters stay valid.
            (self.region if everything else ledger.region(stretch[0])).touch(writer)
            engines.apply(rule, stretch, t=t, **hyper)

    def _update_wholes(self, rule: Rule, names: Sequence[str], writer: str, hyper: dict[str, Any]) -> None:
        """A rule for whole parameters takes views of one after the other, in its shape."""
        state = [self._state_views(name) for name in names]
        for position, t in enumerate(self.due()):
            if t and self.parameters[position].size:
                theta = self._views[position]
                ledger.region(theta).touch(writer)
                arrays = [theta, self._slots[position].tensor._array, *(views[position] for views in state)]
                engines.directly(rule, arrays, t=t, **hyper)

    @property
    def layout(self) -> dict[str, Any]:
        """What a saved state must agree with: the dtype and the shapes of the parameters."""
        return {"dtype": str(self.dtype), "shapes": [list(parameter.shape) for parameter in self.parameters]}

    def state_dict(self) -> dict[str, Any]:
        """The layout, and the state vectors and step counts, copied to the host."""
        to_host = backend.of(self.theta).to_host
        state = {name: to_host(vector).copy() for name, vector in self.state.items()}
        return {**self.layout, "state": state, "steps": list(self.steps)}

    def check_state(self, saved: Mapping[str, Any]) -> None:
        """Refuse what is not a state of this vector."""
        try:
            layout = {"dtype": saved["dtype"], "shapes": [list(shape) for shape in saved["shapes"]]}
            state = {name: (vector.shape, vector.dtype) for name, vector in saved["state"].items()}
            steps = list(saved["steps"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"load_state_dict: this is no state of an optimizer ({error!r})") from None
        if layout != self.layout:
            raise ValueError(
                f"load_state_dict: the state belongs to other parameters; expected {self.layout}, got {layout}"
            )
        for name, (shape, dtype) in state.items():
            expected = ((self._length(name),), self.dtype)
            if (shape, dtype) != expected:
                raise ValueError(f"load_state_dict: '{name}' is {shape} {dtype}; expected {expected}")
        if len(steps) != len(self.steps):
            raise ValueError(f"load_state_dict: {len(steps)} step counts for {len(self.steps)} parameters")
        if not all(type(t) is int and t >= 0 for t in steps):
            raise ValueError(f"load_state_dict: step counts are whole numbers from 0 on; got {steps!r:.80}")

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.state = {name: backend.to_device(vector.copy(), self.device) for name, vector in saved["state"].items()}
        self.steps = list(saved["steps"])

    def __reduce__(self) -> Any:
        # Copied one by one, the vectors and their views would no longer share memory: a copy is laid out anew.
        return _laid_out, (self.parameters, self.shape_of, self.state_dict())


def _laid_out(parameters: Sequence[Tensor], shape_of: Any, saved: Mapping[str, Any]) -> FlatVector:
    vector = FlatVector(parameters, shape_of)
    vector.load_state_dict(saved)
    return vector
