"""Every operation in the table, on examples that Hypothesis draws. What is checked is told in `properties`."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_opt as tg
from properties import Call, check, check_tied
from strategies import Example, examples
from tinygrad_opt import errors, ops
from tinygrad_opt.core.kinds import Constant
from tinygrad_opt.core.primitive import REGISTRY, UNREAD, ours
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.testing import gradcheck
from tinygrad_opt.testing.conventions import CONVENTIONS
from tinygrad_opt.testing.sources import RandomSource
from tinygrad_opt.testing.specs import SPECS

KINKED = [name for name, spec in SPECS.items() if spec.kinks]
DIFFERENTIABLE = [name for name, spec in SPECS.items() if not isinstance(spec.recorded, Constant)]


def random_calls(name: str, count: int, device: str = "cpu") -> Iterator[Call]:
    """Some calls of an operation, all in float64."""
    for seed in range(count):
        sample = SPECS[name].sample(RandomSource(seed, device=device))
        wanted = tuple(i for k, i in enumerate(sample.inputs) if (seed >> k) & 1) or sample.inputs
        same = ["float64"] * len(sample.args), ["C"] * len(sample.args)
        yield Call(Example(SPECS[name], sample, *same, wanted, device, seed))


@pytest.mark.parametrize("name", SPECS)
@given(data=st.data())
def test_operation(name, device, data):
    check(data.draw(examples(SPECS[name], device)))


@pytest.mark.parametrize("name", KINKED)
@given(data=st.data())
def test_ties(name, device, data):
    check_tied(data.draw(examples(SPECS[name], device, tied=True)))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradcheck_agrees(name, device):
    """The public checker finds nothing wrong either: it raises no false alarm, on any device."""
    for call in random_calls(name, 20, device):
        leaves = call.leaves()
        if sum(x.size for x in leaves) > 1 and call(*leaves).dtype == tg.float64:
            break
    assert gradcheck(call, tuple(x.detach() for x in leaves), order=2, entries=6, directions=1)


def test_moves_between_devices(device):
    x = tg.tensor(np.array([0.5, -1.0]), requires_grad=True)
    there = tg.tanh(x).to(device)
    assert there.device == device
    loss = (there * there).sum()
    (gradient,) = tg.gradients(loss, [x])
    assert gradient.device == "cpu"
    assert gradcheck(lambda x: tg.exp(tg.tanh(x).to(device)).to("cpu") * x, x.detach(), order=2)


# The table is complete.


def test_every_primitive_has_a_spec():
    recorded = {spec.primitive or spec.name for spec in SPECS.values()}
    missing = sorted(set(ours()) - recorded)  # those of users are their own affair
    assert not missing, f"write a spec for {missing} in tinygrad_opt/testing/specs (see its docstring)"
    assert recorded <= set(REGISTRY)


def test_every_public_function_has_a_spec():
    public = {name: getattr(ops, name) for name in ops.__all__}
    public |= {f"linalg.{name}": getattr(ops.linalg, name) for name in ops.linalg.__all__}
    known = [function for name, function in public.items() if name in SPECS]  # by any of their names: amax is max
    missing = [name for name, function in public.items() if not any(function is other for other in known)]
    missing = [name for name in missing if not isinstance(public[name], type)]  # LinAlgError
    assert not missing, f"write a spec for {missing} in tinygrad_opt/testing/specs (see its docstring)"


@pytest.mark.parametrize("name", SPECS)
def test_samples_are_the_same_in_either_precision_and_in_every_run(name):
    for seed in range(20):
        sample, again = (SPECS[name].sample(RandomSource(seed)) for _ in range(2))
        assert repr(sample) == repr(again)
        for x in sample.args:
            if isinstance(x, np.ndarray) and x.dtype.kind == "f":
                assert x.dtype == np.float64
                assert np.array_equal(x, x.astype(np.float32), equal_nan=True)


# What rules read is kept, and nothing else.


def derivatives(node: Any, saved: tuple[Any, ...]) -> list[Any]:
    """All that the rules of one node compute from these saved values, on raw arrays."""
    with np.errstate(all="ignore"):
        tangents = [None if p is None else unequal(p.shape) for p in node.parents]
        g = unequal(node.shape)
        prepared = node.primitive.prepare(node, g, saved)
        pulled = [
            node.primitive.pull(node, i, g, prepared) for i, parent in enumerate(node.parents) if parent is not None
        ]
        return [np.array(x) for x in (*pulled, node.primitive.push(node, tangents, saved))]


def at_singular_points(name: str) -> Iterator[Any]:
    """Results at the points of the table of conventions, where some rules read what they need nowhere else."""
    with np.errstate(all="ignore"):
        for convention in (c for c in CONVENTIONS if c.function == name):
            for wanted in (range(len(convention.args)), *([i] for i in range(len(convention.args)))):
                yield convention.call(
                    *(tg.Tensor(np.array(x), requires_grad=i in wanted) for i, x in enumerate(convention.args))
                )


def unequal(shape: tuple[int, ...]) -> Any:
    """Numbers of which no two are equal, so that exchanging them is seen."""
    return 0.75 + np.arange(np.prod(shape, dtype=int)).reshape(shape) / 8


def spoiled(value: Any) -> Any:
    """Another value of the same shape and dtype."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "iu":
            return (value == 0).astype(value.dtype)
        return ~value if value.dtype == bool else np.full_like(value, np.nan)
    return value + 1


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_what_is_saved_is_read(name):
    """A rule that keeps an array without reading it wastes memory: each saved value must matter somewhere."""
    saved_once: set[tuple[Any, int]] = set()
    read_once: set[tuple[Any, int]] = set()
    random_points = (call(*call.leaves()) for call in random_calls(name, 150))
    for y in itertools.chain(random_points, at_singular_points(name)):
        for node in reachable([y._node] if y.requires_grad else []):
            if node.primitive is not SPECS[name].recorded:
                continue
            before = derivatives(node, node.saved)
            for position, value in enumerate(node.saved):
                if value is UNREAD:
                    continue
                key = (tuple(parent is not None for parent in node.parents), position)
                saved_once.add(key)
                changed = (*node.saved[:position], spoiled(value), *node.saved[position + 1 :])
                after = derivatives(node, changed)
                if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)):
                    read_once.add(key)
    assert saved_once == read_once, "saved for nothing, as (inputs that need derivatives, position in saved)"


@pytest.mark.parametrize(
    "read",
    [
        *(lambda x, f=f: f(x, 2.0) for f in (operator.add, operator.mul, operator.truediv, operator.pow, operator.gt)),
        *(lambda x, f=f: f(np.ones(2), x) for f in (operator.add, operator.sub, operator.matmul, operator.le)),
        *(lambda x, f=f: f(x) for f in (operator.neg, abs, len, list, bool, float, np.exp, np.asarray, tg.exp)),
        lambda x: x.shape,
        lambda x: x[0],
        lambda x: tg.where(x, 1.0, tg.ones(2)),
        lambda x: x == 0,
        lambda x: {x},
    ],
)  # fmt: skip
def test_what_is_not_kept_cannot_be_read(read):
    with pytest.raises(TypeError):
        read(UNREAD)


# Arguments that make no sense.


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "logsumexp", "any", "all", "normalize"])
@pytest.mark.parametrize("axis", [(0, 0), (0, -2), (1, 0, 1)])
def test_duplicate_axes_raise(name, axis):
    with pytest.raises(errors.ShapeError, match="twice"):
        SPECS[name].call(tg.ones(2, 3), axis=axis)
