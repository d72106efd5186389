"""Layers, losses and initializers, with PyTorch's names, shapes and state_dict keys.

What a family of layers makes public stands in its own ``__all__``.
"""

from ..core.tensor import Parameter
from . import (
    activations,
    affine,
    attention,
    containers,
    convolution,
    dicts,
    dropping,
    functional,
    init,
    lookup,
    losses,
    module,
    norms,
    pooling,
    rectifiers,
    recurrent,
    reshaping,
    utils,
)
from .activations import *
from .affine import *
from .attention import *
from .containers import *
from .convolution import *
from .dicts import *
from .dropping import *
from .lookup import *
from .losses import *
from .module import *
from .norms import *
from .pooling import *
from .rectifiers import *
from .recurrent import *
from .reshaping import *

__all__ = [
    "Parameter",
    "functional",
    "init",
    "utils",
    *activations.__all__,
    *affine.__all__,
    *attention.__all__,
    *containers.__all__,
    *convolution.__all__,
    *dicts.__all__,
    *dropping.__all__,
    *lookup.__all__,
    *losses.__all__,
    *module.__all__,
    *norms.__all__,
    *pooling.__all__,
    *rectifiers.__all__,
    *recurrent.__all__,
    *reshaping.__all__,
]
