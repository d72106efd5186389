"""Layers, losses and initializers, with PyTorch's names, shapes and state_dict keys.

What a family of layers makes public stands in its own ``__all__``.
"""

from ..core.tensor import Parameter
from . import activations, affine, containers, functional, init, losses, module, norms, recurrent
from .activations import *
from .affine import *
from .containers import *
from .losses import *
from .module import *
from .norms import *
from .recurrent import *

__all__ = [
    "Parameter",
    "functional",
    "init",
    *activations.__all__,
    *affine.__all__,
    *containers.__all__,
    *losses.__all__,
    *module.__all__,
    *norms.__all__,
    *recurrent.__all__,
]
