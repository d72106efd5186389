"""Attention: each query takes a weighted mean of the values; its products with the keys give the weights, by softmax.

What must not be attended to gets the weight 0. A query that may attend to nothing gets zeros, with finite derivatives.
"""

from __future__ import annotations

import math
from typing import Any

from ... import backend, errors, ops
from ...core.primitive import operand
from ...ops.arguments import as_type, wide
from ...ops.attention import masked_softmax
from ...ops.checks import as_real, together
from ...ops.shape import broadcasts
from .dropping import dropout, probability

__all__ = ["scaled_dot_product_attention"]


# Products, weights, mean: what attention with one head and with several is made of.


def attend(q: Any, k: Any, v: Any, mask: Any, dropout_p: float, scale: float) -> tuple[Any, Any]:
    """The result (..., L, E) and the weights (..., L, S); a mask is true where nothing may be attended to."""
    dtype = q.dtype
    q, k, v = wide(q), wide(k), wide(v)  # products of two float16 leave its range
    scores = (q * scale) @ ops.swapaxes(k, -1, -2)
    weights = masked_softmax(scores, False if mask is None else mask)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return as_type(weights @ v, dtype), weights


def future(beside: Any, rows: int, columns: int) -> Any:
    """True above the diagonal: what a query must not see if later ones are the future."""
    array = getattr(beside, "_array", beside)
    with backend.beside(array):
        xp = backend.namespace(array)
        return xp.arange(columns) > xp.arange(rows)[:, None]


def mask_of(function: str, argument: str, mask: Any, beside: Any) -> Any:
    """A mask as a tensor or an array: of truth values, or of floating numbers."""
    mask = operand(function, mask, beside, argument)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{function}: {argument} is made of truth values, or of numbers to be added; got {mask.dtype}")
    return mask


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """``softmax(scale · Q Kᵀ + mask) V``.

    Parameters
    ----------
    query : tensor, shape (..., L, E)
    key : tensor, shape (..., S, E)
    value : tensor, shape (..., S, M)
        Leading axes broadcast.
    attn_mask : tensor, shape (..., L, S), optional
        Of bool: true where a query *may* attend. Of numbers: added to the products; derivatives flow into it.
    dropout_p : float
        The probability with which a weight is left out; always, so pass 0 in evaluation.
    is_causal : bool
        Query i attends to keys 0 to i only. Not together with a mask.
    scale : float, optional
        ``1 / √E`` where nothing is said.
    enable_gqa : bool
        Let several heads of queries share one of keys and values: the third axis from the end of `key` and `value` may
        be shorter by a whole factor.

    Returns
    -------
    tensor, shape (..., L, M)
        Zeros for a query that may attend to nothing.

    References
    ----------
    A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.1.

    Examples
    --------
    >>> q, k, v = tg.zeros(1, 2), tg.ones(3, 2), tg.tensor([[1.0], [2.0], [6.0]])
    >>> tg.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[3.]])
    """
    name = "scaled_dot_product_attention"
    query = operand(name, query)
    key, value = operand(name, key, query, "key"), operand(name, value, query, "value")
    if enable_gqa:
        key, value = _shared_heads(name, query, key, value)
    q, k, v = (tuple(x.shape) for x in (query, key, value))
    lead = _broadcast(q[:-2], k[:-2], v[:-2])
    if min(map(len, (q, k, v))) < 2 or q[-1] != k[-1] or k[-2] != v[-2] or lead is None:
        raise errors.ShapeError(
            f"{name}: expected query (..., L, E), key (..., S, E) and value (..., S, M); got {q}, {k} and {v}"
        )
    mask = None
    if is_causal:
        if attn_mask is not None:
            raise ValueError(f"{name}: is_causal=True is a mask already; pass either one, or both in attn_mask")
        mask = future(query, q[-2], k[-2])
    elif attn_mask is not None:
        mask = mask_of(name, "attn_mask", attn_mask, query)
        if not broadcasts(mask.shape, (*lead, q[-2], k[-2])):
            raise errors.ShapeError(
                f"{name}: attn_mask {tuple(mask.shape)} does not broadcast to the weights {(*lead, q[-2], k[-2])}"
            )
        mask = ops.logical_not(mask) if mask.dtype.kind == "b" else as_type(mask, query.dtype)
    together(name, query=query, key=key, value=value, attn_mask=mask)
    scale = 1 / math.sqrt(max(q[-1], 1)) if scale is None else as_real(name, "scale", scale)
    return attend(query, key, value, mask, probability(name, dropout_p), scale)[0]


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that all of them broadcast to, if there is one."""
    result: list[int] = []
    for i in range(1, max(map(len, shapes)) + 1):
        sides = {shape[-i] for shape in shapes if len(shape) >= i} - {1}
        if len(sides) > 1:
            return None
        result.insert(0, sides.pop() if sides else 1)
    return tuple(result)


def _shared_heads(name: str, query: Any, key: Any, value: Any) -> tuple[Any, Any]:
    """Keys and values, each head repeated for the heads of queries that share it."""
    shapes = [tuple(x.shape) for x in (query, key, value)]
    heads = [shape[-3] if len(shape) > 2 else 0 for shape in shapes]
    if not all(heads) or heads[0] % heads[1] or heads[0] % heads[2]:
        raise errors.ShapeError(
            f"{name}: with enable_gqa, the heads of key and value (the third axis from the end) divide those of "
            f"query; got {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    return tuple(ops.repeat(x, heads[0] // n, -3) for x, n in zip((key, value), heads[1:], strict=True))
