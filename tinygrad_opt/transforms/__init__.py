"""Derivatives as functions of functions. Every one is a thin layer over the two walks of the tape.

A transform runs its function once, and keeps the tape as a `Recording`; then it walks. What it returns can be
differentiated again wherever somebody outside can ask for that: see `recording`.
"""

from .computed import gradients
from .first_order import grad, jvp, linearize, value_and_grad, vjp
from .matrices import hessian, jacobian
from .products import ggnvp, hvp
from .rerun import checkpoint

__all__ = [
    "checkpoint", "ggnvp", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "linearize", "value_and_grad",
    "vjp",
]  # fmt: skip
