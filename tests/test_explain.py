"""explain(): the most asked questions, answered for one tensor, by its attributes and in words."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.explain import Repeated


def leaf(*shape: int, name: str = "") -> tg.Tensor:
    x = tg.ones(shape, requires_grad=True)
    if name:
        x.name = name
    return x


# What it is.


@pytest.mark.parametrize("dtype", [tg.int64, tg.bool])
def test_a_tensor_that_cannot_require_gradients(dtype: np.dtype) -> None:
    told = tg.zeros(2, dtype=dtype).explain()
    assert (told.role, told.gradient) == ("constant", "not required")
    assert f"only floating tensors have derivatives, and this is {np.dtype(dtype)}" in told.reason
    assert "astype" in told.next_step


def test_a_constant_and_recording_switched_off() -> None:
    told = tg.ones(2).explain()
    assert (told.role, told.gradient, told.operations) == ("constant", "not required", 0)
    assert "requires_grad_()" in told.next_step
    assert "no_grad)" not in told.reason
    with tg.no_grad():
        assert "recording is off here (no_grad)" in (leaf(2) * 2).explain().reason
    assert leaf(2).detach().explain().role == "constant"


def test_the_facts() -> None:
    x = tg.tensor(np.ones((2, 3), np.float16), requires_grad=True)
    told = x.explain()
    assert (told.shape, told.dtype, told.device, told.nbytes, told.is_view) == ((2, 3), "float16", "cpu", 12, False)
    assert x.T.explain().is_view
    assert told.name == "this tensor"
    assert leaf(1, name="w").explain().name == "'w'"


# Its gradient.


def test_a_leaf_before_and_after_backward_passes() -> None:
    x = leaf(2)
    assert (x.explain().role, x.explain().gradient) == ("leaf", "none")
    assert "no backward() has reached it" in repr(x.explain())
    for passes in (1, 2, 3):
        (x * x).sum().backward()
        assert (x.explain().gradient, x.explain().passes) == ("present", passes)
    assert "the sum of 3 backward passes" in repr(x.explain())
    assert "zero_grad()" in x.explain().next_step
    x.zero_grad()
    assert (x.explain().gradient, x.explain().passes) == ("cleared", 0)
    x.grad = tg.zeros(2)
    assert (x.explain().gradient, x.explain().passes) == ("present", 0)
    assert "set by hand" in repr(x.explain())
    (x * x).sum().backward()
    assert x.explain().passes == 1


def test_gradients_inside_an_optimizer_are_counted_too() -> None:
    w = leaf(3, name="w")
    steps = tg.optim.SGD([w], lr=0.1)
    for _ in range(2):
        (w * w).sum().backward()
    told = w.explain()
    assert (told.passes, told.is_view) == (2, True)
    steps.step()
    assert w.explain().written == ("its values were last overwritten by SGD.step",)
    steps.zero_grad()
    assert w.explain().gradient == "cleared"


def test_transforms_do_not_count() -> None:
    x = leaf(2)
    tg.gradients((x * x).sum(), x)
    assert x.explain().gradient == "none"


def test_a_result_keeps_its_gradient_only_if_asked() -> None:
    x = leaf(2)
    y = x * x
    assert y.explain().gradient == "not kept"
    assert "retain_grad()" in y.explain().next_step
    y.retain_grad()
    assert y.explain().gradient == "none"
    assert "retain_grad" not in y.explain().next_step
    y.sum().backward()
    assert (y.explain().gradient, y.explain().passes) == ("present", 1)


# Where it comes from.


def test_the_operation_its_inputs_and_the_graph() -> None:
    x, w = leaf(2, name="x"), leaf(2, name="w")
    h = tg.exp(x)
    y = (h * w + tg.tanh(h)).sum()
    told = y.explain()
    assert (told.role, told.operation, told.inputs) == ("result", "sum", ("the output of 'add' (2,)",))
    assert (told.operations, told.depth, told.leaves) == (5, 4, 2)  # exp, multiply, tanh, add, sum
    assert told.saved_bytes == 3 * 8  # exp(x), w and tanh(h); nothing twice
    assert (x * tg.ones(2)).explain().inputs == ("'x' (2,)", "input 1 (a constant)")


def test_what_is_freed_and_what_to_do_then() -> None:
    x = leaf(2)
    y = (x * x).sum()
    assert not y.explain().freed
    assert y.explain().next_step.startswith("backward() adds")
    y.backward()
    assert y.explain().freed
    assert "anew" in y.explain().next_step
    assert "freed by backward()" in repr(y.explain())
    z = (x * x).sum()
    z.backward(retain_graph=True)
    assert not z.explain().freed


def test_a_result_that_is_no_scalar() -> None:
    assert leaf(2).exp().explain().next_step.startswith("backward(gradient), or .sum() or .mean() first,")


@pytest.mark.parametrize(
    ("left", "right", "axes"),
    [
        ((3, 2), (2,), (None, (0,))),
        ((3, 2), (3, 1), (None, (1,))),
        ((3, 1), (1, 4), ((1,), (0,))),
        ((), (2, 3), ((0, 1), None)),
        ((2, 3), (2, 3), (None, None)),
        ((1, 1), (1, 1), (None, None)),
    ],
)
def test_what_is_broadcast_is_what_backward_sums(left, right, axes) -> None:
    a, b = leaf(*left, name="a"), leaf(*right, name="b")
    expected = tuple(
        Repeated(f"'{t.name}'", t.shape, over) for t, over in zip((a, b), axes, strict=True) if over is not None
    )
    y = a * b
    assert y.explain().repeated == expected
    for entry in expected:
        assert np.sum(np.ones(y.shape), entry.axes).size == {"'a'": a, "'b'": b}[entry.label].size


def test_other_operations_that_repeat() -> None:
    w = leaf(2, 3, name="w")
    stack = leaf(1, 2, 3, name="stack")
    assert (tg.ones(5, 4, 2) @ stack).explain().repeated == (Repeated("'stack'", (1, 2, 3), (0,)),)
    assert (tg.ones(4, 2) @ w).explain().repeated == ()
    assert tg.broadcast_to(w, (5, 2, 3)).explain().repeated == (Repeated("'w'", (2, 3), (0,)),)
    assert w.sum().explain().repeated == ()


# What was overwritten, and what could be.


def test_what_was_saved_and_overwritten_since() -> None:
    w = leaf(2, name="w")
    y = (w * w).sum()
    assert y.explain().written == ()
    w.data = np.zeros(2, np.float32)
    assert y.explain().written == (
        "what 'multiply' saved was overwritten by an assignment to .data: backward() will refuse",
    )
    assert (w * w).sum().explain().written == ()


def test_arrays_that_are_kept_uncopied() -> None:
    x, mask = leaf(2), np.array([1.0, 0.0], np.float32)
    assert (x * mask).explain().kept_raw == ("input 1 (2,) float32",)
    assert "not a copy" in repr((x * mask).explain())
    assert (x + mask).explain().kept_raw == ()  # the derivative does not read it
    assert (x * 2.0).explain().kept_raw == ()


# How it is told.


def test_it_fits_on_one_screen() -> None:
    x = leaf(3, 2, name="x")
    told = (x * np.ones(2, np.float32)).explain()
    assert str(told) == repr(told) == f"{told}"
    assert len(repr(told).splitlines()) <= 12
    assert max(map(len, repr(told).splitlines())) <= 101


def test_a_deep_graph_and_a_shared_one() -> None:
    x = leaf()
    y = x
    for _ in range(20_000):
        y = y * 1.0
    limit = sys.getrecursionlimit()
    assert limit < 20_000
    assert (y.explain().operations, y.explain().depth) == (20_000, 20_000)
    z = x
    for _ in range(60):
        z = z + z
    assert (z.explain().operations, z.explain().depth) == (60, 60)


def test_explaining_changes_nothing() -> None:
    x = leaf(2)
    y = (x * x).sum()
    y.explain(), x.explain()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_on_every_device(device) -> None:
    x = tg.ones(2, 3, device=device, requires_grad=True)
    y = (x * tg.ones(3, device=device)).sum()
    assert y.explain().device == device
    y.backward()
    assert x.explain().passes == 1
    assert x.explain().nbytes == 24
