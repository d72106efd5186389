"""Random programs against a reference engine that sums over paths.

The machine below grows a graph step by step, in any order that Hypothesis likes: shared nodes, broadcasting, blocks
without recording, writes in place, sweeps that free and sweeps that keep. Beside every tensor it holds the reference
engine's value, and it predicts of each sweep whether it must succeed, with which gradients, or which error it raises.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

import tinygrad_opt as tg
from tinygrad_opt import errors
from tinygrad_opt.core.recompute import Deferred
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.core.walks import Route, push_forward

from . import reference_engine as ref
from .reference_engine import Value, paths, total

SHAPES = [(), (2,), (3,), (1, 3), (2, 1), (2, 3), (3, 2), (2, 1, 3), (0,), (3, 0)]
EPS = np.finfo(np.float64).eps
MOSTLY = st.sampled_from([True, True, True, False])
MOST_PATHS, LARGEST = 24, 300.0  # beyond these the reference is slow, or rounding is large

UNARY = {
    "negative": (operator.neg, lambda x: ref.scale(x, -1.0)),
    "square": (tg.square, lambda x: ref.multiply(x, x)),
    "tanh": (tg.tanh, ref.tanh),
    "exp of half": (lambda x: tg.exp(x * 0.5), lambda x: ref.exp(ref.scale(x, 0.5))),
    "log(1 + x²)": (lambda x: tg.log(1 + x * x), lambda x: ref.log(ref.add(Value(1.0), ref.multiply(x, x)))),
    "relu": (tg.relu, lambda x: ref.multiply(x, Value(x.array > 0))),
    "3 - x": (lambda x: 3 - x, lambda x: ref.subtract(Value(3.0), x)),
    "array * x": (lambda x: np.float64(0.5) * x, lambda x: ref.scale(x, 0.5)),
    "clone": (lambda x: x.clone(), lambda x: ref.scale(x, 1.0)),
    "checkpoint": (lambda x: tg.checkpoint(lambda z: z * (z * 0.5), x), lambda x: ref.multiply(x, ref.scale(x, 0.5))),
    "nested": (
        lambda x: tg.checkpoint(lambda z: tg.tanh(tg.checkpoint(lambda u: tg.tanh(u * 0.5), z)), x),
        lambda x: ref.tanh(ref.tanh(ref.scale(x, 0.5))),
    ),
    "transpose": (lambda x: x.T, lambda x: ref.transpose(x, range(len(x.shape))[::-1])),
    "ravel": (tg.ravel, lambda x: ref.reshape(x, (-1,))),
}
CURVED = ["exp of half", "tanh", "square"]  # drawn twice as often: linear maps say little at second order
BINARY = {
    "add": (operator.add, ref.add),
    "subtract": (operator.sub, ref.subtract),
    "multiply": (operator.mul, ref.multiply),
    "divide": (
        lambda a, b: a / (1 + b * b),
        lambda a, b: ref.divide(a, ref.add(Value(1.0), ref.multiply(b, b))),
    ),
    "maximum": (tg.maximum, ref.maximum),
}
INDICES = [0, -1, slice(None, None, -1), slice(1, None), None, ..., (..., 0), [0, 0, 1], (slice(None), [0, 0])]


def grid(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    """Arrays of multiples of 1/4, which add and multiply without rounding; zeros and ties are frequent."""
    return arrays(np.float64, shape, elements=st.integers(-8, 8).map(lambda n: n / 4), fill=st.nothing())


def assert_close(actual: Any, expected: np.ndarray, scale: np.ndarray) -> None:
    """The rule for all tolerances: 2000 ε (Σ|terms| + 1)."""
    assert actual.shape == expected.shape
    assert actual.dtype == np.float64
    assert np.all(np.abs(actual.data - expected) <= 2000 * EPS * (scale + 1))


def steps_towards(y: Value, keys: set[object]) -> set[object]:
    """The keys of the values between `y` and those in `keys` whose rules a sweep has to run."""
    found = set().union(*(steps_towards(parent, keys) for parent, _ in y.steps))
    return found | {y.key} if any(parent.ancestors() & keys for parent, _ in y.steps) else found


class Pair:
    """A tensor, and the value that the reference engine has for it."""

    def __init__(self, tensor: tg.Tensor, value: Value) -> None:
        self.tensor, self.value = tensor, value

    def __repr__(self) -> str:
        return f"<{self.tensor!r}>"


class RandomGraphs(RuleBasedStateMachine):
    """Grows one graph, sweeps it in all ways, and compares."""

    pairs = Bundle("pairs")

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Pair] = []
        self.writes: list[tuple[int, np.ndarray]] = []
        self.freed: set[object] = set()
        self.retained: set[object] = set()
        self.grads: dict[object, tuple[np.ndarray, np.ndarray]] = {}

    def keep(self, tensor: tg.Tensor, value: Value) -> Any:
        """Admit a new pair, unless it would make the reference slow or rounding errors large."""
        if value.count_paths() > MOST_PATHS or np.any(np.abs(value.array) > LARGEST):
            return multiple()
        pair = Pair(tensor, value)
        self.made.append(pair)
        return pair

    def apply(self, recorded: bool, ours: Any, theirs: Any, *inputs: Pair) -> Any:
        """One operation on both sides, inside no_grad() where it is not to be recorded."""
        tensors = [pair.tensor for pair in inputs]
        try:
            value = theirs(*[pair.value for pair in inputs])
        except (ValueError, IndexError):
            with pytest.raises((errors.ShapeError, IndexError)):
                ours(*tensors)
            return multiple()
        before = [t.data.copy() for t in tensors]
        if recorded and any(t.requires_grad for t in tensors):
            tensor = ours(*tensors)
            assert tensor.requires_grad
            assert not tensor.is_leaf
        else:
            with tg.no_grad():
                tensor = ours(*tensors)
            assert not tensor.requires_grad
            value = Value(value.array)
        assert all(np.array_equal(t.data, old) for t, old in zip(tensors, before, strict=True))
        return self.keep(tensor, value)

    # Growing the graph.

    @rule(
        target=pairs,
        shape=st.sampled_from(SHAPES),
        requires_grad=MOSTLY,
        data=st.data(),
    )
    def leaf(self, shape: tuple[int, ...], requires_grad: bool, data: Any) -> Any:
        array = data.draw(grid(shape))
        return self.keep(tg.tensor(array, requires_grad=requires_grad), Value(array))

    @rule(target=pairs, x=pairs, name=st.sampled_from([*sorted(UNARY), *CURVED]), recorded=MOSTLY)
    def unary(self, x: Pair, name: str, recorded: bool) -> Any:
        return self.apply(recorded, *UNARY[name], x)

    @rule(
        target=pairs,
        a=pairs,
        b=pairs,
        name=st.sampled_from(sorted(BINARY)),
        recorded=MOSTLY,
    )
    def binary(self, a: Pair, b: Pair, name: str, recorded: bool) -> Any:
        return self.apply(recorded, *BINARY[name], a, b)

    @rule(target=pairs, x=pairs, axis=st.integers(0, 1), keepdims=st.booleans())
    def sum(self, x: Pair, axis: int, keepdims: bool) -> Any:
        if axis >= x.tensor.ndim:
            with pytest.raises(errors.ShapeError, match="out of bounds"):
                tg.sum(x.tensor, axis=axis)
            return multiple()
        return self.apply(
            True, lambda t: tg.sum(t, axis, keepdims=keepdims), lambda v: ref.sum_over(v, axis, keepdims), x
        )

    @rule(target=pairs, x=pairs, index=st.sampled_from(INDICES))
    def index(self, x: Pair, index: Any) -> Any:
        return self.apply(True, lambda t: t[index], lambda v: ref.pick(v, index), x)

    @rule(target=pairs, a=pairs, b=pairs)
    def matmul(self, a: Pair, b: Pair) -> Any:
        if a.tensor.ndim != 2 or b.tensor.ndim != 2:
            return multiple()
        return self.apply(True, operator.matmul, ref.matmul, a, b)

    @rule(target=pairs, a=pairs, b=pairs)
    def concatenate(self, a: Pair, b: Pair) -> Any:
        if not a.tensor.ndim or a.tensor.shape[1:] != b.tensor.shape[1:] or a.tensor.ndim != b.tensor.ndim:
            return multiple()
        return self.apply(True, lambda s, t: tg.concatenate([s, t]), ref.concatenate, a, b)

    @rule(target=pairs, x=pairs)
    def detach(self, x: Pair) -> Any:
        assert x.tensor.detach().data is x.tensor.data
        return self.keep(x.tensor.detach(), Value(x.value.array))

    # Writing in place. What was computed before keeps its value in the reference: the memory it needs is gone.

    @rule(x=pairs, data=st.data(), assign=st.booleans())
    def write(self, x: Pair, data: Any, assign: bool) -> None:
        amount = data.draw(grid(x.tensor.shape))
        if assign:
            x.tensor.data = amount
        else:
            x.tensor.data += amount
        self.writes.append((tg.core.ledger.clock(), x.tensor.data))
        for pair in self.made:
            if np.shares_memory(pair.tensor.data, x.tensor.data):
                pair.value = pair.value.overwritten(pair.tensor.data)

    # Sweeping it.

    def has_grad(self, pair: Pair) -> bool:
        """Whether backward() leaves a gradient there, if it gets there."""
        return pair.tensor.is_leaf or pair.value.key in self.retained

    def refusals(self, y: Pair, keys: set[object], inputs: list[Any] | None) -> tuple[type[Exception], ...]:
        """The errors of which a sweep from `y` to `keys` must raise one; none where it must work."""
        if not y.tensor.requires_grad:
            return (errors.GraphError,)
        reasons: list[type[Exception]] = []
        if steps_towards(y.value, keys) & self.freed:
            reasons.append(errors.FreedGraphError)
        for node in reachable([y.tensor._node]):
            needed = inputs is None or any(set(reachable([p])) & set(inputs) for p in node.parents if p is not None)
            stale = [array for moment, array in self.writes if moment > node.serial]
            saved = [array for array in node.saved or () if isinstance(array, np.ndarray)]
            if isinstance(node.saved, Deferred):  # the function is run again, and reads its arguments
                saved = [tensor.data for tensor in node.saved.block.arguments()]
            if needed and any(np.shares_memory(a, b) for a in saved for b in stale):
                reasons.append(errors.InPlaceError)
        return tuple(reasons)

    @rule(y=pairs, retain_graph=st.booleans(), data=st.data())
    def backward(self, y: Pair, retain_graph: bool, data: Any) -> None:
        v = data.draw(grid(y.tensor.shape))
        gradient = tg.tensor(v)
        if reasons := self.refusals(y, y.value.ancestors(), None):
            with pytest.raises(reasons):
                y.tensor.backward(gradient, retain_graph=True)
            return  # and no gradient has changed: the invariant sees to that
        y.tensor.backward(gradient, retain_graph=retain_graph)
        assert np.array_equal(gradient.data, v)
        keys = y.value.ancestors()
        reached: dict[object, Pair] = {}
        for pair in self.made:
            if pair.tensor.requires_grad and pair.value.key in keys and self.has_grad(pair):
                reached[pair.value.key] = pair
        for key, pair in reached.items():
            found, scale = total(paths(y.value, pair.value, Value(v)), pair.tensor.shape)
            if key in self.grads:
                found, scale = found + self.grads[key][0], scale + self.grads[key][1]
            self.grads[key] = found, scale
        if not retain_graph:
            self.freed |= steps_towards(y.value, y.value.ancestors())

    @rule(y=pairs, x=pairs, other=pairs, data=st.data())
    def gradients(self, y: Pair, x: Pair, other: Pair, data: Any) -> None:
        """Of results as well as of leaves; twice, and bitwise the same."""
        v = data.draw(grid(y.tensor.shape))
        gradient = tg.tensor(v)
        inputs = [x, other]
        wanted = {pair.value.key for pair in inputs if pair.tensor.requires_grad}
        nodes = [pair.tensor._node for pair in inputs if pair.tensor.requires_grad]
        tensors = [pair.tensor for pair in inputs]
        if y.tensor.requires_grad and (reasons := self.refusals(y, wanted, nodes)):
            with pytest.raises(reasons):
                tg.gradients(y.tensor, tensors, gradient, unused="zero")
            return
        found = tg.gradients(y.tensor, tensors, gradient, unused="zero")
        again = tg.gradients(y.tensor, tensors, gradient, unused="none")
        for pair, g, h in zip(inputs, found, again, strict=True):
            terms = paths(y.value, pair.value, Value(v)) if pair.tensor.requires_grad else []
            assert_close(g, *total(terms, pair.tensor.shape))
            assert (h is None) == (not terms)
            assert h is None or h.data.tobytes() == g.data.tobytes()
            assert not g.requires_grad
            others = [gradient.data, *(p.tensor.data for p in self.made), *(o.data for o in found if o is not g)]
            assert not any(np.shares_memory(g.data, array) for array in others)
        if not all(paths(y.value, p.value, Value(v)) and p.tensor.requires_grad for p in inputs):
            with pytest.raises(errors.GraphError):
                tg.gradients(y.tensor, tensors, gradient)

    def below(self, y: Pair, data: Any) -> Pair:
        """One of the recorded pairs that `y` was computed from, itself among them."""
        keys = y.value.ancestors()
        recorded = [pair for pair in self.made if pair.tensor.requires_grad and pair.value.key in keys]
        return data.draw(st.sampled_from(recorded))

    @rule(y=pairs, name=st.sampled_from(CURVED), data=st.data())
    def second_order(self, y: Pair, name: str, data: Any) -> None:
        """The gradient of ⟨w, vᵀ ∂f(y)/∂x⟩ by z, for a curved f: of linear maps there are enough below."""
        if y.value.count_paths() > 8 or self.refusals(y, y.value.ancestors(), None):
            return
        if np.any(np.abs(y.value.array) > 8):  # beyond, f is flat, or too steep
            return
        x, z = self.below(y, data), self.below(y, data)
        v, w = data.draw(grid(y.tensor.shape)), data.draw(grid(x.tensor.shape))
        f, reference = UNARY[name]
        (g,) = tg.gradients(f(y.tensor), [x.tensor], tg.tensor(v), create_graph=True)
        (h,) = tg.gradients(g, [z.tensor], tg.tensor(w), unused="zero")
        terms = paths(reference(y.value), x.value, Value(v))
        assert_close(g, *total(terms, x.tensor.shape))
        seconds = [second for term in terms for second in paths(term, z.value, Value(w))]
        assert_close(h, *total(seconds, z.tensor.shape))

    @rule(y=pairs, data=st.data())
    def tangents(self, y: Pair, data: Any) -> None:
        """⟨v, J t⟩ = ⟨Jᵀ v, t⟩: the forward sweep against the reference's reverse one."""
        if not y.tensor.requires_grad:
            return
        x = self.below(y, data)
        v, t = data.draw(grid(y.tensor.shape)), data.draw(grid(x.tensor.shape))
        route = Route([y.tensor._node], [x.tensor._node])
        if reasons := self.refusals(y, {x.value.key}, [x.tensor._node]):
            with pytest.raises(reasons):
                push_forward(route, [t])
            return
        tangent = push_forward(route, [t])[y.tensor._node]
        assert tangent.shape == y.tensor.shape
        cotangent, scale = total(paths(y.value, x.value, Value(v)), x.tensor.shape)
        bound = 2000 * EPS * (np.sum(scale * np.abs(t)) + np.sum(np.abs(v * tangent)) + 1)
        assert abs(np.sum(v * tangent) - np.sum(cotangent * t)) <= bound

    @rule(x=pairs)
    def retain_grad(self, x: Pair) -> None:
        if x.tensor.requires_grad and not x.tensor.is_leaf:
            assert x.tensor.retain_grad() is x.tensor
            self.retained.add(x.value.key)

    @rule(x=pairs)
    def zero_grad(self, x: Pair) -> None:
        x.tensor.zero_grad()
        if x.tensor.requires_grad:
            self.grads.pop(x.value.key, None)

    @invariant()
    def values_and_gradients_agree(self) -> None:
        for pair in self.made:
            assert_close(pair.tensor, pair.value.array, np.abs(pair.value.array))
            if self.has_grad(pair):
                grad, known = pair.tensor.grad, self.grads.get(pair.value.key)
                assert (grad is None) == (known is None)
                if grad is not None and known is not None:
                    assert_close(grad, *known)


TestRandomGraphs = RandomGraphs.TestCase
TestRandomGraphs.settings = settings(max_examples=4 * settings.default.max_examples, stateful_step_count=40)


# The reference is itself tested: its rules against the complex step, and its second derivatives by symmetry.


def _complex_step(function: Any, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.imag(function(x + 1e-30j * t)) / 1e-30


@pytest.mark.parametrize(
    ("rule_", "function"),
    [
        (lambda x: ref.multiply(ref.tanh(x), x), lambda x: np.tanh(x) * x),
        (lambda x: ref.exp(ref.reciprocal(x)), lambda x: np.exp(1 / x)),
        (lambda x: ref.log(ref.divide(x, ref.sum_over(x, 1, True))), lambda x: np.log(x / x.sum(1, keepdims=True))),
        (lambda x: ref.matmul(ref.transpose(x, (1, 0)), x), lambda x: x.T @ x),
        (lambda x: ref.subtract(ref.pick(x, [0, 0, 1]), ref.scale(x, 3)), lambda x: x[[0, 0, 1]] - 3 * x),
        (
            lambda x: ref.concatenate(x, ref.broadcast(ref.reshape(ref.pick(x, 0), (1, 2)), (4, 2))),
            lambda x: np.concatenate([x, np.broadcast_to(x[0].reshape(1, 2), (4, 2))]),
        ),
    ],
)
def test_the_reference_agrees_with_the_complex_step(rule_: Any, function: Any) -> None:
    rng = np.random.default_rng(0)
    array = 1 + rng.random((3, 2))
    x = Value(array)
    y = rule_(x)
    np.testing.assert_allclose(y.array, function(array), rtol=1e-14)
    v, t, u = rng.normal(size=y.shape), rng.normal(size=x.shape), rng.normal(size=x.shape)
    terms = paths(y, x, Value(v))
    gradient, _ = total(terms, x.shape)
    np.testing.assert_allclose(np.sum(gradient * t), np.sum(v * _complex_step(function, array, t)), rtol=1e-12)

    def hessian_times(w: np.ndarray) -> np.ndarray:
        return total([second for term in terms for second in paths(term, x, Value(w))], x.shape)[0]

    np.testing.assert_allclose(np.sum(u * hessian_times(t)), np.sum(t * hessian_times(u)), rtol=1e-11, atol=1e-12)
    step = 1e-6  # and they are the differences of the first ones
    ahead, behind = (
        total(paths(rule_(z), z, Value(v)), x.shape)[0] for z in (Value(array + step * t), Value(array - step * t))
    )
    np.testing.assert_allclose(hessian_times(t), (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-6)
