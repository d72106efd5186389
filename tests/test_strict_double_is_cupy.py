"""The double offers CuPy's names with CuPy's parameters, and its views and refusals are CuPy's.

Compared with the real library where that is installed. No GPU is needed: names, parameters and the types of functions
are known without one, and so are the views of an array that is laid over host memory.
"""

from __future__ import annotations

import inspect
import itertools
import operator
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from strict_double import library as xp
from strict_double import names
from strict_double.functions import OWN

Array = Any


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


@pytest.fixture(scope="module")
def cupy():
    return pytest.importorskip("cupy", reason="the real CuPy is not installed")


def spelled(signature: inspect.Signature) -> list[tuple[str, Any, bool]]:
    return [(p.name, p.kind, p.default is not p.empty) for p in signature.parameters.values() if p.name != "self"]


def real_signature(function: Any) -> inspect.Signature:
    """The signature, or what the docstring of a compiled function says of it."""
    try:
        return inspect.signature(function)
    except ValueError:
        inner = function.__doc__.partition("(")[2].partition("\n")[0].rpartition(")")[0]
        words = [part.partition("=") for part in inner.split(", ")]
        plain = [name.split()[-1] + equals for name, equals, _ in words if name not in ("", "self")]
        return names.signature(", ".join(plain))


def found(library: Any, section: str) -> Any:
    path = {"ndarray attributes": "ndarray", "linalg": "linalg", "ndarray": "ndarray"}
    path |= {name: name for name in ("lib.stride_tricks", "random", "random.Generator")}
    return operator.attrgetter(path[section])(library) if section in path else library


def test_names_and_parameters_are_cupys(cupy):
    wrong = []
    for section in names.SECTIONS:
        where = found(cupy, section)
        if section in ("values", "ufuncs", "ndarray attributes"):
            wrong += [name for name in names.words(section) if not hasattr(where, name)]
            continue
        for name, signature in names.signatures(section).items():
            if spelled(signature) != spelled(real_signature(getattr(where, name))):
                wrong.append(f"{section}.{name}")
    assert wrong == []
    assert all(isinstance(getattr(cupy, name), cupy.ufunc) for name in names.words("ufuncs"))


# CuPy computes with truth values where NumPy refuses: the stricter one is right here.
REFUSED_BY_NUMPY = {"gcd", "lcm", "negative", "positive", "sign", "subtract"}


def computed(function: Any, kinds: Iterable[str]) -> list[np.dtype] | None:
    """The dtypes of what the double's function gives for arrays of these kinds; None where it refuses."""
    try:
        results = function(*(xp.ones(1, kind) for kind in kinds))
    except TypeError:
        return None
    return [y.dtype for y in (results if isinstance(results, tuple) else (results,))]


def promised(real: Any, kinds: Iterable[str]) -> list[np.dtype] | None:
    """The dtypes that the first fitting loop of CuPy's function gives; None where no loop fits."""
    loops = (loop.split("->") for loop in real.types)
    return next(([*map(np.dtype, out)] for into, out in loops if all(map(np.can_cast, kinds, into))), None)


def test_dtypes_of_results_are_cupys(cupy):
    wrong = []
    for name in sorted(names.words("ufuncs")):
        function, real = getattr(xp, name), getattr(cupy, name)
        for kinds in itertools.product("?bilefd", repeat=real.nin):
            got, expected = computed(function, kinds), promised(real, kinds)
            stricter = got is None and name in REFUSED_BY_NUMPY and "?" in kinds
            if got != expected and not stricter:
                wrong.append((name, kinds, got, expected))
    assert wrong == []


def test_the_list_is_what_the_double_offers():
    listed = {name for section in ("values", "ufuncs") for name in names.words(section)} | set(
        names.signatures("functions")
    )
    offered = set(vars(xp)) - {"ndarray", "ufunc", "linalg", "lib", "random", "cuda"}
    assert offered <= listed
    public = {name for name in dir(xp.ndarray) if not name.startswith("_")}
    assert public == set(names.signatures("ndarray")) | names.words("ndarray attributes")
    for name, function in OWN.items():
        assert [p[0] for p in spelled(names.signatures("functions")[name])] == list(
            inspect.signature(function).parameters
        )


def over_host_memory(cupy: Any, *shape: int) -> Array:
    """An array whose shape, strides and owner can be asked for without a GPU; its values cannot."""
    host = np.zeros(shape, "float32")
    memory = cupy.cuda.UnownedMemory(host.ctypes.data, host.nbytes, host, 0)
    return cupy.ndarray(shape, "float32", cupy.cuda.MemoryPointer(memory, 0))


ABOUT_VIEWS = {
    "T": lambda xp, a: a.T,
    "mT": lambda xp, a: a.mT,
    "reshape": lambda xp, a: a.reshape(-1),
    "all": lambda xp, a: a[...],
    "reshape to the same": lambda xp, a: a.reshape(a.shape),
    "ravel": lambda xp, a: a.ravel(),
    "reversed": lambda xp, a: a[::-1],
    "view of a view": lambda xp, a: a.T[...],
    "an element": lambda xp, a: a[(0,) * a.ndim],
    "new axis": lambda xp, a: a[None],
    "broadcast": lambda xp, a: xp.broadcast_to(a, (2, *a.shape)),
    "to the same": lambda xp, a: xp.broadcast_to(a, a.shape),
    "squeeze": lambda xp, a: a.squeeze(),
    "expand": lambda xp, a: xp.expand_dims(a, 0),
    "astype": lambda xp, a: a.astype("f4", copy=False),
    "transpose": lambda xp, a: a.transpose(tuple(range(a.ndim))),
    "diagonal": lambda xp, a: xp.diagonal(a),
    "len": lambda xp, a: len(a),
    "out of range": lambda xp, a: a[9],
    "too many": lambda xp, a: a[0, 0, 0, 0],
    "convert": lambda xp, a: np.asarray(a),
    "hash": lambda xp, a: hash(a),
    "index": lambda xp, a: operator.index(a),
    "flags": lambda xp, a: a.flags.writeable,
    "layout": lambda xp, a: a.T.flags.c_contiguous,
    "setflags": lambda xp, a: a.setflags(),
    "owns": lambda xp, a: a.T.flags.owndata,
    "iterate": lambda xp, a: len(list(a)),
    "defer": lambda xp, a: a + Deferring(),
    "answered": lambda xp, a: a + Answering(),
    "answered minus": lambda xp, a: a - Answering(),
    "answered product": lambda xp, a: a @ Answering(),
    "answered comparison": lambda xp, a: a < Answering(),
    "answered equality": lambda xp, a: a == Answering(),
    "listed": lambda xp, a: xp.where(True, a, a),
    "masked": lambda xp, a: xp.exp(a, where=True),
    "reduce": lambda xp, a: xp.maximum.reduce(a),
    "at": lambda xp, a: xp.multiply.at(a, [0], 1.0),
    "weakly": lambda xp, a: weakref.ref(a)() is a,
    "attribute": lambda xp, a: setattr(a, "name", 1),
}


def described(library: Any, array: Array, question: Any) -> Any:
    try:
        answer = question(library, array)
    except Exception as error:
        return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
    if not isinstance(answer, library.ndarray):
        return answer if isinstance(answer, (int, str, bool)) else type(answer).__name__
    base = "none" if answer.base is None else "the array" if answer.base is array else "another"
    strides = [step for step, n in zip(answer.strides, answer.shape, strict=True) if n > 1]
    return answer is array, base, answer.shape, strides, answer.dtype


@pytest.mark.parametrize("shape", [(2, 3), (3,), (1, 2, 1), ()])
def test_views_and_refusals_are_cupys(cupy, shape):
    real = cupy.zeros(shape, "float32") if cupy.is_available() else over_host_memory(cupy, *shape)
    double = xp.zeros(shape, "float32")
    differences = {
        what: (said, expected)
        for what, question in ABOUT_VIEWS.items()
        if (said := described(xp, double, question)) != (expected := described(cupy, real, question))
    }
    assert differences == {}
