"""Every layer beside PyTorch's with the same weights: outputs, gradients, Hessian products, buffers, states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_opt as tg
from layer_cases import CASES, WITHOUT, Layer
from strategies import Drawn
from tinygrad_opt import nn
from tinygrad_opt.core.tree import flatten

torch = pytest.importorskip("torch")
pytest.importorskip("sympy")  # PyTorch imports it in the middle of a derivative, and it changes the warnings filters
# PyTorch says that it copies the image where the kernel is even.
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")]

TOLERANCE = {"float32": 3e-5, "float64": 1e-11}
Array = Any


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads are slower on arrays this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="module")
def attention_with_second_derivatives() -> Iterator[None]:
    """PyTorch's fused attention has no second derivatives, the one that it composes of products has."""
    fused = torch.backends.cuda.flash_sdp_enabled()
    torch.backends.cuda.enable_flash_sdp(False)  # on the CPU too
    yield
    torch.backends.cuda.enable_flash_sdp(fused)


class Pair:
    """Our layer and PyTorch's, with the same weights and buffers, and the same inputs."""

    def __init__(self, layer: Layer, dtype: str, training: bool, device: str, seed: int) -> None:
        self.layer, self.dtype, self.device, self.rng = layer, dtype, device, np.random.default_rng(seed)
        options = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in layer.options.items()}
        self.theirs = getattr(torch.nn, layer.name)(*layer.args, **options).to(getattr(torch, dtype))
        self.ours = getattr(nn, layer.name)(*layer.args, **layer.options).to(dtype).to(device)
        state = {name: self.value(value.numpy()) for name, value in self.theirs.state_dict().items()}
        self.theirs.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
        self.ours.load_state_dict(state)
        for model in (self.ours, self.theirs):
            model.train(training)

    def value(self, like: Array) -> Array:
        """A value for a parameter or buffer; all positive, because some are variances."""
        if like.dtype.kind != "f":
            return like + 3
        return (self.rng.integers(2, 13, like.shape) / 8).astype(like.dtype)

    def inputs(self, make: Any) -> list[Any]:
        """The inputs as tensors of one library, floating ones ready to be differentiated; one array is one tensor."""
        leaves, rebuild = flatten(self.layer.inputs)
        made = {key: make(x) for key, x in {id(x): x for x in leaves if x is not None}.items()}
        return rebuild([x if x is None else made[id(x)] for x in leaves])

    def ours_of(self, x: Array) -> tg.Tensor:
        floating = x.dtype.kind == "f"
        return tg.tensor(x.astype(self.dtype) if floating else x, device=self.device, requires_grad=floating)

    def theirs_of(self, x: Array) -> Any:
        floating = x.dtype.kind == "f"
        return torch.tensor(x.astype(self.dtype) if floating else x, requires_grad=floating)

    def both(self) -> tuple[tuple[Any, list[Any]], tuple[Any, list[Any]]]:
        """The outputs, and all that they may be differentiated by, ours and theirs."""
        results = []
        for model, make in ((self.ours, self.ours_of), (self.theirs, self.theirs_of)):
            inputs = self.inputs(make)
            call = {name: make(x) if isinstance(x, np.ndarray) else x for name, x in self.layer.call.items()}
            outputs = model(*inputs, **call)
            tensors = {id(x): x for x in [*flatten(inputs)[0], *call.values()] if hasattr(x, "requires_grad")}
            wanted = [x for x in tensors.values() if x.requires_grad]
            results.append((outputs, wanted + list(model.parameters())))
        return results[0], results[1]

    def close(self, ours: Any, theirs: Any, what: str) -> None:
        if theirs is None:
            theirs = torch.zeros(ours.shape)
        mine, other = ours.detach().cpu().numpy(), theirs.detach().numpy()
        assert mine.shape == other.shape, what
        if other.dtype.kind == "f":
            assert mine.dtype == self.dtype, what
        tolerance = TOLERANCE[self.dtype] * (1 + np.abs(other).max(initial=0))
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance, err_msg=what)


def leaves(outputs: Any) -> list[Any]:
    return [y for y in flatten(outputs if isinstance(outputs, (tuple, list)) else (outputs,))[0] if y is not None]


def curved(outputs: list[Any], weights: list[list[Array]], make: Any) -> Any:
    """``Σ c y + ½ Σ d y²``: a number whose second derivatives see every output."""
    total: Any = 0.0
    for y, (c, d) in zip(outputs, weights, strict=True):
        total = total + (y * (make(c) + make(d) * y * 0.5)).sum()
    return total


def compare(pair: Pair) -> None:
    (mine, my_wanted), (other, their_wanted) = pair.both()
    mine, other = leaves(mine), leaves(other)
    assert len(mine) == len(other)
    for ours, theirs in zip(mine, other, strict=True):
        pair.close(ours, theirs, "output")
    for (name, ours), (their_name, theirs) in zip(
        pair.ours.state_dict().items(), pair.theirs.state_dict().items(), strict=True
    ):
        assert name == their_name
        pair.close(ours, theirs, f"state {name}")

    draw = lambda y: [pair.rng.standard_normal(tuple(y.shape)).astype(pair.dtype) for _ in range(2)]  # noqa: E731
    weights = [draw(y) for y in other]
    loss = curved(mine, weights, lambda a: tg.tensor(a, device=pair.device))
    their_loss = curved(other, weights, torch.tensor)
    if not their_wanted or not their_loss.requires_grad:
        return
    gradients = tg.gradients(loss, my_wanted, create_graph=True, unused="zero")
    their_gradients = torch.autograd.grad(
        their_loss, their_wanted, create_graph=pair.layer.order > 1, allow_unused=True
    )
    for position, (ours, theirs) in enumerate(zip(gradients, their_gradients, strict=True)):
        pair.close(ours, theirs, f"gradient {position}")
    if pair.layer.order < 2:
        return

    vectors = [pair.rng.standard_normal(tuple(x.shape)).astype(pair.dtype) for x in their_wanted]
    along = sum((g * tg.tensor(v, device=pair.device)).sum() for g, v in zip(gradients, vectors, strict=True))
    products = tg.gradients(along, my_wanted, unused="zero")
    # A gradient that depends on nothing has none of its own: for PyTorch that is an error, here it is zero.
    their_along = sum(
        (g * torch.tensor(v)).sum() for g, v in zip(their_gradients, vectors, strict=True) if g is not None
    ) + sum((x * 0).sum() for x in their_wanted)
    their_products = torch.autograd.grad(their_along, their_wanted, allow_unused=True)
    for position, (ours, theirs) in enumerate(zip(products, their_products, strict=True)):
        pair.close(ours, theirs, f"Hessian product {position}")


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_layer(name: str, device: str, data: st.DataObject) -> None:
    source = Drawn(data.draw, device=device)
    layer = source.choose(CASES[name])(source)
    training = not layer.random and source.flip()
    dtype = source.choose(("float32", "float64"))
    compare(Pair(layer, dtype, training, device, source.integer(0, 2**16)))


def test_every_layer_is_compared_or_excused() -> None:
    public = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    assert public == set(CASES) | set(WITHOUT), "write a case in tests/layer_cases, or a reason"
    assert not set(CASES) & set(WITHOUT)
