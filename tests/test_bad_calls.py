"""Calls with one or two silly arguments, of everything that is not in the table of operations: they end soon, and well.

Creation, operators, methods, updates, linear algebra, layers as functions, transforms, Einstein's notation. Every
argument of a good call gives way to something silly, or two of them do: what comes is a result, or an error of one of
a few types that names the function. What asks for more memory than there is says so, and does not try for long.
"""

from __future__ import annotations

import contextlib
import signal
import string
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_opt as tg
from tinygrad_opt import backend, errors, nn
from tinygrad_opt.testing.sources import RandomSource

ALLOWED = (
    TypeError, ValueError, IndexError, MemoryError, np.linalg.LinAlgError, errors.DeviceError, errors.GraphError,
    ZeroDivisionError,
)  # fmt: skip
HUGE = 10**15  # more elements than there are addresses

SILLY: list[Any] = [
    None, "text", object(), 1j, {"a": 1}, len, [[1.0, 2.0], [3.0]], ["a"], [], (), (0, 0), (9,), (1.5,), -9, 9, 1.5,
    -1, 0, True, float("nan"), float("inf"), HUGE, -HUGE, 10**30, (HUGE, HUGE), np.ones(2),
    np.ones((2, 2), complex),
    np.array([None, 1], object), np.array(["a", "b"]), np.array(["2020-01-01"], "datetime64[D]"), np.ones((0, 3)),
    np.float64(2.5),
]  # fmt: skip


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """An error where the block takes longer: a hang, for a person."""

    def late(*_: Any) -> None:
        raise AssertionError(f"it takes more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _calls(device: str) -> dict[str, tuple[Callable[..., Any], list[Any], dict[str, Any], tuple[str, ...]]]:
    """Good calls: what is called, its arguments, and the names that an error may give to it."""

    def t(*shape: int, dtype: str = "float64") -> Any:
        return tg.Tensor(backend.to_device(np.ones(shape, dtype), device))

    def whole(*values: int) -> Any:
        return tg.Tensor(backend.to_device(np.array(values), device))

    x, v, square, image = t(2, 3), t(3), t(2, 2) + 3 * tg.eye(2, device=device), t(1, 2, 4, 4)
    found: dict[str, tuple[Callable[..., Any], list[Any], dict[str, Any], tuple[str, ...]]] = {}

    def call(name: str, function: Callable[..., Any], *args: Any, said: tuple[str, ...] = (), **options: Any) -> None:
        found[name] = (function, list(args), options, (name.rpartition(".")[2], *said))

    for name in ("zeros", "ones", "empty", "rand", "randn"):
        if hasattr(tg, name):
            call(name, getattr(tg, name), (2, 3), dtype="float32", device=device)
    call("full", tg.full, (2, 3), 1.5, dtype="float32", device=device)
    call("arange", tg.arange, 1, 5, 2, dtype="int64", device=device)
    call("linspace", tg.linspace, 0.0, 1.0, 5, device=device)
    call("eye", tg.eye, 3, 2, k=1, device=device)
    call("tensor", tg.tensor, [1.0, 2.0], dtype="float32", device=device, requires_grad=True, said=("tensors",))
    call("asarray", tg.asarray, [1.0, 2.0])
    for name in ("zeros_like", "ones_like", "empty_like"):
        call(name, getattr(tg, name), x, dtype="float32")
    call("full_like", tg.full_like, x, 2.0, dtype="float32")
    operators = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "matmul": "@", "mod": "%",
                 "floordiv": "//", "lt": "<", "ge": ">="}  # fmt: skip
    spelled = {"sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "mod": "remainder",
               "floordiv": "floor_divide", "lt": "less", "ge": "greater_equal"}  # fmt: skip
    for name in operators:
        y = t(3, 2) if name == "matmul" else v
        call(name, lambda other, name=name: getattr(x, f"__{name}__")(other), y, said=(spelled.get(name, name),))
    call("getitem", lambda index: x[index], 1, said=("index", "indices"))
    for name in ("set", "add", "multiply", "min"):
        call(
            f"at.{name}", lambda index, value, name=name: getattr(x.at[index], name)(value), 1, v,
            said=("index", "indices", "at["),
        )  # fmt: skip
    for name, args in {
        "reshape": ((3, 2),), "transpose": ((1, 0),), "sum": (0,), "mean": (0,), "max": (0,), "argmax": (0,),
        "cumsum": (0,), "sort": (0,), "squeeze": (0,), "split": (1, 1), "repeat": (2, 0), "tile": ((2, 1),),
        "roll": (1, 0),
        "clip": (0.0, 1.0), "astype": ("float32",), "take": (whole(0, 1), 1), "std": (0,), "diagonal": (0, 0, 1),
        "moveaxis": (0, 1), "swapaxes": (0, 1), "broadcast_to": ((2, 2, 3),), "dot": (v,),
        "to": (device,), "norm": (2, 0),
    }.items():  # fmt: skip
        place = t(1, 3) if name == "squeeze" else x
        call(
            f"t.{name}",
            lambda *a, place=place, name=name: getattr(place, name)(*a),
            *args,
            said=("permute_dims", "device"),
        )
    L = tg.linalg
    for name, args in {
        "solve": (square, t(2)), "inv": (square,), "det": (square,), "slogdet": (square,), "cholesky": (square,),
        "qr": (square,), "svd": (square,), "eigh": (square,), "pinv": (square,), "lstsq": (t(3, 2), t(3)),
        "matrix_power": (square, 3), "matrix_rank": (square,), "norm": (square, 2, 0),
        "multi_dot": ([square, square],), "cond": (square,),
        "eigvalsh": (square,), "svdvals": (square,), "matrix_norm": (square,), "vector_norm": (square,),
    }.items():  # fmt: skip
        if hasattr(L, name):
            call(f"linalg.{name}", getattr(L, name), *args)
    F = nn.functional
    for name, args, options in [
        ("conv2d", (image, t(3, 2, 2, 2), t(3)), {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}),
        ("conv1d", (t(1, 2, 5), t(3, 2, 2), t(3)), {"stride": 1}),
        ("max_pool2d", (image, 2), {"stride": 2, "padding": 0, "dilation": 1, "ceil_mode": False}),
        ("avg_pool2d", (image, 2), {"stride": 2, "padding": 0, "divisor_override": None}),
        ("adaptive_avg_pool2d", (image, 2), {}),
        ("cross_entropy", (x, whole(0, 1)), {"reduction": "mean"}),
        ("softmax", (x,), {"axis": -1}),
        ("linear", (x, t(4, 3), t(4)), {}),
        ("dropout", (x, 0.5), {}),
        ("embedding", (whole(0, 1), x), {"padding_idx": 0, "max_norm": 1.0, "norm_type": 2.0}),
        ("layer_norm", (x, (3,)), {}),
        ("mse_loss", (x, x), {"reduction": "mean"}),
        ("huber_loss", (x, x, "mean", 0.5), {}),
        ("nll_loss", (x, whole(0, 1), t(3)), {"ignore_index": -100, "reduction": "sum"}),
        ("binary_cross_entropy_with_logits", (x, t(2, 3)), {"pos_weight": t(3), "reduction": "mean"}),
        ("kl_div", (x, x), {"reduction": "batchmean", "log_target": True}),
        ("gaussian_nll_loss", (x, x, t(2, 1)), {"eps": 1e-3, "full": True}),
        ("multi_margin_loss", (x, whole(0, 1), 2, 0.5), {"weight": t(3)}),
        ("cosine_embedding_loss", (x, x, whole(1, 1)), {"margin": 0.5}),
        ("triplet_margin_loss", (x, x, x), {"margin": 1.0, "p": 2.0, "swap": False}),
        ("gelu", (x,), {}),
        ("scaled_dot_product_attention", (x, x, x), {"attn_mask": t(2, 2), "dropout_p": 0.0, "scale": 1.0}),
        ("bilinear", (x, x, t(4, 3, 3), t(4)), {}),
        ("maxout", (x, t(4, 3), t(4)), {"pieces": 2}),
        ("prelu", (x, t(3)), {}),
        ("leaky_relu", (x, 0.1), {}),
        ("celu", (x, 0.5), {}),
        ("hardtanh", (x, -1.0, 1.0), {}),
        ("threshold", (x, 1.0, 2.0), {}),
        ("softplus", (x, 1.0, 20.0), {}),
        ("glu", (t(2, 4), 1), {}),
        ("dropout2d", (image, 0.5), {"training": True}),
        ("alpha_dropout", (x, 0.5), {"training": True}),
        ("unfold", (image, 2), {"stride": 1}),
    ]:
        if hasattr(F, name):
            call(f"F.{name}", getattr(F, name), *args, said=("softmax_cross_entropy", "affine", "conv_bias"), **options)
    own = (
        "grad",
        "multiply sequence",
        "missing 1 required",
        "unsupported operand",
        "takes exactly",
    )  # what the function itself says
    for name in ("grad", "value_and_grad", "jacobian", "hessian", "checkpoint"):
        if hasattr(tg, name):
            call(name, lambda f, y, name=name: getattr(tg, name)(f)(y), lambda y: (y * y).sum(), v, said=own)
    for name in ("vjp", "jvp", "hvp"):
        if hasattr(tg, name):
            call(
                name, getattr(tg, name), lambda y: (y * y).sum(), v, *([] if name == "vjp" else [v]), said=(*own, "jvp")
            )
    call("einsum", tg.einsum, "ij,j->i", x, v)
    call("pad", tg.pad, x, 1, mode="constant")
    call("where", tg.where, x > 0, x, v)
    call("histogram", tg.histogram, x, 3)
    call("diff", tg.diff, x, 1, axis=0)
    call("array_split", tg.array_split, x, 2, axis=1)
    call("repeat", tg.repeat, x, 2, axis=0)
    call("tile", tg.tile, x, (2, 2))
    call("vander", tg.vander, v, 3)
    call("interp", tg.interp, v, v, v, said=("segment",))
    call("tri", tg.tri, 3, 3)
    call("one_hot", tg.one_hot, whole(0, 1), 3)
    return found


NAMES = sorted(_calls("cpu"))


def check(name: str, device: str, seed: int) -> None:
    source = RandomSource(seed, device=device)
    function, args, options, known = _calls(device)[name]
    described = []
    for _ in range(source.integer(1, 2)):
        place = source.choose([*range(len(args)), *options])
        choices = [*SILLY, tg.ones(2, 2), tg.ones(2, 3, dtype="float64", device=device), tg.ones(2, 3)]
        value = choices[source.integer(0, len(choices) - 1)]
        if isinstance(place, int):
            args[place] = value
        else:
            options[place] = value
        described.append(f"{place}: {value!r:.80}")
    where = f"{name}({'; '.join(described)})"
    with np.errstate(all="ignore"), warnings.catch_warnings(), within(20):
        warnings.simplefilter("ignore")
        try:
            function(*args, **options)
        except ALLOWED as error:
            said = str(error)
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
        else:
            return
    # What an array says that is asked for its truth, and what a function says itself that was handed over (len).
    flags = ("neither true nor false", "is ambiguous", "has no length")
    assert any(each in said for each in (*known, *flags)), f"{where}: the error does not name the function: {said}"


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_silly_arguments_are_refused_by_name(name, device, seed):
    check(name, device, seed)


def test_a_place_beside_knots_of_another_device_is_refused_by_name(device):
    if device == "cpu":
        pytest.skip("one device")
    knots = tg.tensor([0.0, 1.0], device=device)
    with pytest.raises(tg.errors.DeviceError, match=r"^interp: x is on cpu, xp is on"):
        tg.interp(tg.ones(2), knots, knots)


@settings(max_examples=200)
@given(text=st.text(alphabet="ijk,->. " + string.punctuation[:4] + "é1", max_size=12))
def test_garbage_is_no_notation(text):
    x, y = np.ones((2, 3)), np.ones((3, 2))
    for arrays in ((x,), (x, y)):
        try:
            expected = np.einsum(text, *arrays)
        except Exception as error:
            expected = error
        if isinstance(expected, Exception):
            with pytest.raises((TypeError, ValueError), match="einsum"):
                tg.einsum(text, *arrays)
        else:
            assert np.allclose(tg.einsum(text, *arrays), expected), text
