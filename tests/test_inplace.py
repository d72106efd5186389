"""Writing in place: a derivative that needs the old values raises, and one that does not need them is right."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core import ledger
from tinygrad_opt.errors import InPlaceError, ShapeError


def named(values: list[float], name: str = "fc1.weight") -> tg.Tensor:
    w = tg.tensor(values, dtype=tg.float64, requires_grad=True)
    w.name = name
    return w


def test_the_message_names_the_tensor_the_writer_and_the_operation() -> None:
    w = named([1.0, 2.0])
    loss = (w * w).sum()
    w.data -= 0.1
    expected = (
        "'fc1.weight' was changed in place (by an assignment to .data) after 'multiply' saved it; call backward() "
        "before step(), or write out of place: x = x + 1 instead of x.data += 1."
    )
    with pytest.raises(InPlaceError, match=re.escape(expected)):
        loss.backward()
    assert w.grad is None


def test_an_optimizer_is_named_as_the_writer() -> None:
    w = named([1.0, 2.0])
    optimizer = tg.optim.SGD([w], lr=0.1)
    (w * w).sum().backward()
    loss = (w * w).sum()
    optimizer.step()
    with pytest.raises(InPlaceError, match=r"'fc1.weight' was changed in place \(by SGD.step\) after 'multiply'"):
        loss.backward()


def test_without_names_the_message_says_which_result_it_was() -> None:
    x = tg.ones(2, requires_grad=True)
    y = tg.exp(x)
    loss = y.sum()
    y.data *= 2
    with pytest.raises(InPlaceError, match=r"the output of 'exp' was changed .* after 'exp' saved it"):
        loss.backward()


def test_a_constant_that_was_saved_counts_too() -> None:
    x, constant = tg.ones(2, requires_grad=True), tg.ones(2)
    loss = (x * constant).sum()
    constant.data += 1
    with pytest.raises(InPlaceError, match=r"input 1 was changed in place .* after 'multiply' saved it"):
        loss.backward()


WRITES: list[Callable[[tg.Tensor], None]] = [
    lambda t: setattr(t, "data", t.data + 1),
    lambda t: setattr(t, "data", [5.0, 6.0]),
    lambda t: setattr(t, "data", tg.tensor([5.0, 6.0], dtype=tg.float64)),
    lambda t: setattr(t.detach(), "data", np.zeros(2)),
    lambda t: setattr(t[::-1], "data", np.zeros(2)),
    lambda t: setattr(t[1:], "data", np.zeros(1)),
    lambda t: setattr(tg.asarray(t.data), "data", np.zeros(2)),
]


@pytest.mark.parametrize("write", WRITES)
def test_every_way_to_the_same_memory_is_noticed(write: Callable[[tg.Tensor], None]) -> None:
    x = named([1.0, 2.0])
    loss = (x * x).sum()
    write(x)
    with pytest.raises(InPlaceError):
        tg.gradients(loss, [x], create_graph=True)
    with pytest.raises(InPlaceError):
        loss.backward()


def test_what_no_rule_needs_may_be_written() -> None:
    x = named([1.0, 2.0])
    loss = (x + 1.0).sum()
    x.data += 10
    loss.backward()
    assert x.grad.tolist() == [1, 1]


def test_an_output_that_no_rule_needs_may_be_written() -> None:
    x = named([1.0, 2.0])
    y = x * 3.0
    loss = y.sum()
    y.data += 1
    loss.backward()
    assert x.grad.tolist() == [3, 3]


def test_a_write_before_the_operation_is_harmless() -> None:
    x = named([1.0, 2.0])
    x.data += 1
    (x * x).sum().backward()
    assert x.grad.tolist() == [4, 6]


def test_a_write_after_backward_is_harmless() -> None:
    x = named([1.0, 2.0])
    for _ in range(3):
        x.zero_grad()
        (x * x).sum().backward()
        x.data -= 0.25 * x.grad.data
    assert x.tolist() == [0.125, 0.25]


def test_a_write_next_door_is_harmless() -> None:
    buffer = np.arange(6.0)
    left, right = tg.asarray(buffer[:3], requires_grad=True), tg.asarray(buffer[3:])
    loss = (left * left).sum()
    right.data += 1
    loss.backward()
    assert left.grad.tolist() == [0, 2, 4]
    loss = (left * left).sum()
    tg.asarray(buffer).data += 1  # the whole, both halves with it
    with pytest.raises(InPlaceError):
        loss.backward()


def test_only_the_part_that_is_asked_for_matters() -> None:
    a, b = named([1.0, 2.0], "a"), named([3.0, 4.0], "b")
    loss = (a * 2.0).sum() + (b * b).sum()
    b.data += 1
    assert tg.gradients(loss, [a])[0].tolist() == [2, 2]
    with pytest.raises(InPlaceError, match="'b' was changed"):
        loss.backward()


def test_writes_of_the_sweep_itself_are_harmless() -> None:
    """backward() adds to gradients in place where an optimizer has laid them out; no graph has saved those."""
    w = named([1.0, 2.0])
    tg.optim.SGD([w], lr=0.1)
    first, second = (w * w).sum(), (w * w * w).sum()
    first.backward()
    second.backward()
    assert w.grad.tolist() == [2 + 3, 4 + 12]


def test_a_saved_gradient_that_backward_overwrites() -> None:
    w = named([1.0, 2.0])
    tg.optim.SGD([w], lr=0.1)
    (w * w).sum().backward()
    x = tg.ones(2, dtype=tg.float64, requires_grad=True)
    loss = (x * w.grad).sum()
    (w * w).sum().backward()
    with pytest.raises(InPlaceError, match=r"by backward\(\)"):
        loss.backward()


def test_recorded_functions_notice_writes() -> None:
    x = named([1.0, 2.0])
    _, pushforward = tg.linearize(lambda z: z * z, x)
    _, pullback = tg.vjp(lambda z: z * z, x)
    t = tg.ones(2, dtype=tg.float64)
    assert pushforward(t).tolist() == pullback(t)[0].tolist() == [2, 4]
    x.data += 1
    with pytest.raises(InPlaceError):
        pushforward(t)
    with pytest.raises(InPlaceError):
        pullback(t)


def test_a_new_array_in_recycled_memory_is_not_blamed() -> None:
    """Memory is handed out again; what was written into its previous tenant does not count."""
    for _ in range(200):
        scratch = tg.zeros(1000)
        scratch.data += 1
        del scratch
        x = tg.ones(1000, requires_grad=True)
        (x * x).sum().backward()
        assert x.grad.tolist()[0] == 2


def test_records_of_writes_die_with_the_memory() -> None:
    gc.collect()
    before = len(ledger._regions)
    tensors = [tg.zeros(10) for _ in range(50)]
    for t in tensors:
        t.data += 1
    views = [t[2:] for t in tensors]
    for v in views:
        v.data += 1
    assert len(ledger._regions) == before + 100
    del t, v, tensors, views
    assert len(ledger._regions) == before


def test_assignment_to_data_keeps_the_memory() -> None:
    x = tg.tensor([1.0, 2.0])
    array = x.data
    x.data = [3, 4]
    assert x.data is array
    assert array.tolist() == [3, 4]


@pytest.mark.parametrize("value", [np.ones(3, np.float32), np.ones(2), np.ones((1, 2), np.float32)])
def test_assignment_to_data_refuses_other_shapes_and_dtypes(value: np.ndarray) -> None:
    x = tg.tensor([1.0, 2.0])
    expected = r"data: expected an array of shape \(2,\) and dtype float32; got .* Make a new tensor"
    with pytest.raises(ShapeError, match=expected):
        x.data = value
    assert x.tolist() == [1, 2]


def test_item_assignment_names_the_ways_out() -> None:
    x = tg.ones(3)
    with pytest.raises(TypeError, match=r"t\[i\] = v.*\.at\[i\]\.set\(v\), tg\.where.*, or tg\.stack"):
        x[0] = 5.0
    assert x.tolist() == [1, 1, 1]


def test_a_view_is_called_by_the_name_of_what_it_shows() -> None:
    w = tg.tensor([[1.0, 2.0]], requires_grad=True)
    w.name = "fc.weight"
    y = (w.T * w.T).sum()
    w.data += 1
    with pytest.raises(InPlaceError, match=r"'fc\.weight' was changed in place"):
        y.backward()
