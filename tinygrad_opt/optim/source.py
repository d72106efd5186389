"""A traced update rule as text: one assignment a line, in Python for a compiled loop, or in C for a kernel.

Every operation is an expression of the names of its operands that means what NumPy's function means (maximum answers
nan where either is nan). An operation is *exact* where IEEE 754 leaves no choice of a single bit: sums, products,
quotients, square roots, comparisons. Rules made of these give the same numbers in every engine, bit for bit, as long
as no compiler contracts a product and a sum into one rounding; exponentials and powers differ in the last bits.
(Of 0 and -0, maximum and minimum may take either: so do NumPy's, by the place in the array.)
"""

from __future__ import annotations

from .tracing import Structure

__all__ = ["in_c", "in_python", "is_exact"]

# "one" and "zero" are numbers of the vectors' own dtype: a literal would be a double.
_BOTH = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}", "negative": "-{}",
    "positive": "{}", "square": "{0} * {0}", "reciprocal": "one / {}", "sqrt": "sqrt({})", "absolute": "fabs({})",
    "greater": "{} > {}", "greater_equal": "{} >= {}", "less": "{} < {}", "less_equal": "{} <= {}",
    "equal": "{} == {}", "not_equal": "{} != {}", "logical_xor": "{} != {}",
    "isnan": "{0} != {0}", "isfinite": "{0} - {0} == zero",
}  # fmt: skip
_PYTHON = _BOTH | {
    "maximum": "{0} if {0} >= {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} <= {1} or {0} != {0} else {1}",
    "sign": "one if {0} > zero else -one if {0} < zero else zero if {0} == zero else {0}",
    "where": "{1} if {0} else {2}",
    "logical_and": "{} and {}", "logical_or": "{} or {}", "logical_not": "not {}",
    "isinf": "{0} == {0} and {0} - {0} != zero",
}  # fmt: skip
_C = _BOTH | {
    "maximum": "{0} >= {1} || {0} != {0} ? {0} : {1}",
    "minimum": "{0} <= {1} || {0} != {0} ? {0} : {1}",
    "sign": "{0} > zero ? one : {0} < zero ? minus_one : {0} == zero ? zero : {0}",
    "where": "{0} ? {1} : {2}",
    "logical_and": "{} && {}", "logical_or": "{} || {}", "logical_not": "!{}",
    "isinf": "{0} == {0} && {0} - {0} != zero",
    "power": "pow({}, {})", "arctan2": "atan2({}, {})", "rint": "rint({})", "arctan": "atan({})",
    **{name: f"{name}({{}})" for name in ("cbrt ceil cos cosh exp exp2 expm1 floor log log10 log1p log2 sin sinh tan "
                                          "tanh trunc").split()},
}  # fmt: skip


def is_exact(structure: Structure) -> bool:
    """Whether every engine gives the same bits."""
    return all(name in _PYTHON for name, *_ in structure.steps)


def _assignments(structure: Structure, texts: dict[str, str]) -> list[tuple[int, str]]:
    """For each step the number of its value, and the line that computes it."""
    return [
        (value, f"x{value} = " + texts[name].format(*map(_name, operands)))
        for value, (name, *operands) in enumerate(structure.steps, start=structure.inputs)
    ]


def _name(value: int) -> str:
    return f"x{value}" if value >= 0 else f"c{-1 - value}"


def in_python(structure: Structure) -> str:
    """A function ``loop(numbers, *vectors)`` of NumPy arrays; one and zero stand behind the numbers of the slots."""
    vectors = [f"v{i}" for i in range(structure.inputs)]
    names = [*(f"c{k}" for k in range(structure.slots)), "one", "zero"]
    lines = [f"def loop(numbers, {', '.join(vectors)}):"]
    lines += [f"    {name} = numbers[{k}]" for k, name in enumerate(names)]
    lines += ["    for i in range(v0.size):"]
    lines += [f"        x{i} = v{i}[i]" for i in range(structure.inputs)]
    lines += [f"        {line}" for _, line in _assignments(structure, _PYTHON)]
    results = zip(structure.targets, structure.results, strict=True)
    lines += [f"        v{target}[i] = {_name(result)}" for target, result in results if target != result]
    return "\n".join(lines) + "\n"


def in_c(structure: Structure, dtype: str) -> str | None:
    """What a kernel does to one element of the arrays x0, x1, ...; None where some operation has no name in C."""
    if any(name not in _C for name, *_ in structure.steps):
        return None
    conditions = structure.conditions
    # Half precision needs a number for it: the minus of CuPy's class float16 gives a float.
    numbers = {"one": 1, "zero": 0, "minus_one": -1}
    lines = [f"const {dtype} {name} = {dtype}({number})" for name, number in numbers.items()]
    for value, line in _assignments(structure, _C):
        lines.append(f"const {'bool' if value in conditions else dtype} {line}")
    # No array is written before all results are there: a state may become what another one was.
    results = zip(structure.targets, structure.results, strict=True)
    lines += [f"x{target} = {_name(result)}" for target, result in results if target != result]
    return ";\n".join(lines) + ";"
