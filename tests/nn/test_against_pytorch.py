"""The same network in PyTorch: values, gradients and Hessian products of the two agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

torch = pytest.importorskip("torch")
pytest.importorskip("sympy")  # PyTorch imports it in the middle of a derivative, and it changes the warnings filters
pytestmark = pytest.mark.oracle

DTYPES = {"float32": (tg.float32, torch.float32, 2e-5), "float64": (tg.float64, torch.float64, 1e-12)}
SIZES = {"mlp": (7, 4), "sequence": (3, 4, 5)}


def ours(kind: str) -> nn.Sequential:
    if kind == "sequence":
        return nn.Sequential(nn.BatchNorm1d(4, momentum=None), nn.Tanh(), nn.Linear(5, 3))
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 5, bias=False), nn.ReLU(),
                         nn.Linear(5, 3))  # fmt: skip


def theirs(kind: str) -> Any:
    if kind == "sequence":
        return torch.nn.Sequential(torch.nn.BatchNorm1d(4, momentum=None), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    return torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Tanh(), torch.nn.Linear(6, 5, bias=False),
        torch.nn.ReLU(), torch.nn.Linear(5, 3),
    )  # fmt: skip


class Pair:
    """Our model and PyTorch's, with the same weights, the same data and buffers that have seen a batch."""

    def __init__(self, kind: str, dtype: str, training: bool) -> None:
        our_dtype, their_dtype, self.tolerance = DTYPES[dtype]
        torch.manual_seed(0)
        self.theirs = theirs(kind).to(their_dtype)
        self.ours = ours(kind).to(our_dtype)
        self.ours.load_state_dict({name: value.numpy() for name, value in self.theirs.state_dict().items()})
        rng = np.random.default_rng(0)
        self.x = (rng.standard_normal(SIZES[kind]) * 2 + 0.5).astype(dtype)
        self.labels = rng.integers(0, 3, SIZES[kind][:-1])
        self.rng = rng
        for model, as_tensor in ((self.ours, tg.tensor), (self.theirs, torch.tensor)):
            model(as_tensor(self.x[::-1].copy()))
            model.train(training)

    def our_loss(self, x: tg.Tensor) -> tg.Tensor:
        y = self.ours(x)
        return nn.CrossEntropyLoss()(y.reshape(-1, 3), self.labels.reshape(-1)) + (tg.tanh(y) * y).mean()

    def their_loss(self, x: Any) -> Any:
        y = self.theirs(x)
        entropy = torch.nn.CrossEntropyLoss()(y.reshape(-1, 3), torch.tensor(self.labels).reshape(-1))
        return entropy + (torch.tanh(y) * y).mean()

    def close(self, ours: Any, theirs: Any) -> None:
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), rtol=self.tolerance, atol=self.tolerance
        )

    def inputs(self) -> tuple[list[tg.Tensor], list[Any]]:
        """The data and every parameter, ours and theirs, all of them ready to be differentiated."""
        ours = [tg.tensor(self.x, requires_grad=True), *self.ours.parameters()]
        return ours, [torch.tensor(self.x, requires_grad=True), *self.theirs.parameters()]


cases = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
kinds = pytest.mark.parametrize("kind", SIZES)
dtypes = pytest.mark.parametrize("dtype", DTYPES)


@kinds
@dtypes
@cases
def test_outputs_buffers_and_gradients(kind: str, dtype: str, training: bool) -> None:
    pair = Pair(kind, dtype, training)
    (x, *_), (their_x, *_) = inputs = pair.inputs()
    pair.close(pair.ours(x), pair.theirs(their_x))
    pair.our_loss(x).backward()
    pair.their_loss(their_x).backward()
    for mine, other in zip(*inputs, strict=True):
        assert mine.grad.dtype == dtype
        pair.close(mine.grad, other.grad)
    state, their_state = pair.ours.state_dict(), pair.theirs.state_dict()
    assert list(state) == list(their_state)
    for name in state:
        pair.close(state[name], their_state[name])


@kinds
@dtypes
@cases
def test_hessian_products_with_all_inputs_and_parameters(kind: str, dtype: str, training: bool) -> None:
    pair = Pair(kind, dtype, training)
    mine, other = pair.inputs()
    vectors = [pair.rng.standard_normal(x.shape).astype(dtype) for x in mine]

    gradient = tg.gradients(pair.our_loss(mine[0]), mine, create_graph=True)
    products = tg.gradients(gradient, mine, grad_outputs=[tg.tensor(v) for v in vectors])

    their_gradient = torch.autograd.grad(pair.their_loss(other[0]), other, create_graph=True)
    their_products = torch.autograd.grad(their_gradient, other, grad_outputs=[torch.tensor(v) for v in vectors])
    for ours, theirs in zip(products, their_products, strict=True):
        assert ours.dtype == dtype
        pair.close(ours, theirs)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_at_extreme_logits(reduction: str) -> None:
    values = np.array([[1e4, -1e4, 3.0], [-1e4, 1e4, 0.0], [0.5, 0.25, -1.0]], "float32")
    labels = np.array([1, 1, 2])
    x, their_x = tg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    loss = nn.CrossEntropyLoss(reduction=reduction)(x, labels)
    their_loss = torch.nn.CrossEntropyLoss(reduction=reduction)(their_x, torch.tensor(labels))
    np.testing.assert_allclose(loss.detach().numpy(), their_loss.detach().numpy(), rtol=1e-6)
    loss.sum().backward()
    their_loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), their_x.grad.numpy(), rtol=1e-6, atol=1e-7)


@kinds
def test_states_have_pytorch_s_names_shapes_and_dtypes(kind: str) -> None:
    mine = {name: (t.shape, str(t.dtype)) for name, t in ours(kind).state_dict().items()}
    other = {name: (tuple(t.shape), str(t.numpy().dtype)) for name, t in theirs(kind).state_dict().items()}
    assert list(mine.items()) == list(other.items())


def test_linear_layers_start_in_the_same_range_as_pytorch_s() -> None:
    torch.manual_seed(0)
    tg.manual_seed(0)
    layer, other = nn.Linear(50, 4000), torch.nn.Linear(50, 4000)
    for mine, theirs in ((layer.weight, other.weight), (layer.bias, other.bias)):
        mine, theirs = mine.detach().numpy(), theirs.detach().numpy()
        assert np.abs(mine).max() == pytest.approx(np.abs(theirs).max(), rel=1e-2)
        assert mine.std() == pytest.approx(theirs.std(), rel=0.05)
