"""Einstein's notation beyond the property suite: the order of contraction, what is refused, and as NumPy refuses it."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import host
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.errors import ShapeError


def on(device, *shapes):
    rng = np.random.default_rng(len(shapes))
    return [tg.tensor(rng.standard_normal(shape), device=device, requires_grad=True) for shape in shapes]


def test_two_tensors_make_one_node(device):
    for form, *shapes in [
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
        ("nchw,oc->nohw", (2, 3, 4, 5), (6, 3)),
        ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
        ("i,j->ij", (3,), (4,)),
    ]:
        y = tg.einsum(form, *on(device, *shapes))
        assert [node.primitive.name for node in reachable([y._node]) if node.parents] == ["einsum"]


def test_a_chain_is_contracted_in_pairs(device):
    """The naive loop would run over 10¹⁰ products; no intermediate result is larger than the largest operand."""
    xs = on(device, (40, 50), (50, 60), (60, 30), (30, 40), (40, 50))
    y = tg.einsum("ab,bc,cd,de,ef->af", *xs)
    made = [node for node in reachable([y._node]) if node.parents]
    assert len(made) == 4
    assert max(np.prod(node.shape) for node in made) <= 50 * 60
    assert np.allclose(host(y), np.linalg.multi_dot([host(x.detach()) for x in xs]))


def test_what_shrinks_comes_first():
    a, b, c = on("cpu", (2, 100), (100, 100), (100,))
    shapes = [node.shape for node in reachable([tg.einsum("ij,jk,k->i", a, b, c)._node]) if node.parents]
    assert shapes == [(100,), (2,)]


def test_a_path_is_followed():
    a, b, c = on("cpu", (2, 100), (100, 100), (100,))
    planned, _ = np.einsum_path("ij,jk,k->i", *(x.data for x in (a, b, c)))
    for path, expected in [
        (["einsum_path", (0, 1), (0, 1)], [(2, 100), (2,)]),
        ([(0, 1), (1, 0)], [(2, 100), (2,)]),
        ([(np.int64(1), np.int64(2)), (0, 1)], [(100,), (2,)]),
        ([(0, 1, 2)], [(100,), (2,)]),
        ([(0, 2)], [(2, 100, 100), (2,)]),
        (planned, [(100,), (2,)]),
    ]:
        y = tg.einsum("ij,jk,k->i", a, b, c, optimize=path)
        assert [node.shape for node in reachable([y._node]) if node.parents] == expected
    with pytest.raises(ValueError, match="is for more than the 3 tensors"):
        tg.einsum("ij,jk,k->i", a, b, c, optimize=[(0, 3)])
    for wrong, kind in (("fast", ValueError), (3, TypeError), ([0, 1], TypeError)):
        with pytest.raises(kind, match="einsum"):
            tg.einsum("ij,jk,k->i", a, b, c, optimize=wrong)


def test_numbers_lists_arrays_and_dtypes(device):
    (a,) = on(device, (2, 3))
    assert tg.einsum("ij,->ij", a, 2.0).dtype == a.dtype
    assert tg.einsum("ij,j", a, [1, 2, 3]).dtype == a.dtype
    assert tg.einsum("ij,->ij", a, np.float32(2)).device == a.device
    assert tg.dot(np.float64(2), a).dtype == a.dtype
    raw = a.detach()._array
    assert type(tg.einsum("ij->ji", raw)) is type(raw)
    assert type(tg.einsum("ij,kj->ik", raw, raw)) is type(raw)
    for dtype in ("int32", "bool", "float16", "float32"):
        x = np.array([[1, 0, 1], [1, 1, 0]], dtype=dtype)
        for form, count in (("ij->i", 1), ("ij,ij->j", 2), ("ij,kj->ik", 2), ("ij,ij,kj->k", 3)):
            y = tg.einsum(form, *[tg.tensor(x, device=device)] * count)
            expected = np.einsum(form, *[x] * count)
            assert y.dtype == expected.dtype
            assert np.array_equal(host(y), expected)
    half = tg.full((100_000,), 1.0, dtype="float16")
    assert tg.einsum("i,i->", half, half / 1000).item() == pytest.approx(100, rel=0.01)


REFUSED = [
    ("ij,jk->ik", [(2, 3), (4, 5)]),
    ("ij->ijk", [(2, 3)]),
    ("ij->ii", [(2, 3)]),
    ("ii", [(2, 3)]),
    ("ii->i", [(1, 3)]),
    ("i", [(2, 3)]),
    ("ijk", [(2, 3)]),
    ("...ijk", [(2, 3)]),
    ("...i->i", [(2, 3)]),
    ("i...", [()]),
    ("i.j", [(2, 3)]),
    ("i......", [(2, 3)]),
    ("i1->i", [(2, 3)]),
    ("ij->i->", [(2, 3)]),
    ("ij,jk", [(2, 3)]),
    ("ij", [(2, 3), (2, 3)]),
    ("", [(2, 3)]),
    ("...,...", [(2, 3), (2,)]),
]


@pytest.mark.parametrize(("form", "shapes"), REFUSED, ids=[form for form, _ in REFUSED])
def test_what_numpy_refuses_is_refused(form, shapes, device):
    with pytest.raises((ValueError, IndexError)):
        np.einsum(form, *(np.ones(shape) for shape in shapes))
    with pytest.raises(ShapeError, match="einsum: "):
        tg.einsum(form, *(tg.ones(shape, device=device) for shape in shapes))


def test_messages():
    a = tg.ones(2, 3)
    for args, kind, said in [
        ((), ShapeError, 'nothing to sum. Write einsum("ij,jk->ik", a, b)'),
        ((a, "ij"), TypeError, "after each tensor comes the list of its labels; got 'ij'"),
        ((a, a), TypeError, "after each tensor comes the list of its labels; got a Tensor of shape (2, 3)"),
        ((a, 3), TypeError, "after each tensor comes the list of its labels; got 3"),
        ((a, [0, 52]), ShapeError, "labels are integers from 0 to 51"),
        ((a, [0, "j"]), ShapeError, "labels are integers from 0 to 51"),
        (("ij", None), TypeError, "argument 0 is a NoneType"),
        (
            ("ij,jk", a, a),
            ShapeError,
            "shapes (2, 3) and (2, 3) do not fit 'ij,jk': label 'j' stands for 2 in operand 1",
        ),
        (("...i->i", a), ShapeError, "write '->...i'"),
    ]:
        with pytest.raises(kind, match=re.escape(said)):
            tg.einsum(*args)


# The products with names of their own.


@pytest.mark.parametrize("shapes", list(itertools.product([(), (0,), (3,), (2, 3), (3, 3), (2, 0, 3)], repeat=2)))
def test_products_take_what_numpys_take(shapes, device):
    a, b = (np.arange(float(np.prod(shape))).reshape(shape) for shape in shapes)
    for name in ("dot", "vdot", "inner", "outer", "kron", "vecdot", "matmul", "tensordot"):
        ours, theirs = getattr(tg, name), getattr(np, name)
        try:
            expected = theirs(a, b)
        except (ValueError, IndexError):
            with pytest.raises(ValueError, match=name):
                ours(*(tg.tensor(x, device=device) for x in (a, b)))
        else:
            y = ours(*(tg.tensor(x, device=device) for x in (a, b)))
            assert y.shape == np.shape(expected)
            assert np.allclose(host(y), expected)


def test_axes_of_tensordot():
    a, b = tg.ones(2, 3, 4), tg.ones(4, 3, 5)
    assert tg.tensordot(a, b, np.int64(1)).shape == (2, 3, 3, 5)
    assert tg.tensordot(a, b, ([1, -1], np.array([1, 0]))).shape == (2, 5)
    for axes, kind in [
        (4, ShapeError), (-1, ShapeError), (((0, 1), (1,)), ShapeError), (((1, 1), (1, 1)), ShapeError),
        ((3, 0), ShapeError), ((0, 0), ShapeError), (None, TypeError), (1.5, TypeError), ("ab", TypeError),
        ((None, 0), TypeError), (((0.5,), (0,)), TypeError),
    ]:  # fmt: skip
        with pytest.raises(kind, match="tensordot"):
            tg.tensordot(a, b, axes)
