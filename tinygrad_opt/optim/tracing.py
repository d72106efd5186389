"""What an update rule does, written down once: a list of operations that every engine can run in its own way.

A rule is a pure function of one element's θ, g and state. Called on *placeholders* it leaves its operations behind.
Numbers are not part of the list: they stand in *slots*, for learning rates and bias corrections change from step to
step, while the list (the `Structure`) stays what it is. So programs are made once for a structure, and numbers are
what they are called with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import backend

__all__ = ["CONDITIONS", "Structure", "Traced", "check_results", "trace"]

_COMPARISONS = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
_LOGIC = {"logical_and", "logical_or", "logical_xor", "logical_not"}
_BITWISE = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
            "invert": "logical_not"}  # fmt: skip
CONDITIONS = _COMPARISONS | _LOGIC | {"isnan", "isfinite", "isinf", "signbit"}  # operations that answer true or false
_SPECIAL = _LOGIC | _BITWISE.keys() | {"where", "power"}
# What NumPy's operator ** makes of these exponents: exact, and quicker than a power.
_POWERS = {2: "square", 0.5: "sqrt", 1: "positive", -1: "reciprocal"}


class Structure(NamedTuple):
    """A straight-line program without its numbers.

    Values are numbered: first the inputs (θ, g, state), then the results of the steps, one each. A negative operand
    ``-1 - k`` is slot k.

    Attributes
    ----------
    inputs : int
        How many arrays go in.
    steps : tuple of (str, int, ...)
        Each the name of an operation and its operands.
    results : tuple of int
        What takes the place of θ and of the state vectors.
    """

    inputs: int
    steps: tuple[tuple[Any, ...], ...]
    results: tuple[int, ...]

    @property
    def targets(self) -> list[int]:
        """For each result the input that it replaces: all but the gradient."""
        return [0, *range(2, self.inputs)]

    @property
    def slots(self) -> int:
        """How many numbers there are."""
        operands = [x for _, *operands in self.steps for x in operands]
        return -min(*operands, *self.results, 0)

    @property
    def conditions(self) -> frozenset[int]:
        """The values that are true or false."""
        return frozenset(self.inputs + i for i, (name, *_) in enumerate(self.steps) if name in CONDITIONS)


class Traced(NamedTuple):
    """A structure, and the numbers that its slots hold at this step."""

    structure: Structure
    numbers: list[float]

    def __str__(self) -> str:
        inputs, steps, results = self.structure
        names = ["θ", "g", *(f"s{i}" for i in range(1, inputs - 1)), *(f"x{i}" for i in range(1, len(steps) + 1))]
        text = dict(enumerate(names)) | {-1 - k: f"{number:.6g}" for k, number in enumerate(self.numbers)}
        lines = [
            f"{text[value]} = {name}({', '.join(text[x] for x in operands)})"
            for value, (name, *operands) in enumerate(steps, start=inputs)
        ]
        moves = zip(self.structure.targets, results, strict=True)
        return "\n".join([*lines, *(f"{text[target]} ← {text[result]}" for target, result in moves)])


class _Recorder:
    """The list while it grows."""

    __slots__ = ("dtype", "numbers", "size", "steps")

    def __init__(self, inputs: int, dtype: Any) -> None:
        self.size, self.dtype = inputs, dtype
        self.steps: list[tuple[Any, ...]] = []
        self.numbers: list[float] = []

    def write(self, name: str, *operands: Any) -> _Placeholder:
        """Add an operation."""
        if name in _SPECIAL:
            return self._write_special(name, operands)
        before = len(self.steps)
        places = [self.place(x) for x in operands]
        if len(self.steps) - before > 1:
            raise TypeError(f"{name} of two conditions: combine conditions by &, | and ~")
        return self.step(name, *places)

    def _write_special(self, name: str, operands: tuple[Any, ...]) -> _Placeholder:
        name = _BITWISE.get(name, name)
        if name == "power":
            exponent = operands[1]
            if type(exponent) in (int, float) and exponent in _POWERS:
                return self.write(_POWERS[exponent], operands[0])
            return self.step(name, *[self.place(x) for x in operands])
        return self.step(name, *[self.place(x, as_condition=name != "where" or not i) for i, x in enumerate(operands)])

    def step(self, name: str, *places: int) -> _Placeholder:
        """Add an operation whose operands have their places."""
        self.steps.append((name, *places))
        number = self.size
        self.size += 1
        return _Placeholder(self, number, name in CONDITIONS)

    def place(self, x: Any, as_condition: bool = False) -> int:
        """The number of a value, or of a new slot for a number."""
        if type(x) is _Placeholder:
            if x.recorder is not self:
                raise TypeError("an update rule is a pure function; an array of another call came in")
            if x.is_condition is as_condition:
                return x.number
            if as_condition:
                raise TypeError("an update rule expected a condition such as g > 0; it got numbers")
            return self.step("where", x.number, self.place(1.0), self.place(0.0)).number  # true counts as 1
        if as_condition or not isinstance(x, (int, float)):
            kind = "conditions" if as_condition else "numbers"
            raise TypeError(f"an update rule combines its arrays with {kind}; got {x!r:.60}")
        self.numbers.append(x)
        return -len(self.numbers)


class _Placeholder:
    """Stands for an array; every operation on it is written down."""

    __slots__ = ("is_condition", "number", "recorder")
    __array_ufunc__ = None
    __hash__ = object.__hash__
    shape, ndim, size = (), 0, 1

    def __init__(self, recorder: _Recorder, number: int, is_condition: bool = False) -> None:
        self.recorder, self.number, self.is_condition = recorder, number, is_condition

    @property
    def dtype(self) -> Any:
        return np.dtype(bool) if self.is_condition else self.recorder.dtype

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"an update rule may use arithmetic and elementwise functions; .{name} is neither")

    def __bool__(self) -> bool:
        raise TypeError("an update rule cannot ask what its arrays hold: write where(condition, a, b) in place of `if`")

    __float__ = __int__ = __index__ = __iter__ = __len__ = __bool__


def _operator(name: str, reflected: bool = False) -> Callable[..., _Placeholder]:
    if reflected:
        return lambda self, other: self.recorder.write(name, other, self)
    return lambda self, *other: self.recorder.write(name, self, *other)


for _name, _sign in [("add", "add"), ("subtract", "sub"), ("multiply", "mul"), ("divide", "truediv"), ("power", "pow"),
                     ("bitwise_and", "and"), ("bitwise_or", "or"), ("bitwise_xor", "xor")]:  # fmt: skip
    setattr(_Placeholder, f"__{_sign}__", _operator(_name))
    setattr(_Placeholder, f"__r{_sign}__", _operator(_name, reflected=True))
for _name, _sign in [("negative", "neg"), ("positive", "pos"), ("absolute", "abs"), ("invert", "invert"),
                     ("less", "lt"), ("less_equal", "le"), ("greater", "gt"), ("greater_equal", "ge"),
                     ("equal", "eq"), ("not_equal", "ne")]:  # fmt: skip
    setattr(_Placeholder, f"__{_sign}__", _operator(_name))


class _Functions:
    """The namespace in which primitives find the functions of placeholders: NumPy's ufuncs, and where."""

    ndarray = _Placeholder

    @staticmethod
    def asarray(x: Any) -> Any:
        return x

    def __getattr__(self, name: str) -> Callable[..., _Placeholder]:
        function = getattr(np, name, None)
        if name != "where" and not (isinstance(function, np.ufunc) and function.nout == 1):
            raise AttributeError(f"an update rule may use arithmetic and elementwise functions; {name} is neither")
        name = getattr(function, "__name__", name)  # abs is absolute

        def write(*operands: Any) -> _Placeholder:
            recorder = next(x.recorder for x in operands if isinstance(x, _Placeholder))
            return recorder.write(name, *operands)

        setattr(self, name, write)
        return write


class _Placeholders(backend.Backend):
    """Placeholders as an array library of their own, so that a rule may call any elementwise primitive."""

    kind = "placeholder"


backend.register(_Placeholders(_Functions()))


def check_results(results: Any, inputs: int) -> None:
    """Refuse what is not a tuple of new parameters and new state: everything that came in but the gradient."""
    if not isinstance(results, (tuple, list)) or len(results) != inputs - 1:
        got = f"{len(results)} values" if isinstance(results, (tuple, list)) else f"a {type(results).__name__}"
        raise TypeError(f"an update rule returns (theta, *state), a tuple of {inputs - 1}; got {got}")


def trace(rule: Callable[..., Sequence[Any]], inputs: int, dtype: Any, /, **hyper: Any) -> Traced:
    """Call ``rule(theta, g, *state, **hyper)`` on placeholders, and say what it did."""
    recorder = _Recorder(inputs, dtype)
    results = rule(*[_Placeholder(recorder, i) for i in range(inputs)], **hyper)
    check_results(results, inputs)
    places = [recorder.place(x) for x in results]
    for i, (place, target) in enumerate(zip(places, [0, *range(2, inputs)], strict=True)):
        if place < inputs and place != target:  # what is handed on as it is, the old θ say, will be overwritten
            places[i] = recorder.step("positive", place).number
    return Traced(Structure(inputs, tuple(recorder.steps), tuple(places)), recorder.numbers)
