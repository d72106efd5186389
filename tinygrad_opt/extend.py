"""The public door for people who add operations: everything that a primitive of one's own is declared with.

- The five kinds: `Elementwise`, `Linear`, `Multilinear`, `General`, `Constant`. See ``docs/kinds.md``.
- For rules and kernels: `broadcast_to` and `sum_to` (with ``shape=``), `cast` (with ``dtype=``), and `fit`, which make
  shapes and dtypes meet, differentiably; `namespace`, the array library of an array.
- `unbroadcast`: what was repeated, summed; with checks, for everybody.
- For the function around a primitive: `operand` makes a list or a number into a tensor, `normalize_axis` and
  `normalize_axes` count axes from the front, and refuse wrong ones.
- The registry: `named`, `forget`.

A primitive may be declared anew by the module that declared it, so a notebook's cell can be run again; graphs that were
recorded before keep the old one. Names of the package's own primitives, and of other modules', are refused.
`tinygrad_opt.testing.check_primitive` checks all that a primitive promises.

>>> import tinygrad_opt as tg
>>> from tinygrad_opt import extend
>>> bell = extend.Elementwise(
...     "bell", lambda g, y, x: g * (-2 * x * y), kernel=lambda xp, x: xp.exp(-x * x), doc="exp(-x²), elementwise."
... )
>>> tg.grad(tg.grad(bell))(tg.tensor(0.0))
tensor(-2.)
>>> extend.forget("bell")
"""

from __future__ import annotations

from .backend import namespace
from .core.declaration import is_ours
from .core.kinds import Constant, Elementwise, General, Linear, Multilinear, broadcast_to, cast, fit, sum_to
from .core.primitive import REGISTRY, Primitive, named, operand
from .ops.broadcasting import unbroadcast
from .ops.shape import normalize_axes, normalize_axis

__all__ = [
    "Constant", "Elementwise", "General", "Linear", "Multilinear", "Primitive", "broadcast_to", "cast", "fit", "forget",
    "named", "namespace", "normalize_axes", "normalize_axis", "operand", "sum_to",
    "unbroadcast",
]  # fmt: skip


def forget(name: str) -> None:
    """Take a primitive of one's own out of the registry; its name is free again. Graphs that recorded it stay valid.

    Raises
    ------
    LookupError
        Where no primitive has that name.
    ValueError
        For a primitive of the package itself.
    """
    if is_ours(named(name).__module__):
        raise ValueError(f"forget: {name!r} belongs to the package itself, whose functions need it")
    del REGISTRY[name]
