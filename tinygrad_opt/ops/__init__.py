"""The functions on tensors, a family a file. Each is declared by its kind; see `tinygrad_opt.core.kinds`.

What a family makes public stands in its own ``__all__``, and nowhere else.
"""

from __future__ import annotations

from . import (
    arrange,
    contract,
    diagonals,
    elementwise,
    everyday,
    index,
    join,
    normal,
    padding,
    reduce,
    sampled,
    shape,
)
from .arrange import *
from .contract import *
from .diagonals import *
from .elementwise import *
from .everyday import *
from .index import *
from .join import *
from .normal import *
from .padding import *
from .reduce import *
from .sampled import *
from .shape import *

__all__: list[str] = []
__all__ += arrange.__all__
__all__ += contract.__all__
__all__ += diagonals.__all__
__all__ += elementwise.__all__
__all__ += everyday.__all__
__all__ += index.__all__
__all__ += join.__all__
__all__ += normal.__all__
__all__ += padding.__all__
__all__ += reduce.__all__
__all__ += sampled.__all__
__all__ += shape.__all__
