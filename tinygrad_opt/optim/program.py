"""An update rule as a straight-line program for NumPy: no temporaries, no copies, one pass per operation.

A rule is a pure function. Called on *placeholders* instead of arrays it leaves behind the list of array operations
that it consists of. The program then runs that list over one block of a long vector after the other, each operation
writing into a small buffer that stays in cache, or straight into the block that its result is to replace. For a
vector of a single block calling the rule itself is quicker; both give the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from .. import backend

__all__ = ["BLOCK", "Program"]

Array = Any
BLOCK = 32768  # elements: the half dozen float32 blocks of a rule stay in cache, and calls are few


class _Placeholder:
    """Stands for an array; every operation on it is written down."""

    __slots__ = ("trace",)
    __array_ufunc__ = None
    size = 0  # `where` asks: nothing to be gained by tricks

    def __init__(self, trace: list[tuple[str, tuple[Any, ...], _Placeholder]]) -> None:
        self.trace = trace

    def __add__(self, other: Any) -> _Placeholder:
        return _write("add", self, other)

    def __radd__(self, other: Any) -> _Placeholder:
        return _write("add", other, self)

    def __sub__(self, other: Any) -> _Placeholder:
        return _write("subtract", self, other)

    def __rsub__(self, other: Any) -> _Placeholder:
        return _write("subtract", other, self)

    def __mul__(self, other: Any) -> _Placeholder:
        return _write("multiply", self, other)

    def __rmul__(self, other: Any) -> _Placeholder:
        return _write("multiply", other, self)

    def __truediv__(self, other: Any) -> _Placeholder:
        return _write("divide", self, other)

    def __rtruediv__(self, other: Any) -> _Placeholder:
        return _write("divide", other, self)

    def __pow__(self, other: Any) -> _Placeholder:
        return _write("power", self, other)

    def __neg__(self) -> _Placeholder:
        return _write("negative", self)

    def __pos__(self) -> _Placeholder:
        return _write("positive", self)

    def __abs__(self) -> _Placeholder:
        return _write("absolute", self)

    def __lt__(self, other: Any) -> _Placeholder:
        return _write("less", self, other)

    def __le__(self, other: Any) -> _Placeholder:
        return _write("less_equal", self, other)

    def __gt__(self, other: Any) -> _Placeholder:
        return _write("greater", self, other)

    def __ge__(self, other: Any) -> _Placeholder:
        return _write("greater_equal", self, other)


def _write(name: str, *operands: Any) -> _Placeholder:
    trace = next(x for x in operands if isinstance(x, _Placeholder)).trace
    result = _Placeholder(trace)
    trace.append((name, operands, result))
    return result


class _Functions:
    """The namespace in which primitives find the functions of placeholders: any of NumPy's ufuncs."""

    ndarray = _Placeholder

    def asarray(self, x: _Placeholder) -> _Placeholder:
        return x

    def where(self, mask: _Placeholder, a: Any, b: Any) -> _Placeholder:
        return _write("where", mask, a, b)

    def __getattr__(self, name: str) -> Callable[..., _Placeholder]:
        if not isinstance(getattr(np, name, None), np.ufunc):
            raise AttributeError(f"an update rule may use arithmetic and elementwise functions; {name} is neither")
        return lambda *operands: _write(name, *operands)


def _where(mask: Array, a: Array, b: Array, out: Array) -> None:
    """NumPy's `where` writes nowhere but into a new array. A mask in a buffer of numbers is 1 where it is true."""
    out[...] = np.where(mask, a, b)


class _Placeholders(backend.Backend):
    """Placeholders as an array library of their own, so that a rule may call any elementwise primitive."""

    kind = "placeholder"


backend.register(_Placeholders(_Functions()))


class Program:
    """What ``rule(*inputs, **hyper)`` does to vectors, where result i replaces ``inputs[targets[i]]``.

    Parameters
    ----------
    rule : callable
        A pure function of arrays; returns a tuple of as many arrays as there are targets.
    count : int
        How many arrays it takes.
    targets : sequence of int
        For each result, the position of the input that it replaces.
    dtype : dtype
        Of all vectors.
    **hyper
        Numbers, which become constants of the program.
    """

    def __init__(
        self, rule: Callable[..., Sequence[Any]], count: int, targets: Sequence[int], dtype: Any, **hyper: Any
    ) -> None:
        trace: list[tuple[str, tuple[Any, ...], _Placeholder]] = []
        inputs = [_Placeholder(trace) for _ in range(count)]
        results = rule(*inputs, **hyper)
        numbers = [x for _, operands, _ in trace for x in operands if not isinstance(x, _Placeholder)]
        self.constants = [np.array(number, dtype) for number in numbers]
        self.buffers: list[Array] = []

        last_use = {x: when for when, (_, operands, _) in enumerate(trace) for x in operands if x not in numbers}
        last_use |= dict.fromkeys(results, len(trace))
        register = {x: i for i, x in enumerate(inputs)}
        for when, (_, _, result) in enumerate(trace):
            for target in (t for r, t in zip(results, targets, strict=True) if r is result):
                if last_use.get(inputs[target], -1) <= when:  # nobody reads the old value any more
                    register.setdefault(result, target)
        self._assign(trace, last_use, register, dtype)
        moves = zip(results, targets, strict=True)
        self.copies = [(register[result], target) for result, target in moves if register[result] != target]

    def _assign(self, trace: Sequence[Any], last_use: Any, register: dict[Any, int], dtype: Any) -> None:
        """Give every operation the registers that it reads and the one that it writes; buffers are used again."""
        first_buffer = len(register.keys() - {result for _, _, result in trace}) + len(self.constants)
        constant = iter(range(first_buffer - len(self.constants), first_buffer))
        free: list[int] = []
        self.steps: list[tuple[Any, Callable[[list[Array]], tuple[Array, ...]], int]] = []
        for when, (name, operands, result) in enumerate(trace):
            reads = tuple(register[x] if isinstance(x, _Placeholder) else next(constant) for x in operands)
            done = {register[x] for x in operands if isinstance(x, _Placeholder) and last_use[x] == when}
            free += [r for r in done if r >= first_buffer]
            if result not in register:
                if not free:
                    free.append(first_buffer + len(self.buffers))
                    self.buffers.append(np.empty(BLOCK, dtype))
                register[result] = free.pop()
            # itemgetter gives a tuple for two registers or more; a slice makes a list of one.
            operands_of = itemgetter(*reads) if len(reads) > 1 else itemgetter(slice(reads[0], reads[0] + 1))
            self.steps.append((_where if name == "where" else getattr(np, name), operands_of, register[result]))

    def run(self, vectors: Sequence[Array]) -> None:
        """Apply the rule to whole vectors, block by block, in place."""
        size = len(vectors[0])
        for low in range(0, size, BLOCK):
            high = min(low + BLOCK, size)
            registers = [vector[low:high] for vector in vectors]
            registers += self.constants
            registers += [buffer[: high - low] for buffer in self.buffers]
            for ufunc, operands_of, write in self.steps:
                ufunc(*operands_of(registers), out=registers[write])
            for source, target in self.copies:
                registers[target][...] = registers[source]
