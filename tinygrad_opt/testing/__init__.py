"""Tools that test derivatives: a checker for everybody, numeric derivatives, and a table of every operation.

- `gradcheck`: compare the derivatives of any function of tensors with numeric ones.
- `check_primitive`: check everything that a primitive of one's own promises.
- `numeric`: numeric derivatives of plain array functions, with error estimates.
- `specs`: for each operation, how to call it, its NumPy reference, and sample inputs.
- `conventions`: what derivatives are at points where there is none, or no single one.
"""

from __future__ import annotations

from . import numeric
from .gradcheck import gradcheck
from .primitives import check_primitive

__all__ = ["check_primitive", "gradcheck", "numeric"]
