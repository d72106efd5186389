"""The checker, checked: right derivatives pass, and one planted bug of each kind is caught and named.

The primitives made here are wrong on purpose. A fixture takes them out of the registry again.
"""

import itertools
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.kinds import Constant, Elementwise, General, Linear, Multilinear
from tinygrad_opt.core.primitive import REGISTRY
from tinygrad_opt.errors import GradcheckError
from tinygrad_opt.testing import gradcheck, numeric


@pytest.fixture(autouse=True)
def registry():
    before = dict(REGISTRY)
    yield
    for name in set(REGISTRY) - set(before):
        del REGISTRY[name]
    assert before == REGISTRY


def f64(*values, shape=None):
    array = np.array(values, dtype=np.float64)
    return tg.tensor(array if shape is None else array.reshape(shape))


def grid(*shape):
    """Distinct values of both signs, away from zero."""
    count = int(np.prod(shape))
    return f64(*((np.arange(count) - 0.4 * count + 0.3) / 3), shape=shape)


def raw(value):
    """What a careless rule does: take the array out of a saved tensor, and lose what it depends on."""
    return getattr(value, "_array", value)


def mT(x):
    return tg.swapaxes(x, -1, -2)


def total(x, axis):
    return tg.sum(x, axis=axis, keepdims=True)


# Right derivatives pass.


@pytest.mark.parametrize(
    ("fn", "inputs"),
    [
        (lambda x: tg.tanh(x @ x), grid(3, 3)),
        (lambda x, y: tg.sum(x * y) / (1 + tg.sum(y * y)), (grid(2, 3), grid(3))),
        (lambda x: x, grid(2)),
        (lambda x: 3 * x, grid()),
        (lambda x: tg.sum(x * x), tg.zeros(0, 3, dtype=tg.float64)),
        (lambda x: tg.exp(x), tg.zeros(2, 0, dtype=tg.float64)),
        (tg.softmax_cross_entropy, (grid(4, 3), np.array([2, 0, 1, 1]))),
        (lambda tree: {"y": tree["w"] + tree["b"][0], "i": tg.argmax(tree["w"])}, ({"w": grid(3), "b": [grid(3)]},)),
        (lambda x, scale: tg.relu(x) * scale, (grid(5), 2.5)),
        (lambda x: tg.max(x, axis=1), grid(3, 4)),
        (lambda x: 1e12 * x * x, grid(3)),
        (lambda x: 1e-6 * x * x, grid(3)),
        (lambda x: tg.softmax(x).sum(), grid(3)),
        (lambda x: tg.softmax(x).sum() - 1, grid(3)),
        (lambda x: tg.log(x), f64(1e-3, 1.0, 1e3)),
    ],
)  # fmt: skip
def test_right_derivatives_pass(fn, inputs):
    assert gradcheck(fn, inputs, order=2) is True


def test_large_inputs_are_sampled():
    calls = 0

    def fn(x):
        nonlocal calls
        calls += 1
        return tg.tanh(x).sum()

    gradcheck(fn, grid(100, 100), order=2, entries=8)
    assert calls < 1000


def test_single_modes():
    assert gradcheck(tg.tanh, grid(3), order=2, modes=("reverse",))
    assert gradcheck(tg.tanh, grid(3), modes=("forward",))


def test_global_generator_is_not_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    gradcheck(tg.tanh, grid(3))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# Planted bugs, first order. Each case: a function, its inputs, what the message must say.


def missing_sum():
    add_bias = General(
        "planted", [lambda t, _y, _a, _b: t, lambda t, _y, _a, _b: t],
        [lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: g[:1]], kernel=lambda xp, a, b: a + b,
    )  # fmt: skip
    return add_bias, (grid(3, 4), grid(1, 4)), "ratio 1/3, 3 = size of the broadcast"


def mean_for_sum():
    add_bias = General(
        "planted", [lambda t, _y, _a, _b: t, lambda t, _y, _a, _b: t],
        [lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: tg.mean(g, axis=0, keepdims=True)],
        kernel=lambda xp, a, b: a + b,
    )  # fmt: skip
    return add_bias, (grid(3, 4), grid(1, 4)), "ratio 1/3, 3 = size of the broadcast"


def lost_division():
    mean = General(
        "planted", [lambda t, _y, _x: tg.mean(t)], [lambda g, _y, x: tg.broadcast_to(g, x.shape)], kernel="mean"
    )
    return mean, (grid(5),), "ratio 5 = size of the"


def flipped_sign():
    difference = Elementwise("planted", lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: g, kernel="subtract")
    return difference, (grid(3), grid(3)), "the sign is flipped"


def lost_factor_two():
    return Elementwise("planted", lambda g, _y, x: g * x, kernel="square"), (grid(3),), "a factor 0.5"


def detached_rule():
    return Elementwise("planted", lambda g, y, _x: 0.0 * (g * y), kernel="exp"), (grid(3),), "is zero: detached"


def nothing_recorded():
    return Constant("planted", kernel="exp"), (grid(3),), "derivative is zero: detached"


def detached_by_the_user():
    return lambda x: tg.tensor(x.detach().numpy()) ** 2, (grid(3),), "derivative is zero: detached"


def half_detached():
    return lambda x: x * x.detach(), (grid(3),), "a factor 0.5"


def seven_seven_seven():
    return Elementwise("planted", lambda g, y, _x: 0 * g * y + 777.0, kernel="exp"), (grid(3),), "disagrees"


def scale_error():
    return Elementwise("planted", lambda g, y, _x: g * y * (1 + 1e-8), kernel="exp"), (grid(3),), "ratio        1"


def not_transposed():
    product = Multilinear("planted", lambda g, _a, b: g @ b, lambda g, a, _b: mT(a) @ g, kernel="matmul")
    return product, (grid(3, 3), f64(1, 2, 3, 4, 5, 6, 7, 8, 10, shape=(3, 3))), "disagrees"


def transposed_gradient():
    scale = Multilinear("planted", lambda g, _a, b: mT(g * b), lambda g, a, _b: g * a, kernel="multiply")
    return scale, (grid(3, 3), grid(1, 1)), "right but transposed"


def wrong_shape():
    product = Multilinear("planted", lambda g, _a, b: g @ b, lambda g, a, _b: mT(a) @ g, kernel="matmul")
    return product, (grid(2, 3), grid(3, 4)), "reverse mode itself raised ValueError"


def overwritten():
    def put(g, like, *, index):
        out = np.zeros(like.shape)
        out[index] = raw(g)
        return out

    pick = Linear("planted", put, kernel=lambda xp, x, *, index: x[index])
    index = np.array([0, 2, 0, 1, 0])
    return lambda x: pick(x, index=index), (grid(4),), "overwritten instead of added"


def dropped():
    leaky = Elementwise("planted", lambda g, y, x: tg.where(x > 0, g * y, 0.0), kernel="exp")
    return leaky, (grid(5),), "entries dropped by a mask"


def not_a_number():
    square = Elementwise("planted", lambda g, _y, x: g * (2 * x * x / x), kernel="square")
    return square, (f64(0.0, 1.0),), "0/0 or 0 * inf inside the rule"


def unread_but_read():
    return Elementwise("planted", lambda g, _y, x: g * _y, kernel="exp"), (grid(3),), "declared as unread"


def forward_only():
    exp = General("planted", [lambda t, y, _x: -t * y], [lambda g, y, _x: g * y], kernel="exp")
    return exp, (grid(3),), "forward mode disagrees"


def reverse_only():
    exp = General("planted", [lambda t, y, _x: t * y], [lambda g, y, _x: -g * y], kernel="exp")
    return exp, (grid(3),), "reverse mode disagrees"


def overwritten_cotangent():
    def rule(g, y, _x):
        y *= 2
        return g * y / 2

    exp = General("planted", [lambda t, y, _x: t * y], [rule], kernel="exp")
    return exp, (grid(3),), "disagrees"


def drifting_rule():
    count = itertools.count()
    exp = General("planted", [lambda t, y, _x: t * y], [lambda g, y, _x: g * y + 1e-14 * next(count)], kernel="exp")
    return exp, (grid(3),), "two sweeps over one graph gave different gradients"


def overwritten_input():
    def kernel(xp, x):
        y = xp.exp(x)
        x *= 1.5
        return y

    exp = Elementwise("planted", lambda g, y, _x: g * y, kernel=kernel)
    return exp, (grid(3),), "inputs[0] was overwritten in place"


def overwriting_rule():
    def rule(g, y, x):
        product = g * y
        raw(x).fill(0.5)
        return product

    exp = Elementwise("planted", rule, kernel="exp")
    return exp, (grid(3),), "inputs[0] was overwritten in place"


def overwritten_labels():
    def fn(x, labels):
        labels[0] += 1
        return x * 2

    return fn, (grid(3), np.array([0, 1])), "inputs[1] was overwritten"


def other_dtype():
    class Narrow(Elementwise):
        def pull(self, node, position, g, saved):
            return super().pull(node, position, g, saved).astype(np.float32)

    exp = Narrow("planted", lambda g, y, _x: g * y, kernel="exp")
    return exp, (grid(3),), "(3,) float64; it is (3,) float32"


def other_shape():
    class Flat(Elementwise):
        def pull(self, node, position, g, saved):
            return super().pull(node, position, g, saved).reshape(-1)

    exp = Flat("planted", lambda g, y, _x: g * y, kernel="exp")
    return exp, (grid(2, 3),), "(2, 3) float64; it is (6,) float64"


def random_function():
    generator = np.random.default_rng(0)
    return lambda x: x * generator.random(), (grid(3),), "two calls with the same inputs"


def nan_function():
    return tg.log, (f64(1.0, -1.0),), "outputs[0][1] is nan"


FIRST_ORDER = [
    missing_sum, mean_for_sum, lost_division, flipped_sign, lost_factor_two, detached_rule, nothing_recorded,
    detached_by_the_user, half_detached, seven_seven_seven, scale_error, not_transposed, transposed_gradient,
    wrong_shape, overwritten, dropped, not_a_number, unread_but_read, forward_only, reverse_only,
    overwritten_cotangent, drifting_rule, overwritten_input, overwriting_rule, overwritten_labels, other_dtype,
    other_shape, random_function, nan_function,
]  # fmt: skip


@pytest.mark.parametrize("plant", FIRST_ORDER, ids=lambda plant: plant.__name__)
def test_first_order_bug_is_caught(plant):
    fn, inputs, said = plant()
    with pytest.raises(GradcheckError) as caught:
        gradcheck(fn, inputs)
    assert said in str(caught.value)


def test_a_failing_entry_is_found_in_a_large_input():
    """One wrong entry in 10,000 is not in the sample, but no random direction misses it."""

    def rule(g, y, _x):
        spoiled = tg.ones(y.shape, dtype=y.dtype).numpy()
        spoiled[4321] = 1.001
        return g * y * spoiled

    exp = Elementwise("planted", rule, kernel="exp")
    with pytest.raises(GradcheckError, match="along a random direction"):
        gradcheck(exp, tg.tensor(np.linspace(-1, 1, 10_000)), entries=8)


def test_the_message_is_complete():
    fn, inputs, _ = missing_sum()
    with pytest.raises(GradcheckError) as caught:
        gradcheck(fn, inputs)
    said = str(caught.value)
    assert "gradcheck of 'planted' failed: reverse mode disagrees" in said
    assert re.search(r"worst entry  d outputs\[0\]\[[12], (\d)\] / d inputs\[1\]\[0, \1\]\n", said)
    assert "analytic     0\n" in said
    assert "numeric      1  (good to" in said
    assert "ratio        0  (analytic / numeric)" in said
    assert "differing    8 of the 192 entries checked" in said


# Planted bugs, second order: each of these passes the first.


def constant_output():
    return Elementwise("planted", lambda g, y, _x: g * raw(y), kernel="exp"), (grid(3),), "reverse-over-reverse"


def constant_input():
    return Elementwise("planted", lambda g, _y, x: g * (2 * raw(x)), kernel="square"), (grid(3),), "treats a value"


def constant_factor():
    product = Multilinear("planted", lambda g, _a, b: g * raw(b), lambda g, a, _b: g * a, kernel="multiply")
    return product, (grid(3), grid(3) + 0.5), "treats a value"


def constant_cotangent():
    double = Elementwise(
        "planted", lambda g, _y, _x: 2 * (g.detach() if isinstance(g, tg.Tensor) else g), kernel=lambda xp, x: 2 * x
    )
    return double, (grid(3),), "its own cotangent, as a constant"


def constant_statistics():
    def rule(t, y, x):
        scale = np.sqrt(raw(x).var() + 1e-5)
        return (t - tg.mean(t) - y * tg.mean(y * t)) / scale

    normalize = General("planted", [rule], kernel=lambda xp, x: (x - x.mean()) / xp.sqrt(x.var() + 1e-5))
    return normalize, (grid(4),), "treats a value"


def constant_in_the_push():
    exp = General("planted", [lambda t, y, _x: t * raw(y)], [lambda g, y, _x: g * y], kernel="exp")
    return exp, (grid(3),), "reverse-over-forward"


def constant_in_the_pull():
    exp = General("planted", [lambda t, y, _x: t * y], [lambda g, y, _x: g * raw(y)], kernel="exp")
    return exp, (grid(3),), "hvp, "


SECOND_ORDER = [
    constant_output, constant_input, constant_factor, constant_cotangent, constant_statistics, constant_in_the_push,
    constant_in_the_pull,
]  # fmt: skip


@pytest.mark.parametrize("plant", SECOND_ORDER, ids=lambda plant: plant.__name__)
def test_second_order_bug_passes_the_first_and_is_caught_by_the_second(plant):
    fn, inputs, said = plant()
    assert gradcheck(fn, inputs)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(fn, inputs, order=2)
    assert said in str(caught.value)
    assert "treats a value that it saved" in str(caught.value)


def test_second_order_by_reverse_mode_alone():
    fn, inputs, _ = constant_output()
    with pytest.raises(GradcheckError, match="hvp, reverse-over-reverse, disagrees"):
        gradcheck(fn, inputs, order=2, modes=("reverse",))


# Points where nothing can be decided, and calls that make no sense.


@pytest.mark.parametrize(
    ("fn", "point", "said"),
    [
        (tg.relu, [1.0, 0.0], r"inputs\[0\]\[1\] = 0 does not exist: the slope is 0 on one side and 1 on the other"),
        (tg.absolute, [0.0], "a kink, where no rule is right"),
        (lambda x: tg.max(x), [1.0, 2.0, 2.0], "a kink"),
        (tg.sqrt, [1.0, 0.0], "edge of the domain"),
        (tg.sign, [0.0], "a jump"),
        (lambda x: tg.relu(tg.tanh(x)) ** 2, [0.0], None),
    ],
)
def test_kinks_are_not_blamed_on_the_rule(fn, point, said):
    if said is None:
        assert gradcheck(fn, f64(*point))
    else:
        with pytest.raises(GradcheckError, match=said):
            gradcheck(fn, f64(*point))


def test_tiny_derivatives_are_refused():
    """Any rule agrees with 1e-14 to within the tolerance; the checker says so instead of agreeing."""
    for fn in (lambda x: 1e-14 * x * x, lambda x: 1e-14 * (x * x.detach())):
        with pytest.raises(GradcheckError, match="Multiply the function by 1e\\+1"):
            gradcheck(fn, grid(3))


def test_kink_of_the_gradient():
    assert gradcheck(lambda x: tg.relu(x) ** 2, f64(0.0, 1.0))
    with pytest.raises(GradcheckError, match=r"numeric derivative of the gradient by inputs\[0\]\[0\]"):
        gradcheck(lambda x: tg.relu(x) ** 2, f64(0.0, 1.0), order=2)


def test_wrong_calls():
    with pytest.raises(TypeError, match=r"inputs\[1\] is float32.*astype\(tg.float64\)"):
        gradcheck(tg.add, (grid(2), tg.ones(2)))
    with pytest.raises(TypeError, match=r"outputs\[0\] is float32"):
        gradcheck(lambda x: x.astype(tg.float32), grid(2))
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        gradcheck(tg.exp, grid(2), order=3)
    with pytest.raises(ValueError, match="sideways"):
        gradcheck(tg.exp, grid(2), modes=("sideways",))
    with pytest.raises(ValueError, match="none of the inputs is a floating tensor"):
        gradcheck(tg.exp, np.arange(3))
    with pytest.raises(ValueError, match="returns no floating tensor"):
        gradcheck(tg.argmax, grid(2))


# The numeric derivatives that the checker rests on.


@pytest.mark.parametrize(
    ("fn", "slope", "at"),
    [
        (np.exp, np.exp, 1.0),
        (np.sin, np.cos, 2.0),
        (np.log, np.reciprocal, 1e-3),
        (lambda x: np.sin(100 * x), lambda x: 100 * np.cos(100 * x), 1.0),
        (lambda x: np.abs(x) ** 1.5, lambda x: 0 * x, 0.0),
        (np.abs, np.sign, 1e-5),
    ],
)
def test_estimates_are_as_good_as_they_say(fn, slope, at):
    x = np.array([at])
    estimate = numeric.directional(fn, [x], [np.ones(1)])
    assert estimate.reliable.all()
    assert np.all(np.abs(estimate.value - slope(x)) <= 4 * estimate.error)
    assert np.all(estimate.error <= 1e-9 * (1 + np.abs(estimate.value)))


def test_complex_step_is_exact():
    x, t = np.array([0.3, 2.0]), np.array([1.0, -0.5])
    assert np.allclose(numeric.complex_step(np.tanh, [x], [t]), t / np.cosh(x) ** 2, rtol=4e-16, atol=0)


@pytest.mark.parametrize("analytic", [False, True])
def test_second_derivative(analytic):
    x, u, w = np.array([1.0, 2.0, 0.3]), np.array([1.0, 0.5, -1.0]), np.array([0.3, 1.0, 0.7])
    estimate = numeric.second_directional(lambda x: np.prod(np.exp(x)), [x], [u], [w], analytic=analytic)
    expected = np.exp(x.sum()) * u.sum() * w.sum()
    assert abs(estimate.value - expected) <= 4 * estimate.error
    assert estimate.error <= 1e-7
