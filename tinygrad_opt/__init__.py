"""tinygrad_opt: an autodiff micro-framework for learning how derivatives, training and optimization work.

Unrelated to the project named tinygrad.

>>> import tinygrad_opt as tg
>>> x = tg.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from . import cuda, data, errors, nn, optim, testing, train, viz
from .backend import manual_seed
from .core.creation import (
    arange,
    asarray,
    empty,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    tensor,
    zeros,
    zeros_like,
)
from .core.dtypes import bool, float16, float32, float64, int32, int64, set_default_dtype
from .core.modes import detect_anomaly, enable_grad, is_grad_enabled, no_grad
from .core.tensor import Tensor
from .ops import (
    absolute,
    add,
    affine,
    all,
    any,
    argmax,
    argmin,
    astype,
    broadcast_to,
    concatenate,
    copy,
    divide,
    equal,
    exp,
    expand_dims,
    floor,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    moveaxis,
    multiply,
    negative,
    normalize,
    not_equal,
    one_hot,
    permute_dims,
    power,
    ravel,
    reciprocal,
    relu,
    reshape,
    sign,
    softmax,
    softmax_cross_entropy,
    sqrt,
    square,
    squeeze,
    stack,
    subtract,
    sum,
    swapaxes,
    tanh,
    transpose,
    where,
)
from .transforms import grad, gradients, hvp, jvp, linearize, value_and_grad, vjp

__version__ = "0.1.0"

__all__ = [
    "Tensor", "absolute", "add", "affine", "all", "any", "arange", "argmax", "argmin", "asarray", "astype",
    "bool", "broadcast_to", "concatenate", "copy", "cuda", "data", "detect_anomaly", "divide", "empty",
    "enable_grad", "equal", "errors", "exp", "expand_dims", "eye", "float16", "float32", "float64", "floor",
    "full", "full_like", "grad", "gradients", "greater", "greater_equal", "hvp", "int32", "int64",
    "is_grad_enabled", "isfinite", "jvp", "less", "less_equal", "linearize", "linspace", "log", "log_softmax",
    "logsumexp", "manual_seed", "matmul", "max", "maximum", "mean", "min", "minimum", "moveaxis", "multiply",
    "negative", "nn", "no_grad", "normalize", "not_equal", "one_hot", "ones", "ones_like", "optim",
    "permute_dims", "power", "rand", "randint", "randn", "ravel", "reciprocal", "relu", "reshape",
    "set_default_dtype", "sign", "softmax", "softmax_cross_entropy", "sqrt", "square", "squeeze", "stack",
    "subtract", "sum", "swapaxes", "tanh", "tensor", "testing", "train", "transpose", "value_and_grad", "viz",
    "vjp", "where", "zeros", "zeros_like",
]  # fmt: skip
