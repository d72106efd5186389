"""The double of CuPy does what it is for: each of its refusals, and each of the ways in which CuPy is not NumPy."""

from __future__ import annotations

import copy
import operator
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import strict_double
from strict_double import library as xp
from strict_double import synchronizations

Array = Any


def make(*shape: int, dtype: str = "float32") -> Array:
    return xp.asarray(np.arange(1, 1 + int(np.prod(shape)), dtype=dtype).reshape(shape))


A, V, HOST = make(2, 3), make(3), np.ones(3, "float32")


class Deferring:
    """Whoever meets it leaves the operation to it."""

    __array_ufunc__ = None

    def __radd__(self, other: Any) -> str:
        return "deferred"


class Answering:
    """As a Tensor: it has an answer to NumPy's universal functions."""

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> str:
        return f"{function.__name__} {method} {[type(x).__name__ for x in inputs]} {sorted(options)}"

    def __radd__(self, other: Any) -> str:
        return "never"

    __rsub__ = __rmatmul__ = __lt__ = __gt__ = __eq__ = __radd__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


# What is refused.

REFUSED = {
    "NumPy array on the right": (TypeError, lambda: A + HOST),
    "NumPy array on the left": (TypeError, lambda: HOST + A),
    "NumPy array in place": (TypeError, lambda: operator.iadd(make(2, 3), HOST)),
    "in place into a NumPy array": (TypeError, lambda: operator.iadd(np.ones(3), V)),
    "NumPy array compared": (TypeError, lambda: A == HOST),
    "NumPy array in a matrix product": (TypeError, lambda: A @ HOST),
    "NumPy array in a function": (TypeError, lambda: xp.concatenate([V, HOST])),
    "NumPy array in a ufunc": (TypeError, lambda: xp.maximum(V, HOST)),
    "NumPy array alone": (TypeError, lambda: xp.sum(HOST)),
    "NumPy array as an index": (TypeError, lambda: V[np.array([0])]),
    "NumPy array assigned": (TypeError, lambda: operator.setitem(make(3), slice(None), HOST)),
    "NumPy array scattered": (TypeError, lambda: xp.add.at(make(3), xp.asarray([0]), HOST[:1])),
    "NumPy array as output": (TypeError, lambda: xp.exp(V, out=HOST)),
    "list in arithmetic": (TypeError, lambda: V + [1.0, 2.0, 3.0]),
    "list in a ufunc": (TypeError, lambda: xp.exp([1.0])),
    "list in a function": (TypeError, lambda: xp.sum([1.0])),
    "list beside an array": (TypeError, lambda: xp.dot(V, [1.0, 2.0, 3.0])),
    "list among arrays": (TypeError, lambda: xp.stack([V, [1.0, 2.0, 3.0]])),
    "list assigned": (TypeError, lambda: operator.setitem(make(3), slice(None), [1.0, 2.0, 3.0])),
    "number for an array": (TypeError, lambda: xp.sum(1.0)),
    "None": (TypeError, lambda: V == None),  # noqa: E711
    "Python bool as a condition": (AttributeError, lambda: xp.where(True, V, V)),
    "conversion": (TypeError, lambda: np.asarray(V)),
    "conversion to a NumPy scalar": (TypeError, lambda: np.float64(V)),
    "a NumPy ufunc": (TypeError, lambda: np.exp(V)),
    "a NumPy function": (TypeError, lambda: np.sum(V)),
    "hash": (TypeError, lambda: hash(V)),
    "an array as a Python index": (TypeError, lambda: range(xp.asarray(3))),
    "setflags": (AttributeError, lambda: V.setflags(write=False)),
    "the writeable flag": (AttributeError, lambda: V.flags.writeable),
    "the array API's namespace": (AttributeError, lambda: V.__array_namespace__()),
    "a new attribute": (AttributeError, lambda: setattr(V, "name", "v")),
    "a function that CuPy lacks": (AttributeError, lambda: xp.vecdot),
    "a linear algebra function that CuPy lacks": (AttributeError, lambda: xp.linalg.vector_norm),
    "errstate": (AttributeError, lambda: xp.errstate),
    "an argument that CuPy lacks": (TypeError, lambda: xp.max(V, initial=0.0)),
    "an argument of a method that CuPy lacks": (TypeError, lambda: V.sum(where=True)),
    "a masked ufunc": (TypeError, lambda: xp.exp(V, where=V > 1)),
    "a maximum by ufunc.reduce": (NotImplementedError, lambda: xp.maximum.reduce(V)),
    "multiply.at": (NotImplementedError, lambda: xp.multiply.at(V, xp.asarray([0]), 1.0)),
    "subtract.at on floats": (TypeError, lambda: xp.subtract.at(V, xp.asarray([0]), 1.0)),
    "maximum.at on float16": (TypeError, lambda: xp.maximum.at(V.astype("float16"), xp.asarray([0]), 1.0)),
    "add.at without a target": (RuntimeError, lambda: xp.add.at(xp.zeros(0), xp.zeros(0, "int64"), xp.zeros(0))),
    "long double": (ValueError, lambda: xp.zeros(2, "longdouble")),
    "text": (ValueError, lambda: xp.asarray(["a"])),
    "a number out of range": (IndexError, lambda: V[3]),
    "linear algebra on bad shapes": (np.linalg.LinAlgError, lambda: xp.linalg.inv(A)),
    "a generator's method that CuPy lacks": (AttributeError, lambda: xp.random.default_rng(0).normal()),
    "a generator's permutation": (AttributeError, lambda: xp.random.default_rng(0).permutation(3)),
    "in place with a tensor": (TypeError, lambda: operator.iadd(make(3), Deferring())),
    "in place with what answers": (TypeError, lambda: operator.iadd(make(3), Answering())),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what):
    error, attempt = REFUSED[what]
    with pytest.raises(error):
        attempt()


def test_an_operand_that_takes_over_is_asked():
    assert V + Deferring() == "deferred"


@pytest.mark.parametrize(
    ("operation", "name"),
    [(operator.add, "add"), (operator.matmul, "matmul"), (operator.lt, "less"), (operator.eq, "equal")],
)
def test_an_operand_that_answers_universal_functions_is_asked_by_numpy(operation, name):
    assert operation(V, Answering()) == f"{name} __call__ ['ndarray', 'Answering'] []"


# Numbers, dtypes, results.


@pytest.mark.parametrize(
    "result",
    [
        V.sum(), V.max(), xp.mean(A), xp.argmax(V), xp.any(V), xp.dot(V, V), xp.linalg.norm(V), V[0], A[1, 2], V[0] + 1,
        xp.exp(1.0), xp.array_equal(V, V), xp.allclose(V, V), xp.count_nonzero(V), V[0] > V[1], -V[0],
        xp.random.default_rng(0).random(), xp.linalg.slogdet(make(2, 2))[0],
    ],
)  # fmt: skip
def test_results_without_axes_stay_arrays(result):
    assert type(result) is xp.ndarray
    assert result.shape == ()


@pytest.mark.parametrize("other", [2, 2.5, True, np.float32(2), np.float64(2), np.int64(2), np.float16(2)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("function", [operator.mul, operator.truediv, lambda a, b: b + a])
def test_numbers_promote_as_in_numpy(function, dtype, other):
    host = np.ones(2, dtype)
    assert function(xp.asarray(host), other).dtype == function(host, other).dtype
    zero_d = np.ones((), dtype)  # NumPy makes scalars of these; both are strong
    assert function(xp.asarray(zero_d), other).dtype == function(zero_d, other).dtype
    assert (xp.asarray(zero_d) * xp.ones(2, "float32")).dtype == (zero_d * np.ones(2, "float32")).dtype


def test_no_warnings_and_no_errors_about_numbers():
    zero = xp.zeros(2)
    assert np.isnan((zero / zero).get()).all()
    assert np.isinf(xp.log(zero).get()).all()
    assert np.isnan(float(xp.mean(xp.zeros(0))))
    zero /= 0.0


SINGULAR = {
    "inv": lambda a: xp.linalg.inv(a),
    "solve": lambda a: xp.linalg.solve(a, xp.ones(3)),
    "cholesky": lambda a: xp.linalg.cholesky(a - xp.eye(3)),
    "eigh": lambda a: xp.linalg.eigh(a * xp.nan)[0],
    "svd": lambda a: xp.linalg.svd(a * xp.nan)[1],
}


@pytest.mark.parametrize("name", SINGULAR)
def test_linear_algebra_answers_nan_where_there_is_no_answer(name):
    assert np.isnan(SINGULAR[name](xp.zeros((3, 3))).get()).any()


def test_factors_are_plain_tuples():
    assert type(xp.linalg.eigh(xp.eye(2))) is tuple


def test_fresh_memory_is_not_zero():
    assert np.isnan(xp.empty(2).get()).all()
    assert xp.empty_like(xp.zeros(2, "int64")).get().all()


# Indexing.


def test_what_is_out_of_range_wraps_around():
    far = xp.asarray([3, -4, 7])
    assert V[far].tolist() == [1.0, 3.0, 2.0] == V.take(far).tolist() == xp.take_along_axis(V, far, 0).tolist()
    target = xp.zeros(3)
    target[far] = 1.0
    xp.add.at(target, far, 1.0)
    assert target.tolist() == [2.0, 2.0, 2.0]


def test_of_duplicates_another_one_wins_than_in_numpy():
    index, values = np.array([0, 0, 1]), np.array([1.0, 2.0, 3.0])
    host, double, along = np.zeros(2), xp.zeros(2), xp.zeros(2)
    host[index] = values
    double[xp.asarray(index)] = xp.asarray(values)
    xp.put_along_axis(along, xp.asarray(index), xp.asarray(values), 0)
    assert host.tolist() == [2.0, 3.0]
    assert double.tolist() == along.tolist() == [1.0, 3.0]


def test_add_at_adds_once_for_each_mention():
    target = xp.zeros(2)
    xp.add.at(target, xp.asarray([0, 0, 1]), xp.asarray([1.0, 2.0, 3.0]))
    assert target.tolist() == [3.0, 3.0]


indices = st.one_of(
    hnp.basic_indices((4, 3, 2), allow_newaxis=True),
    hnp.integer_array_indices((4, 3, 2)),
    hnp.arrays(bool, st.sampled_from([(4,), (4, 3)])),
)


def upload(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(upload(item) for item in index)
    return xp.asarray(index) if isinstance(index, np.ndarray) else index


@given(indices, st.booleans())
def test_indexing_agrees_with_numpy(index, transposed):
    host = np.arange(24.0).reshape(2, 3, 4).T if transposed else np.arange(24.0).reshape(4, 3, 2)
    double = xp.asarray(host)
    expected = host[index]
    assert double[upload(index)].shape == expected.shape
    assert double[upload(index)].tolist() == expected.tolist()
    host[index] = -1.0
    double[upload(index)] = -1.0
    assert double.tolist() == host.tolist()


# Memory and devices.


def test_views_know_their_owner_and_copies_have_none():
    assert (
        A.T.base
        is A[0].base
        is A[0, 1].base
        is A.T[0].base
        is A.reshape(6).base
        is xp.broadcast_to(A, (4, 2, 3)).base
        is A
    )
    assert (
        A.base is A.copy().base is A[xp.asarray([0])].base is (A + 1).base is A.sum(axis=0, keepdims=True).base is None
    )
    array = make(3)
    assert operator.iadd(array, 1) is xp.exp(array, out=array) is array.astype("float32", copy=False) is array
    window = xp.lib.stride_tricks.sliding_window_view(V, 2)
    assert window.base is V
    low, high = xp.byte_bounds(V)
    assert high - low == V.nbytes
    assert xp.byte_bounds(V[1:]) == (low + V.itemsize, high)


def test_the_host_and_the_device_share_no_memory():
    host = np.zeros(2)
    double = xp.asarray(host)
    host[:] = 1.0
    double.get()[:] = 2.0
    xp.asnumpy(double)[:] = 3.0
    assert double.tolist() == [0.0, 0.0]


def test_arrays_can_be_referenced_weakly_copied_and_pickled():
    array = make(2, 3)
    twin, again = copy.deepcopy(array), pickle.loads(pickle.dumps(array))
    assert twin.tolist() == again.tolist() == array.tolist()
    reference = weakref.ref(array)
    del array
    assert reference() is None


def on_second() -> Array:
    with strict_double.Device(1):
        return xp.ones(3)


ON_ANOTHER_DEVICE = {
    "two devices": lambda a: a + xp.ones(3),
    "not the current one": lambda a: a + 1,
    "a function": lambda a: a.sum(),
    "two devices in a function": lambda a: xp.concatenate([a, xp.ones(3)]),
    "in place": lambda a: operator.iadd(a, 1),
    "an index": lambda a: a[xp.asarray([0])],
    "an assignment": lambda a: operator.setitem(a, 0, 1.0),
    "assigning from another device": lambda a: operator.setitem(xp.ones(3), slice(None), a),
    "a scatter": lambda a: xp.add.at(a, xp.asarray([0]), 1.0),
    "a mask": lambda a: xp.where(a > 0, xp.ones(3), 0.0),
    "a fill": lambda a: a.fill(1.0),
}


@pytest.mark.parametrize("what", ON_ANOTHER_DEVICE)
def test_work_on_memory_of_another_device_is_refused(what):
    with pytest.raises(ValueError, match="is different from the current device"):
        ON_ANOTHER_DEVICE[what](on_second())


def test_views_copies_and_transfers_need_no_particular_device():
    array = on_second()
    assert array.device.id == array[1:].device.id == array.reshape(1, 3).device.id == copy.copy(array).device.id == 1
    assert array.get().tolist() == [1.0, 1.0, 1.0]
    assert array.copy().device.id == xp.array(array).device.id == xp.asarray(array).device.id == 0
    with strict_double.Device(1):
        assert (array + 1).device.id == 1
    with pytest.raises(RuntimeError, match="invalid device"):
        strict_double.Device(2)


# Waiting, and random numbers.

WAITING = {
    "float()": lambda: float(V[0]),
    "int()": lambda: int(V[0]),
    "bool()": lambda: bool(V[0]),
    "item()": lambda: V[0].item(),
    "get()": lambda: xp.asnumpy(V),
    "tolist()": lambda: V.tolist(),
    "repr()": lambda: repr(V),
    "nonzero()": lambda: V.nonzero(),
    "a boolean index": lambda: V[V > 1],
    "unique()": lambda: xp.unique(V),
    "tobytes()": lambda: V.tobytes(),
}


@pytest.mark.parametrize("what", WAITING)
def test_waiting_for_the_device_is_seen(what):
    with synchronizations() as events:
        (V + V).sum(axis=0)
        V[1:].T.reshape(1, 2)
        V[xp.asarray([0, 2])] @ V[:2]
    assert not events
    with synchronizations() as events:
        WAITING[what]()
    assert len(events) == 1
    assert events[0].startswith(what)
    assert "test_strict_double.py" in events[0]


def test_random_numbers_follow_the_seed_and_are_not_numpys():
    draws = [xp.random.default_rng(seed).random(5).tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert draws[0] != np.random.default_rng(0).random(5).tolist()
    generator = xp.random.default_rng(0)
    assert generator.standard_normal((2, 3), dtype="float32").dtype == np.float32
    assert set(generator.integers(0, 2, size=(50,)).tolist()) == {0, 1}
    assert generator.uniform(-1.0, 1.0, (4,)).shape == generator.exponential(size=4).shape == (4,)
