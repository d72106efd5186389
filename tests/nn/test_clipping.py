"""Gradients cut to a length or a range: in place, without waiting, as PyTorch does it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn.clipping import _stretches
from tinygrad_opt.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters


def with_gradients(device: str = "cpu", dtypes: Any = ("float32",) * 3, scale: float = 1.0) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    parameters = []
    for shape, dtype in zip(((3, 2), (), (4,)), dtypes, strict=True):
        p = nn.Parameter(tg.zeros(shape, dtype=dtype, device=device))
        p.grad = tg.tensor((rng.standard_normal(shape) * scale).astype(dtype), device=device)
        parameters.append(p)
    return parameters


def gradients(parameters: list[tg.Tensor]) -> list[np.ndarray]:
    return [p.grad.cpu().numpy().copy() for p in parameters if p.grad is not None]


ORDERS = [1.0, 2, 2.0, 2.5, 0.5, math.inf]


@pytest.mark.parametrize("norm_type", ORDERS)
@pytest.mark.parametrize("max_norm", [0.5, 1e6, 0.0])
def test_the_norm_of_all_gradients_as_one_vector(norm_type: float, max_norm: float, device: str) -> None:
    parameters = [*with_gradients(device), nn.Parameter(tg.zeros(2, device=device))]
    before = gradients(parameters)
    whole = np.concatenate([g.ravel() for g in before]).astype("float64")
    expected = np.abs(whole).max() if norm_type == math.inf else (np.abs(whole) ** norm_type).sum() ** (1 / norm_type)
    total = clip_grad_norm_(iter(parameters), max_norm, norm_type)
    assert (total.shape, total.dtype, total.device) == ((), tg.float32, device)
    assert total.item() == pytest.approx(expected, rel=1e-5)
    assert not total.requires_grad
    for after, g in zip(gradients(parameters), before, strict=True):
        assert after.dtype == g.dtype
        np.testing.assert_allclose(after, g * min(1.0, max_norm / (expected + 1e-6)), rtol=1e-5)
    assert parameters[-1].grad is None


def test_values_are_cut_to_the_range(device: str) -> None:
    parameters = with_gradients(device)
    before = gradients(parameters)
    assert clip_grad_value_(parameters, 0.5) is None
    for after, g in zip(gradients(parameters), before, strict=True):
        np.testing.assert_array_equal(after, g.clip(-0.5, 0.5))


def test_nothing_waits_for_the_device() -> None:
    parameters = with_gradients("double:0")
    with strict_double.synchronizations() as waits:
        clip_grad_norm_(parameters, 0.5)
        clip_grad_norm_(parameters, 0.5, math.inf)
        clip_grad_value_(parameters, 0.5)
    assert waits == []


def test_the_optimizer_s_vector_is_what_is_cut(device: str) -> None:
    model = nn.Sequential(nn.Linear(2, 3, device=device), nn.Linear(3, 1, device=device))
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    (model(tg.ones(4, 2, device=device)) * 100.0).sum().backward()
    memory = [p.grad.data for p in model.parameters()]
    before, expected = (
        [p.detach().cpu().numpy().copy() for p in model.parameters()],
        gradients(list(model.parameters())),
    )
    total = clip_grad_norm_(model.parameters(), 0.1).item()
    assert all(p.grad.data is m for p, m in zip(model.parameters(), memory, strict=True))
    optimizer.step()
    for p, old, g in zip(model.parameters(), before, expected, strict=True):
        np.testing.assert_allclose(p.detach().cpu().numpy(), old - g * (0.1 / total), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "scale"), [("float16", 2e4), ("float32", 1e30), ("float64", 1e300), ("float32", 1e-30)]
)
def test_large_and_small_gradients_do_not_overflow(dtype: str, scale: float, device: str) -> None:
    parameters = with_gradients(device, (dtype,) * 3, scale)
    before = [g.astype("float64") / scale for g in gradients(parameters)]
    norm = np.sqrt(sum((g * g).sum() for g in before))
    limit = max(scale, 1e-7)
    total = clip_grad_norm_(parameters, limit)
    assert total.item() == pytest.approx(norm * scale, rel=1e-2 if dtype == "float16" else 1e-5)
    for after, g in zip(gradients(parameters), before, strict=True):
        wanted = g * min(1.0, limit / (norm * scale + 1e-6))
        np.testing.assert_allclose(after.astype("float64") / scale, wanted, rtol=1e-2 if dtype == "float16" else 1e-4)


def test_dtypes_may_differ(device: str) -> None:
    parameters = with_gradients(device, ("float32", "float64", "float16"))
    before = gradients(parameters)
    total = clip_grad_norm_(parameters, 0.5)
    assert total.dtype == tg.float64
    norm = np.sqrt(sum((g.astype("float64") ** 2).sum() for g in before))
    assert total.item() == pytest.approx(norm, rel=1e-3)
    assert [g.dtype for g in gradients(parameters)] == ["float32", "float64", "float16"]


def test_a_norm_that_is_not_finite_raises_if_wanted_and_leaves_the_gradients() -> None:
    parameters = with_gradients()
    parameters[1].grad = tg.tensor(math.nan)
    before = gradients(parameters)
    with pytest.raises(tg.errors.AnomalyError, match="the norm of the gradients is nan, so they cannot be scaled"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    for after, g in zip(gradients(parameters), before, strict=True):
        np.testing.assert_array_equal(after, g)
    assert math.isnan(clip_grad_norm_(parameters, 1.0).item())
    assert all(np.isnan(g).all() for g in gradients(parameters))


def test_no_gradients_no_elements_one_tensor_and_one_tensor_twice() -> None:
    assert clip_grad_norm_([nn.Parameter(tg.zeros(2))], 1.0).item() == 0.0
    assert clip_grad_norm_([], 1.0).item() == 0.0
    empty = nn.Parameter(tg.zeros(0))
    empty.grad = tg.zeros(0)
    assert clip_grad_norm_([empty], 1.0).item() == 0.0
    w = nn.Parameter(tg.zeros(2))
    w.grad = tg.tensor([3.0, 4.0])
    assert clip_grad_norm_([w, w], 2.5).item() == 5.0
    assert w.grad.tolist() == pytest.approx([1.5, 2.0])
    assert clip_grad_norm_(w, 10.0).item() == pytest.approx(2.5)


def test_gradients_in_memory_of_all_kinds() -> None:
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(12).astype("float32")
    arrays = [
        vector[:3], vector[3:5].reshape(2, 1), vector[7:5:-1], vector[8:12:2], vector[0:0],
        np.array(bytearray(rng.bytes(4)), "u1").view("float16"), np.frombuffer(bytearray(vector.tobytes()), "float32"),
        rng.standard_normal((3, 4)).astype("float32").T, np.float32(2.0)[...],
    ]  # fmt: skip
    parameters = []
    for array in arrays:
        parameters.append(nn.Parameter(tg.zeros(array.shape, dtype=array.dtype)))
        parameters[-1].grad = tg.Tensor(array)
    before = [array.astype("float64") for array in arrays]
    norm = np.sqrt(sum((g * g).sum() for g in before))
    assert clip_grad_norm_(parameters, norm / 4).item() == pytest.approx(norm, rel=1e-6)
    for p, array, g in zip(parameters, arrays, before, strict=True):
        assert p.grad.data is array
        np.testing.assert_allclose(array.astype("float64"), g / 4, rtol=1e-3)
    clip_grad_value_(parameters, 0.01)
    assert max(np.abs(array).max(initial=0) for array in arrays) <= 0.0101


def test_what_lies_in_one_vector_is_one_stretch(device: str) -> None:
    model = nn.Sequential(*(nn.Linear(2, 2, device=device) for _ in range(3)))
    tg.optim.SGD(model.parameters(), lr=0.1)
    model(tg.ones(1, 2, device=device)).sum().backward()
    parameters = list(model.parameters())
    for chosen, count in ((parameters, 1), (parameters[:2] + parameters[4:], 2), (parameters[::-1], 6)):
        assert len(_stretches(p.grad for p in chosen)) == count
        expected = np.sqrt(sum((g.astype("float64") ** 2).sum() for g in gradients(chosen)))
        assert clip_grad_norm_(chosen, 1e9).item() == pytest.approx(expected, rel=1e-6)


def test_a_later_use_of_a_gradient_that_was_saved_is_noticed() -> None:
    w = nn.Parameter(tg.ones(2))
    w.grad = tg.tensor([3.0, 4.0])
    loss = (w * w.grad).sum()
    clip_grad_norm_([w], 1.0)
    with pytest.raises(tg.errors.InPlaceError):
        loss.backward()


@pytest.mark.parametrize("function", [clip_grad_norm_, clip_grad_value_])
def test_bad_arguments_are_refused_by_name(function: Any) -> None:
    name = function.__name__
    model = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=rf"{name}: parameters must be a list of tensors; write model.parameters\(\)"):
        function(model, 1.0)
    with pytest.raises(TypeError, match=rf"{name}: parameters must be a list of tensors, .*; got int"):
        function(3, 1.0)
    with pytest.raises(TypeError, match=rf"{name}: parameter 1 is no tensor; got 'w'"):
        function([model.weight, "w"], 1.0)
    used = model.parameters()
    list(used)
    with pytest.raises(ValueError, match=rf"{name}: the iterator is at its end. model.parameters\(\) is good for one"):
        function(used, 1.0)
    for bad in (-1.0, math.nan, "1", None, True, 1j):
        with pytest.raises(ValueError, match=rf"{name}: .* must be a number of at least 0; got"):
            function([model.weight], bad)
    if function is clip_grad_norm_:
        for bad in (0, -2.0, -math.inf, math.nan, "fro", None):
            with pytest.raises(ValueError, match="norm_type must be"):
                function([model.weight], 1.0, bad)


@pytest.mark.oracle
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_beside_pytorch(norm_type: float) -> None:
    torch = pytest.importorskip("torch")
    ours = with_gradients()
    theirs = [torch.nn.Parameter(torch.tensor(p.detach().numpy())) for p in ours]
    for p, q in zip(ours, theirs, strict=True):
        q.grad = torch.tensor(p.grad.numpy().copy())
    total = clip_grad_norm_(ours, 0.7, norm_type)
    assert total.item() == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, 0.7, norm_type).item(), rel=1e-6)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-6)


# Vectors.


def test_parameters_become_a_vector_and_come_back(device: str) -> None:
    model, other = (nn.Sequential(nn.Linear(2, 3, device=device), nn.Linear(3, 1, device=device)) for _ in range(2))
    vector = parameters_to_vector(model.parameters())
    assert (vector.shape, vector.device) == ((13,), device)
    memory = [p.data for p in other.parameters()]
    vector_to_parameters(vector, other.parameters())
    assert all(p.data is m for p, m in zip(other.parameters(), memory, strict=True))
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert p.tolist() == q.tolist()
        assert q.requires_grad
    vector_to_parameters(np.zeros(13), other.parameters())
    assert not any(q.detach().cpu().numpy().any() for q in other.parameters())


def test_derivatives_flow_into_a_vector_of_parameters() -> None:
    w, b = tg.tensor([[1.0, 2.0]], requires_grad=True), tg.tensor([3.0], requires_grad=True)
    loss = (parameters_to_vector([w, b]) ** 3).sum()
    gradients = tg.gradients(loss, [w, b], create_graph=True)
    assert [g.tolist() for g in gradients] == [[[3.0, 12.0]], [27.0]]
    second = tg.gradients(gradients[0].sum() + gradients[1].sum(), [w, b])
    assert [g.tolist() for g in second] == [[[6.0, 12.0]], [18.0]]


def test_a_vector_of_another_length_changes_nothing() -> None:
    model = nn.Linear(2, 2)
    before = [p.tolist() for p in model.parameters()]
    for bad in (tg.zeros(5), tg.zeros(7), tg.zeros(6, 1)):
        with pytest.raises(
            tg.errors.ShapeError, match="expected a vector of 6 elements, as many as the parameters have"
        ):
            vector_to_parameters(bad, model.parameters())
    with pytest.raises(TypeError, match="vector_to_parameters: vec: tensors hold bool, integer or floating"):
        vector_to_parameters(None, model.parameters())
    assert [p.tolist() for p in model.parameters()] == before
    for function in (parameters_to_vector, lambda p: vector_to_parameters(tg.zeros(6), p)):
        with pytest.raises(TypeError, match=r"write model.parameters\(\)"):
            function(model)
        with pytest.raises(ValueError, match="there are no parameters"):
            function(iter([]))
        with pytest.raises(TypeError, match="parameter 0 is no tensor; got 1"):
            function([1])
