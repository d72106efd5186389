"""The functions on tensors, a family a file. Each is declared by its kind; see `tinygrad_opt.core.kinds`.

What a family makes public stands in its own ``__all__``, and nowhere else.
"""

from __future__ import annotations

from . import (
    binning,
    contract,
    covariance,
    elementwise,
    index,
    missing,
    normal,
    order,
    reduce,
    scan,
    selection,
    shape,
    statistics,
)
from .binning import *
from .contract import *
from .covariance import *
from .elementwise import *
from .index import *
from .missing import *
from .normal import *
from .order import *
from .reduce import *
from .scan import *
from .selection import *
from .shape import *
from .statistics import *

__all__: list[str] = []
__all__ += binning.__all__
__all__ += contract.__all__
__all__ += covariance.__all__
__all__ += elementwise.__all__
__all__ += index.__all__
__all__ += missing.__all__
__all__ += normal.__all__
__all__ += order.__all__
__all__ += reduce.__all__
__all__ += scan.__all__
__all__ += selection.__all__
__all__ += shape.__all__
__all__ += statistics.__all__
