"""Multi-head attention. No query has all its keys left out: where weights are asked for, PyTorch answers nan then."""

from __future__ import annotations

from typing import Any

import numpy as np

from layer_cases.case import Layer
from tinygrad_opt.testing.sources import Domain, Source

SMALL = Domain(-1.0, 1.0)


def attention(source: Source) -> Layer:
    heads, width = source.integer(1, 3), source.integer(1, 3)
    n, length, keys = source.integer(1, 3), source.integer(1, 4), source.integer(1, 4)
    embed = heads * width
    form = source.choose(("self", "cross", "kv", "other sizes"))
    length = keys if form == "self" else length
    kdim, vdim = (source.integer(1, 4), source.integer(1, 4)) if form == "other sizes" else (embed, embed)
    options = {
        "bias": source.flip(),
        "add_bias_kv": source.flip(),
        "add_zero_attn": source.flip(),
        "batch_first": source.flip(),
        "kdim": kdim if form == "other sizes" else None,
        "vdim": vdim if form == "other sizes" else None,
    }
    alone = source.integer(0, 3) == 3

    def tokens(count: int, features: int) -> Any:
        batch = () if alone else (n,)
        shape = (*batch, count, features) if options["batch_first"] or alone else (count, *batch, features)
        return source.array(shape, SMALL)

    q = tokens(length, embed)
    k = q if form == "self" else tokens(keys, kdim)
    v = k if form in ("self", "kv") else tokens(keys, vdim)
    call = {"need_weights": source.flip(), "average_attn_weights": source.flip()}
    call |= masks(source, 1 if alone else n, heads, length, keys, alone)
    return Layer("MultiheadAttention", (embed, heads), options, (q, k, v), call)


def masks(source: Source, n: int, heads: int, length: int, keys: int, alone: bool) -> dict[str, Any]:
    """A mask of pairs and one of keys, of truth values or numbers; the first key is always left in."""
    found: dict[str, Any] = {}
    shape = source.choose(((length, keys), (n * heads, length, keys)))
    for name, sides in (("attn_mask", shape), ("key_padding_mask", (keys,) if alone else (n, keys))):
        kind = source.choose(("none", "bool", "float"))
        if kind == "bool":
            mask = source.mask(sides)
            mask[..., 0] = False
            found[name] = mask
        elif kind == "float":
            found[name] = source.array(sides, SMALL)
    if len({mask.dtype for mask in found.values()}) == 2:  # PyTorch warns of mixtures
        found.popitem()
    if "attn_mask" not in found and length == keys and source.flip():
        found["attn_mask"] = np.triu(np.ones((length, length), bool), 1)
        found["key_padding_mask"] = None
    return found


CASES = [attention]
