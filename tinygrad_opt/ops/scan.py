"""Scans: what has been summed or multiplied up to each place of an axis, and the product of the whole axis.

Products are differentiated without dividing by what could be 0, so that zeros among the factors do no harm. What closes
the circle is the linear recurrence ``sⱼ₊₁ = cⱼ sⱼ + bⱼ₊₁``: the derivative of a cumulative product is one, its
transpose is one that runs backwards, and so are the derivatives of both. See Blelloch, "Prefix sums and their
applications" (1990), §1.4.
"""

from __future__ import annotations

from typing import Any

from .. import backend
from ..core.folding import folding
from ..core.kinds import Constant, General, Linear
from .arguments import Axes, as_type, in_one_axis, initially, kept, start, wide
from .concatenation import concatenate
from .index import scatter_add
from .join import part
from .precision import widened
from .shape import normalize_axes, normalize_axis, ravel

__all__ = ["cumprod", "cumsum", "prod"]


def _padded(x: Any, like: Any, axis: int, front: bool) -> Any:
    """`x` with a zero before (or after) its elements along `axis`: as long as `like`, which has one more."""
    place = slice(1, None) if front else slice(None, -1)
    return scatter_add(x, shape=like.shape, index=(*(slice(None),) * axis, place))


# Sums.


def _both_ways(name: str) -> Any:
    """A cumulative function of the library as a kernel; `reverse` runs from the last element to the first."""

    def kernel(xp: Any, x: Any, *, axis: int, reverse: bool) -> Any:
        if not reverse:
            return getattr(x, name)(axis=axis)
        turned = (slice(None),) * axis + (slice(None, None, -1),)
        return getattr(x[turned], name)(axis=axis)[turned]

    return kernel


_cumsum: Linear = Linear(
    "cumsum",
    lambda g, like, *, axis, reverse: _cumsum(g, axis=axis, reverse=not reverse),
    kernel=_both_ways("cumsum"),
)


# Products.


def _recurrence_kernel(xp: Any, c: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    """By doubling: after the k-th round each element knows what the 2ᵏ before it bring."""
    dtype = xp.result_type(c.dtype, b.dtype)
    turn = slice(None, None, -1 if reverse else 1)
    link, s = (xp.moveaxis(x, axis, 0)[turn].astype(dtype) for x in (c, b))
    reach, n = 1, s.shape[0]
    while reach < n:
        s[reach:] += link * s[:-reach]
        link = link[reach:] * link[:-reach]  # from each element to the one twice as far
        reach *= 2
    return xp.moveaxis(s[turn], 0, axis)


def _moved(t: Any, s: Any, axis: int, reverse: bool) -> Any:
    """What a change `t` of the factors adds to each element before it is carried on."""
    before = part(s, axis, 1, None) if reverse else part(s, axis, None, -1)
    return _padded(t * before, s, axis, front=not reverse)


def _factors(carried: Any, s: Any, axis: int, reverse: bool) -> Any:
    """The transpose of `_moved`."""
    before = part(s, axis, 1, None) if reverse else part(s, axis, None, -1)
    return before * (part(carried, axis, None, -1) if reverse else part(carried, axis, 1, None))


recurrence: General = General(
    "recurrence",
    [
        lambda t, s, c, _b, *, axis, reverse: recurrence(c, _moved(t, s, axis, reverse), axis=axis, reverse=reverse),
        lambda t, _s, c, _b, *, axis, reverse: recurrence(c, t, axis=axis, reverse=reverse),
    ],
    [
        lambda g, s, c, _b, *, axis, reverse: _factors(
            recurrence(c, g, axis=axis, reverse=not reverse), s, axis, reverse
        ),
        lambda g, _s, c, _b, *, axis, reverse: recurrence(c, g, axis=axis, reverse=not reverse),
    ],
    kernel=widened(_recurrence_kernel),
    doc="""Linear recurrence along `axis`: ``s₀ = b₀``, ``sⱼ₊₁ = cⱼ sⱼ + bⱼ₊₁``; from the other end with `reverse`.

    `c` is one shorter than `b` along `axis`; the other sides are equal.
    """,
)
_ones: Constant = Constant("ones_like")


def _links(x: Any, axis: int, reverse: bool) -> Any:
    return part(x, axis, None, -1) if reverse else part(x, axis, 1, None)


def _before(y: Any, axis: int, reverse: bool) -> Any:
    """A cumulative product up to, but without, each element itself: it starts with 1."""
    if reverse:
        return concatenate([part(y, axis, 1, None), _ones(part(y, axis, -1, None))], axis)
    return concatenate([_ones(part(y, axis, None, 1)), part(y, axis, None, -1)], axis)


def _cumprod_push(t: Any, y: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    return recurrence(_links(x, axis, reverse), t * _before(y, axis, reverse), axis=axis, reverse=reverse)


def _cumprod_pull(g: Any, y: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    carried = recurrence(_links(x, axis, reverse), g, axis=axis, reverse=not reverse)
    return carried * _before(y, axis, reverse)


_cumprod: General = General("cumprod", [_cumprod_push], [_cumprod_pull], kernel=_both_ways("cumprod"))


# The product of a whole axis: its derivative is, for each element, the product of all others.


def _others_kernel(xp: Any, x: Any, *, axis: int) -> Any:
    """On the host a quotient, where it is known at once that nothing vanished or overflowed on the way to it."""
    if x.size and x.dtype.kind == "f" and backend.of(x) is backend.HOST:
        y = _multiplied(xp, x, axis=(axis,), keepdims=True)
        limits = xp.finfo(y.dtype)
        if bool(((abs(y) > limits.tiny / limits.eps) & (abs(y) < limits.max)).all()):
            return y / x
    before, after = (_before(_cumprod(x, axis=axis, reverse=r), axis, r) for r in (False, True))
    return before * after


def _others_rule(t: Any, _y: Any, x: Any, *, axis: int) -> Any:
    """Symmetric, since what stands between two elements is the product of all but these."""
    forward, backward = (_cumprod(x, axis=axis, reverse=r) for r in (False, True))
    before, after = _before(forward, axis, False), _before(backward, axis, True)
    moved_before = part(_cumprod_push(t, forward, x, axis=axis, reverse=False), axis, None, -1)
    moved_after = part(_cumprod_push(t, backward, x, axis=axis, reverse=True), axis, 1, None)
    return _padded(moved_before, x, axis, front=True) * after + before * _padded(moved_after, x, axis, front=False)


_multiplied = folding("prod", "multiply")
others: General = General("others", [_others_rule], kernel=widened(_others_kernel))
_prod: General = General(
    "prod",
    [lambda t, _y, x, *, axis, keepdims: (t * others(wide(x), axis=axis)).sum(axis, keepdims=keepdims)],
    [lambda g, _y, x, *, axis, keepdims: g.reshape(kept(x.shape, (axis,))) * others(wide(x), axis=axis)],
    kernel=lambda xp, x, *, axis, keepdims: _multiplied(xp, x, axis=(axis,), keepdims=keepdims),
)


def _scanned(function: str, scan: Any, a: Any, axis: int | None, dtype: Any, out: None) -> Any:
    a = start(function, a, out=out, dtype=dtype)
    if axis is None:
        a, axis = ravel(a), 0
    return as_type(scan(a, axis=normalize_axis(function, axis, len(a.shape)), reverse=False), dtype)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Sum of the elements up to and with each one, along `axis`: ``yₖ = x₀ + … + xₖ``.

    Parameters
    ----------
    a : tensor or array
    axis : int, optional
        The ravelled tensor by default.
    dtype : dtype, optional
        Of the terms and of the sums.
    out : None
        Only for NumPy's order of arguments.

    Examples
    --------
    >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]))
    tensor([1., 3., 6.])
    """
    return _scanned("cumsum", _cumsum, a, axis, dtype, out)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Product of the elements up to and with each one, along `axis`; parameters as for `cumsum`.

    Derivatives of every order are right where there are zeros, too: nothing is divided.

    Examples
    --------
    >>> tg.cumprod(tg.tensor([1.0, 2.0, 3.0]))
    tensor([1., 2., 6.])
    """
    return _scanned("cumprod", _cumprod, a, axis, dtype, out)


def prod(
    a: Any, axis: Axes = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """Product of the elements along `axis`; parameters as for `sum`. The product of no elements is 1.

    Derivatives of every order are right where there are zeros, too.

    Examples
    --------
    >>> x = tg.tensor([0.0, 2.0, 3.0], requires_grad=True)
    >>> tg.gradients(tg.prod(x), [x])[0]
    tensor([6., 0., 0.])
    """
    a = start("prod", a, out=out, dtype=dtype, where=where, instead=1)
    axes = normalize_axes("prod", axis, len(a.shape))
    row, place = in_one_axis(a, axes)
    y = as_type(_prod(row, axis=place, keepdims=False), dtype)
    y = y.reshape(kept(tuple(a.shape), axes)) if keepdims else y
    return y if initial is None else y * initially("prod", initial, y.dtype)
