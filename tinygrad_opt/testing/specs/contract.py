"""Specifications of the sums of products."""

from __future__ import annotations

from typing import Any

from ..sources import Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _side(source: Source) -> int:
    return source.choose((2, 1, 3, 0, 4, 2, 3))


def _matmul(source: Source) -> Sample:
    """Vectors, matrices, and stacks of matrices that broadcast."""
    n, k, m = (_side(source) for _ in range(3))
    left, right = source.shapes(2)
    a = (k,) if source.integer(0, 3) == 3 else (*left[-2:], n, k)
    b = (k,) if source.integer(0, 3) == 3 else (*right[-2:], k, m)
    return Sample([source.array(a), source.array(b)])


def _affine(source: Source) -> Sample:
    n, m = _side(source), _side(source)
    return Sample([source.array((*source.shape(high=3), n)), source.array((m, n)), source.array((m,))])


def _affine_reference(x: Any, weight: Any, bias: Any) -> Any:
    return x @ weight.T + bias


SPECS = [
    Spec("matmul", lambda a, b: a @ b, _matmul),
    Spec("affine", _affine_reference, _affine),
]
