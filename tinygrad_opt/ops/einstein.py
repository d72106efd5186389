"""Einstein's notation. Every sum of products comes down to one of two tensors, whose adjoints are of its own kind.

In ``Σ a b c`` (c stands for the cotangent) no tensor is special: `einsum` of two computes what is left when the third
is taken away, so the adjoint by `a` is the sum of b and c, spelled with the same labels. The kernel hands two tensors
to the matrix product, whatever the order of their axes.

What else the notation allows is done before: diagonals of repeated labels, labels that one tensor has alone, lengths
of 1 that broadcast. More than two tensors are contracted pair by pair, the pair that shrinks most first: the naive loop
over all labels at once costs the product of all lengths.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .. import backend
from ..core.kinds import Multilinear, sum_to
from ..core.primitive import operand
from . import notation
from .arithmetic import astype
from .shape import _permute, _reshape

__all__ = ["einsum"]


class _Plan(NamedTuple):
    """How two tensors are turned into stacks of matrices, and their product into the result."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    batch: int  # how many axes come first in both
    summed: int  # how many come last on the left, and next on the right
    out: tuple[int, ...] | None  # None where the axes of the product lie in order
    across: bool  # corresponding elements are summed over axes of which none comes last in memory


@functools.lru_cache(maxsize=1024)
def _plan(subscripts: str) -> _Plan:
    inputs, out = subscripts.split("->")
    left, right = inputs.split(",")
    batch = [c for c in out if c in left and c in right]
    rows = [c for c in left if c not in right]
    columns = [c for c in right if c not in left]
    summed = [c for c in left if c in right and c not in out]
    product = batch + rows + columns
    return _Plan(
        tuple(left.index(c) for c in (*batch, *rows, *summed)),
        tuple(right.index(c) for c in (*batch, *summed, *columns)),
        len(batch),
        len(summed),
        None if "".join(product) == out else tuple(product.index(c) for c in out),
        not rows and not columns and bool(summed) and left[-1] in out,
    )


def _kernel(xp: Any, a: Any, b: Any, *, subscripts: str) -> Any:
    """One matrix product; where matrices would be thin, or nothing is summed over, a multiplication of elements."""
    plan = _plan(subscripts)
    a, b = xp.asarray(a).transpose(plan.left), xp.asarray(b).transpose(plan.right)  # NumPy's scalars come too
    stack, inner = a.shape[: plan.batch], a.shape[a.ndim - plan.summed :]
    rows, columns = a.shape[plan.batch : a.ndim - plan.summed], b.shape[plan.batch + plan.summed :]
    if plan.across and a.dtype.itemsize > 2:  # float16 would be summed up in float16
        product = xp.multiply(a, b)
        product = product.sum(axis=tuple(range(plan.batch, a.ndim)), dtype=product.dtype)
    elif plan.summed:
        k = math.prod(inner)
        product = xp.matmul(
            a.reshape((*stack, math.prod(rows), k)), b.reshape((*stack, k, math.prod(columns)))
        )  # fmt: skip
        if len(rows) != 1 or len(columns) != 1:
            product = product.reshape(stack + rows + columns)
    else:
        product = xp.multiply(a.reshape(a.shape + (1,) * len(columns)), b.reshape(stack + (1,) * len(rows) + columns))
    return product if plan.out is None else product.transpose(plan.out)


def _without(subscripts: str, position: int) -> str:
    """The sum that is left when the tensor at `position` is taken away, the result standing in its place."""
    inputs, out = subscripts.split("->")
    terms = inputs.split(",")
    wanted, terms[position] = terms[position], out
    return f"{','.join(terms)}->{wanted}"


# Each label stands in at least two of the three terms, and in none of them twice.
_einsum: Multilinear = Multilinear(
    "einsum",
    lambda g, _a, b, *, subscripts: _einsum(g, b, subscripts=_without(subscripts, 0)),
    lambda g, a, _b, *, subscripts: _einsum(a, g, subscripts=_without(subscripts, 1)),
    kernel=_kernel,
)


def einsum(*operands: Any, optimize: bool | str | Sequence[Any] = False) -> Any:
    """Sum of products in Einstein's notation: ``einsum("ij,jk->ik", a, b)`` is ``Σ_j a_ij b_jk``.

    Parameters
    ----------
    *operands : str, then tensors; or tensors, each followed by its labels
        A letter names an axis. What is named alike runs together; what the result does not name is summed over.
        Without ``->`` the result has the letters that occur once, in alphabetical order. ``...`` stands for further
        axes, which broadcast. A letter that one tensor has twice takes its diagonal. In the second form
        ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` integers below 52 stand for letters, and ``Ellipsis`` for ``...``.
    optimize : bool, str or path, optional
        Tensors are contracted in pairs in any case, those first that shrink most. A path as
        ``numpy.einsum_path`` gives it, ``["einsum_path", (0, 1), (0, 1)]``, chooses the pairs.

    Returns
    -------
    tensor
        Its axes in the order of the result's labels.

    Raises
    ------
    ShapeError
        Where the labels do not fit the tensors, or each other.

    Examples
    --------
    >>> a = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tg.einsum("ij,j->i", a, tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    >>> tg.einsum("ii", a)
    tensor(5.)
    """
    written, result, given = notation.split(operands)
    beside = next((x for x in given if hasattr(x, "shape")), None)
    tensors = _of_one_sort([operand("einsum", x, beside, i) for i, x in enumerate(given)])
    terms, out, sizes = notation.understand(written, result, tuple(tuple(x.shape) for x in tensors))
    parts = [_once_each(x, term, sizes) for x, term in zip(tensors, terms, strict=True)]
    for i, (x, term) in enumerate(parts):
        parts[i] = _summed(x, term, set(out).union(*(t for j, (_, t) in enumerate(parts) if j != i)))
    for step in _path(optimize):
        if not set(step) <= set(range(len(parts))):
            raise ValueError(f"einsum: the path's step {step} is for more than the {len(parts)} tensors that are left")
        group = [parts.pop(i) for i in sorted(set(step), reverse=True)][::-1]
        parts.append(_contracted(group, set(out).union(*(term for _, term in parts)), out if not parts else "", sizes))
    x, term = _contracted(parts, set(out), out, sizes)
    return x if len(tensors) > 1 else _permute(x, axes=tuple(term.index(c) for c in out))


# The steps.


def _of_one_sort(tensors: list[Any]) -> list[Any]:
    """Whole numbers in the dtype of the result, so that no sum of theirs wraps on the way there."""
    if all(x.dtype.kind == "f" for x in tensors) or len({x.dtype for x in tensors}) == 1:
        return tensors
    common = backend.namespace(getattr(tensors[0], "_array", tensors[0])).result_type(*(x.dtype for x in tensors))
    return [x if x.dtype.kind == "f" else astype(x, common) for x in tensors]


def _once_each(x: Any, term: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """Each label once, and none for an axis of length 1 that would broadcast."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            x, term = _diagonal(x, term, label)
    return _keep(x, term, [label for label, n in zip(term, x.shape, strict=True) if n == sizes[label]])


def _summed(x: Any, term: str, needed: set[str]) -> tuple[Any, str]:
    """Without the labels that neither the result nor another tensor has."""
    if set(term) <= needed:
        return x, term
    kept = tuple(n if label in needed else 1 for label, n in zip(term, x.shape, strict=True))
    return _keep(sum_to(x, shape=kept), term, [label for label in term if label in needed])


def _keep(x: Any, term: str, labels: Sequence[str]) -> tuple[Any, str]:
    """Without the axes, all of length 1, of the other labels."""
    if len(labels) == len(term):
        return x, term
    shape = tuple(n for label, n in zip(term, x.shape, strict=True) if label in labels)
    return _reshape(x, shape=shape), "".join(labels)


def _diagonal(x: Any, term: str, label: str) -> tuple[Any, str]:
    """The elements for which two axes agree: every ``n + 1``-th of the ``n²``, the axis coming last."""
    i = term.index(label)
    j = term.index(label, i + 1)
    rest = [axis for axis in range(len(term)) if axis not in (i, j)]
    n = x.shape[i]
    x = _permute(x, axes=(*rest, i, j))
    x = _reshape(x, shape=(*x.shape[:-2], n * n))[..., :: n + 1]
    return x, "".join(term[axis] for axis in rest) + label


def _contracted(group: list[tuple[Any, str]], needed: set[str], out: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """Several tensors as one, pair by pair; the last pair in the order of `out`, where that is given."""
    while len(group) > 1:
        i, j = _cheapest([term for _, term in group], needed, sizes) if len(group) > 2 else (0, 1)
        (b, right), (a, left) = group.pop(j), group.pop(i)
        result = _left_over(left, right, needed.union(*(term for _, term in group)))
        if out and not group:
            result = out
        group.append((_einsum(a, b, subscripts=f"{left},{right}->{result}"), result))
    return group[0]


def _left_over(left: str, right: str, needed: set[str]) -> str:
    """The labels of the product of two tensors: those still needed, in the order that costs no copy."""
    both = [c for c in left if c in right and c in needed]
    return "".join((*both, *(c for c in left if c not in right), *(c for c in right if c not in left)))


def _cheapest(terms: list[str], needed: set[str], sizes: dict[str, int]) -> tuple[int, int]:
    """The pair whose contraction shrinks what is stored most; among equals the one with the fewest products."""

    def size(labels: Iterable[str]) -> int:
        return math.prod(sizes[c] for c in labels)

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        left, right = (terms[i] for i in pair)
        others = needed.union(*(term for i, term in enumerate(terms) if i not in pair))
        return size(_left_over(left, right, others)) - size(left) - size(right), size(set(left + right))

    return min(itertools.combinations(range(len(terms)), 2), key=cost)


def _path(optimize: Any) -> list[tuple[int, ...]]:
    """The steps that the user chose, if any."""
    if isinstance(optimize, (bool, str)):
        if optimize not in (True, False, "greedy", "optimal"):
            raise ValueError(f"einsum: optimize must be a bool, 'greedy', 'optimal' or a path; got {optimize!r}")
        return []
    try:
        return [tuple(operator.index(i) for i in step) for step in optimize if not isinstance(step, str)]
    except TypeError:
        raise TypeError(f"einsum: a path is a list of tuples of positions; got optimize={optimize!r}") from None
