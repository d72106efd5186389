"""Parameters, gradients and state of an optimizer as contiguous vectors.

`FlatVector` moves the values of its parameters into one vector, and gives the gradient of each a slot in another:
``p.data`` and ``p.grad`` become views. An update rule then runs over whole vectors, in blocks small enough to stay
in cache, however many parameters there are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import backend, errors
from ..core import anomaly, ledger
from ..core.gradients import Slot
from ..core.modes import current
from ..core.tape import Leaf
from ..core.tensor import Tensor
from .program import BLOCK, Program

__all__ = ["FlatVector"]

Array = Any


class FlatVector:
    """The parameters of one group, of one dtype and on one device, laid out one after the other.

    Attributes
    ----------
    theta, grad : array, shape (n,)
        Values and gradients of all parameters.
    state : dict of str to array, shape (n,)
        What the update rule carries from step to step; zeros at the start.
    steps : list of int
        How many updates each parameter has had.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
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

    def zeros(self) -> Array:
        """A vector of zeros, as long as this one."""
        library = backend.for_device(self.device)
        with library.on(self.device):
            return library.namespace.zeros(self.bounds[-1], dtype=self.dtype)

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

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Stretches ``(start, stop, t)`` of neighbours with a gradient, all due for their update number t."""
        start, stop, due = 0, 0, 0
        for position, parameter in enumerate(self.parameters):
            leaf = parameter._node
            t = self.steps[position] + 1 if leaf is not None and leaf.grad is not None else 0
            if t != due:
                if due and stop > start:
                    yield start, stop, due
                start, due = self.bounds[position], t
            stop = self.bounds[position + 1]
            self.steps[position] = t or self.steps[position]
        if due and stop > start:
            yield start, stop, due

    def begin(self, name: str, value: float = 0.0) -> None:
        """Make the state vector `name`, with `value` in every element, unless it is there."""
        if name not in self.state:
            self.state[name] = self.zeros()
            if value:
                with backend.beside(self.theta):
                    self.state[name] += value

    def state_of(self, position: int) -> dict[str, Tensor]:
        """The state of one parameter: copies in its shape."""
        with backend.beside(self.theta):
            return {name: Tensor(+self._view(vector, position)) for name, vector in self.state.items()}

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

    def update(self, rule: Callable[..., tuple[Array, ...]], names: Sequence[str], writer: str, **hyper: Any) -> None:
        """Apply ``rule(theta, g, *state, t=..., **hyper) -> (theta, *state)`` to every parameter with a gradient."""
        for name in names:
            if name not in self.state:
                self.state[name] = self.zeros()
        vectors = [self.theta, self.grad, *(self.state[name] for name in names)]
        results = [0, *range(2, len(vectors))]  # the rule gives these anew, and keeps the gradient
        with backend.beside(self.theta):
            self.adopt()
            for start, stop, t in self.runs():
                whole = start == 0 and stop == len(self.theta)
                stretch = vectors if whole else [vector[start:stop] for vector in vectors]
                # Only what is written is noted: graphs that saved other parameters stay valid.
                (self.region if whole else ledger.region(stretch[0])).touch(writer)
                if stop - start > BLOCK and backend.of(self.theta) is backend.HOST:
                    Program(
                        lambda *xs, **h: _apart(rule(*xs, **h), xs), len(vectors), results, self.dtype, t=t, **hyper
                    ).run(stretch)
                    continue
                for position, values in zip(results, _apart(rule(*stretch, t=t, **hyper), stretch), strict=True):
                    stretch[position][...] = values
        if current.get().inspecting:
            anomaly.inspect_update(self.parameters, writer)

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
        layout = {"dtype": saved["dtype"], "shapes": [list(shape) for shape in saved["shapes"]]}
        if layout != self.layout:
            raise ValueError(
                f"load_state_dict: the state belongs to other parameters; expected {self.layout}, got {layout}"
            )
        expected = (self.theta.shape, self.dtype)
        for name, vector in saved["state"].items():
            if (vector.shape, vector.dtype) != expected:
                raise ValueError(f"load_state_dict: '{name}' is {vector.shape} {vector.dtype}; expected {expected}")
        if len(saved["steps"]) != len(self.steps):
            raise ValueError(f"load_state_dict: {len(saved['steps'])} step counts for {len(self.steps)} parameters")

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.state = {name: backend.to_device(vector.copy(), self.device) for name, vector in saved["state"].items()}
        self.steps = list(saved["steps"])

    def __reduce__(self) -> Any:
        # Copied one by one, the vectors and their views would no longer share memory: a copy is laid out anew.
        return _laid_out, (self.parameters, self.state_dict())


def _apart(results: Sequence[Array], inputs: Sequence[Array]) -> list[Array]:
    """What a rule returns, with a copy of what it hands on as it is, such as the old θ: that will be overwritten."""
    given = set(map(id, inputs))
    return [+x if id(x) in given else x for x in results]


def _laid_out(parameters: Sequence[Tensor], saved: Mapping[str, Any]) -> FlatVector:
    vector = FlatVector(parameters)
    vector.load_state_dict(saved)
    return vector
