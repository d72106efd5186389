"""What PyTorch calls each operation, a family a file, as in the table of specifications.

``TORCH`` maps the name of a specification to a function of PyTorch's tensors that takes the arguments of the call.
Where PyTorch has a function of the same name and the same arguments, nothing need be said. ``WITHOUT`` gives, for an
operation that PyTorch does not have, the reason why nothing is compared.
"""

from __future__ import annotations

from typing import Any

from tinygrad_opt.testing.families import families

__all__ = ["TORCH", "WITHOUT"]

TORCH: dict[str, Any] = {}
WITHOUT: dict[str, str] = {}
for _family in families(__name__, __path__, "TORCH"):
    TORCH |= _family
for _reasons in families(__name__, __path__, "WITHOUT"):
    WITHOUT |= _reasons
