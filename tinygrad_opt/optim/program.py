"""A traced update rule as a program for NumPy: no temporaries, no copies, one pass per operation.

The program runs its list of operations over one block of a long vector after the other, each operation writing into
a small buffer that stays in cache, or straight into the block that its result is to replace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from ..ops.blend import BITS
from .tracing import Structure

__all__ = ["BLOCK", "Program"]

Array = Any
Register = tuple[str, int]  # a vector, a number, or a buffer of floats or of bools; and which of them
BLOCK = 32768  # elements: the half dozen float32 blocks of a rule stay in cache, and calls are few


class Program:
    """What a structure does to vectors of one dtype: its results take the place of θ and the state."""

    def __init__(self, structure: Structure, dtype: Any) -> None:
        self.inputs, self.dtype = structure.inputs, dtype
        places = _Allocation(structure)
        self.floats, self.bools = places.made["float"], places.made["bool"]
        first = {"vector": 0, "number": self.inputs}
        first["float"] = self.inputs + structure.slots
        first["bool"] = first["float"] + self.floats
        at = {value: first[kind] + index for value, (kind, index) in places.register.items()}
        self.steps: list[tuple[Callable[..., Any], Callable[[list[Array]], Sequence[Array]], int]] = []
        for result, (name, *operands) in enumerate(structure.steps, start=self.inputs):
            reads = [at[x] for x in operands]
            # itemgetter gives a tuple for two registers or more; a slice makes a list of one.
            operands_of = itemgetter(*reads) if len(reads) > 1 else itemgetter(slice(reads[0], reads[0] + 1))
            self.steps.append((_choose if name == "where" else getattr(np, name), operands_of, at[result]))
        moves = zip(structure.results, structure.targets, strict=True)
        self.copies = [(at[result], target) for result, target in moves if at[result] != target]

    def run(self, vectors: Sequence[Array], numbers: Sequence[float]) -> None:
        """Apply the rule to whole vectors, block by block, in place."""
        size = len(vectors[0])
        constants = [np.array(number, self.dtype) for number in numbers]
        buffers = _buffers.lend(self.floats, self.dtype, min(size, BLOCK))
        buffers += _buffers.lend(self.bools, np.dtype(bool), min(size, BLOCK))
        for low in range(0, size, BLOCK):
            high = min(low + BLOCK, size)
            registers = [vector[low:high] for vector in vectors]
            registers += constants
            registers += [buffer[: high - low] for buffer in buffers]
            for function, operands_of, write in self.steps:
                function(*operands_of(registers), out=registers[write])
            for source, target in self.copies:
                registers[target][...] = registers[source]


class _Allocation:
    """Registers for the values of a structure; buffers are used again when nobody reads their value any more.

    Attributes
    ----------
    register : dict of int to (str, int)
        The register of each value.
    made : dict of str to int
        How many buffers there are of each kind.
    """

    def __init__(self, structure: Structure) -> None:
        inputs, steps, results = structure
        self.register: dict[int, Register] = {i: ("vector", i) for i in range(inputs)}
        self.register |= {-1 - k: ("number", k) for k in range(structure.slots)}
        self.made = {"float": 0, "bool": 0}
        self.free: dict[str, list[int]] = {"float": [], "bool": []}
        last_use = {x: when for when, (_, *operands) in enumerate(steps) for x in operands}
        last_use |= dict.fromkeys(results, len(steps))
        targets = dict(zip(results[::-1], structure.targets[::-1], strict=True))
        conditions = structure.conditions
        for when, (name, *operands) in enumerate(steps):
            result = inputs + when
            # NumPy's functions may write over what they read; a choice, which writes in two parts, may not.
            over = name != "where"
            dead = {self.register[x] for x in operands if last_use[x] == when}
            if over:
                self._give_back(dead)
            target = targets.get(result, -1)
            if target >= 0 and last_use.get(target, -1) < when + over:  # the old value is not read any more
                self.register[result] = "vector", target
            else:
                self.register[result] = self._take("bool" if result in conditions else "float")
            if not over:
                self._give_back(dead)
            if result not in last_use:
                self._give_back({self.register[result]})

    def _take(self, kind: str) -> Register:
        if not self.free[kind]:
            self.free[kind].append(self.made[kind])
            self.made[kind] += 1
        return kind, self.free[kind].pop()

    def _give_back(self, registers: set[Register]) -> None:
        for kind, index in sorted(registers):
            if kind in self.free:
                self.free[kind].append(index)


def _choose(condition: Array, a: Array, b: Array, out: Array) -> None:
    """``where(condition, a, b)`` into memory that none of them is in: by their bits, as in `blend`."""
    a, b, out = (x.view(BITS[out.itemsize]) for x in (a, b, out))
    np.bitwise_xor(a, b, out=out)
    np.multiply(out, condition, out=out)
    np.bitwise_xor(out, b, out=out)


class _Buffers(threading.local):
    """Memory for intermediate results: the programs of one thread take turns with it."""

    def __init__(self) -> None:
        self.of: dict[Any, list[Array]] = {}

    def lend(self, count: int, dtype: Any, length: int) -> list[Array]:
        """So many buffers, at least so long."""
        kept = self.of.setdefault(dtype, [])
        if kept and len(kept[0]) < length:
            kept.clear()
        kept += [np.empty(max(length, len(kept[0]) if kept else 0), dtype) for _ in range(count - len(kept))]
        return kept[:count]


_buffers = _Buffers()
