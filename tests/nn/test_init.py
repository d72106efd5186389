"""Initializers: the distribution that they promise, from the package's own generator, in place."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.nn import init


def host(x: tg.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def assert_uniform(values: np.ndarray, low: float, high: float) -> None:
    """Inside the interval, and as even as 100,000 draws are (the bound is passed once in 10¹⁴ times)."""
    values = np.sort(values.ravel())
    assert values[0] >= low
    assert values[-1] <= high
    ranks = (np.arange(values.size) + 0.5) / values.size
    distance = np.abs((values - low) / (high - low) - ranks).max()  # Kolmogorov and Smirnov's
    assert distance * math.sqrt(values.size) < 4


def test_uniform(device: str) -> None:
    tg.manual_seed(0)
    t = init.uniform_(tg.zeros(100_000, device=device), -3, 1)
    assert t.device == device
    assert_uniform(host(t), -3, 1)


@pytest.mark.parametrize("shape", [(250, 400), (100, 40, 5, 5), (1, 100_000)])
def test_fan_in_uniform_takes_its_bound_from_the_number_of_inputs(shape: tuple[int, ...]) -> None:
    tg.manual_seed(1)
    bound = 1 / math.sqrt(math.prod(shape[1:]))
    values = host(init.fan_in_uniform_(tg.zeros(shape)))
    assert_uniform(values, -bound, bound)
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)


def test_fan_in_uniform_needs_to_know_the_number_of_inputs() -> None:
    with pytest.raises(tg.errors.ShapeError, match=r"shape \(3,\) does not tell the number of inputs; pass fan_in="):
        init.fan_in_uniform_(tg.zeros(3))
    assert_uniform(host(init.fan_in_uniform_(tg.zeros(100_000), fan_in=4)), -0.5, 0.5)
    assert init.fan_in_uniform_(tg.zeros(2, 0)).shape == (2, 0)


@pytest.mark.parametrize(("fill", "value"), [(init.zeros_, 0.0), (init.ones_, 1.0)])
def test_constants(fill: Callable[[tg.Tensor], tg.Tensor], value: float, device: str) -> None:
    np.testing.assert_array_equal(host(fill(tg.full((2, 3), 7.0, device=device))), np.full((2, 3), value))


@pytest.mark.parametrize("fill", [init.zeros_, init.ones_, init.uniform_, init.fan_in_uniform_])
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_they_write_in_place_and_keep_dtype_and_gradient(fill: Callable[..., tg.Tensor], dtype: object) -> None:
    p = nn.Parameter(tg.full((3, 4), 7.0, dtype=dtype))
    memory = p.data
    (p * 2).sum().backward()
    assert fill(p) is p
    assert p.data is memory
    assert (p.dtype, p.requires_grad) == (dtype, True)
    assert p.grad is not None
    assert not (host(p) == 7).any()


def test_a_graph_that_saved_the_old_values_notices() -> None:
    w = nn.Parameter(tg.ones(2, 2))
    loss = (w * w).sum()
    init.fan_in_uniform_(w)
    with pytest.raises(tg.errors.InPlaceError):
        loss.backward()


def model(device: str, seed: int = 7) -> nn.Sequential:
    tg.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(5, 4, device=device), nn.BatchNorm1d(4, device=device), nn.Linear(4, 2, device=device)
    )


def test_one_seed_gives_one_model_on_every_device(device: str) -> None:
    for here, there in zip(model("cpu").state_dict().values(), model(device).state_dict().values(), strict=True):
        assert there.device == device
        np.testing.assert_array_equal(host(here), host(there))
    assert not np.array_equal(host(model(device)[0].weight), host(model(device, seed=8)[0].weight))


def test_numpy_s_global_generator_plays_no_part() -> None:
    # That it is left alone is watched in every test; that it is not read, here.
    values = []
    for seed in (0, 1):
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        values.append(host(model("cpu")[0].weight))
        np.random.set_state(state)  # noqa: NPY002
    np.testing.assert_array_equal(*values)


def test_layers_start_as_their_repr_says() -> None:
    tg.manual_seed(2)
    layer = nn.Linear(100, 1000)
    assert "init=fan_in_uniform_" in repr(layer)
    assert_uniform(host(layer.weight), -0.1, 0.1)
    assert_uniform(np.concatenate([host(nn.Linear(100, 1000).bias) for _ in range(100)]), -0.1, 0.1)
    norm = nn.BatchNorm1d(3)
    assert [host(t).tolist() for t in norm.state_dict().values()] == [[1.0] * 3, [0.0] * 3, [0.0] * 3, [1.0] * 3, 0]
