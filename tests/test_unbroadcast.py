"""unbroadcast: the transpose of broadcasting, for everybody."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import ShapeError


@pytest.mark.parametrize("shape", [(), (1,), (4,), (1, 4), (3, 1), (3, 4), (2, 1, 4), (2, 3, 4), (1, 1, 1)])
def test_it_is_the_transpose_of_broadcasting(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    small, large = tg.tensor(rng.standard_normal(shape)), tg.tensor(rng.standard_normal((2, 3, 4)))
    there = (tg.broadcast_to(small, large.shape) * large).sum().item()
    back = (small * tg.unbroadcast(large, shape)).sum().item()
    assert there == pytest.approx(back, rel=1e-12)


def test_what_fits_already_is_a_copy() -> None:
    x = tg.ones(2, 3)
    y = tg.unbroadcast(x, (2, 3))
    y.data[0, 0] = 7.0
    assert x.tolist() == [[1.0] * 3] * 2


def test_lists_and_raw_arrays() -> None:
    assert tg.unbroadcast([[1.0, 2.0], [3.0, 4.0]], 2).tolist() == [4.0, 6.0]
    raw = tg.unbroadcast(np.ones((3, 2), np.float32), (1, 2))
    assert isinstance(raw, np.ndarray)
    assert (raw.shape, raw.dtype) == ((1, 2), np.float32)


@pytest.mark.parametrize(
    ("shape", "error", "said"),
    [
        ((3,), ShapeError, r"unbroadcast: \(3,\) does not broadcast to the shape \(3, 2\)"),
        ((1, 3, 2), ShapeError, "does not broadcast"),
        ((-1,), ShapeError, "no negative sides"),
        ((0, 2), ShapeError, "does not broadcast"),
        ("ab", TypeError, "a shape is an integer or several; got .ab."),
        (None, TypeError, "got None"),
        ((2.0,), TypeError, "got"),
    ],
)
def test_shapes_that_make_no_sense(shape: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        tg.unbroadcast(tg.ones(3, 2), shape)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.ones(2, bool), "unbroadcast: expected real numbers"),
        (np.ones(2, complex), "unbroadcast: argument 0: complex tensors are out of scope"),
        (np.array([None]), "unbroadcast: argument 0: tensors hold bool, integer or floating numbers"),
    ],
)
def test_only_real_numbers_are_summed(x: object, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        tg.unbroadcast(x, ())
