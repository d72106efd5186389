"""Layers, losses and initializers, with PyTorch's names, shapes and state_dict keys.

What a family of layers makes public stands in its own ``__all__``.
"""

from ..core.tensor import Parameter
from . import activations, affine, containers, convolution, functional, init, losses, module, norms, pooling, reshaping
from .activations import *
from .affine import *
from .containers import *
from .convolution import *
from .losses import *
from .module import *
from .norms import *
from .pooling import *
from .reshaping import *

__all__ = [
    "Parameter",
    "functional",
    "init",
    *activations.__all__,
    *affine.__all__,
    *containers.__all__,
    *convolution.__all__,
    *losses.__all__,
    *module.__all__,
    *norms.__all__,
    *pooling.__all__,
    *reshaping.__all__,
]
