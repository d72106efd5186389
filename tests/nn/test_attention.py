"""Attention: masks, shapes, extreme scores, derivatives, and what is refused."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

attend = nn.functional.scaled_dot_product_attention


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def by_hand(q: np.ndarray, k: np.ndarray, v: np.ndarray, allowed: np.ndarray, scale: float) -> np.ndarray:
    """Query by query; zeros where nothing is allowed."""
    y = np.zeros((len(q), v.shape[1]))
    for i, row in enumerate(q):
        weights = np.array([math.exp(scale * float(row @ key)) for key in k]) * allowed[i]
        if weights.any():
            y[i] = weights @ v / weights.sum()
    return y


def layer(**options: Any) -> nn.MultiheadAttention:
    tg.manual_seed(3)
    return nn.MultiheadAttention(6, 2, batch_first=True, dtype=tg.float64, **options)


# scaled_dot_product_attention.


@pytest.mark.parametrize("scale", [None, 0.25])
def test_it_is_the_mean_that_the_formula_says(scale: float | None, device: str) -> None:
    q, k, v = normal(3, 4), normal(5, 4, seed=1), normal(5, 2, seed=2)
    allowed = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    expected = by_hand(q, k, v, allowed, 0.5 if scale is None else scale)
    y = attend(*(tg.tensor(x, device=device) for x in (q, k, v)), tg.tensor(allowed, device=device), scale=scale)
    np.testing.assert_allclose(host(y), expected, rtol=1e-12)
    assert isinstance(attend(q, k, v), np.ndarray)


def test_causal_attention_does_not_see_the_future(device: str) -> None:
    q, k, v = (tg.tensor(normal(2, 4, 3, seed=i), device=device, requires_grad=True) for i in range(3))
    y = attend(q, k, v, is_causal=True)
    gradients = tg.gradients(y[:, 1].sum(), [q, k, v])
    assert all(not host(g)[:, 2:].any() for g in gradients)
    assert host(gradients[2])[:, :2].any()
    long = attend(q, tg.concatenate([k, k], 1), tg.concatenate([v, v], 1), is_causal=True)
    np.testing.assert_allclose(host(long), host(y), rtol=1e-12)  # later keys are the future too


def test_heads_of_queries_share_keys() -> None:
    q, k, v = normal(2, 4, 3, 5), normal(2, 2, 6, 5, seed=1), normal(2, 2, 6, 5, seed=2)
    y = attend(q, k, v, enable_gqa=True)
    np.testing.assert_allclose(y[:, 3], attend(q[:, 3], k[:, 1], v[:, 1]), rtol=1e-12)
    np.testing.assert_allclose(y[:, 1], attend(q[:, 1], k[:, 0], v[:, 0]), rtol=1e-12)
    with pytest.raises(tg.errors.ShapeError, match=r"heads of key and value .* divide those of query"):
        attend(q, k[:, [0, 1, 0]], v[:, [0, 1, 0]], enable_gqa=True)


@pytest.mark.parametrize("kind", ["none", "bool", "numbers"])
def test_derivatives_of_both_orders(kind: str) -> None:
    q, k, v = (tg.tensor(0.5 * normal(2, 3, 2, seed=i)) for i in range(3))
    mask = tg.tensor([[True, False, True], [False, False, False], [True, True, True]])
    if kind == "numbers":
        pairs = tg.tensor(normal(3, 3, seed=4))
        assert tg.testing.gradcheck(lambda q, k, v, m: tg.tanh(attend(q, k, v, m)), (q, k, v, pairs), order=2)
    else:
        mask = None if kind == "none" else mask
        assert tg.testing.gradcheck(lambda q, k, v: tg.tanh(attend(q, k, v, mask)), (q, k, v), order=2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_extreme_scores_give_finite_gradients(dtype: str, size: float, device: str) -> None:
    """Scores of ±size², which float16 does not hold."""
    q, k, v = (tg.tensor(np.sign(normal(4, 3, seed=i)).astype(dtype), device=device) for i in range(3))
    q, k, v = ((x * s).detach().requires_grad_() for x, s in ((q, size), (k, size), (v, 1.0)))
    y = attend(q, k, v)
    assert y.dtype == dtype
    for g in tg.gradients(y, [q, k, v], grad_outputs=tg.ones_like(y)):
        assert g.dtype == dtype
        assert np.isfinite(host(g)).all()
    assert np.isfinite(host(y)).all()


def test_a_query_without_keys_gets_zeros_and_finite_derivatives(device: str) -> None:
    q, k, v = (tg.tensor(normal(2, 3, seed=i).astype("float32"), device=device, requires_grad=True) for i in range(3))
    mask = tg.tensor(np.array([[-math.inf, -math.inf], [0.0, 1.0]], "float32"), device=device)
    for blocked in (mask, tg.tensor([[False, False], [True, True]], device=device)):
        y = attend(q, k, v, blocked)
        np.testing.assert_array_equal(host(y)[0], 0)
        gradient = tg.gradients((y * y).sum(), [q, k, v], create_graph=True)
        second = tg.gradients(sum((g * g).sum() for g in gradient), [q, k, v])
        assert all(np.isfinite(host(g)).all() for g in (*gradient, *second))
        np.testing.assert_array_equal(host(gradient[0])[0], 0)


def test_weights_are_dropped_and_replayed() -> None:
    q, k, v = (tg.tensor(normal(4, 3, seed=i), requires_grad=True) for i in range(3))
    tg.manual_seed(5)
    plain = tg.gradients(attend(q, k, v, dropout_p=0.5).sum(), [q, k, v])
    tg.manual_seed(5)
    again = tg.gradients(tg.checkpoint(lambda *x: attend(*x, dropout_p=0.5).sum(), q, k, v), [q, k, v])
    for a, b in zip(plain, again, strict=True):
        np.testing.assert_array_equal(host(a), host(b))
    np.testing.assert_array_equal(host(attend(q, k, v, dropout_p=1.0)), 0)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"query": normal(3)}, tg.errors.ShapeError, r"expected query \(\.\.\., L, E\), key .* got \(3,\)"),
        ({"key": normal(5, 3)}, tg.errors.ShapeError, "expected query"),
        ({"value": normal(4, 2)}, tg.errors.ShapeError, "expected query"),
        ({"query": normal(2, 3, 4), "key": normal(3, 5, 4)}, tg.errors.ShapeError, "expected query"),
        ({"attn_mask": np.ones((2, 5), bool)}, tg.errors.ShapeError, r"attn_mask \(2, 5\) does not broadcast to the w"),
        ({"attn_mask": np.ones((3, 5), int)}, TypeError, "attn_mask is made of truth values, or of numbers"),
        ({"attn_mask": np.ones((3, 5), bool), "is_causal": True}, ValueError, "is_causal=True is a mask already"),
        ({"dropout_p": 1.5}, ValueError, "from 0 to 1; got 1.5"),
        ({"scale": "big"}, TypeError, "scale must be a number"),
    ],
)
def test_it_refuses(arguments: dict[str, Any], error: type[Exception], words: str, device: str) -> None:
    given = {"query": normal(3, 4), "key": normal(5, 4), "value": normal(5, 2)} | arguments
    given = {name: tg.tensor(x, device=device) if isinstance(x, np.ndarray) else x for name, x in given.items()}
    with pytest.raises(error, match=f"scaled_dot_product_attention: .*{words}"):
        attend(**given)


# MultiheadAttention.


@pytest.mark.parametrize("options", [{}, {"add_bias_kv": True, "add_zero_attn": True}, {"kdim": 3, "vdim": 4}])
def test_each_head_attends_on_its_own(options: dict[str, Any]) -> None:
    """Head by head and sequence by sequence, written out."""
    model = layer(**options)
    sizes = (6, options.get("kdim", 6), options.get("vdim", 6))
    q, k, v = (normal(2, n, size, seed=n) for n, size in zip((3, 5, 5), sizes, strict=True))
    y, weights = model(*(tg.tensor(x) for x in (q, k, v)), average_attn_weights=False)
    state = {name: host(value) for name, value in model.state_dict().items()}
    if "in_proj_weight" in state:
        projections = np.split(state["in_proj_weight"], 3)
    else:
        projections = [state[f"{name}_proj_weight"] for name in "qkv"]
    biases = np.split(state["in_proj_bias"], 3)
    for n in range(2):
        rows = [x[n] @ w.T + b for x, w, b in zip((q, k, v), projections, biases, strict=True)]
        if options.get("add_bias_kv"):
            rows[1:] = (np.vstack([rows[i], state[f"bias_{'qkv'[i]}"][0]]) for i in (1, 2))
            rows[1:] = (np.vstack([rows[i], np.zeros((1, 6))]) for i in (1, 2))
        heads = []
        for head in (slice(0, 3), slice(3, 6)):
            left, right, values = (x[:, head] for x in rows)
            heads.append(by_hand(left, right, values, np.ones((3, len(right))), 1 / math.sqrt(3)))
        expected = np.hstack(heads) @ state["out_proj.weight"].T + state["out_proj.bias"]
        np.testing.assert_allclose(host(y)[n], expected, rtol=1e-10)
    assert weights.shape == (2, 2, 3, 7 if options.get("add_bias_kv") else 5)
    np.testing.assert_allclose(host(weights).sum(-1), 1, rtol=1e-12)


def test_one_tensor_three_times_is_projected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, ...]] = []
    module = sys.modules[nn.functional.multi_head_attention_forward.__module__]
    linear = nn.functional.linear
    monkeypatch.setattr(module, "linear", lambda x, w, b: calls.append(tuple(w.shape)) or linear(x, w, b))
    model, x = layer(), tg.tensor(normal(2, 3, 6))
    results = []
    for inputs in ((x, x, x), (x, y := x.clone(), y), (x, x.clone(), x.clone())):
        results.append(host(model(*inputs, need_weights=False)[0]))
        np.testing.assert_allclose(results[-1], results[0], rtol=1e-12)
    out = (6, 6)
    assert calls == [(18, 6), out, (6, 6), (12, 6), out, (6, 6), (6, 6), (6, 6), out]


def test_derivatives_of_the_layer() -> None:
    model = layer(add_bias_kv=True, add_zero_attn=True)
    pairs = tg.tensor(np.triu(np.ones((3, 3), bool), 1))
    padding = tg.tensor([[False, False, True], [True, True, True]])

    def both(x: tg.Tensor) -> tg.Tensor:
        y, weights = model(x, x, x, padding, attn_mask=pairs)
        return tg.tanh(y).sum() + (weights * weights).sum()

    assert tg.testing.gradcheck(both, tg.tensor(0.5 * normal(2, 3, 6)), order=2)


def test_masked_keys_do_not_matter(device: str) -> None:
    model = layer().to(device)
    x, other = normal(2, 4, 6), normal(2, 4, 6)
    other[0, 3], other[1, 1:] = 100.0, -100.0
    padding = np.zeros((2, 4), bool)
    padding[0, 3], padding[1, 1:] = True, True
    q = tg.tensor(x, device=device)
    results = []
    for keys in (x, other):
        k = tg.tensor(keys, device=device)
        for mask in (padding, np.where(padding, -math.inf, 0.0)):
            y, weights = model(q, k, k, tg.tensor(mask, device=device))
            assert not host(weights)[np.broadcast_to(padding[:, None], weights.shape)].any()
            results.append(host(y))
    for y in results[1:]:
        np.testing.assert_allclose(y, results[0], rtol=1e-12)


def test_masks_of_both_kinds_together(device: str) -> None:
    """What is left out by either is left out, what is added is added; a causal mask that is made is the one given."""
    model, x = layer().to(device), tg.tensor(normal(2, 3, 6), device=device)
    out = np.triu(np.ones((3, 3), bool), 1)
    added = normal(2, 3)
    together = model(x, x, x, tg.tensor(added, device=device), attn_mask=tg.tensor(out, device=device))
    whole = np.where(out, -math.inf, added[:, None]).repeat(2, axis=0)
    for ours, other in zip(together, model(x, x, x, attn_mask=tg.tensor(whole, device=device)), strict=True):
        np.testing.assert_allclose(host(ours), host(other), rtol=1e-12)
    causal, given = model(x, x, x, is_causal=True), model(x, x, x, attn_mask=tg.tensor(out, device=device))
    np.testing.assert_array_equal(host(causal[0]), host(given[0]))


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_padded_sequence_gives_finite_results(need_weights: bool, device: str) -> None:
    model = nn.MultiheadAttention(4, 2, batch_first=True, device=device)
    x = tg.tensor(normal(1, 3, 4).astype("float32"), device=device, requires_grad=True)
    y, weights = model(x, x, x, tg.tensor([[True, True, True]], device=device), need_weights)
    np.testing.assert_array_equal(host(y), np.broadcast_to(host(model.out_proj.bias), (1, 3, 4)))
    assert weights is None or not host(weights).any()
    assert all(np.isfinite(host(g)).all() for g in tg.gradients((y * y).sum(), [x, *model.parameters()]))


def test_layouts_and_single_sequences_agree() -> None:
    model, x = layer(), normal(2, 3, 6)
    first = nn.MultiheadAttention(6, 2, dtype=tg.float64)
    first.load_state_dict(model.state_dict())
    y, weights = (host(part) for part in model(*[tg.tensor(x)] * 3))
    turned = tg.tensor(x.swapaxes(0, 1))
    z, others = first(turned, turned, turned)
    np.testing.assert_allclose(host(z).swapaxes(0, 1), y, rtol=1e-12)
    np.testing.assert_allclose(host(others), weights, rtol=1e-12)
    alone, shares = model(*[tg.tensor(x[1])] * 3)
    np.testing.assert_allclose(host(alone), y[1], rtol=1e-12)
    np.testing.assert_allclose(host(shares), weights[1], rtol=1e-12)


@pytest.mark.parametrize("shape", [(0, 3, 6), (2, 0, 6)])
def test_nothing_to_attend_to(shape: tuple[int, ...]) -> None:
    x = tg.tensor(np.zeros(shape), requires_grad=True)
    y, weights = layer()(x, x, x)
    assert (y.shape, weights.shape) == (shape, (shape[0], shape[1], shape[1]))
    assert tg.gradients(y.sum(), x).shape == shape


def test_dropout_is_for_training_alone() -> None:
    model, x = layer(dropout=0.5), tg.tensor(normal(2, 8, 6))
    tg.manual_seed(0)
    one, weights = model(x, x, x)
    two, _ = model(x, x, x)
    assert not np.array_equal(host(one), host(two))
    assert (host(weights) == 0).any()
    tg.manual_seed(0)
    np.testing.assert_array_equal(host(model(x, x, x)[0]), host(one))
    model.eval()
    np.testing.assert_array_equal(host(model(x, x, x)[0]), host(model(x, x, x)[0]))


def test_starting_values() -> None:
    tg.manual_seed(0)
    model = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    weights = host(model.in_proj_weight)
    assert np.abs(weights).max() == pytest.approx(math.sqrt(6 / 256), rel=1e-3)
    assert not host(model.in_proj_bias).any()
    assert not host(model.out_proj.bias).any()
    assert host(model.bias_k).std() == pytest.approx(math.sqrt(2 / 128), rel=0.3)
    assert repr(nn.MultiheadAttention(6, 2, kdim=3, init="zeros_", dropout=0.5)).startswith(
        "MultiheadAttention(  # 150 parameters\n  6, 2, kdim=3, vdim=6, dropout=0.5, init=zeros_\n  (out_proj): Linear"
    )
    assert not host(nn.MultiheadAttention(6, 2, init="zeros_").in_proj_weight).any()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((6, 4), ValueError, "num_heads=4 must divide embed_dim=6"),
        ((0, 1), ValueError, "embed_dim must be a positive integer"),
        ((6, 2.0), ValueError, "num_heads must be a positive integer"),
        ((6, 2, 2.0), ValueError, "dropout is the probability of being left out"),
        ((6, 2, "much"), TypeError, "dropout must be a number"),
    ],
)
def test_the_layer_refuses_bad_arguments(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"MultiheadAttention: {words}"):
        nn.MultiheadAttention(*arguments)


@pytest.mark.parametrize(
    ("inputs", "options", "error", "words"),
    [
        ([(2, 3, 5)] * 3, {}, tg.errors.ShapeError, r"expected query \(N, L, 6\)"),
        ([(6,)] * 3, {}, tg.errors.ShapeError, "expected query"),
        ([(2, 3, 6), (3, 3, 6), (3, 3, 6)], {}, tg.errors.ShapeError, "expected query"),
        ([(2, 3, 6), (2, 4, 6), (2, 3, 6)], {}, tg.errors.ShapeError, "expected query"),
        ([(2, 3, 6)] * 3, {"attn_mask": (3, 4)}, tg.errors.ShapeError, r"expected attn_mask \(3, 3\) or \(4, 3, 3\)"),
        ([(2, 3, 6)] * 3, {"key_padding_mask": (3, 3)}, tg.errors.ShapeError, r"expected key_padding_mask \(2, 3\)"),
    ],
)
def test_the_layer_refuses_bad_inputs(
    inputs: Any, options: Any, error: type[Exception], words: str, device: str
) -> None:
    given = [tg.tensor(np.zeros(shape), device=device) for shape in inputs]
    masks = {name: tg.tensor(np.zeros(shape, bool), device=device) for name, shape in options.items()}
    with pytest.raises(error, match=f"MultiheadAttention: {words}"):
        layer().to(device)(*given, **masks)


def test_masks_are_no_whole_numbers() -> None:
    x, mask = tg.tensor(np.zeros((2, 3, 6))), tg.tensor(np.zeros((3, 3), int))
    with pytest.raises(TypeError, match="attn_mask is made of truth values, or of numbers to be added; got int64"):
        layer()(x, x, x, attn_mask=mask)


def test_tensors_on_two_devices_are_named(device: str) -> None:
    if device == "cpu":
        pytest.skip("that is one device")
    here, there = tg.tensor(normal(3, 6)), tg.tensor(normal(3, 6), device=device)
    with pytest.raises(tg.errors.DeviceError, match=r"scaled_dot_product_attention: query is on .*, key is on cpu"):
        attend(there, here, there)
    with pytest.raises(tg.errors.DeviceError, match=r"MultiheadAttention: query is on .*, attn_mask is on cpu"):
        layer().to(device)(there, there, there, attn_mask=tg.tensor(normal(3, 3)))
    with pytest.raises(tg.errors.DeviceError, match=r"bilinear: x1 is on .*, x2 is on cpu"):
        nn.functional.bilinear(there, here, tg.tensor(normal(2, 6, 6), device=device))
    with pytest.raises(tg.errors.DeviceError, match="embedding: indices is on cpu, weight is on"):
        nn.functional.embedding(tg.tensor([0]), there)
