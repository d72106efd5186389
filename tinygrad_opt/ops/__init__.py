"""The functions on tensors, a family a file. Each is declared by its kind; see `tinygrad_opt.core.kinds`.

What a family makes public stands in its own ``__all__``, and nowhere else.
"""

from __future__ import annotations

from . import (
    broadcasting,
    contract,
    einstein,
    elementwise,
    index,
    normal,
    norms,
    products,
    reduce,
    shape,
)
from . import linalg as linalg
from .broadcasting import *
from .contract import *
from .einstein import *
from .elementwise import *
from .index import *
from .normal import *
from .norms import *
from .products import *
from .reduce import *
from .shape import *

__all__: list[str] = []
__all__ += broadcasting.__all__
__all__ += contract.__all__
__all__ += einstein.__all__
__all__ += elementwise.__all__
__all__ += index.__all__
__all__ += normal.__all__
__all__ += norms.__all__
__all__ += products.__all__
__all__ += reduce.__all__
__all__ += shape.__all__
