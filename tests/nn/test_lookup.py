"""Embedding: repeated indices, padding, norms, what is refused; against sums written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

embedding = nn.functional.embedding


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def table(rows: int = 5, columns: int = 3, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(0).standard_normal((rows, columns)).astype(dtype)


def gradient(indices: Any, weight: np.ndarray, device: str = "cpu", **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """The gradient for a cotangent of 1, 2, 3, ..., and what it should be without options: row by row."""
    parameter = tg.tensor(weight, device=device, requires_grad=True)
    y = embedding(tg.tensor(indices, device=device), parameter, **options)
    g = np.arange(1, y.size + 1, dtype=weight.dtype).reshape(y.shape)
    expected = np.zeros_like(weight)
    for i, row in zip(np.ravel(indices), g.reshape(-1, weight.shape[1]), strict=True):
        expected[i] += row
    return host(tg.gradients(y, parameter, grad_outputs=tg.tensor(g, device=device))), expected


@pytest.mark.parametrize("indices", [2, [1, 1, 1], [[0, 4], [4, 4]], np.zeros((0, 2), int)])
def test_rows_and_the_sum_of_their_gradients(indices: Any, device: str) -> None:
    weight, indices = table(), np.asarray(indices)
    np.testing.assert_array_equal(
        host(embedding(tg.tensor(indices, device=device), tg.tensor(weight, device=device))), weight[indices]
    )
    found, expected = gradient(indices, weight, device)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("spread", [1, 3, 50, 400])
def test_many_rows_with_few_and_many_repeats(spread: int) -> None:
    """Whole numbers, so that the order of the sums makes no difference."""
    indices = np.random.default_rng(1).integers(-spread, spread, 300) % 400
    found, expected = gradient(indices, table(400, 8))
    np.testing.assert_array_equal(found, expected)
    x = tg.tensor(table(400, 8), requires_grad=True)
    both_ends = tg.gradients(x[indices - 400 * (indices % 2)].sum(), x)
    np.testing.assert_array_equal(host(both_ends)[:, 0], np.bincount(indices, minlength=400))


def test_it_is_linear_in_the_table() -> None:
    indices = tg.tensor([[0, 2], [2, 2]])
    assert tg.testing.gradcheck(lambda w: tg.tanh(embedding(indices, w)), tg.tensor(table()), order=2)


@pytest.mark.parametrize("padding", [2, -3])
def test_padding_gets_no_gradient(padding: int, device: str) -> None:
    found, expected = gradient([0, 2, 2, 1], table(), device, padding_idx=padding)
    expected[2] = 0
    np.testing.assert_array_equal(found, expected)
    layer = nn.Embedding(5, 3, padding_idx=padding, device=device)
    assert layer.padding_idx == 2
    assert not host(layer.weight)[2].any()
    assert host(layer.weight)[1].all()
    w, v = (tg.tensor(table(), device=device) for _ in range(2))
    indices = tg.tensor([2, 1], device=device)
    _, tangent = tg.jvp(lambda w: embedding(indices, w, padding), (w,), (v,))
    np.testing.assert_array_equal(host(tangent), [np.zeros(3), table()[1]])


def test_gradients_divided_by_frequency(device: str) -> None:
    indices = [[0, 2], [2, 2]]
    found, expected = gradient(indices, table(), device, scale_grad_by_freq=True)
    expected[2] /= 3
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    both, expected = gradient(indices, table(), device, scale_grad_by_freq=True, padding_idx=0)
    np.testing.assert_allclose(both[2], expected[2] / 3, rtol=1e-15)
    assert not both[0].any()
    weight = tg.tensor(table(), device=device, requires_grad=True)
    y = embedding(tg.tensor(indices, device=device), weight, scale_grad_by_freq=True)
    np.testing.assert_array_equal(host(y), table()[indices])


@pytest.mark.parametrize(("order", "limit"), [(2.0, 1.0), (1.0, 0.5), (float("inf"), 0.25)])
def test_long_rows_are_shortened_in_place(order: float, limit: float, device: str) -> None:
    layer = nn.Embedding(5, 3, max_norm=limit, norm_type=order, dtype=tg.float64, device=device)
    layer.weight.data = tg.tensor(table() * np.array([[9.0], [1e-3], [9.0], [9.0], [9.0]]), device=device)
    before = host(layer.weight).copy()
    memory = layer.weight.data
    y = layer(tg.tensor([0, 1, 0, 3], device=device))
    after = host(layer.weight)
    assert layer.weight.data is memory
    np.testing.assert_array_equal(host(y), after[[0, 1, 0, 3]])
    np.testing.assert_allclose(np.linalg.norm(after[[0, 3]], order, axis=1), limit, rtol=1e-5)
    np.testing.assert_array_equal(after[[1, 2, 4]], before[[1, 2, 4]])
    np.testing.assert_allclose(after[0] / np.linalg.norm(after[0]), before[0] / np.linalg.norm(before[0]), rtol=1e-12)


def test_shortening_is_an_in_place_write() -> None:
    weight = tg.tensor(table() * 9, requires_grad=True)
    product = (weight * weight).sum()
    embedding([0], weight, max_norm=1.0)
    with pytest.raises(RuntimeError, match=r"changed in place \(by embedding"):
        product.backward()


def test_recomputation_sees_the_table_as_it_was() -> None:
    def loss(weight: tg.Tensor) -> tg.Tensor:
        return (embedding([0, 0], weight, max_norm=1.0) ** 2).sum()

    plain, recomputed = (tg.tensor(table() * 9, requires_grad=True) for _ in range(2))
    loss(plain).backward()
    tg.checkpoint(loss, recomputed).backward()
    np.testing.assert_array_equal(host(plain.grad), host(recomputed.grad))
    np.testing.assert_array_equal(host(plain), host(recomputed))


def test_later_changes_of_the_indices_change_nothing() -> None:
    weight, indices = tg.tensor(table(), requires_grad=True), np.array([1, 2])
    y = embedding(indices, weight)
    indices[:] = 0
    np.testing.assert_array_equal(host(tg.gradients(y.sum(), weight))[:, 0], [0, 1, 1, 0, 0])


def test_pretrained_vectors_are_copied_and_frozen(device: str) -> None:
    given = tg.tensor(table(), device=device)
    layer = nn.Embedding.from_pretrained(given)
    assert (layer.num_embeddings, layer.embedding_dim, layer.weight.requires_grad) == (5, 3, False)
    assert (layer.weight.dtype, layer.weight.device) == (tg.float64, device)
    assert list(layer.state_dict()) == ["weight"]
    np.testing.assert_array_equal(host(layer(tg.tensor([3], device=device))), table()[[3]])
    given.data[...] = 0
    assert host(layer.weight).all()
    padded = nn.Embedding.from_pretrained(tg.tensor(table()), freeze=False, padding_idx=1)
    assert padded.weight.requires_grad
    np.testing.assert_array_equal(host(padded.weight), table())


def test_starting_values_and_repr() -> None:
    tg.manual_seed(0)
    layer = nn.Embedding(1000, 8, padding_idx=-1, max_norm=2.0)
    assert host(layer.weight)[:-1].std() == pytest.approx(1, rel=0.05)
    assert repr(nn.Embedding(10, 3, padding_idx=-1, max_norm=2.0, init=0.5)).startswith(
        "Embedding(10, 3, padding_idx=9, max_norm=2.0, norm_type=2.0, init=0.5)"
    )


@pytest.mark.parametrize(
    ("indices", "error", "words"),
    [
        ([0, 5], IndexError, r"index 5 is outside 0 … 4, for a table of 5 rows"),
        ([-1, 2], IndexError, r"index -1 is outside 0 … 4"),
        ([-(2**62)], IndexError, r"index -\d+ is outside 0 … 4"),
        ([0.0, 1.0], TypeError, "indices are whole numbers, and come first; got float"),
        ([True], TypeError, "indices are whole numbers, and come first; got bool"),
    ],
)
def test_indices_that_are_refused(indices: list[Any], error: type[Exception], words: str, device: str) -> None:
    layer = nn.Embedding(5, 3, device=device)
    for given in (indices, tg.tensor(indices, device=device)):
        with pytest.raises(error, match=f"embedding: {words}"):
            layer(given)


def test_arguments_that_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="Embedding: gradients are dense here; leave sparse=True out"):
        nn.Embedding(2, 2, sparse=True)
    with pytest.raises(IndexError, match="Embedding: padding_idx 2 is not a row of a table of 2"):
        nn.Embedding(2, 2, padding_idx=2)
    with pytest.raises(ValueError, match="Embedding: num_embeddings must be a positive integer"):
        nn.Embedding(0, 2)
    with pytest.raises(TypeError, match="Embedding: max_norm must be a number"):
        nn.Embedding(2, 2, max_norm="1")
    with pytest.raises(tg.errors.ShapeError, match=r"embedding: expected a table .* got \(3,\) float32"):
        embedding([0], tg.zeros(3))
    with pytest.raises(tg.errors.ShapeError, match="from_pretrained: expected floating vectors"):
        nn.Embedding.from_pretrained(tg.tensor([[1, 2]]))
