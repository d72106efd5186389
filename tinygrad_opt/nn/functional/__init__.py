"""Layers and losses as plain functions of tensors. What a family makes public stands in its own ``__all__``."""

from . import activations, affine, losses, norms, padding, windows
from .activations import *
from .affine import *
from .losses import *
from .norms import *
from .padding import *
from .windows import *

__all__ = [
    *activations.__all__,
    *affine.__all__,
    *losses.__all__,
    *norms.__all__,
    *padding.__all__,
    *windows.__all__,
]
