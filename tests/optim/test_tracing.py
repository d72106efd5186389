"""What is written down of a rule: its operations without their numbers; and what a rule may not do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import MAKERS, Maker, every_elementwise
from tinygrad_opt.optim import engines, program, source
from tinygrad_opt.optim.tracing import trace

F32 = np.dtype("float32")


def traced(make: Maker, t: int, **options: Any) -> Any:
    optimizer = make([tg.zeros(1, requires_grad=True)], **options)
    hyper = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    return trace(optimizer.rule, 2 + len(optimizer.state_names(hyper)), F32, t=t, **hyper)


@every_elementwise
def test_numbers_are_no_part_of_the_structure(make: Maker) -> None:
    """Else a program would be made, and a loop compiled, at every step of a schedule."""
    first, later = (traced(make, t, lr=lr, weight_decay=decay) for t, lr, decay in [(50, 0.1, 0.3), (60, 0.2, 0.1)])
    assert first.structure == later.structure
    assert hash(first.structure) == hash(later.structure)
    assert len(first.numbers) == len(later.numbers) == first.structure.slots


def test_one_program_serves_a_whole_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BLOCK", 8)
    monkeypatch.setattr(engines, "_host", {})
    p = tg.zeros(20, requires_grad=True)
    optimizer = tg.optim.Adam([p])
    for step in range(10):
        p.grad = tg.ones(20)
        optimizer.param_groups[0]["lr"] = 1 / (1 + step)
        optimizer.step()
    assert len(engines._host) == 1
    first, later = (traced(MAKERS["adam"], t, lr=0.1) for t in (1, 2))
    assert first.numbers != later.numbers


def test_a_trace_reads_like_the_algorithm() -> None:
    momentum = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    hyper = {name: value for name, value in momentum.param_groups[0].items() if name != "params"}
    assert str(trace(momentum.rule, 3, F32, t=2, **hyper)).splitlines() == [
        "x1 = multiply(0.9, s1)",
        "x2 = multiply(1, g)",
        "x3 = add(x1, x2)",
        "x4 = multiply(0.1, x3)",
        "x5 = subtract(θ, x4)",
        "θ ← x5",
        "s1 ← x3",
    ]


def test_python_and_c_say_the_same() -> None:
    structure = trace(lambda theta, g: (tg.where(g > 2.0, tg.maximum(theta, g), -theta),), 2, F32).structure
    assert source.in_python(structure).splitlines() == [
        "def loop(numbers, v0, v1):",
        "    c0 = numbers[0]",
        "    one = numbers[1]",
        "    zero = numbers[2]",
        "    for i in range(v0.size):",
        "        x0 = v0[i]",
        "        x1 = v1[i]",
        "        x2 = x1 > c0",
        "        x3 = x0 if x0 >= x1 or x0 != x0 else x1",
        "        x4 = -x0",
        "        x5 = x3 if x2 else x4",
        "        v0[i] = x5",
    ]
    assert source.in_c(structure, "float32").splitlines() == [
        "const float32 one = float32(1);",
        "const float32 zero = float32(0);",
        "const float32 minus_one = float32(-1);",
        "const bool x2 = x1 > c0;",
        "const float32 x3 = x0 >= x1 || x0 != x0 ? x0 : x1;",
        "const float32 x4 = -x0;",
        "const float32 x5 = x2 ? x3 : x4;",
        "x0 = x5;",
    ]


def test_squares_and_roots_are_no_powers() -> None:
    structure = trace(lambda theta, g: (theta**2 + g**0.5 - tg.power(g, 2.0) * theta**-1 + g**1 + theta**3,), 2, F32)
    names = [name for name, *_ in structure.structure.steps]
    assert [name for name in names if name not in ("add", "subtract", "multiply")] == [
        "square", "sqrt", "square", "reciprocal", "positive", "power",
    ]  # fmt: skip


MISTAKES: dict[str, tuple[Callable[..., Any], str]] = {
    "if": (lambda theta, g: (theta - g if g > 0 else theta,), r"write where\(condition, a, b\) in place of `if`"),
    "sum": (lambda theta, g: (theta - g / g.sum(),), r"arithmetic and elementwise functions; \.sum is neither"),
    "product": (lambda theta, g: (theta @ g,), r"unsupported operand"),
    "index": (lambda theta, g: (theta - g[0],), r"not subscriptable"),
    "float": (lambda theta, g: (theta * float(g),), r"cannot ask what its arrays hold"),
    "norm": (lambda theta, g: (theta - tg.softmax(g),), r"softmax"),
    "array": (lambda theta, g: (theta * np.ones(3),), r"with numbers; got array\(\[1\., 1\., 1\.\]\)"),
    "text": (lambda theta, g: (theta * "2",), r"with numbers; got '2'"),
    "sum of conditions": (lambda theta, g: ((g > 0) + (theta > 0),), r"combine conditions by &, \| and ~"),
    "and of numbers": (lambda theta, g: (tg.where(g & theta, g, theta),), r"expected a condition such as g > 0"),
    "condition": (lambda theta, g: (tg.where(g, g, theta),), r"expected a condition such as g > 0"),
    "True": (lambda theta, g: (tg.where((g > 0) & 1, g, theta),), r"with conditions; got 1"),
    "none": (lambda theta, g: None, r"returns \(theta, \*state\), a tuple of 1; got a NoneType"),
    "alone": (lambda theta, g: theta - g, r"a tuple of 1; got a _Placeholder"),
    "several": (lambda theta, g: (theta, g), r"a tuple of 1; got 2 values"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_a_rule_may_not_do(name: str) -> None:
    rule, message = MISTAKES[name]
    with pytest.raises((TypeError, AttributeError, tg.errors.ShapeError), match=message):
        trace(rule, 2, F32)


def test_a_rule_keeps_nothing_between_two_calls() -> None:
    kept: list[Any] = []

    def rule(theta: Any, g: Any) -> Any:
        kept.append(g)
        return (theta - kept[0],)

    trace(rule, 2, F32)
    with pytest.raises(TypeError, match="a pure function; an array of another call came in"):
        trace(rule, 2, F32)


def test_the_package_starts_without_numba() -> None:
    code = "import sys, tinygrad_opt; print('numba' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
