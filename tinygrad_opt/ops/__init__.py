"""The functions on tensors, a family a file. Each is declared by its kind; see `tinygrad_opt.core.primitive`."""

from __future__ import annotations

from .contract import affine, matmul
from .elementwise import (
    absolute,
    add,
    astype,
    divide,
    equal,
    exp,
    floor,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    relu,
    sign,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from .index import getitem
from .normal import log_softmax, normalize, one_hot, softmax, softmax_cross_entropy
from .reduce import all, any, argmax, argmin, logsumexp, max, mean, min, sum
from .shape import (
    broadcast_to,
    concatenate,
    copy,
    expand_dims,
    move,
    moveaxis,
    permute_dims,
    ravel,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
)

__all__ = [
    "absolute", "add", "affine", "all", "any", "argmax", "argmin", "astype", "broadcast_to", "concatenate",
    "copy", "divide", "equal", "exp", "expand_dims", "floor", "getitem", "greater", "greater_equal", "isfinite",
    "less", "less_equal", "log", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "min",
    "minimum", "move", "moveaxis", "multiply", "negative", "normalize", "not_equal", "one_hot", "permute_dims",
    "power", "ravel", "reciprocal", "relu", "reshape", "sign", "softmax", "softmax_cross_entropy", "sqrt",
    "square", "squeeze", "stack", "subtract", "sum", "swapaxes", "tanh", "transpose", "where",
]  # fmt: skip
