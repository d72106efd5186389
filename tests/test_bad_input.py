"""Every operation, fed with what it cannot take: it answers as NumPy does, or says what is wrong in its own name.

A good call from the table of specifications is spoilt in one place: an argument of another type, dtype or shape, an
axis that is not there, metadata of the wrong kind. Allowed is a result that the NumPy reference gives too, or an error
of one of a few types that names the operation. Not allowed is a result where the reference raises, or an error that
comes from somewhere inside.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_opt as tg
from properties import host
from tinygrad_opt import backend, errors, ops
from tinygrad_opt.testing.sources import RandomSource, Source
from tinygrad_opt.testing.specs import SPECS, Sample

PUBLIC = [
    name
    for name, spec in SPECS.items()
    if name in ops.__all__ or (name.removeprefix("linalg.") in ops.linalg.__all__ and spec.function is None)
]
ALLOWED = (TypeError, ValueError, IndexError, np.linalg.LinAlgError, errors.DeviceError, ZeroDivisionError)

# Where ours answers, and NumPy's (or the table's) does not, or otherwise.
BEYOND = {
    "median": "NumPy's fails to reshape an array without elements",
    "quantile": "the same",
    "percentile": "the same",
    "gradient": "at places that coincide there is no slope: nan or infinite",
}

# What inner operation may be named: a negative power is one of the inverse; knots are compared with places.
INNER = {"linalg.matrix_power": {"inv"}, "interp": {"equal"}}

# What a caller might pass by mistake in place of an array.
STRANGERS: dict[str, Any] = {
    "None": None,
    "a string": "text",
    "an object": object(),
    "a dict": {"a": 1.0},
    "a complex number": 1j,
    "a list of strings": ["a", "b"],
    "a ragged list": [[1.0, 2.0], [3.0]],
    "a function": len,
    "an array of complex numbers": np.ones((2, 2), dtype=complex),
    "an array of objects": np.array([None, 1], dtype=object),
    "an array of strings": np.array(["a", "b"]),
    "an array of dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
}
# And in place of an axis, a shape, a number or a flag.
VALUES: list[Any] = [
    None,
    -9,
    9,
    1.5,
    -1,
    0,
    "text",
    (0, 0),
    (9, 9, 9, 9),
    (),
    [],
    (1.5,),
    object(),
    1j,
    {"a": 1},
    np.ones(2),
]


def reshaped(array: Any, source: Source) -> Any:
    """The array with one side longer or gone, with an axis more or less, or with nothing in it."""
    ways = ["more axes", "empty"] + (["longer", "fewer axes"] if array.ndim else [])
    way = source.choose(ways)
    if way == "more axes":
        return np.stack([array, array, array])
    if way == "empty":
        return array.reshape(-1)[:0]
    if way == "fewer axes":
        with np.errstate(all="ignore"):  # infinities of both signs
            return array.sum(0).astype(array.dtype)
    axis = source.integer(0, array.ndim - 1)
    return np.concatenate([array, np.ones((*array.shape[:axis], 1, *array.shape[axis + 1 :]), array.dtype)], axis)


def spoilt(spec: Any, sample: Sample, source: Source) -> tuple[list[Any], dict[str, Any], str]:
    """The arguments of a call with one of them spoilt, and which."""
    args, meta = list(sample.args), dict(sample.meta)
    keys = [key for key, value in meta.items() if not isinstance(value, bool) and takes(spec, key)]
    place = source.choose([*range(len(args)), *keys])
    if isinstance(place, str):
        meta[place] = source.choose(VALUES)
        return args, meta, f"{place}={meta[place]!r}"
    if isinstance(args[place], np.ndarray) and source.flip():
        if source.flip():
            args[place] = reshaped(args[place], source)
        else:
            with np.errstate(all="ignore"):
                args[place] = args[place].astype(source.choose(["int64", "bool", "float16", "uint8"]))
        return args, meta, f"argument {place}: {args[place].shape} {args[place].dtype}"
    what = source.choose(list(STRANGERS))
    args[place] = STRANGERS[what]
    return args, meta, f"argument {place}: {what}"


def public(name: str) -> Any:
    """The public function of that name."""
    return getattr(ops, name.removeprefix("linalg."), None) or getattr(ops.linalg, name.removeprefix("linalg."))


def takes(spec: Any, key: str) -> bool:
    """Whether an argument that the table calls it with is one of the public function, or only one of the table's."""
    return spec.function is None or key in inspect.signature(public(spec.name)).parameters


def on(device: str, value: Any) -> Any:
    """An array as a tensor on the device, where it can be one."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return tg.Tensor(backend.to_device(value, device))
    return value


def answer(function: Any, args: list[Any], meta: dict[str, Any]) -> Any:
    """The result of a call, or the exception that it raises."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **meta)
        except Exception as error:
            return error


def leaves(result: Any) -> list[Any]:
    """The arrays of a result, which may be a tuple or a list of them."""
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in leaves(part)]
    return [host(result) if hasattr(result, "_array") else np.asarray(result)]


def names(spec: Any) -> set[str]:
    """What an error may call an operation."""
    called = getattr(spec.function, "__code__", None)  # a composition of public functions, which the table makes
    more = INNER.get(spec.name, set())
    inner = {name for name in called.co_names if name in ops.__all__} if called else set()
    return {spec.name.rpartition(".")[2], spec.recorded.name, getattr(spec.call, "__name__", spec.name)} | inner | more


@pytest.mark.parametrize("name", PUBLIC)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_what_does_not_fit_is_refused_by_name(name, device, seed):
    check(name, device, RandomSource(seed, device=device))


def test_what_is_made_to_fit_badly_is_made_in_silence():
    check("logical_not", "cpu", RandomSource(7591556, device="cpu"))  # a sum of infinities of both signs


def check(name: str, device: str, source: Source) -> None:
    """One bad call: refused by name, or answered as by the reference."""
    spec = SPECS[name]
    args, meta, where = spoilt(spec, spec.sample(source), source)
    if isinstance(axis := meta.get("axis"), list):  # which NumPy takes as a tuple only
        expected = answer(spec.reference, args, {**meta, "axis": tuple(axis)})
    else:
        expected = answer(spec.reference, args, meta)
    found = answer(spec.call, [on(device, x) for x in args], {k: on(device, v) for k, v in meta.items()})
    if isinstance(found, Exception):
        assert isinstance(found, ALLOWED), f"{where}: {type(found).__name__}: {found}"
        said = str(found)
        assert any(known in said for known in names(spec)), f"{where}: the error does not name {name}: {said}"
        return
    if name in BEYOND:
        return
    assert not isinstance(expected, Exception), f"{where}: a result, where the reference raises {expected!r}"
    ours, theirs = leaves(found), leaves(expected)
    assert [x.shape for x in ours] == [x.shape for x in theirs], where
    for a, b in zip(ours, theirs, strict=True):
        dtypes = {str(x.dtype) for x in (a, b, *args) if hasattr(x, "dtype")}
        if a.dtype.kind in "biuf" and b.dtype.kind in "biuf" and "float16" not in dtypes:  # where references overflow
            tolerance = 1e-4 if "float32" in dtypes else 1e-9
            assert np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True), where
