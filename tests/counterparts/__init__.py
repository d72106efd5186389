"""What PyTorch calls each operation, a family a file, as in the table of specifications.

``TORCH`` maps the name of a specification to a function of PyTorch's tensors that takes the arguments of the call.
Where PyTorch has a function of the same name and the same arguments, nothing need be said. ``WITHOUT`` gives, for an
operation that PyTorch does not have, the reason why nothing is compared.
"""

from __future__ import annotations

from typing import Any

from . import (
    activations,
    arithmetic,
    arrange,
    attention,
    binning,
    broadcasting,
    choice,
    comparison,
    contract,
    conv,
    diagonals,
    everyday,
    exponential,
    index,
    join,
    linalg,
    losses,
    missing,
    normal,
    normalizing,
    order,
    padding,
    pool,
    products,
    recurrent,
    reduce,
    rounding,
    sampled,
    scan,
    selection,
    shape,
    special,
    statistics,
    trigonometric,
    updates,
)

__all__ = ["TORCH", "WITHOUT"]

_FAMILIES = (
    activations,
    arithmetic,
    arrange,
    attention,
    binning,
    broadcasting,
    choice,
    comparison,
    contract,
    conv,
    diagonals,
    everyday,
    exponential,
    index,
    join,
    linalg,
    losses,
    missing,
    normal,
    normalizing,
    order,
    padding,
    pool,
    products,
    recurrent,
    reduce,
    rounding,
    sampled,
    scan,
    selection,
    shape,
    special,
    statistics,
    trigonometric,
    updates,
)
TORCH: dict[str, Any] = {}
WITHOUT: dict[str, str] = {}
for _family in _FAMILIES:
    TORCH |= _family.TORCH
    WITHOUT |= _family.WITHOUT
