"""Layers and losses as plain functions of tensors. What a family makes public stands in its own ``__all__``."""

from . import (
    activations,
    affine,
    attention,
    dropping,
    heads,
    lookup,
    losses,
    norms,
    padding,
    rectifiers,
    recurrent,
    windows,
)
from .activations import *
from .affine import *
from .attention import *
from .dropping import *
from .heads import *
from .lookup import *
from .losses import *
from .norms import *
from .padding import *
from .rectifiers import *
from .recurrent import *
from .windows import *

__all__ = [
    *activations.__all__,
    *affine.__all__,
    *attention.__all__,
    *dropping.__all__,
    *heads.__all__,
    *lookup.__all__,
    *losses.__all__,
    *norms.__all__,
    *padding.__all__,
    *rectifiers.__all__,
    *recurrent.__all__,
    *windows.__all__,
]
