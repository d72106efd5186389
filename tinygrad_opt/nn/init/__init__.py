"""Starting values of parameters. All of them draw on the host, so one seed gives one model on every device.

Each function writes into the tensor that it is given, in its dtype, and returns it. A layer takes them as ``init=`` and
``bias_init=``: by name, as a function (``functools.partial(nn.init.kaiming_normal_, nonlinearity="tanh")``), or as a
number.
"""

from .by_activation import activation_normal_, activation_uniform_
from .fans import (
    calculate_gain,
    fan_in_uniform_,
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    lecun_uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from .filling import constant_, normal_, ones_, trunc_normal_, uniform_, zeros_
from .lsuv import lsuv_
from .naming import Initializer as Initializer
from .naming import begin as begin
from .naming import resolve as resolve
from .naming import shown as shown
from .structured import dirac_, eye_, orthogonal_, sparse_

__all__ = [
    "activation_normal_", "activation_uniform_", "calculate_gain", "constant_", "dirac_", "eye_", "fan_in_uniform_",
    "kaiming_normal_", "kaiming_uniform_", "lecun_normal_", "lecun_uniform_", "lsuv_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip
