"""Messages: what was expected, what came, why, and the corrected call. Those of one module alone are tested with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import errors
from tinygrad_opt.errors import DeviceError, FreedGraphError, GraphError, ShapeError


def matrix(*shape: int) -> tg.Tensor:
    return tg.ones(shape, requires_grad=True)


# Starting a sweep.


def test_backward_needs_a_scalar() -> None:
    expected = (
        "backward() needs a scalar; this tensor has shape (64, 10). Reduce it (.sum(), .mean()), or pass gradient= of "
        "the same shape (a vector-Jacobian product)."
    )
    with pytest.raises(ShapeError, match=re.escape(expected)):
        matrix(64, 10).backward()
    with pytest.raises(ShapeError, match=re.escape("shape (1,)")):
        matrix(1).backward()


def test_a_gradient_of_another_shape() -> None:
    expected = (
        r"gradient must have the shape of what it belongs to, \(2, 3\); got \(3,\). Use tg.broadcast_to\(v, \(2, 3\)\)"
    )
    with pytest.raises(ShapeError, match=expected):
        (matrix(2, 3) * 2).backward(gradient=np.ones(3))


def test_create_graph_does_not_exist() -> None:
    expected = (
        "backward() stores plain gradients. For derivatives of gradients: "
        "g, = tg.gradients(loss, [x], create_graph=True)."
    )
    for value in (True, False):
        with pytest.raises(TypeError, match=re.escape(expected)):
            matrix(2).sum().backward(create_graph=value)
    with pytest.raises(TypeError, match="unexpected argument 'inputs'"):
        matrix(2).sum().backward(inputs=[])


def test_nothing_was_recorded() -> None:
    said = r"does not require gradients: nothing was recorded.*requires_grad=True.*no_grad\(\).*detach\(\), numpy\(\)"
    with pytest.raises(GraphError, match=said):
        tg.ones(2).sum().backward()
    with tg.no_grad():
        y = matrix(2).sum()
    with pytest.raises(GraphError, match=said):
        y.backward()
    with pytest.raises(GraphError, match=said):
        tg.ones(2).retain_grad()


def test_a_second_sweep_names_the_operation_and_three_causes() -> None:
    x = matrix(2)
    loss = tg.exp(x).sum()
    loss.backward()
    with pytest.raises(FreedGraphError) as caught:
        loss.backward()
    said = str(caught.value)
    assert said.startswith("the arrays saved by 'sum' are gone: an earlier backward() freed them.")
    parts = ["(1) backward() called twice", "add the losses first", "(2) the forward pass is outside the loop",
             "(3) a tensor of the previous step is still attached", "detach() it", "retain_graph=True"]  # fmt: skip
    assert [said.index(part) for part in parts] == sorted(said.index(part) for part in parts)
    assert x.grad.tolist() == pytest.approx([np.e, np.e])


def test_two_losses_that_share_a_part() -> None:
    x = matrix(2)
    shared = tg.exp(x)
    (shared * 2).sum().backward()
    with pytest.raises(FreedGraphError, match=r"'exp' are gone.*add the losses first"):
        (shared * 3).sum().backward()


# Shapes.


SHAPE_ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: matrix(2) + matrix(3), "add: shapes (2,) and (3,) do not fit"),
    (lambda: tg.ones(2, 3) * np.ones((3, 2), np.float32), "multiply: shapes (2, 3) and (3, 2) do not fit"),
    (lambda: tg.where(tg.ones(2) > 0, tg.ones(3), 0.0), "where: shapes (2,) and (3,) do not fit"),
    (
        lambda: matrix(2, 3) @ matrix(2, 3),
        "matmul: shapes (2, 3) and (2, 3): the last axis of the first (3) must be as long as the last but one axis of "
        "the second (2)",
    ),
    (lambda: matrix(2, 3) @ matrix(2), "must be as long as the only axis of the second (2)"),
    (lambda: matrix(2) @ tg.tensor(3.0), "matmul: shapes (2,) and (): a number has no axes; use a * b"),
    (lambda: matrix(2, 3).reshape(4), "reshape: shape (2, 3) does not fit with shape=(4,)"),
    (lambda: matrix(2, 3).reshape(4, -1), "reshape: a tensor of shape (2, 3) cannot take the shape (4, -1)"),
    (lambda: matrix(2, 3).reshape(-1, -1), "reshape: a shape has no negative sides, but for one -1; got (-1, -1)"),
    (lambda: tg.broadcast_to(matrix(2), (2, 3)), "broadcast_to: shape (2,) does not fit with shape=(2, 3)"),
    (lambda: tg.transpose(matrix(2, 3), (0, 0)), "transpose: axes (0, 0) must name each of the 2 axes once"),
    (lambda: tg.squeeze(matrix(2, 3), 0), "squeeze: only axes of length 1 can go; axis=0 of shape (2, 3)"),
    (lambda: tg.concatenate([matrix(2), matrix(2, 3)]), "same number of axes; got shapes (2,), (2, 3)"),
    (lambda: tg.concatenate([matrix(2, 2), matrix(2, 3)]), "concatenate: shapes (2, 2) and (2, 3) do not fit"),
    (lambda: tg.concatenate([]), "concatenate: at least one tensor is needed"),
    (lambda: tg.stack([matrix(2), matrix(3)]), "stack: all tensors need one shape; got (2,), (3,)"),
    (lambda: tg.moveaxis(matrix(2, 3), (0, 0), (0, 1)), "moveaxis: source (0, 0) names one axis twice"),
    (lambda: tg.moveaxis(matrix(2, 3), 0, (0, 1)), "moveaxis: source and destination must name as many axes"),
    (lambda: matrix(0).max(), "max: no elements along axis (0,) of shape (0,)"),
    (lambda: matrix(2, 0).mean(axis=1), "mean: no elements along axis (1,) of shape (2, 0)"),
    (lambda: tg.affine(matrix(2, 3), matrix(4, 2), matrix(4)), "expected x (..., n), weight (m, n), bias (m,)"),
]


@pytest.mark.parametrize(("call", "said"), SHAPE_ERRORS, ids=[said[:40] for _, said in SHAPE_ERRORS])
def test_shapes_that_do_not_fit(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(said)):
        call()


# Axes and indices.


REDUCTIONS = ["sum", "mean", "max", "min", "logsumexp", "any", "all"]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_axes_of_reductions(name: str, device: str) -> None:
    reduce, x = getattr(tg, name), tg.ones(2, 3, device=device)
    for axis in (2, -3, (0, 2)):
        with pytest.raises(ShapeError, match=rf"{name}: axis (2|-3) is out of bounds for a tensor of 2 axes"):
            reduce(x, axis=axis)
    for axis in ((0, 0), (1, -1)):
        with pytest.raises(ShapeError, match=re.escape(f"{name}: axis {axis} names one axis twice")):
            reduce(x, axis=axis)
    for axis in (1.0, "rows", (0, 1.5)):
        with pytest.raises(TypeError, match=f"{name}: axis must be an integer; got"):
            reduce(x, axis=axis)


@pytest.mark.parametrize("name", ["argmax", "argmin", "softmax", "log_softmax"])
def test_axes_of_functions_of_one_axis(name: str) -> None:
    with pytest.raises(ShapeError, match=f"{name}: axis 2 is out of bounds for a tensor of 2 axes"):
        getattr(tg, name)(tg.ones(2, 3), axis=2)


@pytest.mark.parametrize("index", [5, -3, [0, 7], (0, 3), (slice(None), [-4]), np.array([2])])
def test_an_index_out_of_range(index: Any, device: str) -> None:
    x = tg.ones(2, 3, device=device, requires_grad=True)
    with pytest.raises(IndexError, match=r"getitem: (shape \(2, 3\) does not have such|index -?\d is out of bounds)"):
        x[index]


@pytest.mark.parametrize("index", [(0, 0, 0), (..., ...), [True, False, True], np.ones((2, 2), bool)])
def test_an_index_that_does_not_fit(index: Any) -> None:
    with pytest.raises(IndexError, match=r"getitem: shape \(2, 3\) does not have such elements: "):
        matrix(2, 3)[index]


@pytest.mark.parametrize("index", ["rows", 1.5, [0.5], {"a": 1}, np.array([1.0])])
def test_what_is_no_index(index: Any) -> None:
    with pytest.raises(IndexError, match=r"an index is made of integers, slices, .* and integer arrays; got"):
        matrix(2, 3)[index]


def test_labels_out_of_range(device: str) -> None:
    logits = tg.zeros(2, 3, device=device)
    with pytest.raises(IndexError, match=r"label 3 is outside 0 … 2, for 3 classes"):
        tg.softmax_cross_entropy(logits, tg.tensor([0, 3], device=device))
    with pytest.raises(IndexError, match=r"label -1 is outside"):
        tg.softmax_cross_entropy(logits, tg.tensor([0, -1], device=device))
    with pytest.raises(
        TypeError, match=r"labels are whole numbers, one per row; got float32. Write labels.astype\(tg.int64\)"
    ):
        tg.softmax_cross_entropy(logits, tg.zeros(2, device=device))
    with pytest.raises(ShapeError, match=r"logits \(2, 3\), labels \(3,\); expected one label for each row"):
        tg.softmax_cross_entropy(logits, tg.tensor([0, 1, 2], device=device))


@pytest.mark.parametrize("logits", [[[1, 2]], np.array([[1, 2]]), np.array([[True, False]])])
def test_logits_that_are_not_floating(logits, device):
    logits = tg.tensor(logits, device=device)
    said = rf"logits are floating numbers.*got {logits.dtype}\. Write logits\.astype\(tg\.float32\)"
    for loss in (tg.softmax_cross_entropy, tg.nn.functional.cross_entropy):
        with pytest.raises(TypeError, match=said):
            loss(logits, tg.tensor([0], device=device))


@pytest.mark.parametrize("function", [tg.softmax, tg.log_softmax])
@pytest.mark.parametrize("rows", [0, 2])
def test_whole_numbers_have_floating_probabilities(function, rows, device):
    found = function(tg.zeros(rows, 2, dtype=tg.int64, device=device))
    assert (found.shape, found.dtype) == ((rows, 2), tg.float64)


# Arguments of the wrong kind.


@pytest.mark.parametrize("partner", ["text", None, {}, object(), len])
def test_operands_that_are_no_numbers(partner: Any) -> None:
    said = f"add: argument 1 is a {type(partner).__name__}; expected a tensor, an array, a number or a"
    with pytest.raises(TypeError, match=re.escape(said)):
        matrix(2) + partner
    with pytest.raises(TypeError, match="add: argument 0 is a"):
        partner + matrix(2)


def test_operations_that_a_dtype_does_not_have() -> None:
    with pytest.raises(TypeError, match="negative: cannot take bool"):
        -tg.tensor([True])


# Devices.


def test_mixed_devices_are_named() -> None:
    x, w = tg.ones(2, 3), tg.ones(3, 2, device="double", requires_grad=True)
    x.name, w.name = "x", "fc1.weight"
    expected = "matmul: 'x' is on cpu, 'fc1.weight' is on double:0. Move one: x.to('double')."
    with pytest.raises(DeviceError, match=re.escape(expected)):
        x @ w
    assert (x.to("double:0") @ w).device == "double:0"
    assert (x @ w.cpu()).device == "cpu"


def test_mixed_devices_without_names() -> None:
    a, b = tg.ones(2, device="double:1"), tg.ones(2, device="double:0")
    with pytest.raises(DeviceError, match=r"add: argument 0 is on double:1, argument 1 is on double:0. Move one: "):
        a + b
    with pytest.raises(DeviceError, match="add: argument 0 is on double:1, argument 1 is on cpu"):
        a + np.ones(2, np.float32)
    with pytest.raises(DeviceError):
        tg.concatenate([a, tg.ones(2)])


def test_a_tensor_on_a_device_is_not_handed_to_numpy() -> None:
    x = tg.ones(2, device="double")
    for hand_out in (np.asarray, lambda t: t.numpy()):
        with pytest.raises(
            TypeError, match=r"this tensor is on double:0; NumPy needs host memory: write t.cpu\(\).numpy\(\)"
        ):
            hand_out(x)
    assert x.cpu().numpy().tolist() == [1, 1]


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(errors.DeviceUnavailableError, match="'double:7' is not available: this machine has 2"):
        tg.ones(2, device="double:7")


def test_a_gradient_takes_the_way_back_between_devices() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    moved = w.to("double:0")
    (moved * moved).sum().backward()
    assert w.grad.device == "cpu"
    assert w.grad.tolist() == [2, 4]


def test_a_vector_on_another_device_than_its_tensor() -> None:
    w = tg.ones(2, device="double", requires_grad=True)
    for sweep in (
        lambda v: (w * 2.0).backward(v),
        lambda v: tg.gradients(w * 2.0, [w], v),
        lambda v: tg.jvp(lambda z: z * 2.0, w, v),
        lambda v: tg.vjp(lambda z: z * 2.0, w)[1](v),
    ):
        with pytest.raises(DeviceError, match=r"the vector is on cpu, its tensor is on double:0. Move one: "):
            sweep(tg.ones(2))
    (w * 2.0).backward([1.0, 3.0])  # a list is nowhere yet
    assert w.grad.tolist() == [2, 6]


# The types themselves.


def test_errors_are_what_python_calls_them() -> None:
    """Each is also one of Python's own kinds, so that code which knows nothing of this package can catch it."""
    assert issubclass(errors.ShapeError, ValueError)
    assert issubclass(errors.GraphError, RuntimeError)
    for kind in (errors.FreedGraphError, errors.InPlaceError, errors.UnusedInputError):
        assert issubclass(kind, errors.GraphError)
    assert issubclass(errors.DeviceUnavailableError, errors.DeviceError)
    assert issubclass(errors.AnomalyError, FloatingPointError)
    assert issubclass(errors.GradcheckError, AssertionError)


def test_the_cause_of_a_rephrased_error_is_kept() -> None:
    with pytest.raises(ShapeError) as caught:
        matrix(2) + matrix(3)
    assert isinstance(caught.value.__cause__, ValueError)
