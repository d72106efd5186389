"""Devices: their names, why one cannot be had, moves between them, random numbers, and tensors that do not mix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from tinygrad_opt import backend, errors
from tinygrad_opt.core.primitive import REGISTRY

Array = Any


def on_host(x: Any) -> Array:
    array = getattr(x, "_array", x)
    return backend.of(array).to_host(array)


# Names.


@pytest.mark.parametrize(
    ("name", "full"),
    [(None, "cpu"), ("cpu", "cpu"), ("double", "double:0"), ("double:1", "double:1"), ("double:01", "double:1")],
)
def test_a_device_has_one_full_name(name, full):
    assert backend.resolve(name) == full
    assert tg.zeros(2, device=name).device == full


def test_a_device_without_a_number_is_the_current_one():
    with strict_double.Device(1):
        assert backend.resolve("double") == "double:1"


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("double:2", errors.DeviceUnavailableError, r"has 2 such device\(s\). Write 'double:0' to 'double:1'"),
        ("double:", errors.DeviceUnavailableError, "'double:' is not available"),
        ("double:-1", errors.DeviceUnavailableError, "'double:-1' is not available"),
        ("cpu:0", errors.DeviceUnavailableError, "Write 'cpu'"),
        ("tpu", ValueError, "unknown device 'tpu'; write 'cpu', 'cuda', 'cuda:1' or 'auto'"),
        ("", ValueError, "unknown device ''"),
        (0, TypeError, "device must be a string such as 'cpu' or 'cuda:0'; got 0"),
    ],
)
def test_a_bad_name_is_explained(name, error, said):
    with pytest.raises(error, match=said):
        tg.zeros(2, device=name)


# A GPU that cannot be had. The modules named cupy below are fakes.


@pytest.fixture
def fake_cupy(tmp_path, monkeypatch):
    """A function that puts a module named ``cupy`` with the given source where ``import cupy`` finds it."""
    monkeypatch.setattr(backend, "_by_kind", {k: v for k, v in backend._by_kind.items() if k != "cuda"})
    monkeypatch.setattr(backend, "_by_array", dict(backend._by_array))
    before = sys.modules.pop("cupy", None)

    def put(source: str) -> None:
        (tmp_path / "cupy.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)

    yield put
    sys.modules.pop("cupy", None)
    if before is not None:
        sys.modules["cupy"] = before


def with_devices(count: str, arange: str = "pass") -> str:
    """The source of a fake that has this many devices and this way to make an array."""
    return f"""
class runtime:
    def getDeviceCount():
        {count}
class cuda:
    runtime = runtime
def arange(*_, **__):
    {arange}
"""


NO_DRIVER = "raise RuntimeError('cudaErrorInsufficientDriver: CUDA driver version is insufficient')"
NO_NVRTC = "raise RuntimeError('CuPy failed to load libnvrtc.so.12: OSError: cannot open shared object file')"
FAULT = "raise RuntimeError('cudaErrorIllegalAddress: an illegal memory access was encountered')"
REMEDIES = {
    "not installed": "pip install 'tinygrad_opt[cuda12]'",
    "driver": "nvidia-smi",
    "libraries": "pip install 'cupy-cuda12x[ctk]'",
    "broken": "pip install --force-reinstall cupy-cuda12x",
    "other": "python -c 'import cupy; cupy.show_config()'",
}
CAUSES = {
    "no driver": (with_devices(NO_DRIVER), "no NVIDIA driver or no GPU (cudaErrorInsufficientDriver", "driver"),
    "no device": (with_devices("return 0"), "no NVIDIA driver or no GPU.", "driver"),
    "libraries missing": (with_devices("return 1", NO_NVRTC), "CUDA libraries are missing (CuPy failed", "libraries"),
    "libraries missing at import": (
        "raise ImportError('libcublas.so.12: cannot open')", "CUDA libraries are missing (libcublas", "libraries",
    ),
    "libraries missing on Windows": (
        "raise ImportError('DLL load failed while importing runtime')", "CUDA libraries are missing", "libraries",
    ),
    "a faulty GPU": (with_devices("return 1", FAULT), "the GPU fails a first computation (cudaErrorIllegal", "other"),
    "half a CuPy": ("import cupy_backends_that_are_missing", "CuPy cannot be imported (No module named", "broken"),
    "an unfit CuPy": ("raise AttributeError('_ARRAY_API not found')", "CuPy cannot be imported (_ARRAY_API", "broken"),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_an_unavailable_gpu_is_explained_with_the_command_that_helps(fake_cupy, cause):
    source, said, remedy = CAUSES[cause]
    fake_cupy(source)
    with pytest.raises(errors.DeviceUnavailableError) as caught:
        backend.resolve("cuda")
    message = str(caught.value)
    assert message.startswith("device 'cuda' is not available: ")
    assert said in message
    assert [kind for kind, command in REMEDIES.items() if command in message] == [remedy]
    assert backend.resolve("auto") == "cpu"
    assert not tg.cuda.is_available()


def test_a_missing_cupy_is_explained(fake_cupy, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(errors.DeviceUnavailableError) as caught:
        tg.zeros(2, device="cuda")
    assert "CuPy is not installed" in str(caught.value)
    assert REMEDIES["not installed"] in str(caught.value)
    assert tg.zeros(2, device="auto").device == "cpu"


def test_a_gpu_that_works_is_found(fake_cupy):
    fake_cupy("import strict_double\nglobals().update(vars(strict_double.library))")
    assert backend.resolve("auto") == "cuda:0"
    assert tg.cuda.is_available()
    assert tg.asarray(np.zeros(2), device="cuda:1").device == "cuda:1"
    with pytest.raises(errors.DeviceUnavailableError, match=r"Write 'cuda:0' to 'cuda:1'"):
        backend.resolve("cuda:2")


def test_the_real_cupy_without_a_gpu():
    cupy = pytest.importorskip("cupy", reason="the real CuPy is not installed")
    if cupy.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(errors.DeviceUnavailableError, match="no NVIDIA driver or no GPU"):
        backend.resolve("cuda")
    assert tg.zeros(2, device="auto").device == "cpu"


def test_the_package_imports_numpy_and_nothing_else():
    code = """
import sys, numpy, numpy.random, numpy.linalg, numpy.fft
before = set(sys.modules)
import tinygrad_opt as tg
tg.tensor([1.0], requires_grad=True).sum().backward()
new = {name.partition('.')[0] for name in set(sys.modules) - before}
print(*sorted(new - sys.stdlib_module_names - {'numpy'}))
"""
    root = Path(tg.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tinygrad_opt"]


# Arrays, libraries, moves.


def test_only_arrays_are_arrays():
    double = strict_double.library.zeros(2)
    assert backend.is_array(double)
    assert backend.is_array(np.zeros(2))
    assert not any(backend.is_array(x) for x in (1.0, [1.0], np.float32(1), tg.zeros(2), None))
    assert backend.namespace(double) is strict_double.library
    assert backend.namespace(np.float32(1)) is backend.namespace(1.0) is np
    with pytest.raises(TypeError, match="str is not an array of a known library"):
        backend.of("x")


VALUES = {
    "float32": np.float32([[1, 2], [3, 4]]), "float16": np.float16([1, 2]), "bool": np.array([True, False]),
    "0-d": np.array(7), "empty": np.zeros((0, 3)), "Fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(10)[::-3],
}  # fmt: skip


@pytest.mark.parametrize("what", VALUES)
def test_a_move_there_and_back_changes_nothing(device, what):
    values = VALUES[what]
    there = backend.to_device(values, device)
    assert backend.device_of(there) == device
    assert backend.to_device(there, device) is there
    assert (there.shape, there.dtype) == (values.shape, values.dtype)
    back = backend.to_device(there, "cpu")
    assert back.tolist() == values.tolist()
    assert (device == "cpu") == (back is values)


def test_a_move_between_devices():
    array = backend.to_device(np.arange(3.0), "double:0")
    moved = backend.to_device(array, "double:1")
    assert backend.device_of(moved) == "double:1"
    assert on_host(moved).tolist() == [0.0, 1.0, 2.0]


def test_a_first_move_goes_where_it_is_told(monkeypatch):
    monkeypatch.setattr(REGISTRY["move"], "_kernels", dict.fromkeys((float, int, bool)))
    assert tg.ones(2).to("double:1").device == "double:1"


def test_gradients_come_back_to_where_the_tensor_is(device):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (x.to(device) ** 2).sum().cpu().backward()
    assert x.grad.device == "cpu"
    assert x.grad.tolist() == [2.0, 4.0]
    y = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    (y.cpu() ** 2).sum().backward()
    assert y.grad.device == device
    assert y.grad.tolist() == [2.0, 4.0]


def test_numpy_is_told_where_the_values_are():
    x = tg.tensor([1.0], device="double")
    with pytest.raises(TypeError, match=r"on double:0; NumPy needs host memory: write t.cpu\(\).numpy\(\)"):
        x.numpy()
    with pytest.raises(TypeError, match="on double:0"):
        np.asarray(x)
    assert x.item() == 1.0
    assert x.tolist() == [1.0]
    assert repr(x) == "tensor([1.], device='double:0')"


# Tensors of different devices.


def test_an_operation_on_two_devices_names_them_and_the_move():
    x, weight = tg.ones(2, 3), tg.nn.Parameter(tg.ones(3, 3, device="double"))
    x.name, weight.name = "x", "fc1.weight"
    with pytest.raises(errors.DeviceError) as caught:
        x @ weight
    said = "matmul: 'x' is on cpu, 'fc1.weight' is on double:0. Move one: x.to('double')."
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (("double:0", "double:1"), "add: argument 0 is on double:0, argument 1 is on double:1. Move one"),
        (("double:1", "cpu"), "add: argument 0 is on double:1, argument 1 is on cpu. Move one"),
    ],
)
def test_tensors_on_two_devices_do_not_mix(places, said):
    a, b = (tg.ones(2, device=place) for place in places)
    with pytest.raises(errors.DeviceError, match=said):
        a + b


def test_raw_arrays_of_two_libraries_do_not_mix():
    x = tg.ones(2, device="double")
    for attempt in (lambda: x + np.ones(2), lambda: np.ones(2) + x, lambda: tg.where(np.ones(2, bool), x, 0.0)):
        with pytest.raises(errors.DeviceError, match=r"is on cpu.*Move one: x.to\('double'\)"):
            attempt()


def test_numbers_and_lists_go_where_the_tensor_is(device):
    x = tg.tensor([1.0, 2.0], device=device)
    for y in (x + 1, 1 + x, x + [1, 1], tg.maximum(x, np.float32(3)), tg.add([1.0, 1.0], x)):
        assert y.device == device


# Random numbers.


@pytest.mark.parametrize("draw", [tg.rand, tg.randn, lambda *shape, **kw: tg.randint(100, shape=shape, **kw)])
def test_one_seed_gives_the_same_numbers(device, draw):
    tg.manual_seed(7)
    first = draw(20, device=device)
    tg.manual_seed(7)
    again = draw(20, device=device)
    later = draw(20, device=device)
    assert first.device == device
    assert first.tolist() == again.tolist() != later.tolist()


def test_draws_on_a_device_do_not_disturb_those_on_the_host(device):
    tg.manual_seed(0)
    alone = tg.rand(3).tolist()
    tg.manual_seed(0)
    tg.rand(100, device="double")
    assert tg.rand(3).tolist() == alone


def test_every_device_draws_numbers_of_its_own():
    tg.manual_seed(0)
    first, second = backend.generator("double:0"), backend.generator("double:1")
    with strict_double.Device(1):
        drawn = second.random(5)
    assert drawn.device.id == 1
    assert drawn.tolist() != first.random(5).tolist()


def test_one_seed_gives_one_model_on_every_device(device):
    def model(where: str) -> list[Any]:
        tg.manual_seed(3)
        made = tg.nn.Sequential(tg.nn.Linear(4, 3, device=where), tg.nn.Tanh(), tg.nn.Linear(3, 2, device=where))
        return [on_host(parameter).tolist() for parameter in made.parameters()]

    assert model(device) == model("cpu")


def test_the_global_generator_of_numpy_is_not_touched():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    tg.manual_seed(0)
    tg.rand(3), tg.randn(3), tg.nn.Linear(2, 2)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ValueError, match="the seed is a non-negative integer"):
        tg.manual_seed(seed)
