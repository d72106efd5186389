"""What transforms take and return, and the messages of what they refuse."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import ShapeError

from .derivatives import number, vector

Pair = namedtuple("Pair", "w b")


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


@pytest.mark.parametrize("argnums", [np.int64(1), np.array(1), np.int8(-1)])
def test_one_argument_by_any_kind_of_integer(argnums: Any) -> None:
    f = lambda a, b: (a * b * b).sum()  # noqa: E731
    assert tg.grad(f, argnums=argnums)(vector(2.0), vector(3.0)).tolist() == [12]
    assert tg.jacobian(f, argnums=argnums)(vector(2.0), vector(3.0)).tolist() == [12]


@pytest.mark.parametrize("argnums", [np.array([1, 0]), [np.int64(1), 0], range(1, -1, -1), (-1, -2)])
def test_several_arguments_by_any_kind_of_sequence(argnums: Any) -> None:
    f = lambda a, b: (a * b * b).sum()  # noqa: E731
    by_b, by_a = tg.grad(f, argnums=argnums)(vector(2.0), vector(3.0))
    assert (by_b.tolist(), by_a.tolist()) == ([12], [9])


@pytest.mark.parametrize("argnums", [True, "x", 0.0, None, (0, "y"), [1.0], np.array([0.5]), (True,)])
def test_what_names_no_argument(argnums: Any) -> None:
    for transform in (tg.grad, tg.value_and_grad, tg.jacobian, tg.hessian):
        with pytest.raises(TypeError, match="argnums must be an integer or a sequence of integers; got"):
            transform(lambda x: x, argnums=argnums)(number(1.0))


def test_an_argument_given_by_keyword_is_not_differentiated() -> None:
    with pytest.raises(ValueError, match=r"the call has 0 by position. Arguments given by keyword are not"):
        tg.grad(lambda x: x)(x=number(1.0))


def test_aux_beside_products() -> None:
    f = lambda x: (x * x, {"x": x, "note": "kept"})  # noqa: E731
    y, tangent, aux = tg.jvp(f, number(3.0), number(1.0), has_aux=True)
    assert (y.item(), tangent.item(), aux["note"], aux["x"].requires_grad) == (9, 6, "kept", False)
    y, pullback, aux = tg.vjp(f, number(3.0), has_aux=True)
    assert (y.item(), pullback(number(1.0))[0].item(), aux["x"].item()) == (9, 6, 3)
    y, pushforward, aux = tg.linearize(f, number(3.0), has_aux=True)
    assert (y.item(), pushforward(number(1.0)).item(), aux["x"].item()) == (9, 6, 3)


def test_messages_name_the_transform_and_the_place() -> None:
    x = vector(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"jvp: tangents\[0\]\['w'\] must have the shape.*\(2,\); got \(3,\)"):
        tg.jvp(lambda p: p["w"], {"w": x}, {"w": vector(1.0, 2.0, 3.0)})
    with pytest.raises(ShapeError, match=r"vjp: cotangent\[1\] must have the shape.*\(2,\); got \(\)"):
        tg.vjp(lambda z: (z, z), x)[1]((x, number(1.0)))
    with pytest.raises(TypeError, match=r"grad: argument 1\['n'\]\[0\]: only floating tensors.*got int64"):
        tg.grad(lambda a, b: a.sum(), argnums=1)(x, {"n": [tg.tensor(1)]})
    with pytest.raises(TypeError, match="grad: what the function returns must be floating; got int64"):
        tg.grad(lambda z: z.argmax())(x)
    for complex_ in (1j, np.array([1j])):
        with pytest.raises(TypeError, match="complex tensors are out of scope"):
            tg.grad(lambda z: z.sum())(complex_)
    with pytest.raises(TypeError, match="complex tensors are out of scope"):
        tg.jvp(lambda z: z, x, np.array([1j, 1j]))
    for transform in (tg.grad, tg.value_and_grad, tg.vjp, tg.linearize):
        with pytest.raises(TypeError, match=r"expected a function; got Tensor. Hand over the function itself, f"):
            transform(x)
