"""Attention with several heads: each on its own projection of queries, keys and values, all by a few large products."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from ... import backend, errors, ops
from ...core.primitive import operand
from ...ops.arguments import as_type
from ...ops.checks import together
from ...ops.choice import where
from ...ops.index import pick
from ...ops.shape import _permute, _reshape, as_integer
from .affine import linear
from .attention import attend, future, mask_of
from .dropping import probability

__all__ = ["multi_head_attention_forward"]


class _Call(NamedTuple):
    """What is the same in all steps of one call: numbers of sequences, queries, keys, heads, and the layout."""

    batch: int
    queries: int
    keys: int
    heads: int
    width: int
    batch_first: bool


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any, in_proj_bias: Any,
    bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any, out_proj_bias: Any,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, average_attn_weights: bool = True, is_causal: bool = False, *, batch_first: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """What `tg.nn.MultiheadAttention` computes, with all that it learns as arguments.

    Parameters
    ----------
    query : tensor, shape (L, N, E), with `batch_first` (N, L, E), or (L, E) for a single sequence
    key, value : tensor, shape (S, N, K) and (S, N, V), or as above
    embed_dim_to_check, num_heads : int
        E, and the number of heads, which divides it.
    in_proj_weight : tensor, shape (3 E, E)
        The projections of queries, keys and values, one below the other.
    in_proj_bias : tensor, shape (3 E,), optional
    bias_k, bias_v : tensor, shape (1, 1, E), optional
        A further key and value, the same for all sequences.
    add_zero_attn : bool
        A further key and value of zeros.
    dropout_p : float
        The probability with which a weight is left out in training.
    out_proj_weight, out_proj_bias : tensor, shapes (E, E) and (E,)
        The projection of the result; the bias may be None.
    training : bool
    key_padding_mask : tensor, shape (N, S) or (S,), optional
        Of bool: true for keys that are *not* attended to. Of numbers: added to the products.
    need_weights : bool
        Whether the weights are returned.
    attn_mask : tensor, shape (L, S) or (N · num_heads, L, S), optional
        The same for pairs of query and key.
    use_separate_proj_weight : bool
        Use `q_proj_weight` (E, E), `k_proj_weight` (E, K) and `v_proj_weight` (E, V) in place of `in_proj_weight`.
    average_attn_weights : bool
        Whether the weights that are returned are the mean over the heads.
    is_causal : bool
        Query i attends to keys 0 to i only; where there is an `attn_mask`, that one says so already.
    batch_first : bool, keyword only

    Returns
    -------
    output : tensor, in the layout of `query`
    weights : tensor, shape (N, L, S), (N, num_heads, L, S), or without N; None unless asked for

    References
    ----------
    A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.2.

    Examples
    --------
    >>> F, x, eye = tg.nn.functional, tg.ones(3, 2), tg.eye(2)
    >>> y, weights = F.multi_head_attention_forward(
    ...     x, x, x, 2, 1, tg.concatenate([eye, eye, eye]), None, None, None, False, 0.0, eye, None
    ... )
    >>> weights.shape
    (3, 3)
    """
    name = "MultiheadAttention"
    inputs = _inputs(name, query, key, value)
    single = len(inputs[0].shape) == 2
    if single:
        inputs = _each(inputs, _alone)
    call = _sizes(name, inputs, embed_dim_to_check, num_heads, batch_first or single)
    if use_separate_proj_weight:
        q, k, v = _separate(call, inputs, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    else:
        q, k, v = _packed(name, call, inputs, in_proj_weight, in_proj_bias)
    mask = _mask(name, call, q, key_padding_mask, attn_mask, is_causal)
    k, v, mask = _further_keys(call, k, v, mask, bias_k, bias_v, add_zero_attn)
    y, shares = attend(q, k, v, mask, probability(name, dropout_p) if training else 0.0, 1 / math.sqrt(call.width))
    y = _projected_out(call, y, out_proj_weight, out_proj_bias)
    y = _reshape(y, shape=y.shape[1:]) if single else y
    if not need_weights:
        return y, None
    shares = as_type(ops.mean(shares, axis=1) if average_attn_weights else shares, y.dtype)
    return y, _reshape(shares, shape=shares.shape[1:]) if single else shares


def _inputs(name: str, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    """The three as tensors; what was one object stays one, so that it is projected once."""
    names = {id(value): "value", id(key): "key", id(query): "query"}
    return _each((query, key, value), lambda x: operand(name, x, query, names[id(x)]))


def _each(inputs: tuple[Any, Any, Any], function: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
    made = {key: function(x) for key, x in {id(x): x for x in inputs}.items()}
    first, second, third = (made[id(x)] for x in inputs)
    return first, second, third


def _alone(x: Any) -> Any:
    return _reshape(x, shape=(1, *x.shape))


def _sizes(name: str, inputs: tuple[Any, Any, Any], embed_dim: int, heads: int, batch_first: bool) -> _Call:
    embed_dim, heads = as_integer(name, "embed_dim", embed_dim), as_integer(name, "num_heads", heads)
    if heads < 1 or embed_dim % heads:
        raise ValueError(f"{name}: the {heads} heads must share {embed_dim} features evenly")
    together(name, query=inputs[0], key=inputs[1], value=inputs[2])
    q, k, v = (tuple(x.shape) for x in inputs)
    layout = (0, 1) if batch_first else (1, 0)
    if len(q) != 3 or len(k) != 3 or q[-1] != embed_dim or k[:2] != v[:2] or q[layout[0]] != k[layout[0]]:
        order = ("N, L", "N, S") if batch_first else ("L, N", "S, N")
        raise errors.ShapeError(
            f"{name}: expected query ({order[0]}, {embed_dim}), key ({order[1]}, ...) and value ({order[1]}, ...), or "
            f"all three without N; got {q}, {k} and {v}"
        )
    return _Call(q[layout[0]], q[layout[1]], k[layout[1]], heads, embed_dim // heads, batch_first)


def _heads(call: _Call, x: Any, weight: Any, bias: Any, count: int) -> list[Any]:
    """`count` projections of x, one below the other in the weight, each as (N, heads, tokens, width)."""
    first, second, features = x.shape
    y = linear(_reshape(x, shape=(first * second, features)), weight, bias)
    y = _reshape(y, shape=(first, second, count, call.heads, call.width))
    y = _permute(y, axes=(2, 0, 3, 1, 4) if call.batch_first else (2, 1, 3, 0, 4))
    return [pick(y, index=(i,)) for i in range(count)]


def _rows(x: Any, start: int, stop: int) -> Any:
    return None if x is None else pick(x, index=(slice(start, stop),))


def _packed(name: str, call: _Call, inputs: tuple[Any, Any, Any], weight: Any, bias: Any) -> list[Any]:
    """Queries, keys and values, by one product of matrices for inputs that are the same."""
    query, key, value = inputs
    n = call.heads * call.width
    weight = operand(name, weight, query, "in_proj_weight")
    if tuple(weight.shape) != (3 * n, n):
        raise errors.ShapeError(f"{name}: expected in_proj_weight {(3 * n, n)}; got {tuple(weight.shape)}")
    if query is key and key is value:
        return _heads(call, query, weight, bias, 3)
    if key is value:
        q = _heads(call, query, _rows(weight, 0, n), _rows(bias, 0, n), 1)
        return q + _heads(call, key, _rows(weight, n, 3 * n), _rows(bias, n, 3 * n), 2)
    return _separate(call, inputs, tuple(_rows(weight, i * n, i * n + n) for i in range(3)), bias)


def _separate(call: _Call, inputs: tuple[Any, Any, Any], weights: tuple[Any, ...], bias: Any) -> list[Any]:
    n = call.heads * call.width
    parts: list[Any] = []
    for i, (x, weight) in enumerate(zip(inputs, weights, strict=True)):
        parts += _heads(call, x, weight, _rows(bias, i * n, i * n + n), 1)
    return parts


def _mask(name: str, call: _Call, q: Any, padding: Any, pairs: Any, is_causal: bool) -> Any:
    """Both masks as one, that broadcasts to (N, heads, L, S): true where nothing may be attended to, or to be added."""
    n, length, keys, heads = call.batch, call.queries, call.keys, call.heads
    masks = []
    if pairs is not None:
        pairs = mask_of(name, "attn_mask", pairs, q)
        if tuple(pairs.shape) not in ((length, keys), (n * heads, length, keys)):
            raise errors.ShapeError(
                f"{name}: expected attn_mask {(length, keys)} or {(n * heads, length, keys)}; got {tuple(pairs.shape)}"
            )
        masks.append(pairs if len(pairs.shape) == 2 else _reshape(pairs, shape=(n, heads, length, keys)))
    elif is_causal:
        masks.append(future(q, length, keys))
    if padding is not None:
        padding = mask_of(name, "key_padding_mask", padding, q)
        if tuple(padding.shape) != (n, keys) and (n != 1 or tuple(padding.shape) != (keys,)):
            raise errors.ShapeError(f"{name}: expected key_padding_mask {(n, keys)}; got {tuple(padding.shape)}")
        masks.append(_reshape(padding, shape=(n, 1, 1, keys)))
    together(name, query=q, attn_mask=pairs, key_padding_mask=padding)
    return _joined(masks, q.dtype)


def _joined(masks: list[Any], dtype: Any) -> Any:
    """One mask: what either leaves out is left out, what they add is added."""
    left_out = [mask for mask in masks if mask.dtype.kind == "b"]
    added = [as_type(mask, dtype) for mask in masks if mask.dtype.kind == "f"]
    out = reduce(ops.logical_or, left_out) if left_out else None
    if not added:
        return out
    total = reduce(operator.add, added)
    return total if out is None else where(out, -math.inf, total)


def _further_keys(
    call: _Call, k: Any, v: Any, mask: Any, bias_k: Any, bias_v: Any, zero_attn: bool
) -> tuple[Any, Any, Any]:
    """A learned key and value, and those of zeros, behind the others; no mask leaves them out."""
    further = [] if bias_k is None else [(_in_heads(call, bias_k), _in_heads(call, bias_v))]
    array = getattr(k, "_array", k)
    with backend.beside(array):
        xp = backend.namespace(array)
        if zero_attn:
            zeros = xp.zeros((call.batch, call.heads, 1, call.width), dtype=k.dtype)
            further.append((zeros, zeros))
        if not further:
            return k, v, mask
        k, v = (ops.concatenate([x, *(pair[i] for pair in further)], axis=2) for i, x in enumerate((k, v)))
        if mask is not None:
            mask = ops.concatenate([mask, xp.zeros((*mask.shape[:-1], len(further)), dtype=mask.dtype)], axis=-1)
    return k, v, mask


def _in_heads(call: _Call, x: Any) -> Any:
    """A vector of all heads, (1, 1, E), as one more token of each sequence."""
    x = _reshape(x, shape=(1, call.heads, 1, call.width))
    return ops.broadcast_to(x, (call.batch, call.heads, 1, call.width))


def _projected_out(call: _Call, y: Any, weight: Any, bias: Any) -> Any:
    """The heads side by side, (N, heads, L, width) as (N, L, E) or (L, N, E), and their projection."""
    y = _permute(y, axes=(0, 2, 1, 3) if call.batch_first else (2, 0, 1, 3))
    first, second = y.shape[:2]
    y = linear(_reshape(y, shape=(first * second, call.heads * call.width)), weight, bias)
    return _reshape(y, shape=(first, second, y.shape[-1]))
