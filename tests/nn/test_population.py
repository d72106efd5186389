"""Population statistics: layer by layer over all data, against a computation by hand on all data at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.data import DataLoader, TensorDataset

update = nn.utils.update_bn_statistics


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def data(rows: int = 23, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, 4)) * [1, 2, 3, 4] + 5


def network(**made: Any) -> nn.Sequential:
    tg.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 6, **made), nn.BatchNorm1d(6, **made), nn.Tanh(),
        nn.Linear(6, 3, **made), nn.BatchNorm1d(3, **made), nn.Tanh(),
    )  # fmt: skip
    for layer in (model[1], model[4]):
        layer.weight.data = np.linspace(0.5, 2, layer.num_features).astype(layer.weight.dtype)
        layer.running_mean.data = np.full(layer.num_features, 50.0, layer.weight.dtype)
    return model


def by_hand(model: nn.Sequential, x: np.ndarray) -> list[np.ndarray]:
    """Mean and unbiased variance before each normalization, where each uses those of all data."""
    found = []
    for layer in model:
        if isinstance(layer, nn.Linear):
            x = x @ host(layer.weight).T + host(layer.bias)
        elif isinstance(layer, nn.Tanh):
            x = np.tanh(x)
        else:
            mean, variance = x.mean(0), x.var(0, ddof=1)
            found += [mean, variance]
            x = (x - mean) / np.sqrt(variance + layer.eps) * host(layer.weight) + host(layer.bias)
    return found


def stored(model: nn.Module) -> list[np.ndarray]:
    layers = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]
    return [host(t) for layer in layers for t in (layer.running_mean, layer.running_var)]


@pytest.mark.parametrize("sizes", [(23,), (8, 8, 7), (1, 15, 1, 6)])
@pytest.mark.parametrize("pairs", [False, True])
def test_statistics_are_those_of_all_data_whatever_the_batches(sizes: Any, pairs: bool, device: str) -> None:
    model, x = network(dtype=tg.float64, device=device), data()
    parts = np.split(x, np.cumsum(sizes)[:-1])
    batches = [tg.tensor(part, device=device) for part in parts]
    update(model, [(batch, None) for batch in batches] if pairs else batches)
    for found, expected in zip(stored(model), by_hand(model, x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert [host(m.num_batches_tracked) for m in (model[1], model[4])] == [len(sizes)] * 2


def test_a_loader_does_as_well() -> None:
    model, x = network(), data().astype("float32")
    update(model, DataLoader(TensorDataset(x, np.zeros(23)), batch_size=5, shuffle=True, seed=1))
    for found, expected in zip(stored(model), by_hand(model, x.astype("float64")), strict=True):
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_large_means_lose_no_digits() -> None:
    x = data() * 1e-3 + 1e6
    layer = nn.BatchNorm1d(4, dtype=tg.float64)
    update(layer, [tg.tensor(part) for part in np.split(x, [3, 9])])
    np.testing.assert_allclose(host(layer.running_var), x.var(0, ddof=1), rtol=1e-6)


def test_modes_gradients_and_parameters_stay() -> None:
    model = network(dtype=tg.float64).train()
    model[4].eval()
    modes, weights = [m.training for m in model.modules()], [host(p).copy() for p in model.parameters()]
    update(model, [tg.tensor(data())])
    assert [m.training for m in model.modules()] == modes
    assert all(p.grad is None for p in model.parameters())
    assert "forward" not in vars(model[1])
    for now, before in zip(model.parameters(), weights, strict=True):
        np.testing.assert_array_equal(host(now), before)
    np.testing.assert_allclose(host(model.eval()(tg.tensor(data()))).shape, (23, 3))


def test_each_layer_costs_one_pass_up_to_it() -> None:
    model = network(dtype=tg.float64)
    calls = []
    for position, layer in enumerate(model):
        if isinstance(layer, (nn.Linear, nn.Tanh)):
            vars(layer)["forward"] = lambda x, k=position, f=layer.forward: calls.append(k) or f(x)
    update(model, [tg.tensor(part) for part in np.split(data(), [10, 20])])
    counts = {k: calls.count(k) for k in (0, 2, 3, 5)}
    assert counts == {0: 6, 2: 4, 3: 4, 5: 2}  # the first batch of each pass goes on to the end


def test_layers_are_taken_in_the_order_of_their_calls() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            self.second, self.first = nn.BatchNorm1d(4, dtype=tg.float64), nn.BatchNorm1d(4, dtype=tg.float64)
            self.unused = nn.BatchNorm1d(4, dtype=tg.float64)
            self.without = nn.BatchNorm1d(4, track_running_stats=False, dtype=tg.float64)

        def forward(self, x: Any) -> Any:
            return self.without(self.second(tg.tanh(self.first(x))))

    model, x = Backwards(), data()
    update(model, [tg.tensor(part) for part in np.split(x, [10])])
    h = np.tanh((x - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 1e-5))
    np.testing.assert_allclose(host(model.first.running_mean), x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(host(model.second.running_var), h.var(0, ddof=1), rtol=1e-11)
    np.testing.assert_array_equal(host(model.unused.running_mean), np.zeros(4))


def test_a_layer_that_is_called_twice_sees_all_its_inputs() -> None:
    layer = nn.BatchNorm1d(4, dtype=tg.float64, affine=False)
    model, x = nn.Sequential(layer, layer), data()
    update(model, [tg.tensor(x)])
    first = (x - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 1e-5)
    both = np.concatenate([x, first])
    np.testing.assert_allclose(host(layer.running_mean), both.mean(0), rtol=1e-11)
    np.testing.assert_allclose(host(layer.running_var), both.var(0, ddof=1), rtol=1e-11)
    assert layer.num_batches_tracked.item() == 1


@pytest.mark.parametrize(("layer", "shape"), [(nn.BatchNorm1d, (6, 2, 3)), (nn.BatchNorm2d, (6, 2, 3, 4))])
def test_what_follows_the_features_counts_as_more_data(layer: Any, shape: Any) -> None:
    x, layer = np.random.default_rng(0).standard_normal(shape), layer(2, dtype=tg.float64)
    update(layer, [tg.tensor(x[:1]), tg.tensor(x[1:])])
    along = (0, *range(2, x.ndim))
    np.testing.assert_allclose(host(layer.running_mean), x.mean(along), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(host(layer.running_var), x.var(along, ddof=1), rtol=1e-12)


def test_nothing_is_changed_where_something_fails() -> None:
    model = network(dtype=tg.float64)
    before = [array.copy() for array in stored(model)]
    with pytest.raises(tg.errors.ShapeError):
        update(model, [tg.tensor(data()), tg.tensor(data()[:, :3])])
    for now, then in zip(stored(model), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert model.training
    assert "forward" not in vars(model[1])


def test_what_is_refused() -> None:
    model, x = network(dtype=tg.float64), tg.tensor(data())
    with pytest.raises(TypeError, match=r"this iterator allows one time only\. Pass list\(loader\)"):
        update(model, iter([x]))
    with pytest.raises(TypeError, match="must be an iterable of batches; got int"):
        update(model, 3)
    with pytest.raises(TypeError, match="must be a Module; got list"):
        update([model], [x])
    with pytest.raises(ValueError, match="one value per feature, or none, has no variance"):
        update(model, [x[:1]])
    with pytest.raises(ValueError, match="no data"):
        update(model, [])
    update(nn.Linear(4, 2), [])  # has nothing to update


def test_evaluation_afterwards_does_not_depend_on_the_batch() -> None:
    model = network(dtype=tg.float64)
    update(model, [tg.tensor(data())])
    model.eval()
    whole = host(model(tg.tensor(data())))
    np.testing.assert_allclose(host(model(tg.tensor(data()[:1]))), whole[:1], rtol=1e-12)
