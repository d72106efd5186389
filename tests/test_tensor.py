"""Tensors behave as NumPy's arrays do: values, dtypes and shapes of every operator, with every partner."""

from __future__ import annotations

import copy
import operator
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, basic_indices, mutually_broadcastable_shapes

import tinygrad_opt as tg
from tinygrad_opt.errors import GraphError, ShapeError

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
DTYPES = [tg.float32, tg.float64, tg.int64]


def host(t: tg.Tensor) -> np.ndarray:
    return t.detach().cpu().numpy()


def same(ours: tg.Tensor, numpys: Any) -> None:
    """Bitwise NumPy's answer, in its shape and dtype."""
    assert isinstance(ours, tg.Tensor)
    expected = np.asarray(numpys)
    assert (ours.shape, ours.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(host(ours), expected)


# Operators.


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS])
@pytest.mark.parametrize("left", DTYPES)
@pytest.mark.parametrize("right", DTYPES)
def test_operators_between_tensors(op: Callable[..., Any], left: Any, right: Any, device: str) -> None:
    a, b = np.array([[1, 2], [3, 4]], dtype=left), np.array([2, 3], dtype=right)
    same(op(tg.tensor(a, device=device), tg.tensor(b, device=device)), op(a, b))


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [2, 2.5, True])
def test_operators_with_python_numbers_never_promote(
    op: Callable[..., Any], dtype: Any, number: Any, device: str
) -> None:
    a = np.array([1, 2, 3], dtype=dtype)
    if op is operator.pow and number is True and dtype == tg.int64:
        pytest.skip("NumPy itself has no integer power of a boolean on the left")
    same(op(tg.tensor(a, device=device), number), op(a, number))
    same(op(number, tg.tensor(a, device=device)), op(number, a))
    if dtype != tg.int64 and op in ARITHMETIC:
        assert op(number, tg.tensor(a, device=device)).dtype == dtype


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS])
@pytest.mark.parametrize(
    "partner", [np.array([2.0, 3.0]), np.array(2.0, np.float32), np.float64(2), np.float32(2), np.int64(2)]
)
def test_operators_with_numpy_arrays_and_scalars_on_either_side(op: Callable[..., Any], partner: Any) -> None:
    a = np.array([[1, 2], [3, 4]], dtype=np.float32)
    x = tg.tensor(a, requires_grad=True)
    same(op(x, partner), op(a, partner))
    same(op(partner, x), op(partner, a))
    assert op(partner, x).requires_grad == (op in ARITHMETIC)


@pytest.mark.parametrize("op", ARITHMETIC)
@pytest.mark.parametrize("partner", [[2.0, 3.0], (2.0, 3.0), [[2.0], [3.0]]])
def test_operators_with_lists_on_either_side(op: Callable[..., Any], partner: Any) -> None:
    """Floating lists take the default dtype, as they do in tg.tensor."""
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    same(op(x, partner), op(host(x), np.array(partner, dtype=np.float32)))
    same(op(partner, x), op(np.array(partner, dtype=np.float32), host(x)))


def test_unary_operators(device: str) -> None:
    a = np.array([-1.5, 0.0, 2.0], dtype=np.float32)
    x = tg.tensor(a, device=device)
    same(-x, -a)
    same(abs(x), abs(a))
    assert +x is x


@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (3,)),
     ((3,), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4)), ((2, 0), (0, 3)), ((0, 3), (3, 2))],
)  # fmt: skip
def test_matrix_products(left: tuple[int, ...], right: tuple[int, ...], device: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(-3, 4, left).astype(float), rng.integers(-3, 4, right).astype(float)
    same(tg.tensor(a, device=device) @ tg.tensor(b, device=device), a @ b)
    if device == "cpu":
        same(a @ tg.tensor(b), a @ b)
        same(tg.tensor(a) @ b, a @ b)


@given(mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3), st.sampled_from(ARITHMETIC[:3]), st.data())
def test_broadcasting_is_numpys(shapes: Any, op: Callable[..., Any], data: Any) -> None:
    elements = st.integers(-4, 4).map(float)
    a, b = (data.draw(arrays(np.float64, shape, elements=elements)) for shape in shapes.input_shapes)
    same(op(tg.tensor(a), tg.tensor(b)), op(a, b))


def test_a_square_is_recorded_as_such() -> None:
    x = tg.tensor([3.0], requires_grad=True)
    assert (x**2)._node.primitive.name == "square"
    assert (x**3)._node.primitive.name == "power"
    assert (2**x).tolist() == [8.0]


# Indexing, iterating, and Python's protocols.


@given(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4).flatmap(
    lambda shape: st.tuples(st.just(shape), basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
))  # fmt: skip
def test_basic_indices_are_numpys(case: Any) -> None:
    shape, index = case
    a = np.arange(float(np.prod(shape))).reshape(shape)
    same(tg.tensor(a)[index], a[index])


@pytest.mark.parametrize(
    "index",
    [[0, 0, 2], np.array([1, -1]), np.array([[0, 1], [2, 0]]), np.array([True, False, True]), np.int64(1), True,
     (slice(None), [0, 1]), ([0, 1], [1, 0]), ([0, 2], slice(None)), (..., [1]), (None, [0, 1]), [],
     np.zeros((3, 2), bool), (np.array([0, 1]), None, 1), [True, False, False]],
)  # fmt: skip
def test_advanced_indices_are_numpys(index: Any, device: str) -> None:
    a = np.arange(6.0).reshape(3, 2)
    same(tg.tensor(a, device=device)[index], a[index])


def test_tensors_are_indices(device: str) -> None:
    x = tg.tensor([10.0, 20.0, 30.0], device=device)
    assert x[tg.tensor([2, 0], device=device)].tolist() == [30, 10]
    assert x[tg.tensor(1, device=device)].item() == 20
    assert x[x > 15].tolist() == [20, 30]
    assert ["a", "b", "c"][tg.tensor(1, device=device)] == "b"
    assert list(range(tg.tensor(3, device=device))) == [0, 1, 2]


def test_index_arrays_are_copied() -> None:
    index = np.array([0, 1])
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[index]
    index[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 0]


def test_length_and_iteration(device: str) -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], device=device, requires_grad=True)
    assert len(x) == 2
    rows = list(x)
    assert [row.tolist() for row in rows] == [[1, 2], [3, 4]]
    a, b = x
    (a * b).sum().backward()
    assert x.grad.tolist() == [[3, 4], [1, 2]]
    assert 3.0 in x[1]
    assert 9.0 not in x[1]
    with pytest.raises(TypeError, match="a tensor without axes has no length"):
        len(tg.tensor(1.0, device=device))
    with pytest.raises(TypeError, match=r"cannot be iterated over; use .item\(\)"):
        iter(tg.tensor(1.0, device=device))


def test_numbers(device: str) -> None:
    x = tg.tensor([[2.75]], device=device, requires_grad=True)
    assert (float(x), int(x), x.item(), bool(x)) == (2.75, 2, 2.75, True)
    assert not bool(tg.tensor(0.0, device=device))
    assert isinstance(tg.tensor(3, device=device).item(), int)
    assert isinstance(tg.tensor(True, device=device).item(), bool)
    assert f"{x:.1f}" == "2.8"


@pytest.mark.parametrize("shape", [(0,), (2,), (1, 3)])
def test_many_elements_are_no_number(shape: tuple[int, ...]) -> None:
    x = tg.zeros(shape)
    with pytest.raises(ShapeError, match=r"item\(\) needs exactly one element; this tensor has shape"):
        x.item()
    with pytest.raises(ShapeError, match="exactly one element"):
        float(x)
    with pytest.raises(ValueError, match=r"neither true nor false as a whole; use .any\(\) or .all\(\)"):
        bool(x)


def test_only_whole_numbers_are_indices() -> None:
    with pytest.raises(TypeError, match="only an integer tensor can serve as an index; got float32"):
        [1, 2, 3][tg.tensor(1.0)]


def test_tensors_are_hashed_by_identity() -> None:
    a, b = tg.ones(2), tg.ones(2)
    assert len({a, b, a}) == 2
    assert {a: "a"}[a] == "a"


# Values, and handing them out.


def test_attributes(device: str) -> None:
    x = tg.zeros(2, 3, dtype=tg.float64, device=device)
    assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, tg.float64)
    assert x.device.partition(":")[0] == device.partition(":")[0]
    assert (x.T.shape, tg.zeros(4, 2, 3, device=device).mT.shape) == ((3, 2), (4, 3, 2))
    assert (x.is_leaf, x.requires_grad, x.grad, x.name) == (True, False, None, None)


def test_numpy_shares_memory_and_lists_copy() -> None:
    x = tg.tensor([1.0, 2.0])
    x.numpy()[0] = 5
    assert x.tolist() == [5, 2]
    assert np.shares_memory(np.asarray(x), x.data)
    np.testing.assert_array_equal(np.array(x, dtype=np.int32), [5, 2])


@pytest.mark.parametrize("hand_out", [np.asarray, np.array, lambda t: t.numpy(), lambda t: np.ones(2) + np.asarray(t)])
def test_numpy_does_not_get_what_requires_gradients(hand_out: Callable[[tg.Tensor], Any]) -> None:
    x = tg.ones(2, requires_grad=True)
    expected = r"requires gradients, and NumPy would not record.*t.detach\(\).numpy\(\)"
    for t in (x, x * 2):
        with pytest.raises(TypeError, match=expected):
            hand_out(t)
    assert hand_out(x.detach()).shape == (2,)


def test_detach_shares_and_clone_copies() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert x.detach().data is x.data
    assert not x.detach().requires_grad
    y = x.clone()
    assert not np.shares_memory(y.data, x.data)
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 4]


@pytest.mark.parametrize("dtype", [tg.float16, tg.float64, "float64", np.float64, tg.int32])
def test_to_another_dtype(dtype: Any) -> None:
    x = tg.tensor([1.5, 2.5], requires_grad=True)
    y = x.to(dtype)
    assert y.dtype == np.dtype(dtype)
    assert y.requires_grad == (y.dtype.kind == "f")
    assert x.to(tg.float32) is x
    if y.requires_grad:
        y.sum().backward()
        assert x.grad.dtype == tg.float32


def test_to_the_same_device_is_the_same_tensor() -> None:
    x = tg.ones(2)
    assert x.to("cpu") is x
    assert x.cpu() is x


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (tg.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (tg.tensor([1, 2]), "tensor([1, 2])"),
        (tg.tensor([True]), "tensor([ True])"),
        (tg.tensor([1.0], dtype=tg.float64), "tensor([1.], dtype=float64)"),
        (
            tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
            "tensor([[1., 2.],\n        [3., 4.]], requires_grad=True)",
        ),
        (tg.ones(1, requires_grad=True) * 2, "tensor([2.], grad_fn='multiply')"),
        (tg.nn.Parameter([1.0]), "Parameter([1.], requires_grad=True)"),
    ],
)
def test_repr(tensor: tg.Tensor, expected: str) -> None:
    assert repr(tensor) == expected
    assert str(tensor) == expected


def test_names() -> None:
    x = tg.ones(2)
    x.name = "x"
    x.requires_grad_()
    assert x.name == "x"
    x.requires_grad_(False)
    assert x.name == "x"
    y = tg.ones(2, requires_grad=True) * 2
    assert y.name is None
    y.name = "y"
    assert y.name == "y"


# Leaves and results.


def test_leaves_and_results() -> None:
    x = tg.ones(2, requires_grad=True)
    assert (x.is_leaf, (x * 2).is_leaf, (x * 2).detach().is_leaf) == (True, False, True)
    assert not (x > 0).requires_grad
    assert not x.astype(tg.int32).requires_grad
    with pytest.raises(
        GraphError, match=r"only a leaf can stop requiring gradients; for a result write y = y.detach\(\)"
    ):
        (x * 2).requires_grad_(False)
    assert x.requires_grad_(False) is x
    assert not (x * 2).requires_grad


def test_the_gradient_of_a_result_warns_and_names_retain_grad() -> None:
    w = tg.ones(2, requires_grad=True)
    y = w * 2
    y.sum().backward()
    with pytest.warns(UserWarning, match=r"y.retain_grad\(\) before backward\(\).*w = w - lr \* w.grad") as caught:
        assert y.grad is None
    assert caught[0].filename == __file__
    y = w * 2
    assert y.retain_grad() is y
    y.sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert y.grad.tolist() == [1, 1]


def test_setting_a_gradient() -> None:
    x = tg.ones(2, requires_grad=True)
    x.grad = [1.0, 2.0]
    assert x.grad.tolist() == [1, 2]
    (x * x).sum().backward()
    assert x.grad.tolist() == [3, 4]
    x.grad = np.ones(2)
    assert x.grad.dtype == tg.float32  # that of the tensor, always
    x.grad = None
    assert x.grad is None
    with pytest.raises(ShapeError, match=r"grad must have the shape of what it belongs to, \(2,\); got \(3,\)"):
        x.grad = np.ones(3)
    with pytest.raises(GraphError, match="its gradient cannot be set"):
        (x * 2).grad = tg.ones(2)


def test_the_gradient_of_what_requires_none_is_none() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.ones(2).grad is None


# Copies and pickles.


def leaf() -> tg.Tensor:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    x.name = "w"
    (x * x).sum().backward()
    return x


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_leaves_are_copied_and_pickled_with_all_they_have(copied: Callable[[Any], Any]) -> None:
    x = leaf()
    y = copied(x)
    assert (y.tolist(), y.name, y.requires_grad, y.grad.tolist(), y.dtype) == ([1, 2], "w", True, [2, 4], tg.float32)
    assert not np.shares_memory(x.data, y.data)
    assert not np.shares_memory(x.grad.data, y.grad.data)
    y.data += 1
    (y * y).sum().backward()
    assert (x.tolist(), x.grad.tolist()) == ([1, 2], [2, 4])
    parameter = copied(tg.nn.Parameter([1.0]))
    assert isinstance(parameter, tg.nn.Parameter)


def test_a_deep_copy_keeps_shared_tensors_shared() -> None:
    x = leaf()
    again = copy.deepcopy({"a": x, "b": [x]})
    assert again["a"] is again["b"][0]
    assert again["a"] is not x


def test_results_are_not_copied_or_pickled() -> None:
    y = leaf() * 2
    with pytest.raises(GraphError, match=r"only leaves can be copied; write y.detach\(\) or y.clone\(\)"):
        copy.deepcopy(y)
    with pytest.raises(GraphError, match=r"only leaves can be pickled; write y.detach\(\)"):
        pickle.dumps(y)
    assert pickle.loads(pickle.dumps(y.detach())).tolist() == [2, 4]


# dtypes.


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: 2 * x + 1 - x / 3, lambda x: x**2, lambda x: x**2.5, lambda x: 2.0**x, tg.exp, tg.log, tg.tanh,
        tg.sqrt, tg.relu, lambda x: tg.maximum(x, 0.5), lambda x: tg.where(x > 1, x, 0.0), lambda x: x.mean(),
        lambda x: x.sum(axis=0), tg.softmax, tg.log_softmax, lambda x: tg.logsumexp(x), lambda x: tg.normalize(x),
        lambda x: x @ x.T, lambda x: x[[0, 0]], lambda x: tg.concatenate([x, x]), abs, lambda x: tg.max(x, axis=1),
        lambda x: 1 / x,
    ],
)  # fmt: skip
def test_a_dtype_never_creeps(fn: Callable[[Any], Any], dtype: Any, device: str) -> None:
    x = tg.tensor([[0.5, 1.0], [1.5, 2.0]], dtype=dtype, device=device, requires_grad=True)
    y = fn(x)
    (g,) = tg.gradients(y.sum(), [x], create_graph=True)
    (h,) = tg.gradients(g.sum(), [x], unused="zero")
    assert y.dtype == g.dtype == h.dtype == dtype
    assert g.shape == h.shape == x.shape


def test_a_numpy_scalar_promotes_as_in_numpy_but_the_gradient_does_not() -> None:
    x = tg.tensor([1.0], requires_grad=True)
    y = x * np.float64(2)
    assert y.dtype == (np.ones(1, np.float32) * np.float64(2)).dtype == tg.float64
    y.sum().backward()
    assert x.grad.dtype == tg.float32


def test_a_list_beside_a_tensor_gives_way_to_its_dtype() -> None:
    assert (tg.tensor([1.0, 2.0]) + [1, 2]).dtype == tg.float32
    double = tg.tensor([1.0], dtype=tg.float64) + [0.1]
    assert double.numpy()[0] == 1.1  # 0.1 was not rounded to float32 on the way
    assert (tg.tensor([[1.0, 2.0]]) @ [[1], [2]]).dtype == tg.float32


def test_comparison_with_none_is_pythons() -> None:
    x = tg.tensor([1.0])
    assert (x == None, x != None) == (False, True)  # noqa: E711


def test_a_list_of_tensors_that_require_gradients_is_refused() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"tg\.stack"):
        tg.tensor([x[0], x[1]])


@pytest.mark.parametrize("sign", ["+=", "-=", "*=", "/=", "**="])
@pytest.mark.parametrize("recording", [True, False])
def test_a_leaf_is_not_lost_to_an_augmented_assignment(sign: str, recording: bool) -> None:
    names = {"w": tg.tensor([1.0, 2.0], requires_grad=True)}
    with tg.enable_grad() if recording else tg.no_grad(), pytest.raises(GraphError, match=r"write w\.data"):
        exec(f"w {sign} 2.0", names)
    assert names["w"].tolist() == [1.0, 2.0]


def test_results_and_plain_tensors_take_augmented_assignments() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    total = (x * x).sum()
    total += x.sum()
    total.backward()
    assert x.grad.tolist() == [3.0, 5.0]
    count = before = tg.tensor([1.0])
    count += 1
    assert (count.tolist(), before.tolist()) == ([2.0], [1.0])


def test_a_floating_mask_has_no_derivative() -> None:
    x = tg.tensor([1.0, 0.0, 2.0], requires_grad=True)
    tg.where(x, 2 * x, 0.0).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 2.0]
    _, tangent = tg.jvp(lambda x: tg.where(x, tg.ones(3), tg.zeros(3)), x.detach(), tg.ones(3))
    assert tangent.tolist() == [0.0, 0.0, 0.0]
