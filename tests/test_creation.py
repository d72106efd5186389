"""Making tensors: what becomes of lists, numbers and arrays, and who owns the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DeviceUnavailableError, ShapeError


@pytest.fixture
def default_float64() -> Iterator[None]:
    tg.set_default_dtype(tg.float64)
    yield
    tg.set_default_dtype(tg.float32)


def host(t: tg.Tensor) -> np.ndarray:
    return t.detach().cpu().numpy()


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.0, "float32"), ([1.0, 2], "float32"), ([[]], "float32"), ([], "float32"), (float("nan"), "float32"),
        (1, "int64"), ([1, 2], "int64"), ([[1], [2]], "int64"), (True, "bool"), ([True, False], "bool"),
        (np.float64(1), "float64"), (np.float16(1), "float16"), (np.int32(1), "int32"),
        (np.ones(2), "float64"), (np.ones(2, np.float32), "float32"), (np.ones(2, np.int8), "int8"),
        (np.ones(2, bool), "bool"), (np.ones(2, ">f8"), "float64"), ([np.float64(1), 2.0], "float32"),
        (range(3), "int64"),
    ],
)  # fmt: skip
def test_dtypes_of_lists_numbers_and_arrays(data: Any, dtype: str) -> None:
    for made in (tg.tensor(data), tg.asarray(data), tg.Tensor(data)):
        assert made.dtype == np.dtype(dtype)
        assert made.dtype.isnative
        np.testing.assert_array_equal(host(made), np.asarray(data))


@pytest.mark.usefixtures("default_float64")
def test_the_default_dtype() -> None:
    made = [tg.tensor([1.0]), tg.zeros(1), tg.rand(1), tg.linspace(0, 1, 3), tg.full((1,), 0.5), tg.arange(0, 1, 0.5)]
    assert {t.dtype for t in made} == {tg.float64}
    assert tg.tensor([1]).dtype == tg.int64
    assert tg.tensor(np.ones(1, np.float32)).dtype == tg.float32
    assert (tg.tensor(np.ones(1, np.float32)) * 2.0).dtype == tg.float32


@pytest.mark.parametrize("dtype", [tg.int64, tg.bool, "complex64"])
def test_the_default_dtype_is_floating(dtype: Any) -> None:
    with pytest.raises(TypeError):
        tg.set_default_dtype(dtype)
    assert tg.tensor([1.0]).dtype == tg.float32


def test_an_explicit_dtype_wins(device: str) -> None:
    assert tg.tensor([1, 2], dtype=tg.float32, device=device).dtype == tg.float32
    assert tg.tensor(np.ones(2), dtype="float16", device=device).dtype == tg.float16
    assert tg.zeros(2, dtype=tg.int32, device=device).dtype == tg.int32
    assert tg.tensor([2.7], dtype=tg.int64, device=device).tolist() == [2]


@pytest.mark.parametrize("data", [1j, [1.0, 2j], np.ones(2, complex)])
def test_complex_numbers_are_refused(data: Any) -> None:
    for make in (tg.tensor, tg.asarray, tg.Tensor):
        with pytest.raises(TypeError, match=r"complex tensors are out of scope; got complex128.*two real tensors"):
            make(data)
    with pytest.raises(TypeError, match="complex"):
        tg.zeros(2, dtype="complex64")


@pytest.mark.parametrize("data", ["text", ["a"], [None], {"a": 1}, object(), [2**80]])
def test_what_holds_no_numbers_is_refused(data: Any) -> None:
    with pytest.raises(TypeError, match="tensors hold bool, integer or floating numbers"):
        tg.tensor(data)


def test_lists_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ShapeError, match="nested lists must have equal lengths at each depth"):
        tg.tensor([[1.0], [2.0, 3.0]])


@pytest.mark.parametrize("data", [[1, 2], True, np.ones(2, int)])
def test_whole_numbers_cannot_require_gradients(data: Any) -> None:
    expected = r"only floating tensors can require gradients; got (int64|bool).*tg.tensor\(\[1., 2.\]\) or pass dtype="
    for make in (tg.tensor, tg.asarray, tg.Tensor):
        with pytest.raises(TypeError, match=expected):
            make(data, requires_grad=True)
    with pytest.raises(TypeError, match=expected):
        tg.tensor(data).requires_grad_()
    assert tg.tensor(data, dtype=tg.float32, requires_grad=True).requires_grad


# Memory.


def test_tensor_copies() -> None:
    array = np.zeros(2)
    source = tg.asarray(array)
    copies = [tg.tensor(array), tg.tensor(source), tg.tensor(source, device="cpu"), tg.tensor(array[::-1])]
    array[:] = 7
    assert [t.tolist() for t in copies] == [[0, 0]] * 4


def test_asarray_and_the_class_share() -> None:
    array = np.zeros(2)
    shared = [tg.asarray(array), tg.Tensor(array), tg.asarray(array[::-1]), tg.Tensor(tg.asarray(array))]
    array[:] = 7
    assert [t.tolist() for t in shared] == [[7, 7]] * 4
    t = tg.asarray(array)
    assert tg.asarray(t) is t
    assert tg.asarray(array, dtype=tg.float32).tolist() == [7, 7]


def test_a_tensor_made_from_a_result_is_cut_off() -> None:
    x = tg.ones(2, requires_grad=True)
    assert not tg.tensor(x * 2).requires_grad
    again = tg.tensor(x * 2, requires_grad=True)
    assert again.is_leaf
    assert tg.asarray(x, requires_grad=True) is not x


def test_lists_of_tensors(device: str) -> None:
    rows = [tg.tensor([1.0, 2.0], device="cpu"), tg.tensor([3.0, 4.0], device="cpu")]
    assert tg.tensor(rows, device=device).tolist() == [[1, 2], [3, 4]]
    assert tg.tensor([tg.tensor(1.0), 2.0]).tolist() == [1, 2]


# Constants, ranges, random numbers.


@pytest.mark.parametrize(
    ("ours", "numpys"),
    [
        (lambda **o: tg.zeros(2, 3, **o), np.zeros((2, 3), np.float32)),
        (lambda **o: tg.zeros((2, 3), **o), np.zeros((2, 3), np.float32)),
        (lambda **o: tg.zeros(**o), np.zeros((), np.float32)),
        (lambda **o: tg.ones([2], **o), np.ones(2, np.float32)),
        (lambda **o: tg.ones(np.int64(2), 0, **o), np.ones((2, 0), np.float32)),
        (lambda **o: tg.full((2,), 3, **o), np.full(2, 3)),
        (lambda **o: tg.full(2, 0.5, **o), np.full(2, 0.5, np.float32)),
        (lambda **o: tg.full((), True, **o), np.array(True)),
        (lambda **o: tg.arange(4, **o), np.arange(4)),
        (lambda **o: tg.arange(1, 8, 3, **o), np.arange(1, 8, 3)),
        (lambda **o: tg.arange(5, 0, -2, **o), np.arange(5, 0, -2)),
        (lambda **o: tg.arange(0.0, 1.0, 0.25, **o), np.arange(0, 1, 0.25, dtype=np.float32)),
        (lambda **o: tg.linspace(0, 1, 5, **o), np.linspace(0, 1, 5, dtype=np.float32)),
        (lambda **o: tg.linspace(2, 3, 1, **o), np.linspace(2, 3, 1, dtype=np.float32)),
        (lambda **o: tg.eye(3, **o), np.eye(3, dtype=np.float32)),
        (lambda **o: tg.eye(2, 3, **o), np.eye(2, 3, dtype=np.float32)),
        (lambda **o: tg.eye(3, np.int64(4), k=-1, **o), np.eye(3, 4, -1, dtype=np.float32)),
        (lambda **o: tg.tri(3, 4, 1, **o), np.tri(3, 4, 1, dtype=np.float32)),
        (lambda **o: tg.logspace(0, 2, 3, base=2, **o), np.logspace(0, 2, 3, base=2, dtype=np.float32)),
        (lambda **o: tg.linspace(0, 1, 4, endpoint=False, **o), np.linspace(0, 1, 4, False, dtype=np.float32)),
        (lambda **o: tg.linspace(0, 1, 0, **o), np.zeros(0, np.float32)),
        (lambda **o: tg.arange(np.float32(3), **o), np.arange(3, dtype=np.float32)),
        (lambda **o: tg.arange(tg.tensor(1), 9, np.int64(4), **o), np.arange(1, 9, 4)),
        (lambda **o: tg.full((2, 3), [1, 2, 3], **o), np.full((2, 3), [1, 2, 3])),
        (lambda **o: tg.full(np.int64(2), np.float32(0.5), **o), np.full(2, 0.5, np.float32)),
    ],
)
def test_constants_and_ranges(ours: Callable[..., tg.Tensor], numpys: np.ndarray, device: str) -> None:
    made = ours(device=device)
    assert (made.shape, made.dtype) == (numpys.shape, numpys.dtype)
    np.testing.assert_array_equal(host(made), numpys)
    assert not made.requires_grad
    assert ours(device=device, dtype=tg.float64, requires_grad=True).requires_grad


def test_like_another(device: str) -> None:
    x = tg.tensor([[1, 2]], dtype=tg.int32, device=device)
    for made, value in ((tg.zeros_like(x), 0), (tg.ones_like(x), 1), (tg.full_like(x, 7), 7)):
        assert (made.tolist(), made.dtype, made.device) == ([[value, value]], tg.int32, x.device)
    assert tg.zeros_like(x, dtype=tg.float64).dtype == tg.float64
    assert tg.empty(2, 3, device=device).shape == (2, 3)


def test_like_another_but_for_what_is_said(device: str) -> None:
    x = tg.tensor([[1, 2]], dtype=tg.int32)
    options: dict[str, Any] = {"shape": (3, 1), "dtype": tg.float64, "device": device, "requires_grad": True}
    made = [tg.zeros_like(x, **options), tg.ones_like(x, **options), tg.full_like(x, 7, **options)]
    assert [t.tolist() for t in made] == [[[0.0]] * 3, [[1.0]] * 3, [[7.0]] * 3]
    made += [tg.empty_like(x, **options), tg.rand_like(x, **options), tg.randn_like(x, **options)]
    for t in made:
        assert (t.shape, t.dtype, t.device) == ((3, 1), tg.float64, tg.zeros(1, device=device).device)
        assert t.requires_grad
        assert t.is_leaf
    assert tg.zeros_like(np.ones(2)).dtype == tg.zeros_like([1.0, 2.0], tg.float64).dtype == tg.float64
    tg.manual_seed(0)
    first = tg.randn_like(tg.ones(4, device=device)).tolist()
    tg.manual_seed(0)
    assert tg.randn(4, device=device).tolist() == first


def test_derivatives_flow_into_the_value_that_fills(device: str) -> None:
    value = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    made = [tg.full((3, 2), value), tg.full_like(tg.ones(3, 2), value, device=device)]
    for y in made:
        (gradient,) = tg.gradients((y * y).sum(), [value])
        assert gradient.tolist() == [6.0, 12.0]
        assert y.device == value.device


def test_the_distance_in_linspace() -> None:
    for options in ({}, {"endpoint": False}, {"num": 1}, {"num": 1, "endpoint": False}, {"num": 0}):
        (places, step), (expected, distance) = (f(1, 3, retstep=True, **options) for f in (tg.linspace, np.linspace))
        np.testing.assert_allclose(places.numpy(), expected, rtol=1e-6)
        assert isinstance(step, float)
        np.testing.assert_equal(step, float(distance))


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: tg.zeros("ab"), TypeError, "zeros: a shape is an integer or several; got 'ab'"),
        (lambda: tg.ones(2.5), TypeError, "ones: a shape is an integer or several; got 2.5"),
        (lambda: tg.rand(2, None), TypeError, r"rand: a shape is an integer or several; got \(2, None\)"),
        (
            lambda: tg.zeros(2, dtype="real"),
            TypeError,
            "dtype: expected a dtype such as tg.float32, 'float32' or bool; got 'real'",
        ),
        (lambda: tg.full(2, None), TypeError, "full: fill_value: .*tensors hold bool, integer or floating numbers"),
        (
            lambda: tg.full(2, [1, 2, 3]),
            ShapeError,
            r"full: fill_value of shape \(3,\) cannot be repeated up to \(2,\)",
        ),
        (lambda: tg.full_like([1, 2], "a"), TypeError, "full_like: fill_value: "),
        (lambda: tg.arange(0, 1, 0), ValueError, "arange: there is no way from 0 to 1 in steps of 0"),
        (lambda: tg.arange(float("inf")), ValueError, "arange: there is no way from 0 to inf in steps of 1"),
        (lambda: tg.arange(0, "a"), TypeError, "arange: stop must be a number; got 'a'"),
        (lambda: tg.arange(tg.ones((), requires_grad=True)), TypeError, "arange: stop must be a number; got tensor"),
        (lambda: tg.linspace(0, 1, 2.5), TypeError, "linspace: num must be an integer; got 2.5"),
        (lambda: tg.linspace(0, 1, -1), ShapeError, "linspace: num must not be negative; got -1"),
        (lambda: tg.logspace(None, 1), TypeError, "logspace: start must be a number; got None"),
        (lambda: tg.eye(2, -1), ShapeError, "eye: m must not be negative; got -1"),
        (lambda: tg.eye(2, k=0.5), TypeError, "eye: k must be an integer; got 0.5"),
        (lambda: tg.zeros_like(None), TypeError, "zeros_like: argument 0 is a NoneType"),
        (lambda: tg.rand_like([1, 2]), TypeError, "rand_like: random reals need a floating dtype; got int64"),
        (lambda: tg.randint(5, 2), ValueError, "randint: there is no whole number from 5 up to, but without, 2"),
        (lambda: tg.randint(0.5), TypeError, "randint: high must be an integer; got 0.5"),
    ],
)
def test_bad_arguments_are_named(make: Callable[[], Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        make()


def test_negative_sides_are_refused() -> None:
    for make in (tg.zeros, tg.ones, tg.empty, tg.rand):
        with pytest.raises(ShapeError, match=r"a shape has no negative sides; got \(2, -1\)"):
            make(2, -1)


def test_one_seed_drives_everything(device: str) -> None:
    def draw() -> list[Any]:
        tg.manual_seed(3)
        drawn = [tg.rand(4, device=device), tg.randn(2, 2, device=device), tg.randint(0, 100, (5,), device=device)]
        return [host(t).tolist() for t in drawn]

    first = draw()
    assert draw() == first
    tg.manual_seed(4)
    assert host(tg.rand(4, device=device)).tolist() != first[0]


def test_the_global_numpy_generator_is_never_touched() -> None:
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    tg.manual_seed(0)
    tg.rand(3)
    tg.randn(3)
    tg.randint(5, shape=(3,))
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_random_numbers_are_what_they_should_be(device: str) -> None:
    tg.manual_seed(0)
    uniform, normal = host(tg.rand(20_000, device=device)), host(tg.randn(20_000, device=device))
    assert 0 <= uniform.min() < 0.01
    assert 0.99 < uniform.max() <= 1
    assert abs(uniform.mean() - 0.5) < 0.01
    assert abs(normal.mean()) < 0.03
    assert abs(normal.std() - 1) < 0.03
    whole = host(tg.randint(2, 5, (1000,), device=device))
    assert set(whole.tolist()) == {2, 3, 4}
    assert tg.rand(device=device).shape == ()
    assert tg.randn(2, dtype=tg.float64, device=device).dtype == tg.float64
    assert tg.randint(3, shape=(2,), dtype=tg.int32, device=device).dtype == tg.int32


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True])
def test_bad_seeds(seed: Any) -> None:
    with pytest.raises(ValueError, match="the seed is a non-negative integer"):
        tg.manual_seed(seed)


def test_random_reals_are_floating() -> None:
    with pytest.raises(TypeError, match="random reals need a floating dtype; got int64"):
        tg.rand(2, dtype=tg.int64)


# Devices.


def test_the_default_device_is_the_host() -> None:
    assert tg.tensor([1.0]).device == tg.zeros(1).device == tg.rand(1).device == "cpu"


@pytest.mark.skipif(tg.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_explained() -> None:
    with pytest.raises(DeviceUnavailableError, match=r"'cuda' is not available: .*(pip install|nvidia-smi)"):
        tg.zeros(2, device="cuda")
    assert tg.zeros(2, device="auto").device == "cpu"


def test_unknown_devices() -> None:
    with pytest.raises(ValueError, match="unknown device 'gpu'; write 'cpu', 'cuda', 'cuda:1' or 'auto'"):
        tg.zeros(2, device="gpu")
    with pytest.raises(TypeError, match="device must be a string such as 'cpu' or 'cuda:0'; got 0"):
        tg.zeros(2, device=0)
    with pytest.raises(DeviceUnavailableError, match="'cpu:3'"):
        tg.zeros(2, device="cpu:3")
