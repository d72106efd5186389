"""tinygrad_opt: an autodiff micro-framework for learning how derivatives, training and optimization work.

Unrelated to the project named tinygrad.

>>> import tinygrad_opt as tg
>>> x = tg.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import importlib as _importlib
import typing as _typing

from . import cuda, errors, extend, ops
from .backend import manual_seed
from .core.creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    tensor,
    tri,
    zeros,
    zeros_like,
)
from .core.draws import rand, rand_like, randint, randn, randn_like
from .core.dtypes import bool, float16, float32, float64, int32, int64, set_default_dtype
from .core.modes import detect_anomaly, enable_grad, is_grad_enabled, no_grad
from .core.tensor import Tensor
from .ops import *
from .ops import linalg
from .transforms import (
    checkpoint,
    ggnvp,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

if _typing.TYPE_CHECKING:
    from . import data, nn, optim, testing, train, viz
    from .catalogue import functions

__version__ = "0.1.0"

__all__ = [
    "Tensor", "arange", "asarray", "bool", "checkpoint", "cuda", "data", "detect_anomaly", "empty", "empty_like",
    "enable_grad", "errors", "extend", "eye", "float16", "float32", "float64", "from_dlpack", "full", "full_like",
    "functions", "ggnvp", "grad", "gradients", "hessian", "hvp", "int32", "int64", "is_grad_enabled", "jacobian",
    "jvp", "linalg", "linearize", "linspace", "logspace", "manual_seed", "nn", "no_grad", "ones", "ones_like",
    "optim", "rand", "rand_like", "randint", "randn", "randn_like", "set_default_dtype", "tensor", "testing",
    "train", "tri", "value_and_grad", "viz", "vjp", "zeros", "zeros_like",
]  # fmt: skip
__all__ += ops.__all__


def __getattr__(name: str) -> _typing.Any:
    """What is built on tensors is imported when it is first used: a program that only differentiates needs none."""
    if name in ("data", "nn", "optim", "testing", "train", "viz"):
        return _importlib.import_module(f".{name}", __name__)
    if name == "functions":
        return _importlib.import_module(".catalogue", __name__).functions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
