"""Recurrent layers: what the table of layers cannot know."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import errors, nn
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.nn import functional as F
from tinygrad_opt.ops import recurrent

LAYERS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
CELLS = {"RNNCell": nn.RNNCell, "GRUCell": nn.GRUCell, "LSTMCell": nn.LSTMCell}


def drawn(*shape: int, dtype: Any = tg.float64, seed: int = 0) -> tg.Tensor:
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape), dtype=dtype)


def outputs(result: Any) -> list[tg.Tensor]:
    """All tensors that a layer returned."""
    output, states = result
    return [output, *(states if isinstance(states, tuple) else (states,))]


def curved(result: Any) -> tg.Tensor:
    return sum((y**3 + y).sum() for y in outputs(result))  # type: ignore[return-value]


# Long sequences.


@pytest.mark.parametrize("name", LAYERS)
def test_ten_thousand_steps_are_one_operation(name):
    layer = LAYERS[name](2, 3)
    long, short = (layer(tg.ones(steps, 1, 2))[0] for steps in (10_000, 2))
    assert len(reachable([long._node])) == len(reachable([short._node]))
    long.sum().backward()
    for parameter in layer.parameters():
        assert np.isfinite(parameter.grad.numpy()).all()


@pytest.mark.parametrize("name", LAYERS)
def test_blocks_of_steps_add_up(name, monkeypatch):
    """The gradient in blocks is that of the whole, and that of the recorded loop, which knows no blocks."""
    layer, x = LAYERS[name](2, 3, dtype=tg.float64), drawn(50, 2, 2)
    x.requires_grad_()
    wanted = [x, *layer.parameters()]
    loss = curved(layer(x))
    recorded = tg.gradients(loss, wanted, create_graph=True)
    for block in (1, 1 << 10, 1 << 30):
        monkeypatch.setattr(recurrent, "BLOCK", block)
        for got, expected in zip(tg.gradients(loss, wanted), recorded, strict=True):
            np.testing.assert_allclose(got.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LAYERS)
def test_second_order_through_thirty_steps(name):
    layer, x = LAYERS[name](2, 3, dtype=tg.float64), drawn(30, 2, 2)
    names = [n for n, _ in layer.named_parameters()]

    def loss(x: tg.Tensor, *weights: tg.Tensor) -> tg.Tensor:
        given = dict(zip(names, weights, strict=True))
        twin = LAYERS[name](2, 3, dtype=tg.float64)
        for key, weight in given.items():
            setattr(twin, key, weight)
        return curved(twin(x))

    primals = (x, *(p.detach() for p in layer.parameters()))
    assert tg.testing.gradcheck(loss, primals, order=2, entries=8, directions=1)
    tangents = tuple(drawn(*p.shape, seed=i + 1) for i, p in enumerate(primals))
    modes = ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward")
    first, *others = (tg.hvp(loss, primals, tangents, mode=mode) for mode in modes)
    for other in others:
        for a, b in zip(first, other, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("name", LAYERS)
def test_hessian_products_through_thirty_steps_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, name)(2, 3).double()
    ours = LAYERS[name](2, 3, dtype=tg.float64)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    x = drawn(30, 2, 2).numpy()
    mine, other = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    my_wanted, their_wanted = [mine, *ours.parameters()], [other, *theirs.parameters()]
    gradients = tg.gradients(curved(ours(mine)), my_wanted, create_graph=True)
    their_gradients = torch.autograd.grad(curved(theirs(other)), their_wanted, create_graph=True)
    vectors = [drawn(*p.shape, seed=i).numpy() for i, p in enumerate(my_wanted)]
    products = tg.gradients(sum((g * v).sum() for g, v in zip(gradients, vectors, strict=True)), my_wanted)
    their_products = torch.autograd.grad(
        sum((g * torch.tensor(v)).sum() for g, v in zip(their_gradients, vectors, strict=True)), their_wanted
    )
    for a, b in zip(products, their_products, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-9)


# What is differentiated, and what is not.


@pytest.mark.parametrize("name", LAYERS)
def test_input_that_learns_nothing_changes_no_other_gradient(name):
    layer = LAYERS[name](2, 3, dtype=tg.float64)
    results = []
    for learns in (False, True):
        x = drawn(4, 2, 2).requires_grad_(learns)
        gradients = tg.gradients(curved(layer(x)), list(layer.parameters()), create_graph=True)
        results.append([*gradients, *tg.gradients(sum((g * g).sum() for g in gradients), list(layer.parameters()))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("name", LAYERS)
def test_layer_used_twice_sums_both_gradients(name):
    layer, parts = LAYERS[name](2, 2, dtype=tg.float64), [drawn(3, 2, 2, seed=i) for i in range(2)]
    weights = list(layer.parameters())
    apart = [tg.gradients(curved(layer(x)), weights) for x in parts]
    together = tg.gradients(curved(layer(parts[0])) + curved(layer(parts[1])), weights)
    for a, b, c in zip(*apart, together, strict=True):
        np.testing.assert_allclose(a.numpy() + b.numpy(), c.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_checkpoint_and_a_second_pass_give_the_same_bits(name):
    layer, x = LAYERS[name](2, 3), drawn(9, 2, 2, dtype=tg.float32)
    weights = list(layer.parameters())
    plain, kept = curved(layer(x)), curved(tg.checkpoint(layer, x))
    first, again, recomputed = (tg.gradients(loss, weights) for loss in (plain, plain, kept))
    for a, b, c in zip(first, again, recomputed, strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes() == c.numpy().tobytes()


def test_cells_in_a_loop_are_the_layer():
    for name, make in LAYERS.items():
        layer, cell = make(2, 3, dtype=tg.float64), CELLS[name + "Cell"](2, 3, dtype=tg.float64)
        cell.load_state_dict({key[: -len("_l0")]: value for key, value in layer.state_dict().items()})
        x, state = drawn(5, 2, 2), None
        for now in x:
            state = cell(now, state)
        expected = outputs(layer(x))[1:]
        for a, b in zip(state if isinstance(state, tuple) else (state,), expected, strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b[0].detach().numpy(), rtol=1e-12)


# Numbers.


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", LAYERS)
def test_saturated_gates_are_finite_and_silent(name, dtype, device):
    layer = LAYERS[name](1, 2, dtype=dtype, device=device)
    x = tg.tensor([[[1e4], [-1e4], [0.0]]] * 3, dtype=dtype, device=device, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = outputs(layer(x))
        sum(y.sum() for y in result).backward()
    for y in (*result, x.grad, *(p.grad for p in layer.parameters())):
        assert y.dtype == dtype
        assert np.isfinite(y.detach().cpu().numpy()).all()
    if name == "LSTM":
        assert (abs(result[1].detach().cpu().numpy()) <= 1).all()


@pytest.mark.parametrize("name", LAYERS)
def test_half_precision_computes_in_single(name):
    half = LAYERS[name](3, 4, dtype=tg.float16)
    single = LAYERS[name](3, 4)
    single.load_state_dict({key: value.astype(tg.float32) for key, value in half.state_dict().items()})
    x = drawn(20, 2, 3, dtype=tg.float16)
    for model, given in ((half, x), (single, x.astype(tg.float32))):
        model(given)[0].sum().backward()
    for a, b in zip(half.parameters(), single.parameters(), strict=True):
        assert a.grad.dtype == tg.float16
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-2, atol=1e-2)


def test_nan_comes_through():
    for make in LAYERS.values():
        output, _ = make(1, 2)(tg.tensor([[[1.0]], [[np.nan]], [[1.0]]]))
        assert np.isnan(output.detach().numpy()).all(axis=(1, 2)).tolist() == [False, True, True]


def test_functions_of_arrays_return_arrays_and_keep_no_gates():
    x, w_ih, w_hh = (drawn(*shape).numpy() for shape in ((5, 2, 3), (16, 3), (16, 4)))
    output, (h, c) = F.lstm(x, None, w_ih, w_hh)
    assert all(type(y) is np.ndarray for y in (output, h, c))
    assert output.base is None
    np.testing.assert_array_equal(
        F.lstm(x, None, w_ih, w_hh, reverse=True)[0][::-1], F.lstm(x[::-1], None, w_ih, w_hh)[0]
    )


# Dropout between layers.


@pytest.mark.parametrize("name", LAYERS)
def test_dropout_acts_between_layers_in_training_only(name):
    layer, x = LAYERS[name](2, 50, num_layers=2, dropout=0.5), drawn(3, 4, 2, dtype=tg.float32)
    runs = []
    for seed in (1, 1, 2):
        tg.manual_seed(seed)
        runs.append(layer(x)[0].detach().numpy())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()
    assert runs[0].all(), "the last layer's output is not dropped"
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    one = LAYERS[name](2, 50)
    one.load_state_dict({key: value for key, value in layer.state_dict().items() if "l0" in key})
    np.testing.assert_array_equal(layer(x)[1][0][0].detach().numpy(), one(x)[1][0][0].detach().numpy())


def test_dropout_of_everything_leaves_the_biases():
    layer = nn.RNN(2, 3, num_layers=2, dropout=1.0, bias=False)
    assert not layer(tg.ones(4, 1, 2))[0].detach().numpy().any()
    layer.eval()
    assert layer(tg.ones(4, 1, 2))[0].detach().numpy().all()


def test_dropout_with_one_layer_warns():
    with pytest.warns(UserWarning, match="GRU: dropout=0.5 acts between layers"):
        nn.GRU(1, 2, dropout=0.5)


# Starting values.


@pytest.mark.parametrize("make", [*LAYERS.values(), *CELLS.values()])
def test_parameters_start_within_one_over_the_root_of_the_size(make):
    tg.manual_seed(0)
    for parameter in make(100, 25).parameters():
        values = parameter.detach().numpy()
        assert abs(values).max() <= 0.2
        assert abs(values).max() > 0.17


def test_initializers_are_applied_to_each_gate():
    seen = []

    def noting(tensor):
        seen.append(tensor.shape)
        tensor.data[...] = len(seen)

    layer = nn.LSTM(3, 2, init=noting, recurrent_init=0.5, bias_init="zeros_")
    assert seen == [(2, 3)] * 4
    assert layer.weight_ih_l0[::2, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (layer.weight_hh_l0.detach().numpy() == 0.5).all()
    assert not layer.bias_hh_l0.detach().numpy().any()
    assert repr(layer).startswith("LSTM(3, 2, init=noting, recurrent_init=0.5)  # ")


def test_repr_shows_what_is_not_the_default():
    layer = nn.RNN(3, 2, num_layers=2, nonlinearity="relu", bias=False, bidirectional=True)
    shown = "RNN(3, 2, num_layers=2, nonlinearity='relu', bidirectional=True, bias=False, init=fan_in_uniform_)"
    assert repr(layer).startswith(shown)
    assert repr(nn.GRUCell(3, 2)).startswith("GRUCell(3, 2, init=fan_in_uniform_)")


# Refusals.


class Packed:
    """Has what PyTorch's packed sequences have."""

    data, batch_sizes = np.ones((3, 2)), [1, 1, 1]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.LSTM(0, 2), ValueError, "LSTM: input_size must be a positive integer; got 0"),
        (lambda: nn.GRU(1, 2.5), ValueError, "GRU: hidden_size must be a positive integer"),
        (lambda: nn.RNN(1, 2, num_layers=True), ValueError, "RNN: num_layers must be a positive integer"),
        (lambda: nn.RNN(1, 2, nonlinearity="gelu"), ValueError, "RNN: nonlinearity must be 'tanh'"),
        (lambda: nn.RNNCell(1, 2, nonlinearity=None), ValueError, "RNNCell: nonlinearity must be"),
        (lambda: nn.RNN(1, 2, nonlinearity=np.ones(2)), ValueError, "RNN: nonlinearity must be 'tanh'"),
        (lambda: nn.GRU(1, 2, dropout=1.5), ValueError, "GRU: dropout is the probability of being left out, from 0"),
        (lambda: nn.GRU(1, 2, dropout=True), ValueError, "GRU: dropout is the probability of being left out"),
        (lambda: nn.GRUCell(1, 2, bias=np.ones(2)), TypeError, "GRUCell: bias must be True or False"),
        (lambda: nn.LSTM(1, 2, bidirectional=None), TypeError, "LSTM: bidirectional must be True or False; got None"),
        (lambda: nn.LSTM(1, 2, proj_size=1), NotImplementedError, "LSTM: projections are not built; got proj_size=1"),
        (lambda: nn.LSTM(1, 2, init="nonsense"), ValueError, "LSTM: init must be a function"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_at_construction(make, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(")):
        make()


SHAPE, ones = errors.ShapeError, tg.ones


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.LSTM(2, 3)(ones(4, 1, 3)), SHAPE, "LSTM: expected input (steps, batch, 2), or"),
        (lambda: nn.GRU(2, 3, batch_first=True)(ones(2)), SHAPE, "GRU: expected input (batch, steps, 2)"),
        (lambda: nn.GRU(2, 3)(ones(0, 1, 2)), SHAPE, "GRU: expected x (steps, batch, inputs), of 1 step"),
        (lambda: nn.RNN(2, 3)(ones(4, 1, 2), ones(1, 2, 3)), SHAPE, "expected hx of shape (1, 1, 3)"),
        (lambda: nn.RNN(2, 3)(ones(4, 2), ones(1, 1, 3)), SHAPE, "expected hx of shape (1, 3)"),
        (lambda: nn.LSTM(2, 3)(ones(4, 2), ones(1, 3)), TypeError, "LSTM: hx must be a pair of states (h, c)"),
        (lambda: nn.GRU(2, 3)(ones(4, 2), (ones(1, 3),)), TypeError, "GRU: hx must be one tensor of shape (1, 3)"),
        (lambda: nn.RNN(2, 3)(Packed()), TypeError, "RNN: packed sequences are not built"),
        (lambda: nn.RNN(2, 3)("text"), TypeError, "RNN"),
        (lambda: nn.RNN(2, 3)(None), TypeError, "RNN"),
        (lambda: nn.RNN(2, 3)(np.ones((4, 1, 2), int)), TypeError, "RNN: input must be floating; got int64"),
        (lambda: nn.RNN(2, 3)(np.ones((4, 1, 2), complex)), TypeError, "complex"),
        (lambda: nn.LSTMCell(2, 3)(ones(1, 1, 2)), SHAPE, "LSTMCell: expected input (batch, 2), or"),
        (lambda: nn.GRUCell(2, 3)(ones(2), ones(1, 3)), SHAPE, "expected hx of shape (3,); got (1, 3)"),
        (lambda: F.gru(ones(1, 1, 2), None, ones(8, 2), ones(8, 4)), SHAPE, "gru: w_ih has shape (8, 2)"),
        (lambda: F.rnn(ones(1, 1, 2), None, ones(3, 2), None), TypeError, "rnn"),
        (lambda: F.lstm(ones(2), None, ones(8, 2), ones(8, 2)), SHAPE, "lstm: expected x (steps, batch"),
        (lambda: F.gru_cell(ones(2), None, ones(6, 2), ones(6, 2)), SHAPE, "gru_cell: expected x"),
        (lambda: F.rnn_cell(ones(1, 2), ones(2, 2), ones(2, 2), ones(2, 2)), SHAPE, "initial state h"),
        (lambda: F.rnn(ones(1, 1, 2), None, ones(2, 2), ones(2, 2), nonlinearity="x"), ValueError, "'tanh' or 'relu'"),
    ],
)  # fmt: skip
def test_bad_calls_are_refused_in_the_layers_own_name(call, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(").replace(")", r"\)")):
        call()


def test_lists_are_taken():
    assert nn.RNN(2, 3, dtype=tg.float64)([[1.0, 2.0], [3.0, 4.0]])[0].dtype == tg.float64
