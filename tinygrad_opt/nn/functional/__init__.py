"""Layers and losses as plain functions of tensors. What a family makes public stands in its own ``__all__``."""

from . import activations, affine, losses, norms, recurrent, windows
from .activations import *
from .affine import *
from .losses import *
from .norms import *
from .recurrent import *
from .windows import *

__all__ = [
    *activations.__all__,
    *affine.__all__,
    *losses.__all__,
    *norms.__all__,
    *recurrent.__all__,
    *windows.__all__,
]
