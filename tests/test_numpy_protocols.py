"""NumPy's own functions, called on tensors: the function of the same name of the package, derivatives included."""

from __future__ import annotations

import inspect
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import Call, host
from strategies import Example
from tinygrad_opt import errors, ops
from tinygrad_opt.core import protocols
from tinygrad_opt.core.kinds import Constant
from tinygrad_opt.core.primitive import Primitive
from tinygrad_opt.testing.sources import RandomSource
from tinygrad_opt.testing.specs import SPECS

MODULES = [("", ops, np), ("linalg.", ops.linalg, np.linalg)]


def is_dispatched(function: Any) -> bool:
    """Whether NumPy asks the arguments of a function who answers."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


# All functions that both have: name -> (the module of ours, ours, NumPy's).
SHARED = {
    prefix + name: (library, getattr(library, name), getattr(numpys, name))
    for prefix, library, numpys in MODULES
    for name in library.__all__
    if is_dispatched(getattr(numpys, name, None))
}
TESTED = [name for name in SHARED if name in SPECS]


def by_name(function: Any, meta: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Keywords that NumPy takes by position alone, by position."""
    if isinstance(function, np.ufunc):
        return [], meta
    only = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_ONLY]
    return [meta[name] for name in only if name in meta], {k: v for k, v in meta.items() if k not in only}


def gradients(y: tg.Tensor, xs: list[tg.Tensor]) -> list[tg.Tensor]:
    return tg.gradients(y.sum(), xs, unused="zero")


def test_there_is_something_to_test():
    assert {"add", "sum", "concatenate", "where", "matmul", "max", "astype"} <= set(TESTED)
    assert len(TESTED) > 40


@pytest.mark.parametrize("name", TESTED)
def test_numpys_function_is_ours(name, monkeypatch):
    """The same value, the same node, the same gradients: bit by bit."""
    library, ours, numpys = SHARED[name]
    spec = SPECS[name]
    protocols._found.pop(numpys, None)
    assert protocols._ours(numpys) is getattr(library, numpys.__name__, ours)  # permute_dims is transpose in NumPy
    calls = []

    def through_numpy(*args: Any, **meta: Any) -> Any:
        calls.append(name)
        first, rest = by_name(numpys, meta)
        return numpys(*args, *first, **rest)

    for seed in range(8):
        sample = spec.sample(RandomSource(seed))
        same = ["float64"] * len(sample.args), ["C"] * len(sample.args)
        call = Call(Example(spec, sample, *same, sample.inputs, "cpu", seed))
        leaves, twins = call.leaves(), call.leaves()
        expected = call(*leaves)
        with monkeypatch.context() as patch:
            patch.setattr(library, name.rpartition(".")[2], through_numpy)
            function = through_numpy if spec.function in (None, ours) else spec.function
            found = function(*call.filled(call.args, twins), **call.meta)
        if not calls:
            pytest.skip("its specification has caught the function itself")
        assert isinstance(found, tg.Tensor)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        assert host(found).tobytes() == host(expected).tobytes()
        assert found.requires_grad == expected.requires_grad
        if expected.requires_grad:
            assert found._node.primitive is expected._node.primitive
            pairs = zip(gradients(found, twins), gradients(expected, leaves), strict=True)
            assert all(host(a).tobytes() == host(b).tobytes() for a, b in pairs)
        else:
            assert isinstance(spec.recorded, Constant) or not leaves or expected.dtype.kind != "f"


@pytest.mark.parametrize("name", SHARED)
def test_arguments_have_numpys_names_order_and_defaults(name):
    _, ours, numpys = SHARED[name]
    if isinstance(ours, Primitive) or isinstance(numpys, np.ufunc):
        return  # arrays by position, and nothing else
    mine, theirs = (list(inspect.signature(f).parameters.values()) for f in (ours, numpys))
    names = [p.name for p in theirs]
    for position, p in enumerate(mine):
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            assert p.kind in [q.kind for q in theirs]
        elif p.name not in names:  # an array that leads under another name: x for a
            assert names[position] not in [q.name for q in mine]
        elif p.default is not p.empty and p.default is not None:
            default = theirs[names.index(p.name)].default
            assert default in (p.default, np._NoValue) or (default is None and p.default is False)
    shared = [p for p in mine if p.name in names and p.kind is not p.KEYWORD_ONLY]
    places = [names.index(p.name) for p in shared]
    assert places == sorted(places)


# Operators with an array on the left, on every device.

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul,
    operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge,
]  # fmt: skip


@pytest.mark.parametrize("operation", BINARY)
def test_an_array_on_the_left(operation, device):
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 2.0], [0.5, 1.0]])
    t = tg.tensor(b, device=device, requires_grad=True)
    y = operation(tg.tensor(a, device=device).data, t)
    assert isinstance(y, tg.Tensor)
    assert y.device == t.device
    assert np.array_equal(host(y), operation(a, b))
    if y.dtype == tg.float64:
        (found,) = tg.gradients((y * y).sum(), [t])
        (expected,) = tg.gradients((lambda y: (y * y).sum())(operation(tg.tensor(a, device=device), t)), [t])
        assert np.array_equal(host(found), host(expected))


@pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), np.int64(2)])
def test_a_scalar_of_numpy_on_the_left(scalar, device):
    t = tg.tensor(np.array([1.0, 3.0]), device=device, requires_grad=True)
    y = scalar * t - scalar / t
    assert y.tolist() == [0.0, 6 - 2 / 3]
    assert tg.gradients(y.sum(), t).tolist() == [4.0, 2 + 2 / 9]


def test_arrays_of_another_device_are_refused(device):
    t = tg.tensor([1.0], device=device, requires_grad=True)
    if device == "cpu":
        assert (np.ones(1) + t).tolist() == [2.0]
    else:
        with pytest.raises(errors.DeviceError, match="add: argument 0 is on cpu"):
            np.ones(1) + t
        with pytest.raises(errors.DeviceError, match="concatenate"):
            np.concatenate([np.ones(1), t])


# Methods and options of universal functions.

A = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


def leaf(values: Any = A) -> tg.Tensor:
    return tg.tensor(np.asarray(values), requires_grad=True)


def check_as_numpy(function: Callable[[Any], Any], a: Any = A) -> None:
    """The value is NumPy's, and the gradient a difference quotient's."""
    x = leaf(a)
    y = function(x)
    assert isinstance(y, tg.Tensor)
    expected = function(a)
    assert (y.shape, y.dtype) == (np.shape(expected), expected.dtype)
    assert np.allclose(y.data, expected, rtol=1e-6)
    if y.dtype == tg.float64:
        v = np.linspace(0.5, 1.5, a.size).reshape(a.shape)
        slope = (np.sum(function(a + 1e-6 * v) ** 2) - np.sum(function(a - 1e-6 * v) ** 2)) / 2e-6
        assert np.sum(tg.gradients(np.sum(y**2), x).numpy() * v) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1, None, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
def test_reduce_is_the_reduction(ufunc, axis, keepdims):
    check_as_numpy(lambda x: ufunc.reduce(x, axis=axis, keepdims=keepdims))


def test_reduce_goes_along_the_first_axis():
    assert np.add.reduce(leaf()).shape == (3,)
    assert np.logical_and.reduce(leaf() > -5).tolist() == [True] * 3
    assert np.logical_or.reduce(leaf() > 2).tolist() == [True, False, False]


@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
def test_accumulate_is_the_running_reduction(ufunc):
    check_as_numpy(lambda x: ufunc.accumulate(x))
    check_as_numpy(lambda x: ufunc.accumulate(x, axis=1))


def test_outer_is_broadcasting():
    check_as_numpy(lambda x: np.multiply.outer(x, np.array([1.0, 2.0])))
    check_as_numpy(lambda x: np.subtract.outer([1.0, 2.0], x))
    check_as_numpy(lambda x: np.add.outer(x, 2.0))
    assert np.add.outer(leaf(np.float32(A)), [1.0, 2.0]).dtype == tg.float32  # lists give way, as everywhere


def test_dtype_and_where_are_expressed_by_other_functions():
    assert np.add(leaf(), 1, dtype="float32").dtype == tg.float32
    assert np.sum(leaf(), dtype=np.float32).dtype == tg.float32
    assert np.sum(leaf(), 0, np.float32).dtype == tg.float32  # by position, where NumPy has it
    assert np.full_like(leaf(), 2, None, "K", True, (3,)).tolist() == [2.0] * 3  # though ours has less places
    check_as_numpy(lambda x: np.sum(x, 0, None, None, True))
    check_as_numpy(lambda x: np.sum(x, axis=1, where=A > 0))
    assert np.all(leaf() > 0, where=A > 0).item()
    check_as_numpy(lambda x: np.add(x, 1, casting="same_kind", order="K", subok=True, where=True))
    check_as_numpy(lambda x: np.concatenate([x, A], axis=1, casting="same_kind"))


def test_other_names_of_the_same_thing():
    t = leaf()
    assert np.conjugate(t) is t
    assert np.positive(t) is t
    for function in (np.abs, np.true_divide, np.amax, np.amin, np.concat, np.permute_dims, np.matrix_transpose):
        args = ([t, t],) if function is np.concat else (t, 2.0) if function is np.true_divide else (t,)
        plain = ([A, A],) if function is np.concat else (A, 2.0) if function is np.true_divide else (A,)
        y = function(*args)
        assert y.requires_grad
        assert np.array_equal(y.data, function(*plain))
    assert tg.gradients(np.full_like(t, fill := leaf(3.0)).sum(), fill).item() == 6
    assert np.full_like(t, 2, dtype="float32").dtype == tg.float32


# What has no derivative.

CONSTANTS: dict[str, Callable[[Any], Any]] = {
    "shape": np.shape, "size": np.size, "ndim": np.ndim, "iscomplexobj": np.iscomplexobj, "array_repr": np.array_repr,
    "result_type": lambda x: np.result_type(x, 1.0), "zeros_like": np.zeros_like, "isnan": np.isnan,
    "ones_like": lambda x: np.ones_like(x, dtype="int32"), "signbit": np.signbit, "floor": np.floor, "rint": np.rint,
    "isclose": lambda x: np.isclose(x, A + 1e-12), "allclose": lambda x: np.allclose(x, A), "sign": np.sign,
    "array_equal": lambda x: np.array_equal(x, A), "logical_and": lambda x: np.logical_and(x > 0, x < 1),
    "nonzero": np.nonzero, "argwhere": np.argwhere, "count_nonzero": np.count_nonzero,
    "shares_memory": lambda x: np.shares_memory(x, x), "floor_divide": lambda x: np.floor_divide(x, 2),
    "searchsorted": lambda x: np.searchsorted(np.array([0.0, 1.0]), x), "isin": lambda x: np.isin(x, [3.0]),
}  # fmt: skip


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.data if isinstance(value, tg.Tensor) else value


@pytest.mark.parametrize("name", ["shape", "size", "ndim", "zeros_like", "isnan", "floor", "allclose", "nonzero"])
def test_constants_stay_on_their_device(name, device):
    t = tg.tensor(A, device=device)
    found = CONSTANTS[name](t) if name != "allclose" else np.allclose(t, t)
    for part in found if isinstance(found, tuple) else [found]:
        assert not isinstance(part, tg.Tensor) or part.device == t.device
    values = [host(part) if isinstance(part, tg.Tensor) else part for part in (found if name == "nonzero" else [found])]
    assert np.array_equal(values if name == "nonzero" else values[0], CONSTANTS[name](A))


def test_functions_of_matrices_take_the_last_two_axes():
    x = np.arange(24.0).reshape(2, 3, 4)
    check_as_numpy(np.linalg.diagonal, x)
    for offset in (1, -1, 3, 4, -3):
        check_as_numpy(lambda x, offset=offset: np.linalg.diagonal(x, offset=offset), x)
    check_as_numpy(np.linalg.trace, x)
    check_as_numpy(np.linalg.matrix_transpose, x)


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_answered_from_the_values(name):
    found, expected = CONSTANTS[name](leaf()), CONSTANTS[name](A)
    for part in found if isinstance(found, tuple) else [found]:
        assert not getattr(part, "requires_grad", False)
    if isinstance(expected, (tuple, np.ndarray)):
        assert np.array_equal(plain(found), expected)
        assert isinstance(expected, tuple) or plain(found).dtype == expected.dtype
    else:
        assert plain(found) == expected


# What is refused, and in which words.


def matrix() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix(np.eye(2))


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no such function": (np.unwrap, r"np\.unwrap is not among .* np\.unwrap\(t\.detach\(\)\.numpy\(\)\)"),
    "no such universal function": (np.cbrt, r"np\.cbrt is not among"),
    "another module": (np.fft.fft, r"np\.fft\.fft is not among"),
    "no such method": (np.subtract.reduce, r"np\.subtract\.reduce is not among"),
    "at": (lambda t: np.add.at(A.copy(), 0, t), r"np\.add\.at .* t\.at\[index\]\.add"),
    "reduceat": (lambda t: np.add.reduceat(t, [0]), r"np\.add\.reduceat .* slices"),
    "out, a tensor": (lambda t: np.add(A, 1, out=t), r"np\.add: out= would overwrite a tensor"),
    "out, an array": (lambda t: np.add(A, t, out=A.copy()), r"np\.add: a NumPy array would be overwritten"),
    "out of a reduction": (lambda t: np.add.reduce(t, out=np.zeros(3)), r"np\.add: a NumPy array would be"),
    "out of a function": (
        lambda t: np.concatenate([t, A], out=np.zeros((4, 3))),
        r"np\.concatenate: .* leave out= away",
    ),
    "in place": (lambda t: operator.iadd(A.copy(), t), r"a \+= t.* Write a = a \+ t"),
    "where": (lambda t: np.add(t, 1, where=A > 0), r"np\.add: the argument 'where' .* np\.where\(mask"),
    "None beside a tensor": (lambda t: np.logical_xor(t, None), r"is a NoneType; expected a tensor"),
    "casting": (lambda t: np.add(t, 1, casting="unsafe"), r"np\.add: the argument 'casting'"),
    "an array": (np.asarray, r"t\.detach\(\)\.numpy\(\)"),
    "a matrix": (lambda t: matrix() + t, r"numpy\.matrix does not mix"),
    "a matrix product": (lambda t: matrix() * t, r"numpy\.matrix does not mix"),
    "a masked array": (lambda t: np.ma.masked_less(A, 0) + t, r"detach"),
    "a masked array on the right": (lambda t: t + np.ma.masked_less(A, 0), r"MaskedArray does not mix"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what):
    function, words = REFUSED[what]
    with pytest.raises(TypeError, match=words):
        function(leaf())


def test_other_classes_have_their_turn():
    class Other:
        def __array_ufunc__(self, *args: Any, **kwargs: Any) -> str:
            return "ufunc"

        def __array_function__(self, *args: Any, **kwargs: Any) -> str:
            return "function"

        __radd__ = None

    assert np.add(leaf(), Other()) == "ufunc"
    assert np.concatenate([leaf(), Other()]) == "function"


def test_subclasses_of_arrays_that_compute_as_arrays_do_are_taken(tmp_path):
    mapped = np.memmap(tmp_path / "a", dtype="float64", mode="w+", shape=A.shape)
    mapped[...] = A
    y = mapped * leaf()
    assert type(y.data) is np.ndarray
    assert np.array_equal(y.data, A * A)


# Updates in place, and NumPy's own tests.


def test_a_gradient_is_subtracted_in_place():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    memory = w.data
    (w * w).sum().backward()
    w.data -= 0.25 * w.grad
    assert w.data is memory
    assert w.tolist() == [0.5, 1.0]
    y = (w * w).sum()
    w.data -= 0.25 * w.grad
    with pytest.raises(errors.InPlaceError):  # the write is noticed
        y.backward()


def test_values_come_out_where_nothing_is_lost():
    t = tg.tensor(A)
    assert np.asarray(t) is t.data or np.shares_memory(np.asarray(t), t.data)
    np.testing.assert_allclose(t, A)
    np.testing.assert_array_equal(A, t)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(t, A + 1)
