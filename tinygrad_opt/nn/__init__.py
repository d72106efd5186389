"""Layers, losses and initializers, with PyTorch's names, shapes and state_dict keys."""

from ..core.tensor import Parameter
from . import functional, init
from .layers import BatchNorm1d, CrossEntropyLoss, Linear, ReLU, Tanh
from .module import Module, Sequential

__all__ = [
    "BatchNorm1d", "CrossEntropyLoss", "Linear", "Module", "Parameter", "ReLU", "Sequential", "Tanh", "functional",
    "init",
]  # fmt: skip
