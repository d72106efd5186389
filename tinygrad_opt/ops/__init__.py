"""The functions on tensors, a family a file. Each is declared by its kind; see `tinygrad_opt.core.kinds`.

What a family makes public stands in its own ``__all__``, and nowhere else. Some families serve the layers alone; they
are imported so that the registry of primitives is complete from the start.
"""

from __future__ import annotations

from . import (
    activations,
    adaptive,
    arithmetic,
    arrange,
    attention,
    binning,
    broadcasting,
    choice,
    columns,
    comparison,
    concatenation,
    contract,
    convolution,
    covariance,
    diagonals,
    einstein,
    everyday,
    exponential,
    index,
    join,
    missing,
    normal,
    normalizing,
    norms,
    order,
    padding,
    pool,
    products,
    reduce,
    rounding,
    sampled,
    scan,
    selection,
    shape,
    special,
    statistics,
    trigonometric,
)
from . import gru as gru
from . import linalg as linalg
from . import losses as losses
from . import lstm as lstm
from . import recurrent as recurrent
from .adaptive import *
from .arithmetic import *
from .arrange import *
from .binning import *
from .broadcasting import *
from .choice import *
from .columns import *
from .comparison import *
from .concatenation import *
from .contract import *
from .convolution import *
from .covariance import *
from .diagonals import *
from .einstein import *
from .everyday import *
from .exponential import *
from .index import *
from .join import *
from .missing import *
from .normal import *
from .normalizing import *
from .norms import *
from .order import *
from .padding import *
from .pool import *
from .products import *
from .reduce import *
from .rounding import *
from .sampled import *
from .scan import *
from .selection import *
from .shape import *
from .special import *
from .statistics import *
from .trigonometric import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += adaptive.__all__
__all__ += arithmetic.__all__
__all__ += arrange.__all__
__all__ += attention.__all__
__all__ += binning.__all__
__all__ += broadcasting.__all__
__all__ += choice.__all__
__all__ += columns.__all__
__all__ += comparison.__all__
__all__ += concatenation.__all__
__all__ += contract.__all__
__all__ += convolution.__all__
__all__ += covariance.__all__
__all__ += diagonals.__all__
__all__ += einstein.__all__
__all__ += everyday.__all__
__all__ += exponential.__all__
__all__ += index.__all__
__all__ += join.__all__
__all__ += missing.__all__
__all__ += normal.__all__
__all__ += normalizing.__all__
__all__ += norms.__all__
__all__ += order.__all__
__all__ += padding.__all__
__all__ += pool.__all__
__all__ += products.__all__
__all__ += reduce.__all__
__all__ += rounding.__all__
__all__ += sampled.__all__
__all__ += scan.__all__
__all__ += selection.__all__
__all__ += shape.__all__
__all__ += special.__all__
__all__ += statistics.__all__
__all__ += trigonometric.__all__
