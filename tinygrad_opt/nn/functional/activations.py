"""Smooth activations. Those that are functions of the package are named here too."""

from __future__ import annotations

from typing import Any

from ... import errors, ops
from ...core.primitive import operand
from ...ops import sigmoid, tanh
from ...ops.activations import gelu as exact_gelu
from ...ops.activations import gelu_tanh, mish, silu, softsign
from ...ops.arguments import as_type, wide
from ...ops.checks import as_real, one_of
from ...ops.join import part
from ...ops.shape import normalize_axis

__all__ = [
    "gelu", "glu", "log_softmax", "logsigmoid", "mish", "sigmoid", "silu", "softmax", "softplus", "softsign", "tanh",
    "tanhshrink",
]  # fmt: skip


def gelu(x: Any, approximate: str = "none") -> Any:
    """Gaussian error linear unit: ``y = x Φ(x)``, with the normal distribution function Φ.

    Parameters
    ----------
    x : tensor
    approximate : {"none", "tanh"}
        "tanh" puts ``(1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`` in the place of Φ(x).

    References
    ----------
    D. Hendrycks, K. Gimpel, "Gaussian error linear units (GELUs)", 2016.

    Examples
    --------
    >>> tg.nn.functional.gelu(tg.tensor([0.0, 1.0]))
    tensor([0.       , 0.8413...])
    """
    x = operand("gelu", x)
    exactly = one_of("gelu", "approximate", approximate, ("none", "tanh")) == "none"
    return exact_gelu(x) if exactly else gelu_tanh(x)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Smooth rectifier: ``y = ln(1 + exp(β x)) / β``, and ``y = x`` where ``β x > threshold``.

    `tg.softplus` is exact everywhere and needs no threshold: ``threshold=math.inf`` is as good here.

    References
    ----------
    C. Dugas et al., "Incorporating second-order functional knowledge for better option pricing", NIPS 2000.

    Examples
    --------
    >>> tg.nn.functional.softplus(tg.tensor([0.0, 30.0]), beta=2.0)
    tensor([ 0.3465..., 30.       ])
    """
    x = operand("softplus", x)
    beta, threshold = as_real("softplus", "beta", beta), as_real("softplus", "threshold", threshold)
    if beta == 0:
        raise ValueError("softplus: beta must not be 0, by which the result is divided")
    inner = wide(x)  # products with beta may leave the range of float16
    scaled = inner if beta == 1 else inner * beta
    y = ops.softplus(scaled)
    y = ops.where(scaled > threshold, inner, y if beta == 1 else y / beta)
    return as_type(y, x.dtype) if x.dtype.kind == "f" else y


def logsigmoid(x: Any) -> Any:
    """Logarithm of the logistic function: ``y = -ln(1 + e⁻ˣ)``, without overflow.

    Examples
    --------
    >>> tg.nn.functional.logsigmoid(tg.tensor([0.0, -1000.0]))
    tensor([-6.9314...e-01, -1.0000...e+03])
    """
    return -ops.softplus(-operand("logsigmoid", x))


def tanhshrink(x: Any) -> Any:
    """``y = x - tanh x``.

    Examples
    --------
    >>> tg.nn.functional.tanhshrink(tg.tensor([0.0, 100.0]))
    tensor([ 0., 99.])
    """
    x = operand("tanhshrink", x)
    return x - tanh(x)


def _axis(function: str, axis: int, dim: int | None) -> int:
    """The axis, under NumPy's name for it or PyTorch's."""
    if dim is None:
        return axis
    if axis != -1:
        raise TypeError(f"{function}: axis and dim are two names of one argument; pass one of them")
    return dim


def softmax(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """Positive numbers that sum to 1 along `axis`, also called `dim`: ``yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)``, without overflow.

    Examples
    --------
    >>> tg.nn.functional.softmax(tg.tensor([[1000.0, 1000.0]]), dim=1)
    tensor([[0.5, 0.5]])
    """
    return ops.softmax(x, _axis("softmax", axis, dim))


def log_softmax(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """Logarithm of the softmax along `axis`, also called `dim`: ``yᵢ = xᵢ - ln Σⱼ exp(xⱼ)``, without overflow.

    Examples
    --------
    >>> tg.nn.functional.log_softmax(tg.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931..., -0.6931...])
    """
    return ops.log_softmax(x, _axis("log_softmax", axis, dim))


def glu(x: Any, dim: int = -1) -> Any:
    """Gated linear unit: ``y = a · sigmoid(b)``, where a and b are the halves of x along axis `dim`.

    Raises
    ------
    ShapeError
        Where that axis has an odd length, or there is none.

    References
    ----------
    Y. Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.

    Examples
    --------
    >>> tg.nn.functional.glu(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5, 1. ])
    """
    x = operand("glu", x)
    place = normalize_axis("glu", dim, len(x.shape), "dim")
    length = x.shape[place]
    if length % 2:
        raise errors.ShapeError(f"glu: axis {place} of shape {tuple(x.shape)} has no two halves: its length is odd")
    return part(x, place, None, length // 2) * sigmoid(part(x, place, length // 2, None))
