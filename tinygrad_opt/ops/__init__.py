"""The functions on tensors, a family a file. Each is declared by its kind; see `tinygrad_opt.core.kinds`.

What a family makes public stands in its own ``__all__``, and nowhere else.
"""

from __future__ import annotations

from . import (
    contract,
    elementwise,
    index,
    normal,
    reduce,
    scan,
    shape,
)
from .contract import *
from .elementwise import *
from .index import *
from .normal import *
from .reduce import *
from .scan import *
from .shape import *

__all__: list[str] = []
__all__ += contract.__all__
__all__ += elementwise.__all__
__all__ += index.__all__
__all__ += normal.__all__
__all__ += reduce.__all__
__all__ += scan.__all__
__all__ += shape.__all__
