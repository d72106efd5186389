from .core.tensor import Tensor, Parameter
from .core.creation import *
from .core.modes import *
from .core.dtypes import *
from .ops import *
from .transforms import *
from .backend import manual_seed
