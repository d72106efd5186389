"""Products of second-derivative matrices with vectors."""

from __future__ import annotations

import pytest

import tinygrad_opt as tg

from .derivatives import MODES, vector


@pytest.mark.parametrize("mode", MODES)
def test_three_routes_to_a_hessian_product(mode: str) -> None:
    product = tg.hvp(lambda x: (x**3).sum() + x[0] * x[1], vector(1.0, 2.0), vector(1.0, -1.0), mode=mode)
    assert product.tolist() == [6 * 1 - 1, -12 + 1]
    assert not product.requires_grad


@pytest.mark.parametrize("mode", MODES)
def test_a_hessian_product_of_several_arguments(mode: str) -> None:
    products = tg.hvp(
        lambda x, y: (x * x * y).sum(), (vector(1.0), vector(2.0)), (vector(1.0), vector(10.0)), mode=mode
    )
    assert [p.tolist() for p in products] == [[2 * 2 * 1 + 2 * 1 * 10], [2 * 1 * 1]]


@pytest.mark.parametrize("mode", MODES)
def test_the_hessian_of_a_linear_function_is_zero_in_the_right_shape(mode: str) -> None:
    product = tg.hvp(lambda x: (3 * x).sum(), tg.ones(2, 3), tg.ones(2, 3), mode=mode)
    assert product.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert product.dtype == tg.float32
