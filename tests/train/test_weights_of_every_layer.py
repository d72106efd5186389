"""Weights go to PyTorch and come from there, in safetensors files, unchanged: every layer of the table, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from layer_cases import CASES, Layer
from tinygrad_opt import nn
from tinygrad_opt.core.tree import flatten
from tinygrad_opt.testing.sources import RandomSource

torch = pytest.importorskip("torch")
files = pytest.importorskip("safetensors.torch")
pytest.importorskip("sympy")  # PyTorch imports it in the middle of a call, and it changes the warnings filters
# PyTorch remarks on some options.
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore::UserWarning")]

Array = Any
SEEDS = range(4)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pair(name: str, seed: int) -> tuple[Layer, Any, Any]:
    """A drawn layer, ours and PyTorch's, each with starting values of its own and buffers that have moved."""
    source = RandomSource(seed)
    layer = source.choose(CASES[name])(source)
    torch.manual_seed(seed)
    tg.manual_seed(seed + 1)
    options = {key: made(torch.tensor, value) for key, value in layer.options.items()}
    theirs = getattr(torch.nn, name)(*layer.args, **options).float().eval()
    ours = getattr(nn, name)(*layer.args, **layer.options).float().eval()
    for value in theirs.state_dict().values():
        value += torch.rand(value.shape).to(value.dtype) + (0 if value.dtype.is_floating_point else 3)
    return layer, ours, theirs


def made(make: Any, value: Any) -> Any:
    """An array as a tensor, a floating one of float32; everything else as it is."""
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    array = np.asarray(value)
    return make(array.astype("float32") if array.dtype.kind == "f" else array)


def outputs(model: Any, layer: Layer, make: Any) -> list[Array]:
    inputs, rebuild = flatten(layer.inputs)
    call = {key: made(make, value) for key, value in layer.call.items()}
    results = model(*rebuild([made(make, x) for x in inputs]), **call)
    return [y.detach().numpy() for y in flatten(results)[0] if y is not None]


def assert_same(ours: Any, theirs: Any, layer: Layer) -> None:
    state = {name: tensor.numpy() for name, tensor in theirs.state_dict().items()}
    assert {name: t.numpy().tobytes() for name, t in ours.state_dict().items()} == {
        name: array.tobytes() for name, array in state.items()
    }
    results = zip(outputs(ours, layer, tg.tensor), outputs(theirs, layer, torch.tensor), strict=True)
    for mine, other in results:
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(mine, other, rtol=3e-5, atol=3e-5 * (1 + np.abs(other).max(initial=0)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CASES)
def test_from_pytorch(name: str, seed: int, tmp_path: Path) -> None:
    layer, ours, theirs = pair(name, seed)
    files.save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    assert tg.train.load_weights(ours, tmp_path / "weights.safetensors") == ([], [])
    assert_same(ours, theirs, layer)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CASES)
def test_to_pytorch(name: str, seed: int, tmp_path: Path) -> None:
    layer, ours, theirs = pair(name, seed)
    tg.train.save_weights(ours, tmp_path / "weights.safetensors")
    theirs.load_state_dict(files.load_file(tmp_path / "weights.safetensors"))
    assert_same(ours, theirs, layer)


@pytest.mark.parametrize("name", CASES)
def test_without_a_file(name: str) -> None:
    layer, ours, theirs = pair(name, 0)
    ours.load_state_dict(theirs.state_dict())
    assert_same(ours, theirs, layer)
    _, _, others = pair(name, 0)
    others.load_state_dict({key: torch.from_dlpack(value) for key, value in ours.state_dict().items()})
    assert_same(ours, others, layer)
