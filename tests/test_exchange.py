"""Tensors go to other libraries and files, and come back: DLPack, copies, pickles; and what importing brings along."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import errors

DTYPES = ["float16", "float32", "float64", "int32", "int64", "bool", "uint8"]
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda a: a, "transposed": lambda a: a.T, "every second": lambda a: a[::2, 1::2],
    "no axes": lambda a: a[0, 0, ...], "no elements": lambda a: a[:0],
    "repeated": lambda a: np.broadcast_to(a, (2, 4, 6)),
}  # fmt: skip


def numbers(dtype: str) -> np.ndarray:
    return (np.arange(24).reshape(4, 6) % 5).astype(dtype)


# DLPack.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_is_shared_with_numpy(dtype, layout):
    array = LAYOUTS[layout](numbers(dtype))
    there = np.from_dlpack(tg.Tensor(array))
    assert (there.dtype, there.shape, there.strides) == (array.dtype, array.shape, array.strides)
    assert np.array_equal(there, array)
    assert np.shares_memory(there, array) or not array.size
    if array.flags.writeable:
        back = tg.from_dlpack(array)
        assert np.shares_memory(back.data, array) or not array.size
        assert np.array_equal(back.data, array)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_is_shared_with_pytorch(dtype, layout):
    torch = pytest.importorskip("torch")
    array = LAYOUTS[layout](numbers(dtype))
    there = torch.from_dlpack(tg.Tensor(array))
    assert np.array_equal(there.numpy(), array)
    assert tuple(there.shape) == array.shape
    assert there.data_ptr() == array.ctypes.data or not array.size
    back = tg.from_dlpack(LAYOUTS[layout](torch.from_numpy(numbers(dtype))) if layout == "transposed" else there)
    assert np.array_equal(back.data, array)


def test_writes_are_seen_on_both_sides():
    torch = pytest.importorskip("torch")
    theirs = torch.zeros(3)
    ours = tg.from_dlpack(theirs)
    theirs[0] = 5.0
    ours.data[1] = 7.0
    assert ours.tolist() == theirs.tolist() == [5.0, 7.0, 0.0]
    assert ours.requires_grad_().is_leaf


def test_memory_that_runs_backwards_is_copied():
    array = numbers("float32")[:, ::-1]
    t = tg.Tensor(array)
    assert np.array_equal(np.from_dlpack(t), array)
    with pytest.raises(BufferError, match=r"backwards in memory .* tg\.copy"):
        np.from_dlpack(t, copy=False)


def test_copies_are_made_on_request():
    array = numbers("float32")
    assert not np.shares_memory(tg.from_dlpack(array, copy=True).data, array)
    assert np.shares_memory(tg.from_dlpack(array, copy=False).data, array)
    assert np.shares_memory(tg.from_dlpack(array, device="cpu").data, array)
    assert not np.shares_memory(np.from_dlpack(tg.Tensor(array), copy=True), array)


def test_read_only_memory_stays_so():
    array = numbers("float32")
    array.setflags(write=False)
    assert not np.from_dlpack(tg.Tensor(array)).flags.writeable
    assert not tg.from_dlpack(array).data.flags.writeable


def test_a_tensor_on_the_host_says_so():
    t = tg.tensor([1.0])
    assert t.__dlpack_device__() == (1, 0)
    assert tg.from_dlpack(t).data is not None
    assert np.shares_memory(tg.from_dlpack(t).data, t.data)


@pytest.mark.parametrize(
    ("attempt", "error", "words"),
    [
        (lambda: np.from_dlpack(tg.ones(2, requires_grad=True)), BufferError, r"export t\.detach\(\)"),
        (lambda: tg.from_dlpack(tg.ones(2, requires_grad=True)), BufferError, r"export t\.detach\(\)"),
        (lambda: np.from_dlpack(tg.ones(2, requires_grad=True) * 2), BufferError, r"export t\.detach\(\)"),
        (lambda: tg.from_dlpack([1.0]), TypeError, r"a list does not offer its memory .* tg\.tensor"),
        (lambda: tg.from_dlpack(np.zeros(2, "complex64")), TypeError, "complex"),
        (lambda: tg.from_dlpack(np.zeros(2), copy="yes"), TypeError, "copy is True, False or None"),
        (lambda: tg.from_dlpack(np.zeros(2), device="nowhere"), ValueError, "unknown device"),
    ],
)
def test_exports_and_imports_are_refused(attempt, error, words):
    with pytest.raises(error, match=words):
        attempt()


def test_a_tensor_of_pytorch_that_requires_gradients_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(BufferError, match="detach"):
        tg.from_dlpack(torch.zeros(2, requires_grad=True))
    with pytest.raises(TypeError, match="Convert the array to float32"):
        tg.from_dlpack(torch.zeros(2, dtype=torch.bfloat16))


def test_copy_false_does_not_move_between_devices(device):
    if device == "cpu":
        assert tg.from_dlpack(np.ones(2), device=device, copy=False).device == "cpu"
        return
    assert tg.from_dlpack(np.ones(2), device=device).device == tg.ones(1, device=device).device
    with pytest.raises(BufferError, match="copy=False cannot bring it"):
        tg.from_dlpack(np.ones(2), device=device, copy=False)


# Copies and pickles.

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {p}": lambda t, p=p: pickle.loads(pickle.dumps(t, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)},
}
LEAVES: dict[str, Callable[[], tg.Tensor]] = {
    "leaf": lambda: tg.tensor([1.0, 2.0], requires_grad=True),
    "constant": lambda: tg.Tensor(numbers("float64").T[::2]),
    "parameter": lambda: tg.nn.Parameter(tg.ones((2, 3))),
    "frozen parameter": lambda: tg.nn.Parameter(tg.ones(2), requires_grad=False),
    "float16": lambda: tg.zeros((0, 2), dtype=tg.float16, requires_grad=True),
    "bool": lambda: tg.tensor([True, False]),
    "number": lambda: tg.tensor(3),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", LEAVES)
@pytest.mark.parametrize("named", [False, True])
def test_a_twin_has_all_that_a_leaf_has(way, kind, named):
    t = LEAVES[kind]()
    t.name = "weight" if named else None
    if t.requires_grad:
        (t * t).sum().backward()
    twin = COPIES[way](t)
    assert type(twin) is type(t)
    assert (twin.dtype, twin.shape, twin.requires_grad, twin.name) == (t.dtype, t.shape, t.requires_grad, t.name)
    assert np.array_equal(twin.data, t.data)
    assert not np.shares_memory(twin.data, t.data)
    if t.requires_grad:
        assert np.array_equal(twin.grad.data, t.grad.data)
        assert not np.shares_memory(twin.grad.data, t.grad.data)
        (twin * 3).sum().backward()
        assert np.array_equal(t.grad.data, 2 * t.data)


@pytest.mark.parametrize("way", [way for way in COPIES if way != "copy"])
def test_what_is_shared_stays_shared(way):
    t = tg.tensor([1.0], requires_grad=True)
    twins = COPIES[way]({"a": t, "b": [t]})
    assert twins["a"] is twins["b"][0]


@pytest.mark.parametrize("way", COPIES)
def test_results_are_refused(way):
    y = tg.tensor([1.0], requires_grad=True) * 2
    with pytest.raises(errors.GraphError, match=r"only leaves can be (copied|pickled); write y\.detach\(\)"):
        COPIES[way](y)


def test_a_tensor_of_a_device_that_is_not_there_says_so(monkeypatch):
    state = pickle.dumps(tg.tensor([1.0]))
    monkeypatch.setattr(tg.Tensor, "device", "nodevice:3")
    elsewhere = pickle.dumps(tg.tensor([1.0]))
    monkeypatch.undo()
    assert pickle.loads(state).tolist() == [1.0]
    with pytest.raises((errors.DeviceUnavailableError, ValueError)):
        pickle.loads(elsewhere)
    monkeypatch.setattr(tg.Tensor, "device", "cuda:99")
    elsewhere = pickle.dumps(tg.tensor([1.0]))
    monkeypatch.undo()
    with pytest.raises(errors.DeviceUnavailableError, match=r"goes back to the device .* write it as t\.cpu\(\)"):
        pickle.loads(elsewhere)


# Importing.

HEAVY = {
    "tempfile", "subprocess", "urllib", "hashlib", "secrets", "importlib.resources", "numpy.random", "numpy.ma",
    "tinygrad_opt.viz", "tinygrad_opt.testing", "cupy", "numba", "matplotlib", "tqdm", "scipy",
}  # fmt: skip


def test_importing_brings_nothing_along_that_takes_long():
    program = "import sys, numpy; before = {*sys.modules}; import tinygrad_opt; print(*({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_what_is_imported_when_used_is_there():
    program = (
        "import tinygrad_opt as tg; assert {'viz', 'testing'} <= {*dir(tg)}; tg.viz.graph; tg.testing.gradcheck\n"
        "from tinygrad_opt import *; viz.graph\n"
        "try: tg.nothing\nexcept AttributeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "module 'tinygrad_opt' has no attribute 'nothing'"
