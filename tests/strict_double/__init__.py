"""A double of CuPy for machines without a GPU: as strict as CuPy, and stricter where CuPy is silently wrong.

`library` stands where the module ``cupy`` stands, `install` makes the package know its devices ``"double:0"`` and
``"double:1"``. Code that passes here mixes no NumPy into device code, calls nothing that CuPy lacks, relies on no
order that CuPy leaves undefined, and keeps its arrays on the device where they belong. What the double cannot show:
rounding, speed, the order of atomic additions.
"""

from __future__ import annotations

from tinygrad_opt import backend

from .array import ndarray
from .devices import Device, synchronizations
from .library import library

__all__ = ["Device", "Double", "install", "library", "ndarray", "synchronizations"]


class Double(backend.Cupy):
    """The package's own CuPy backend, at work on the double."""

    kind = "double"


def install() -> None:
    """Make ``device="double"`` known."""
    backend.register(Double(library))
