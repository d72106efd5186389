"""PyTorch as a second opinion: values, first and second derivatives of every operation that both have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import Call, host, joined
from strategies import Example
from tinygrad_opt.core.kinds import Constant
from tinygrad_opt.testing.sources import RandomSource
from tinygrad_opt.testing.specs import SPECS

torch = pytest.importorskip("torch")
F = torch.nn.functional
pytestmark = pytest.mark.oracle


def axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def reduced(function: Any) -> Any:
    """PyTorch takes ``dim=()`` for all axes; NumPy takes ``axis=()`` for none."""

    def call(x: Any, axis: Any, keepdims: bool) -> Any:
        dims = axes(x, axis)
        return function(x, dims, keepdims) if dims else function(x.unsqueeze(0), (0,), False)

    return call


def expand_dims(x: Any, axis: Any) -> Any:
    new = axis if isinstance(axis, tuple) else (axis,)
    places = {a % (x.ndim + len(new)) for a in new}
    return x[tuple(None if i in places else slice(None) for i in range(x.ndim + len(new)))]


def flat_index(shape: Any, index: Any) -> Any:
    """Where the picked elements lie in the ravelled tensor: PyTorch has no negative steps."""
    return torch.from_numpy(np.array(np.arange(math.prod(shape)).reshape(shape)[index], order="C"))


def scattered(g: Any, shape: Any, index: Any) -> Any:
    places = flat_index(shape, index).reshape(-1)
    return torch.zeros(math.prod(shape), dtype=g.dtype).index_add(0, places, g.reshape(-1)).reshape(shape)


def nll(x: Any, labels: Any, reduction: str) -> Any:
    rows = F.nll_loss(x.reshape(labels.numel(), x.shape[-1]), labels.reshape(-1), reduction=reduction)
    return rows.reshape(labels.shape) if reduction == "none" else rows


def nll_transposed(g: Any, labels: Any, reduction: str, classes: int) -> Any:
    x = torch.zeros((*labels.shape, classes), dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(nll(x, torch.as_tensor(labels), reduction), x, g, create_graph=True)[0]


def normalize(x: Any, axis: Any, eps: float) -> Any:
    mean = reduced(torch.mean)
    centred = x - mean(x, axis, True)
    return centred / torch.sqrt(mean(centred * centred, axis, True) + eps)


def tensors(function: Any) -> Any:
    """For functions of PyTorch that take no numbers."""
    return lambda a, b: function(torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))


# PyTorch's function of the same name is the counterpart, unless one is named here.
TORCH = {
    "subtract": lambda a, b: a - b,
    "multiply": torch.mul,
    "divide": lambda a, b: a / b,
    "power": torch.pow,
    **{name: tensors(getattr(torch, name)) for name in ("not_equal", "less", "less_equal", "greater", "greater_equal")},
    "equal": tensors(torch.eq),
    "astype": lambda x, dtype: x.to(getattr(torch, str(dtype))),
    "cast_away": lambda x, dtype: x.to(getattr(torch, str(dtype))),
    "sum": reduced(torch.sum),
    "mean": reduced(torch.mean),
    "max": reduced(torch.amax),
    "min": reduced(torch.amin),
    "logsumexp": reduced(torch.logsumexp),
    "any": reduced(torch.any),
    "all": reduced(torch.all),
    "permute_dims": lambda x, axes: x.permute(axes),
    "transpose": lambda x, axes: x.permute(tuple(range(x.ndim))[::-1] if axes is None else axes),
    "swapaxes": lambda x, axis1, axis2: x.swapaxes(axis1, axis2),
    "expand_dims": expand_dims,
    "squeeze": lambda x, axis: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "sum_to": lambda x, shape: x.sum_to_size(shape),
    "copy": torch.clone,
    "alias": lambda x: x.view_as(x),
    "concatenate": lambda *xs, axis: torch.cat([x.ravel() for x in xs] if axis is None else xs, axis or 0),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "getitem": lambda x, index: x.reshape(-1)[flat_index(x.shape, index)],
    "scatter_add": scattered,
    "affine": F.linear,
    "one_hot": lambda labels, classes, dtype: F.one_hot(labels, classes).to(getattr(torch, str(dtype))),
    "softmax_cross_entropy": lambda x, labels, reduction: nll(torch.log_softmax(x, -1), labels, reduction),
    "nll": lambda x, labels, reduction: nll(x, torch.as_tensor(labels), reduction),
    "nll_transposed": nll_transposed,
    "normalize": normalize,
}
WITHOUT = {"move": "PyTorch's devices are not ours"}


def counterpart(name: str) -> Any:
    return TORCH.get(name) or getattr(torch, name, None)


@pytest.fixture(autouse=True, scope="module")
def loaded():
    """PyTorch loads a part of itself, which changes the warnings filters, at its first double backward of abs."""
    x = torch.ones(1, requires_grad=True)
    (gradient,) = torch.autograd.grad((torch.abs(x) ** 2).sum(), x, create_graph=True)
    torch.autograd.grad(gradient.sum(), x)


def test_every_operation_is_compared_or_excused():
    missing = [name for name in SPECS if name not in WITHOUT and counterpart(name) is None]
    assert not missing, "name a counterpart in TORCH, or the reason why there is none in WITHOUT"
    assert set(TORCH) | set(WITHOUT) <= set(SPECS)


def calls(name: str, tied: bool) -> list[Call]:
    examples = []
    for seed in range(16):
        sample = SPECS[name].sample(RandomSource(seed, tied=tied))
        same = ["float64"] * len(sample.args), ["C"] * len(sample.args)
        examples.append(Call(Example(SPECS[name], sample, *same, sample.inputs, "cpu", seed)))
    return examples


def as_torch(value: Any) -> Any:
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def compare(call: Call) -> None:
    """Value, gradient, and the Hessian of ``Σ c y + ½ Σ d y²`` times a vector."""
    theirs = [as_torch(x) for x in call.example.sample.args]
    wanted = [theirs[i].requires_grad_() for i in call.wanted]
    expected = counterpart(call.spec.name)(*theirs, **{k: as_torch(v) for k, v in call.example.sample.meta.items()})
    leaves = call.leaves()
    y = call(*leaves)
    assert y.shape == tuple(expected.shape)
    assert np.allclose(host(y), expected.detach().numpy(), rtol=1e-12, atol=1e-12, equal_nan=True)
    if isinstance(call.spec.recorded, Constant) or not np.isfinite(host(y)).all():
        return
    c, d = (call.dense(y.shape).astype(y.dtype) for _ in range(2))
    ws = [call.dense(x.shape) for x in leaves]
    scalar = (expected * (torch.from_numpy(c) + torch.from_numpy(d) * expected * 0.5)).sum()
    scalar = scalar + sum(0.0 * (x * x).sum() for x in wanted)  # for PyTorch, x ** 0 does not depend on x
    gradients = torch.autograd.grad(scalar, wanted, create_graph=True)
    along = sum((g * torch.from_numpy(w)).sum() for g, w in zip(gradients, ws, strict=True))
    products = [
        torch.zeros_like(x) if h is None else h
        for h, x in zip(torch.autograd.grad(along, wanted, allow_unused=True), wanted, strict=True)
    ]

    def function(*xs: Any) -> Any:
        out = call(*xs)
        return tg.sum(out * (c + d * out * 0.5))

    eps = 1e-10 if y.dtype == np.float64 else 1e-4
    found = tg.grad(function, argnums=range(len(leaves)))(*leaves)
    assert np.allclose(joined(found), joined(g.detach().numpy() for g in gradients), rtol=eps, atol=eps)
    found = tg.hvp(function, tuple(leaves), tuple(tg.tensor(w) for w in ws))
    assert np.allclose(joined(found), joined(h.numpy() for h in products), rtol=eps, atol=eps)


@pytest.mark.parametrize("name", [name for name in SPECS if name not in WITHOUT])
def test_operation(name):
    for call in calls(name, tied=False):
        compare(call)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.kinks])
def test_ties(name):
    for call in calls(name, tied=True):
        compare(call)
