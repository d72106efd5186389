"""Recompute instead of keep: the same derivatives, bit for bit, of every order, from a tape that holds no arrays."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.primitive import UNREAD
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.errors import FreedGraphError, GraphError, InPlaceError

from .derivatives import MODES, number, vector


def plain(fn: Any, *args: Any, **kwargs: Any) -> Any:
    return fn(*args, **kwargs)


WAYS = (plain, tg.checkpoint)


def weights(count: int, **options: Any) -> list[tg.Tensor]:
    rng = np.random.default_rng(3)
    return [tg.tensor(rng.normal(size=(3, 3)), **options) for _ in range(count)]


def assert_same(found: Any, expected: Any) -> None:
    """Bitwise."""
    for a, b in zip(found, expected, strict=True):
        assert a.data.tobytes() == b.data.tobytes()
        assert a.requires_grad == b.requires_grad


def layers(ws: list[tg.Tensor], x: Any) -> Any:
    for w in ws:
        x = tg.tanh(x @ w) * tg.exp(x[0, 0] / 8)
    return x


def in_blocks(way: Any, ws: list[tg.Tensor], x: Any) -> Any:
    for i in range(0, len(ws), 2):
        x = way(layers, ws[i : i + 2], x)
    return (x * x).sum()


def nested(way: Any, ws: list[tg.Tensor], x: Any) -> Any:
    """Checkpoints in checkpoints, down to single layers."""
    if len(ws) == 1:
        return layers(ws, x)
    half = len(ws) // 2
    return way(nested, way, ws[half:], way(nested, way, ws[:half], x))


# The same derivatives.


@pytest.mark.parametrize("program", [in_blocks, lambda way, ws, x: nested(way, ws, x).sum()])
def test_gradients_are_the_same(program: Any) -> None:
    ws, x = weights(6, requires_grad=True), tg.tensor(np.eye(3), requires_grad=True)
    results = []
    for way in WAYS:
        loss = program(way, ws, x)
        results.append([loss, *tg.gradients(loss, [x, *ws])])
        for leaf in (x, *ws):
            leaf.zero_grad()
        loss.backward()
        results[-1] += [leaf.grad for leaf in (x, *ws)]
    assert_same(*results)


@pytest.mark.parametrize("mode", MODES)
def test_hessian_products_are_the_same(mode: str) -> None:
    ws, x, v = weights(4), tg.tensor(np.eye(3)), tg.tensor(np.arange(9.0).reshape(3, 3))
    for program in (in_blocks, lambda way, ws, x: nested(way, ws, x).sum()):
        results = [
            tg.hvp(lambda ws, x, way=way, program=program: program(way, ws, x), (ws, x), (ws[::-1], v), mode=mode)
            for way in WAYS
        ]
        (by_w, by_x), (expected_w, expected_x) = results
        assert_same([*by_w, by_x], [*expected_w, expected_x])


@pytest.mark.parametrize(
    "derivative",
    [
        tg.hessian,
        lambda f: tg.jacobian(f, mode="forward"),
        lambda f: tg.jacobian(tg.hessian(f), mode="reverse"),
        lambda f: lambda x: tg.linearize(f, x)[1](tg.ones_like(x)),
        lambda f: lambda x: tg.ggnvp(lambda z: tg.exp(z), f, x, tg.ones_like(x)),
        lambda f: tg.grad(lambda x: (tg.grad(f)(x) ** 2).sum()),
    ],
)
def test_transforms_of_it_and_inside_it(derivative: Any) -> None:
    f = lambda x: (tg.tanh(x) * tg.exp(x[::-1])).sum()  # noqa: E731
    x = vector(0.5, -1.0)
    expected = derivative(f)(x)
    assert_same([derivative(lambda x: tg.checkpoint(f, x))(x)], [expected])
    total = tg.grad(lambda x: derivative(f)(x).sum())(x)
    assert_same([tg.grad(lambda x: tg.checkpoint(lambda z: derivative(f)(z).sum(), x))(x)], [total])
    assert_same(
        [tg.grad(lambda x: tg.checkpoint(lambda z: derivative(lambda u: tg.checkpoint(f, u))(z).sum(), x))(x)], [total]
    )


def test_create_graph_to_fourth_order() -> None:
    x = number(2.0, requires_grad=True)
    y = tg.checkpoint(lambda z: tg.checkpoint(lambda u: u * u, z) * z * z, x)
    for expected in (32, 48, 48, 24):
        (y,) = tg.gradients(y, [x], create_graph=True)
        assert y.item() == expected


def test_a_closure_made_before_a_checkpoint_and_used_inside() -> None:
    def f(x: Any) -> Any:
        _, pullback = tg.vjp(lambda z: z * z * x, x)
        return tg.checkpoint(lambda u: pullback(u)[0] * x, x)  # 2 x · x · x · x

    assert tg.grad(f)(number(2.0)).item() == 8 * 8
    assert tg.hessian(f)(number(2.0)).item() == 24 * 4


# What it takes and returns.


def test_arguments_and_results_of_all_kinds() -> None:
    def f(p: Any, power: int, *, scale: Any, note: str) -> Any:
        assert note == "kept"
        return {"y": scale * p["w"] ** power, "same": p["w"], "rest": [None, note, tg.ones(2), p["n"]]}

    w, scale = vector(1.0, 2.0, requires_grad=True), number(3.0, requires_grad=True)
    n = tg.tensor([1, 2])
    out = tg.checkpoint(f, {"w": w, "n": n}, 3, scale=scale, note="kept")
    assert out["same"] is w
    assert out["rest"][:2] == [None, "kept"]
    assert out["rest"][3] is n
    by_w, by_scale = tg.gradients(out["y"].sum(), [w, scale])
    assert (by_w.tolist(), by_scale.item()) == ([9, 36], 9)


def test_results_that_serve_apart() -> None:
    x = vector(0.5, 1.5, requires_grad=True)
    runs = []
    a, b = tg.checkpoint(lambda z: (runs.append(1), tg.exp(z), tg.exp(z) * tg.tanh(z))[1:], x)
    assert tg.gradients(a.sum(), [x])[0].tolist() == tg.exp(x).tolist()
    expected = tg.grad(lambda z: (tg.exp(z) * tg.tanh(z)).sum())(x.detach())
    assert tg.gradients(b.sum(), [x])[0].tolist() == expected.tolist()
    assert len(runs) == 3


def test_without_recording_it_is_the_call() -> None:
    runs = []
    w = number(2.0, requires_grad=True)
    with tg.no_grad():
        y = tg.checkpoint(lambda x: (runs.append(1), w * x)[1], number(3.0))
    assert (y.item(), y.requires_grad, len(runs)) == (6, False, 1)
    assert not tg.checkpoint(lambda x: x * x, number(3.0)).requires_grad


def test_no_grad_and_detach_inside() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            frozen = x * x
        return frozen * x + tg.exp(x).detach() * x

    for derivative in (tg.grad, tg.hessian):
        assert_same([derivative(lambda x: tg.checkpoint(f, x))(number(3.0))], [derivative(f)(number(3.0))])
    with tg.no_grad():  # the sweep may itself stand under it
        assert tg.grad(lambda x: tg.checkpoint(lambda z: z * z * z, x))(number(3.0)).item() == 27


def test_it_wants_a_function() -> None:
    with pytest.raises(TypeError, match="checkpoint: expected a function; got Tensor"):
        tg.checkpoint(tg.ones(2), tg.ones(2))


# What is kept, and for how long.


def test_nothing_inside_is_kept() -> None:
    x = tg.ones(1000, requires_grad=True)
    inside = []

    def f(z: Any) -> Any:
        y = tg.exp(z)
        inside.append(weakref.ref(y.data))
        return tg.tanh(y) * y

    y = tg.checkpoint(f, x)
    assert inside[0]() is None
    nodes = [node for node in reachable([y._node]) if node.parents]
    assert len(nodes) == 3
    assert all(array is UNREAD for node in nodes for array in node.saved)
    for sweep in range(2):  # nor after a sweep that frees nothing
        tg.gradients(y.sum(), [x])
        assert len(inside) == 2 + sweep
        assert all(array() is None for array in inside)


def test_each_sweep_runs_the_function_once() -> None:
    runs = []

    def f(z: Any) -> Any:
        runs.append(1)
        return tg.tanh(z) * tg.exp(z) * z

    x = vector(1.0, 2.0)
    y, pullback = tg.vjp(lambda z: tg.checkpoint(f, z) + tg.checkpoint(f, z * z), x)
    assert len(runs) == 2
    for sweep in range(1, 4):
        pullback(y)
        assert len(runs) == 2 + 2 * sweep


def test_the_peak_of_memory_falls() -> None:
    """64 layers of 1 MB each: in full, in blocks of 8 (7 + 8 of them at a time), in blocks within blocks."""
    x = tg.ones(125_000, dtype=tg.float64, requires_grad=True)

    def chain(n: int, x: Any) -> Any:
        for _ in range(n):
            x = tg.tanh(x)
        return x

    def blocks(x: Any) -> Any:
        for _ in range(8):
            x = tg.checkpoint(chain, 8, x)
        return x

    def halves(n: int, x: Any) -> Any:
        return chain(n, x) if n <= 2 else tg.checkpoint(halves, n // 2, tg.checkpoint(halves, n // 2, x))

    peaks, results = [], []
    for program in (lambda x: chain(64, x), blocks, lambda x: halves(64, x)):
        x.zero_grad()
        tracemalloc.start()
        program(x).sum().backward()
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        results.append([x.grad])
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])
    assert peaks[0] > 64
    assert peaks[1] < 22
    assert peaks[2] < 16


def test_no_reference_cycles() -> None:
    x = vector(1.0, 2.0, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        y = tg.checkpoint(lambda z: tg.checkpoint(lambda u: tg.exp(u) * u, z) * z, x).sum()
        witness = weakref.ref(y._node)
        (g,) = tg.gradients(y, [x], create_graph=True)
        g.sum().backward(retain_graph=True)
        del y, g
        assert witness() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_backward_frees_it() -> None:
    x = vector(1.0, requires_grad=True)
    y = tg.checkpoint(tg.exp, x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 2 * np.exp(1)
    with pytest.raises(FreedGraphError):
        y.backward()


def test_long_chains_and_deep_nests() -> None:
    x = y = number(1.0, requires_grad=True)
    for _ in range(3000):
        y = tg.checkpoint(lambda z: z * 1.0 + tg.tanh(z) * 0.0, y)
    y.backward()
    assert x.grad.item() == 1

    def deep(n: int, z: Any) -> Any:
        return tg.tanh(z) if n == 0 else tg.checkpoint(deep, n - 1, z) * 1.0

    assert tg.grad(lambda z: deep(20, z))(number(0.5)).item() == tg.grad(tg.tanh)(number(0.5)).item()


# The second run is like the first.


class Net(tg.nn.Module):
    """A layer with parameters, running averages and randomness."""

    def __init__(self) -> None:
        self.linear = tg.nn.Linear(3, 3)
        self.norm = tg.nn.BatchNorm1d(3)

    def forward(self, x: Any) -> Any:
        """Linear, batch normalization, and a mask of dropout."""
        h = tg.tanh(self.norm(self.linear(x)))
        return h * (tg.rand(*h.shape) > 0.5)


@pytest.mark.parametrize("nest", [False, True])
def test_modules_their_averages_and_their_randomness(nest: bool) -> None:
    results = []
    for way in WAYS:
        tg.manual_seed(0)
        net, x = Net(), tg.randn(8, 3)
        twice = lambda way, x, net=net: way(net, way(net, x))  # noqa: E731
        y = way(twice, way, x) if nest else twice(way, x)
        (y * y).sum().backward()
        gradients = [p.grad for p in net.parameters()]
        results.append([y.detach(), *gradients, *net.buffers(), tg.rand(3)])
        assert net.norm.num_batches_tracked.item() == 2
    assert_same(*results)


def test_randomness_on_every_device(device: str) -> None:
    """The same mask in both runs, another one in the next call, and the sequence goes on as after a plain call."""
    x = tg.ones(100, device=device, requires_grad=True)
    masks = []

    def f(z: Any) -> Any:
        mask = tg.rand(100, device=device) > 0.5
        masks.append(mask.cpu().numpy().copy())
        return tg.exp(z) * mask

    tg.manual_seed(0)
    first, second = tg.checkpoint(f, x), tg.checkpoint(f, x)
    after = tg.rand(5, device=device).cpu().numpy().copy()
    for y in (first, second):
        tg.gradients(y.sum(), [x])
    assert not np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[0], masks[2])
    assert np.array_equal(masks[1], masks[3])
    tg.manual_seed(0)
    for _ in range(2):
        tg.checkpoint(f, x)
    assert np.array_equal(tg.rand(5, device=device).cpu().numpy(), after)


def test_a_seed_set_inside_does_not_leak_out_of_the_second_run() -> None:
    x = vector(1.0, requires_grad=True)
    y = tg.checkpoint(lambda z: (tg.manual_seed(5), tg.exp(z) * tg.rand(1).astype(tg.float64))[1], x).sum()
    tg.manual_seed(1)
    expected = [tg.rand(2).tolist(), tg.rand(2).tolist()]
    tg.manual_seed(1)
    assert tg.rand(2).tolist() == expected[0]
    y.backward()
    assert tg.rand(2).tolist() == expected[1]


def test_a_second_run_disturbs_no_other_thread() -> None:
    """Another thread draws while the second run is under way: the numbers of a sequence, each once."""
    runs: list[int] = []
    drawn: list[float] = []

    def draw() -> None:
        drawn.extend(tg.rand(3).tolist())

    def f(z: Any) -> Any:
        mask = tg.rand(1).astype(tg.float64)
        runs.append(1)
        if len(runs) == 2:
            other = threading.Thread(target=draw)
            other.start()
            other.join()
        return tg.exp(z) * mask * tg.rand(1).astype(tg.float64)

    x = vector(1.0, requires_grad=True)
    tg.manual_seed(0)
    expected = [tg.rand(1).item(), tg.rand(1).item(), *tg.rand(3).tolist(), tg.rand(1).item()]
    tg.manual_seed(0)
    y = tg.checkpoint(f, x).sum()
    y.backward()
    assert x.grad.tolist() == [y.item()]
    assert [*drawn, tg.rand(1).item()] == expected[2:]


def test_state_that_a_function_overwrites_is_as_it_was() -> None:
    """A power iteration that keeps its vector: the second run starts from the vector of before the first."""
    u, starts = vector(1.0, 0.0), []

    def f(w: Any) -> Any:
        starts.append(u.tolist())
        u.data = (w.detach() @ u).data
        return tg.exp((w @ u).sum())

    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64, requires_grad=True)
    y = tg.checkpoint(f, w)
    after = u.tolist()
    v = u * 2  # somebody reads it in between
    (g,) = tg.gradients(y, [w])
    assert starts == [[1, 0], [1, 0]]
    assert u.tolist() == after == [1, 3]
    np.testing.assert_allclose(g.numpy(), y.item() * np.array([[1.0, 3.0], [1.0, 3.0]]), rtol=1e-14)
    assert v.tolist() == [2, 6]


def _by_assignment(count: tg.Tensor) -> None:
    count.data += 1


def _by_element(count: tg.Tensor) -> None:
    count.data[0] += 1


@pytest.mark.parametrize("write", [_by_assignment, _by_element])
def test_what_a_function_counts_in_place_is_counted_once(write: Any) -> None:
    count, fixed = vector(0.0), tg.asarray(np.broadcast_to(np.ones(1), (2,)))  # which cannot be written at all

    def f(z: Any) -> Any:
        write(count)
        return tg.exp(z * count) * fixed.data.sum()

    x = vector(1.0, requires_grad=True)
    y = tg.checkpoint(f, x).sum()
    assert count.tolist() == [1.0]
    y.backward()
    assert count.tolist() == [1.0]
    assert x.grad.tolist() == y.detach().reshape(1).tolist()


@pytest.mark.parametrize("name", ["linear.weight", "linear.bias"])
def test_a_parameter_that_was_changed_in_between(name: str) -> None:
    """No rule reads the bias itself, but the second run does."""
    net = Net()
    y = tg.checkpoint(net, tg.ones(4, 3) * tg.arange(4)[:, None]).sum()
    dict(net.named_parameters())[name].data -= 1
    with pytest.raises(InPlaceError, match=f"'{name}' was changed in place .by an assignment to .data. after"):
        y.backward()


def test_writes_elsewhere_do_no_harm() -> None:
    x, other = vector(1.0, 2.0, requires_grad=True), vector(1.0)
    y = tg.checkpoint(lambda z: tg.exp(z) + z, x).sum()
    other.data += 1
    y.backward()
    assert x.grad.tolist() == (tg.exp(x) + 1).tolist()


def test_functions_that_do_something_else_the_second_time() -> None:
    x = vector(1.0, 2.0, requires_grad=True)
    runs: list[int] = []

    def differs(program: Any) -> Any:
        runs.clear()
        return tg.checkpoint(lambda z: (runs.append(1), program(z))[1], x)

    message = r"checkpoint: the function did something else when it was run again: "
    for program, said in (
        (lambda z: tg.tanh(z) if len(runs) == 1 else tg.exp(z), r"operation 0 was 'tanh' .* and is now 'exp'"),
        (lambda z: tg.exp(z) * (1.0 * len(runs)), r"operation 1 was 'multiply' .* of other inputs"),
        (lambda z: tg.exp(z) if len(runs) == 1 else tg.exp(z) * 2, r"operation 1 was nothing, and is now 'multiply'"),
        (lambda z: tg.exp(z) * np.full(2, 1.0 * len(runs)), r"its result has other values"),
        (lambda z: tg.exp(z * 1.0) if len(runs) == 1 else (z * 1.0, tg.exp(z))[1], r"operation 0 was 'multiply'"),
    ):
        y = differs(program)
        with pytest.raises(GraphError, match=message + said):
            tg.gradients(y.sum(), [x])


def test_switching_to_evaluation_in_between_is_noticed() -> None:
    net = Net()
    y = tg.checkpoint(net, tg.ones(4, 3) * tg.arange(4)[:, None]).sum()
    net.eval()
    with pytest.raises(GraphError, match=r"no model.eval\(\) in between"):
        y.backward()


def test_an_error_in_the_second_run_leaves_everything_as_it_was() -> None:
    u, x = vector(1.0), vector(1.0, requires_grad=True)
    runs = []

    def f(z: Any) -> Any:
        runs.append(1)
        u.rehome((u * 2).data)
        y = tg.exp(z) * tg.rand(1).astype(tg.float64)
        if len(runs) > 1:
            raise KeyError("second")
        return y

    y = tg.checkpoint(f, x).sum()
    tg.manual_seed(0)
    expected = tg.rand(2).tolist()
    tg.manual_seed(0)
    with pytest.raises(KeyError):
        y.backward()
    assert u.tolist() == [2]
    assert tg.rand(2).tolist() == expected
    assert x.grad is None


def test_floating_point_errors_are_handled_as_in_the_first_run() -> None:
    x = vector(0.0, requires_grad=True)
    with np.errstate(divide="ignore"):
        y = tg.checkpoint(lambda z: tg.exp(tg.log(z)) * tg.exp(z), x)
    with np.errstate(divide="raise", invalid="ignore"):
        (g,) = tg.gradients(y, [x], tg.ones_like(y))  # of log, at 0: exp(log 0) / 0
    assert np.isnan(g.data[0])


@pytest.mark.parametrize("inspected", ["both", "forward", "backward"])
def test_anomalies(inspected: str) -> None:
    x = vector(1.0, 4.0, requires_grad=True)
    f = lambda z: (tg.sqrt(z) * tg.exp(z)).sum()  # noqa: E731
    if inspected == "backward":
        y = tg.checkpoint(f, x)
    else:
        with tg.detect_anomaly():
            y = tg.checkpoint(f, x)
    if inspected == "forward":
        y.backward()
    else:
        with tg.detect_anomaly():
            y.backward()
    assert_same([x.grad], [tg.grad(f)(x.detach())])
    with tg.detect_anomaly(), np.errstate(divide="ignore"), pytest.raises(tg.errors.AnomalyError, match="'sqrt'"):
        tg.checkpoint(f, x * 0.0).backward()
    with tg.detect_anomaly():
        y = tg.checkpoint(f, x)
        x.data[0] = 2.0
        with pytest.raises(GraphError, match=r"other values|changed in place"):
            y.backward()
