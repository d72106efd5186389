"""Derivatives of functions: nested in every order, over containers and closures, and never confused."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GraphError, ShapeError, UnusedInputError

Pair = namedtuple("Pair", "w b")
MODES = ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward")


def number(value: float, **options: Any) -> tg.Tensor:
    return tg.tensor(value, dtype=tg.float64, **options)


def vector(*values: float, **options: Any) -> tg.Tensor:
    return tg.tensor(list(values), dtype=tg.float64, **options)


def derivative_forward(fn: Any) -> Any:
    """The derivative of a function of one number, by forward mode."""
    return lambda x: tg.jvp(fn, x, tg.ones_like(x))[1]


def derivative_by_vjp(fn: Any) -> Any:
    return lambda x: tg.vjp(fn, x)[1](tg.ones_like(x))[0]


def derivative_by_linearize(fn: Any) -> Any:
    return lambda x: tg.linearize(fn, x)[1](tg.ones_like(x))


ROUTES = [tg.grad, derivative_forward, derivative_by_vjp, derivative_by_linearize]


# Derivatives inside derivatives.


@pytest.mark.parametrize("outer", ROUTES)
@pytest.mark.parametrize("inner", ROUTES)
def test_perturbations_are_not_confused(outer: Any, inner: Any) -> None:
    """d/dx [x · d/dy (x + y)] = 1: an engine that takes the inner x for a y says 2."""
    assert outer(lambda x: x * inner(lambda y: x + y)(number(1.0)))(number(3.0)).item() == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(x))(number(3.0)).item() == 6.0  # x · x
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(number(3.0)).item() == 12.0  # 2 x²


@pytest.mark.parametrize("first", ROUTES)
@pytest.mark.parametrize("second", ROUTES)
@pytest.mark.parametrize("third", ROUTES)
def test_every_route_to_a_third_derivative(first: Any, second: Any, third: Any) -> None:
    x = number(0.7)
    found = third(second(first(lambda x: tg.exp(2 * x) * x)))(x)
    assert found.item() == pytest.approx(math.exp(1.4) * (12 + 8 * 0.7), rel=1e-13)


def test_a_function_that_differentiates_inside() -> None:
    def inner_step(w: tg.Tensor, lr: tg.Tensor) -> tg.Tensor:
        """One step of gradient descent on (w - 3)²."""
        return w - lr * tg.grad(lambda v: (v - 3) ** 2)(w)

    # The loss after the step is (1 - 2 lr)² (w - 3)²; by lr: -4 (1 - 2 lr) (w - 3)².
    by_rate = tg.grad(lambda lr: (inner_step(number(5.0), lr) - 3) ** 2)(number(0.25))
    assert by_rate.item() == pytest.approx(-4 * 0.5 * 4)


def test_the_jvp_of_a_vjp_is_a_hessian_product() -> None:
    def f(x: Any) -> Any:
        return (tg.exp(x) * x[::-1]).sum()

    x, t = vector(0.5, -1.0), vector(1.0, 2.0)
    expected = tg.hvp(f, x, t)
    pulled = tg.jvp(lambda z: tg.vjp(f, z)[1](number(1.0))[0], x, t)[1]
    _, pushforward = tg.linearize(tg.grad(f), x)
    np.testing.assert_allclose(pulled.data, expected.data, rtol=1e-14)
    np.testing.assert_allclose(pushforward(t).data, expected.data, rtol=1e-14)


def test_the_vjp_of_a_jvp_by_the_tangent_is_the_vjp() -> None:
    """A jvp is linear in its tangent; transposing it that way gives reverse mode."""

    def f(x: Any) -> Any:
        return tg.tanh(x) * x[0]

    x, v = vector(0.5, -1.0), vector(1.0, 2.0)
    _, pullback = tg.vjp(lambda t: tg.jvp(f, x, t)[1], tg.zeros_like(x))
    np.testing.assert_allclose(pullback(v)[0].data, tg.vjp(f, x)[1](v)[0].data, rtol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_three_routes_to_a_hessian_product(mode: str) -> None:
    product = tg.hvp(lambda x: (x**3).sum() + x[0] * x[1], vector(1.0, 2.0), vector(1.0, -1.0), mode=mode)
    assert product.tolist() == [6 * 1 - 1, -12 + 1]
    assert not product.requires_grad


@pytest.mark.parametrize("mode", MODES)
def test_a_hessian_product_of_several_arguments(mode: str) -> None:
    products = tg.hvp(
        lambda x, y: (x * x * y).sum(), (vector(1.0), vector(2.0)), (vector(1.0), vector(10.0)), mode=mode
    )
    assert [p.tolist() for p in products] == [[2 * 2 * 1 + 2 * 1 * 10], [2 * 1 * 1]]


@pytest.mark.parametrize("mode", MODES)
def test_the_hessian_of_a_linear_function_is_zero_in_the_right_shape(mode: str) -> None:
    product = tg.hvp(lambda x: (3 * x).sum(), tg.ones(2, 3), tg.ones(2, 3), mode=mode)
    assert product.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert product.dtype == tg.float32


def test_the_second_derivative_of_a_linear_function_is_zero_in_the_right_shape() -> None:
    def second(fn: Any) -> Any:
        return tg.grad(lambda x: tg.grad(fn)(x).sum())

    for linear in (lambda x: (3 * x).sum(), lambda x: x[0, 1], lambda x: (x @ tg.ones(3)).sum(), lambda x: number(1.0)):
        found = second(linear)(tg.ones(2, 3))
        assert found.tolist() == [[0, 0, 0], [0, 0, 0]]
        assert found.dtype == tg.float32


def test_the_derivative_along_an_argument_that_is_not_used_is_zero() -> None:
    f = lambda x, y: (y * y).sum()  # noqa: E731
    assert tg.grad(f)(vector(1.0, 2.0), vector(3.0)).tolist() == [0, 0]
    assert tg.vjp(f, vector(1.0, 2.0), vector(3.0))[1](number(1.0))[0].tolist() == [0, 0]
    assert tg.jvp(lambda x: vector(1.0), vector(2.0), vector(1.0))[1].tolist() == [0]


# Arguments and results.


def test_argnums() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    a, b, c = number(2.0), number(3.0), number(4.0)
    assert tg.grad(f)(a, b, c).item() == 3
    assert tg.grad(f, argnums=1)(a, b, c).item() == 2
    assert tg.grad(f, argnums=-1)(a, b, c).item() == 1
    assert [g.item() for g in tg.grad(f, argnums=(2, 0))(a, b, c)] == [1, 3]
    (only,) = tg.grad(f, argnums=(0,))(a, b, c)
    assert only.item() == 3


@pytest.mark.parametrize(
    ("argnums", "said"), [(1, "not there; the call has 1"), (-2, "not there"), ((0, -1), "names one argument twice")]
)
def test_bad_argnums(argnums: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tg.grad(lambda x: x, argnums=argnums)(number(1.0))


def test_keyword_arguments_are_passed_on() -> None:
    assert tg.grad(lambda x, *, power: x**power)(number(2.0), power=3).item() == 12


def test_containers() -> None:
    parameters = {"layers": [Pair(vector(1.0, 2.0), number(3.0)), None], "scale": (number(2.0),)}

    def f(p: Any) -> Any:
        layer = p["layers"][0]
        return p["scale"][0] * ((layer.w * layer.w).sum() + layer.b)

    value, gradient = tg.value_and_grad(f)(parameters)
    assert value.item() == 16
    assert list(gradient) == ["layers", "scale"]
    assert isinstance(gradient["layers"][0], Pair)
    assert gradient["layers"][1] is None
    assert gradient["layers"][0].w.tolist() == [4, 8]
    assert gradient["layers"][0].b.item() == 2
    assert isinstance(gradient["scale"], tuple)
    assert gradient["scale"][0].item() == 8


def test_containers_of_results() -> None:
    out, pullback = tg.vjp(lambda x: {"double": 2 * x, "rest": [x * x]}, vector(3.0))
    assert out["rest"][0].tolist() == [9]
    assert pullback({"double": vector(1.0), "rest": [vector(10.0)]})[0].tolist() == [62]
    out, tangent = tg.jvp(lambda x: (x, [x * x]), vector(3.0), vector(1.0))
    assert tangent[0].tolist() == [1]
    assert tangent[1][0].tolist() == [6]


def test_plain_arrays_and_numbers_are_arguments_too() -> None:
    assert tg.grad(lambda x: x * x)(3.0).item() == 6
    found = tg.grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    assert found.dtype == tg.float64
    assert found.tolist() == [2, 4]


def test_has_aux() -> None:
    def f(x: Any) -> Any:
        return (x * x).sum(), {"twice": 2 * x, "note": "hello"}

    gradient, aux = tg.grad(f, has_aux=True)(vector(1.0, 2.0))
    assert gradient.tolist() == [2, 4]
    assert aux["note"] == "hello"
    assert aux["twice"].tolist() == [2, 4]
    (value, aux), gradient = tg.value_and_grad(f, has_aux=True)(vector(1.0, 2.0))
    assert (value.item(), aux["note"], gradient.tolist()) == (5.0, "hello", [2, 4])
    with pytest.raises(TypeError, match=r"has_aux=True the function must return a pair \(output, aux\)"):
        tg.grad(lambda x: (x, 1, 2), has_aux=True)(number(1.0))


def test_a_recorded_function_serves_many_vectors() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return tg.exp(x)

    x = vector(0.0, 1.0)
    _, pullback = tg.vjp(f, x)
    _, pushforward = tg.linearize(f, x)
    for scale in (1.0, 2.0, 1.0):
        expected = scale * np.exp([0.0, 1.0])
        np.testing.assert_allclose(pullback(vector(scale, scale))[0].data, expected, rtol=1e-15)
        np.testing.assert_allclose(pushforward(vector(scale, scale)).data, expected, rtol=1e-15)
    assert len(calls) == 2


def test_results_are_cut_off_and_share_no_memory() -> None:
    x = vector(1.0, 2.0)
    t = vector(1.0, 1.0)
    out, tangent = tg.jvp(lambda z: z * 1.0 + 0.0, x, t)
    same, same_tangent = tg.jvp(lambda z: z, x, t)
    _, pullback = tg.vjp(lambda z: z, x)
    (cotangent,) = pullback(t)
    assert not any(r.requires_grad for r in (out, tangent, same, same_tangent, cotangent))
    assert not np.shares_memory(tangent.data, t.data)
    assert not np.shares_memory(same_tangent.data, t.data)
    assert not np.shares_memory(cotangent.data, t.data)


# Closures, and tensors that require gradients already.


def test_a_leaf_argument_is_left_alone() -> None:
    x = vector(1.0, 2.0, requires_grad=True)
    x.name = "x"
    gradient = tg.grad(lambda z: (z * z).sum())(x)
    assert gradient.tolist() == [2, 4]
    assert x.grad is None
    assert x.name == "x"


def test_the_gradient_at_a_leaf_can_be_differentiated_by_the_leaf() -> None:
    x = vector(1.0, 2.0, requires_grad=True)
    tg.grad(lambda z: (z**3).sum())(x).sum().backward()
    assert x.grad.tolist() == [6, 12]


def test_a_closure_over_a_leaf() -> None:
    w = number(3.0, requires_grad=True)
    value, gradient = tg.value_and_grad(lambda x: w * x * x)(number(2.0))
    assert (value.item(), gradient.item()) == (12, 12)
    gradient.backward(retain_graph=True)  # 2 w x, by w
    assert w.grad.item() == 4
    value.backward()
    assert w.grad.item() == 4 + 4


def test_a_closure_over_a_result() -> None:
    w = number(3.0, requires_grad=True)
    scale = w * w
    gradient = tg.grad(lambda x: scale * x)(number(2.0))
    assert gradient.item() == 9
    gradient.backward()
    assert w.grad.item() == 6


def test_inside_no_grad_transforms_differentiate_and_cut_off() -> None:
    w = number(3.0, requires_grad=True)
    with tg.no_grad():
        assert not tg.is_grad_enabled()
        gradient = tg.grad(lambda x: w * x * x)(number(2.0))
        assert gradient.item() == 12
        assert not gradient.requires_grad
        assert tg.grad(tg.grad(lambda x: w * x * x))(number(2.0)).item() == 6
        assert tg.hvp(lambda x: w * x * x, number(2.0), number(1.0)).item() == 6
        assert not (w * 2).requires_grad


def test_no_grad_inside_a_function_makes_a_constant() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            frozen = x * x
        return frozen * x

    assert tg.grad(f)(number(3.0)).item() == 9
    assert tg.jvp(f, number(3.0), number(1.0))[1].item() == 9


def test_detach_inside_a_function_makes_a_constant() -> None:
    assert tg.grad(lambda x: (x * x).detach() * x)(number(3.0)).item() == 9
    assert tg.grad(tg.grad(lambda x: (x * x).detach() * x))(number(3.0)).item() == 0


def test_backward_inside_a_differentiated_function() -> None:
    """The inner sweep is one of its own, over leaves of its own."""

    def f(x: Any) -> Any:
        inner = number(2.0, requires_grad=True)
        (inner * inner).backward()
        return x * inner.grad

    assert tg.grad(f)(number(3.0)).item() == 4


# gradients().


def test_create_graph_to_third_order() -> None:
    x = number(2.0, requires_grad=True)
    g = x**4
    for expected in (32, 48, 48, 24):
        (g,) = tg.gradients(g, [x], create_graph=True)
        assert g.item() == expected


def test_a_gradient_penalty() -> None:
    """‖∂y/∂x‖² as part of a loss: the everyday use of create_graph."""
    w = vector(1.0, -2.0, requires_grad=True)
    x = vector(0.5, 0.25, requires_grad=True)
    (g,) = tg.gradients((w * x * x).sum(), [x], create_graph=True)  # 2 w x
    (g * g).sum().backward()  # 4 w² x²
    np.testing.assert_allclose(w.grad.data, 8 * w.data * x.data**2)
    np.testing.assert_allclose(x.grad.data, 8 * w.data**2 * x.data)


def test_containers_and_intermediate_inputs() -> None:
    x = number(3.0, requires_grad=True)
    middle = x * x
    y = middle * 2
    found = tg.gradients({"y": y}, {"x": x, "rest": [middle]})
    assert found["x"].item() == 12
    assert found["rest"][0].item() == 2
    assert tg.gradients(y, x).item() == 12
    assert tg.gradients(y, [y])[0].item() == 1


def test_unused_inputs_are_named() -> None:
    x, other = vector(1.0, requires_grad=True), tg.ones(2, 3, requires_grad=True)
    y = (x * x).sum()
    expected = r"inputs\[1\] is not used in computing this output; pass unused='zero' or unused='none'"
    with pytest.raises(UnusedInputError, match=expected):
        tg.gradients(y, [x, other])
    other.name = "fc2.weight"
    with pytest.raises(UnusedInputError, match=r"inputs\[1\] 'fc2.weight' is not used"):
        tg.gradients(y, [x, other])
    with pytest.raises(UnusedInputError, match=r"inputs\['head'\]\[0\] 'fc2.weight' is not used"):
        tg.gradients(y, {"x": x, "head": (other,)})
    zero = tg.gradients(y, [x, other], unused="zero")[1]
    assert (zero.shape, zero.dtype, zero.tolist()) == ((2, 3), tg.float32, [[0, 0, 0], [0, 0, 0]])
    assert tg.gradients(y, [x, other], unused="none")[1] is None
    with pytest.raises(ValueError, match="unused must be 'error', 'zero' or 'none'; got 'ignore'"):
        tg.gradients(y, [x], unused="ignore")


def test_inputs_that_do_not_require_gradients_are_named() -> None:
    x, constant = vector(1.0, requires_grad=True), vector(1.0)
    constant.name = "data"
    with pytest.raises(GraphError, match=r"inputs\[1\] 'data' does not require gradients.*requires_grad=True"):
        tg.gradients((x * constant).sum(), [x, constant])


def test_outputs_that_were_not_recorded() -> None:
    x = vector(1.0, requires_grad=True)
    with pytest.raises(GraphError, match="the output does not require gradients: nothing was recorded"):
        tg.gradients(x.detach().sum(), [x])
    assert tg.gradients(x.detach().sum(), [x], unused="zero")[0].tolist() == [0]
    assert tg.gradients([x.detach().sum(), (2 * x).sum()], [x])[0].tolist() == [2]


def test_the_number_of_grad_outputs() -> None:
    x = number(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="grad_outputs: expected a list or tuple of 2; got a list of 1"):
        tg.gradients([x * 2, x * 3], [x], [1.0])


def test_what_is_not_a_tensor_is_refused() -> None:
    x = number(1.0, requires_grad=True)
    with pytest.raises(TypeError, match="inputs must be tensors; got float"):
        tg.gradients(x, [1.0])
    with pytest.raises(TypeError, match="outputs must be tensors; got ndarray"):
        tg.gradients(np.ones(1), [x])


# Messages of the transforms.


def test_a_gradient_needs_one_scalar() -> None:
    with pytest.raises(ShapeError, match=r"grad: the function must return one scalar; it returned \(2,\). Reduce it"):
        tg.grad(lambda x: x * x)(vector(1.0, 2.0))
    with pytest.raises(ShapeError, match="must return one scalar"):
        tg.grad(lambda x: (x.sum(), x.sum()))(vector(1.0, 2.0))
    with pytest.raises(ShapeError, match="must return one scalar; it returned nothing"):
        tg.grad(lambda x: None)(vector(1.0, 2.0))
    with pytest.raises(TypeError, match="what the function returns must be tensors; got float"):
        tg.grad(lambda x: 3.0)(vector(1.0))


def test_whole_numbers_have_no_derivative() -> None:
    with pytest.raises(TypeError, match="only floating tensors can require gradients; got int64"):
        tg.grad(lambda x: x * x)(tg.tensor(3))


def test_vectors_must_fit() -> None:
    x = vector(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"must have the shape of what it belongs to, \(2,\); got \(3,\)"):
        tg.jvp(lambda z: z, x, vector(1.0, 2.0, 3.0))
    with pytest.raises(ShapeError, match=r"tg.broadcast_to\(v, \(2,\)\)"):
        tg.vjp(lambda z: z, x)[1](number(1.0))
    with pytest.raises(ValueError, match="vjp: cotangent: expected a list or tuple of 2; got one Tensor"):
        tg.vjp(lambda z: (z, z), x)[1](x)
    with pytest.raises(ValueError, match="linearize: tangents: expected a list or tuple of 1; got a tuple of 2"):
        tg.linearize(lambda z: z, x)[1](x, x)
    with pytest.raises(TypeError, match=r"two tuples of equal length.*jvp\(f, \(x, y\), \(dx, dy\)\)"):
        tg.jvp(lambda z: z, (x,), x)
    with pytest.raises(ValueError, match=r"hvp: mode must be 'forward-over-reverse'.*got 'sideways'"):
        tg.hvp(lambda z: z.sum(), x, x, mode="sideways")


def test_vectors_take_the_dtype_of_what_they_belong_to() -> None:
    x = tg.ones(2, dtype=tg.float32)
    assert tg.jvp(lambda z: z * z, x, vector(1.0, 1.0))[1].dtype == tg.float32
    assert tg.vjp(lambda z: z * z, x)[1](vector(1.0, 1.0))[0].dtype == tg.float32
    assert tg.hvp(lambda z: (z * z).sum(), x, vector(1.0, 1.0)).dtype == tg.float32


def test_the_second_derivative_of_a_linear_function_by_gradients_is_zero_for_every_input() -> None:
    a = tg.tensor([1.0, 2.0], requires_grad=True)
    b = tg.tensor(np.ones((2, 3)), requires_grad=True)
    by_a, by_b = tg.gradients(3 * a.sum() - b.sum(), [a, b], create_graph=True)
    assert by_a.tolist() == [3.0, 3.0]
    assert by_a.dtype == tg.float32
    for first in (by_a, by_b):
        second = tg.gradients(first.sum(), [a, b])
        assert [(h.shape, h.dtype) for h in second] == [((2,), tg.float32), ((2, 3), tg.float64)]
        assert all(not h.numpy().any() for h in second)


def test_what_comes_beside_the_value_is_attached_no_more_than_the_value() -> None:
    def f(x: tg.Tensor) -> tuple[tg.Tensor, dict[str, Any]]:
        return (x * x).sum(), {"twice": 2 * x, "x": x, "note": "kept as it is"}

    _, aux = tg.grad(f, has_aux=True)(tg.ones(2))
    assert not aux["twice"].requires_grad
    assert not aux["x"].requires_grad
    assert aux["note"] == "kept as it is"
    w = tg.ones(2, requires_grad=True)
    _, aux = tg.grad(f, has_aux=True)(w)
    aux["twice"].sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]


def test_vectors_in_dicts_are_matched_by_key_on_every_route() -> None:
    def product(d: dict[str, tg.Tensor]) -> tg.Tensor:
        return d["a"] * d["a"] * d["b"]

    point = {"a": tg.tensor(2.0), "b": tg.tensor(3.0)}
    along_a = {"b": tg.tensor(0.0), "a": tg.tensor(1.0)}  # in the other order
    assert tg.jvp(product, point, along_a)[1].item() == 12.0
    for mode in ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward"):
        column = tg.hvp(product, point, along_a, mode=mode)
        assert {key: value.item() for key, value in column.items()} == {"a": 6.0, "b": 4.0}
    _, pullback = tg.vjp(lambda x: {"y": 2 * x, "z": 3 * x}, tg.tensor(1.0))
    assert pullback({"z": tg.tensor(1.0), "y": tg.tensor(0.0)})[0].item() == 3.0
    x = tg.tensor(1.0, requires_grad=True)
    weights = {"z": tg.tensor(1.0), "y": tg.tensor(0.0)}
    assert tg.gradients({"y": 2 * x, "z": 3 * x}, x, weights).item() == 3.0


@pytest.mark.parametrize("wrong", [{"c": 1.0}, {"a": 1.0, "c": 1.0}, {"a": [1.0]}, [1.0], None])
def test_vectors_are_built_like_what_they_belong_to(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"tangents\[0\]"):
        tg.jvp(lambda d: d["a"], {"a": tg.tensor(2.0)}, wrong)
