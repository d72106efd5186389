"""Multi-head attention, with the projections that it learns."""

from __future__ import annotations

from typing import Any

from ..core.creation import zeros
from ..core.tensor import Parameter
from . import functional, init
from .affine import Linear
from .arguments import positive, truth
from .functional.dropping import probability
from .init import Initializer
from .module import Module

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Several softmax attentions side by side, each on its own projection: ``W_out [head₁ … head_h] + b_out``.

    ``headᵢ = softmax(Qᵢ Kᵢᵀ / √d) Vᵢ`` with d = embed_dim / num_heads features of the projected queries, keys and
    values. Where query, key and value are one tensor, one product of matrices projects all three.

    Parameters
    ----------
    embed_dim : int
        Features of the queries and of the result.
    num_heads : int
        Divides `embed_dim`.
    dropout : float
        The probability with which a weight is left out in training mode.
    bias : bool
        Whether the projections have biases.
    add_bias_kv : bool
        Whether there are a further key and value that are learned.
    add_zero_attn : bool
        Whether there are a further key and value of zeros.
    kdim, vdim : int, optional
        Features of the keys and of the values; `embed_dim` where nothing is said.
    batch_first : bool
        Whether the layout is (batch, tokens, features) in place of (tokens, batch, features).
    init, bias_init : str, function or number
        What the projections of queries, keys and values start with: by default uniform in ``±√(6 / (m + n))`` for a
        weight of shape (n, m), and 0. The projection of the result starts as a `Linear`, with `bias_init`.
    dtype, device
        Of the parameters.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 * embed_dim, embed_dim), or None
    q_proj_weight, k_proj_weight, v_proj_weight : Parameter or None
        In its place where `kdim` or `vdim` differ from `embed_dim`.
    in_proj_bias : Parameter, shape (3 * embed_dim,), or None
    bias_k, bias_v : Parameter, shape (1, 1, embed_dim), or None
    out_proj : Linear

    References
    ----------
    A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Examples
    --------
    >>> attention = tg.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = tg.rand(3, 5, 8)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False, *,
        init: Initializer = "xavier_uniform_", bias_init: Initializer = 0.0, dtype: Any = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        kdim, vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        positive("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads, kdim=kdim, vdim=vdim)
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: num_heads={num_heads} must divide embed_dim={embed_dim}; each head gets a share"
            )
        self.embed_dim, self.num_heads, self.kdim, self.vdim = embed_dim, num_heads, kdim, vdim
        self.dropout = probability("MultiheadAttention", dropout, "dropout")
        self.batch_first = truth("MultiheadAttention", "batch_first", batch_first)
        self.add_zero_attn = truth("MultiheadAttention", "add_zero_attn", add_zero_attn)
        bias = truth("MultiheadAttention", "bias", bias)
        add_bias_kv = truth("MultiheadAttention", "add_bias_kv", add_bias_kv)

        def new(*shape: int) -> Parameter:
            return Parameter(zeros(*shape, dtype=dtype, device=device))

        packed = kdim == vdim == embed_dim
        self.q_proj_weight, self.k_proj_weight, self.v_proj_weight = (
            None if packed else new(embed_dim, n) for n in (embed_dim, kdim, vdim)
        )
        self.in_proj_weight = new(3 * embed_dim, embed_dim) if packed else None
        self.in_proj_bias = new(3 * embed_dim) if bias else None
        self.bias_k, self.bias_v = (new(1, 1, embed_dim) if add_bias_kv else None for _ in range(2))
        self.out_proj = Linear(embed_dim, embed_dim, bias, bias_init=bias_init, dtype=dtype, device=device)
        self.init, self.bias_init = init, bias_init
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        weights = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        further = (self.bias_k, self.bias_v)
        biases = (self.in_proj_bias,)
        for how, tensors in ((self.init, weights), (self.bias_init, biases), ("xavier_normal_", further)):
            for tensor in tensors:
                if tensor is not None:
                    init.resolve("MultiheadAttention", how)(tensor)
        self.out_proj.reset_parameters()

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
        attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """The result, and the weights (None where they are not needed).

        Parameters
        ----------
        query : tensor, shape (L, N, embed_dim), with `batch_first` (N, L, embed_dim), or (L, embed_dim)
        key, value : tensor, shape (S, N, kdim) and (S, N, vdim), or as above
        key_padding_mask : tensor, shape (N, S) or (S,), optional
            Of bool: true for keys that are *not* attended to. Of numbers: added to the products.
        need_weights : bool
        attn_mask : tensor, shape (L, S) or (N * num_heads, L, S), optional
            The same for pairs of query and key.
        average_attn_weights : bool
            Whether the weights are the mean over the heads.
        is_causal : bool
            Query i attends to keys 0 to i only. An `attn_mask`, where there is one, has to say so itself.

        Returns
        -------
        output : tensor, in the layout of `query`
            A query that may attend to nothing gets the bias of `out_proj`, and the weights 0.
        weights : tensor, shape (N, L, S), or (N, num_heads, L, S), or without N; or None
        """
        return functional.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, self.in_proj_weight is None, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights, is_causal, batch_first=self.batch_first,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The sizes, the options that were chosen, and the initializer."""
        chosen = {"dropout": self.dropout, "add_zero_attn": self.add_zero_attn, "batch_first": self.batch_first}
        options = "".join(f", {name}={value}" for name, value in chosen.items() if value)
        other = "" if self.in_proj_weight is not None else f", kdim={self.kdim}, vdim={self.vdim}"
        return f"{self.embed_dim}, {self.num_heads}{other}{options}, init={init.shown(self.init)}"
