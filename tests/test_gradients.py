"""`gradients`: of what was computed already."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GraphError, UnusedInputError

from .derivatives import number, vector


def test_create_graph_to_third_order() -> None:
    x = number(2.0, requires_grad=True)
    g = x**4
    for expected in (32, 48, 48, 24):
        (g,) = tg.gradients(g, [x], create_graph=True)
        assert g.item() == expected


def test_a_gradient_penalty() -> None:
    """‖∂y/∂x‖² as part of a loss: the everyday use of create_graph."""
    w = vector(1.0, -2.0, requires_grad=True)
    x = vector(0.5, 0.25, requires_grad=True)
    (g,) = tg.gradients((w * x * x).sum(), [x], create_graph=True)  # 2 w x
    (g * g).sum().backward()  # 4 w² x²
    np.testing.assert_allclose(w.grad.data, 8 * w.data * x.data**2)
    np.testing.assert_allclose(x.grad.data, 8 * w.data**2 * x.data)


def test_containers_and_intermediate_inputs() -> None:
    x = number(3.0, requires_grad=True)
    middle = x * x
    y = middle * 2
    found = tg.gradients({"y": y}, {"x": x, "rest": [middle]})
    assert found["x"].item() == 12
    assert found["rest"][0].item() == 2
    assert tg.gradients(y, x).item() == 12
    assert tg.gradients(y, [y])[0].item() == 1


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_that_are_asked_for_twice_share_no_memory(create_graph: bool) -> None:
    x, other = number(3.0, requires_grad=True), number(1.0, requires_grad=True)
    first, again, *unused = tg.gradients(x * x, [x, x, other, other], create_graph=create_graph, unused="none")
    assert unused == [None, None]
    assert first.requires_grad is again.requires_grad is create_graph
    first.data = first.data * 0
    assert again.item() == 6.0
    if create_graph:
        assert tg.gradients(again, x).item() == 2.0


def test_unused_inputs_are_named() -> None:
    x, other = vector(1.0, requires_grad=True), tg.ones(2, 3, requires_grad=True)
    y = (x * x).sum()
    expected = r"inputs\[1\] is not used in computing this output; pass unused='zero' or unused='none'"
    with pytest.raises(UnusedInputError, match=expected):
        tg.gradients(y, [x, other])
    other.name = "fc2.weight"
    with pytest.raises(UnusedInputError, match=r"inputs\[1\] 'fc2.weight' is not used"):
        tg.gradients(y, [x, other])
    with pytest.raises(UnusedInputError, match=r"inputs\['head'\]\[0\] 'fc2.weight' is not used"):
        tg.gradients(y, {"x": x, "head": (other,)})
    zero = tg.gradients(y, [x, other], unused="zero")[1]
    assert (zero.shape, zero.dtype, zero.tolist()) == ((2, 3), tg.float32, [[0, 0, 0], [0, 0, 0]])
    assert tg.gradients(y, [x, other], unused="none")[1] is None
    with pytest.raises(ValueError, match="unused must be 'error', 'zero' or 'none'; got 'ignore'"):
        tg.gradients(y, [x], unused="ignore")


def test_inputs_that_do_not_require_gradients_are_named() -> None:
    x, constant = vector(1.0, requires_grad=True), vector(1.0)
    constant.name = "data"
    with pytest.raises(GraphError, match=r"inputs\[1\] 'data' does not require gradients.*requires_grad=True"):
        tg.gradients((x * constant).sum(), [x, constant])


def test_outputs_that_were_not_recorded() -> None:
    x = vector(1.0, requires_grad=True)
    with pytest.raises(GraphError, match="the output does not require gradients: nothing was recorded"):
        tg.gradients(x.detach().sum(), [x])
    assert tg.gradients(x.detach().sum(), [x], unused="zero")[0].tolist() == [0]
    assert tg.gradients([x.detach().sum(), (2 * x).sum()], [x])[0].tolist() == [2]


def test_the_number_of_grad_outputs() -> None:
    x = number(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="grad_outputs: expected a list or tuple of 2; got a list of 1"):
        tg.gradients([x * 2, x * 3], [x], [1.0])


def test_what_is_not_a_tensor_is_refused() -> None:
    x = number(1.0, requires_grad=True)
    with pytest.raises(TypeError, match="inputs must be tensors; got float"):
        tg.gradients(x, [1.0])
    with pytest.raises(TypeError, match="outputs must be tensors; got ndarray"):
        tg.gradients(np.ones(1), [x])


def test_the_second_derivative_of_a_linear_function_by_gradients_is_zero_for_every_input() -> None:
    a = tg.tensor([1.0, 2.0], requires_grad=True)
    b = tg.tensor(np.ones((2, 3)), requires_grad=True)
    by_a, by_b = tg.gradients(3 * a.sum() - b.sum(), [a, b], create_graph=True)
    assert by_a.tolist() == [3.0, 3.0]
    assert by_a.dtype == tg.float32
    for first in (by_a, by_b):
        second = tg.gradients(first.sum(), [a, b])
        assert [(h.shape, h.dtype) for h in second] == [((2,), tg.float32), ((2, 3), tg.float64)]
        assert all(not h.numpy().any() for h in second)
