"""Which memory was written in place, when, and by whom.

Records are frequent and writes are rare, so the writes carry the bookkeeping. Nodes and writes draw their serial
numbers from one clock; a node is endangered only by a write whose number is higher than its own. In the common case
(no write since the forward pass) one comparison per node decides that, and an operation costs nothing extra.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from typing import Any

from .. import backend

__all__ = ["Region", "clock", "last_write", "region", "writer_since", "wrote"]

clock = itertools.count(1).__next__
_last = 0


class Region:
    """A stretch of memory, the serial number of the last write into it (0 for none), and the writer."""

    __slots__ = ("__weakref__", "device", "high", "low", "owner", "serial", "writer")

    def __init__(self, device: str, low: int, high: int) -> None:
        self.device, self.low, self.high = device, low, high
        self.serial, self.writer = 0, ""
        self.owner: Any = None

    def touch(self, writer: str) -> None:
        """Note that the region has been (or is about to be) overwritten."""
        global _last
        self.writer = writer
        self.serial = _last = clock()


_regions: dict[tuple[str, int, int], Region] = {}


def last_write() -> int:
    """The serial number of the latest in-place write."""
    return _last


def _owner(array: Any) -> Any:
    """The array that owns the memory which `array` is a view of."""
    while isinstance(getattr(array, "base", None), type(array)):
        array = array.base
    return array


def _place(array: Any) -> tuple[str, int, int]:
    library = backend.of(array)
    return (library.device_of(array), *library.byte_bounds(array))


def region(array: Any) -> Region:
    """The region that `array` covers; it is forgotten when the memory's owner dies."""
    key = _place(array)
    found = _regions.get(key)
    if found is None:
        found = _regions[key] = Region(*key)
        with contextlib.suppress(TypeError):  # an owner without weak references is simply never forgotten
            found.owner = weakref.ref(_owner(array), lambda _: _regions.pop(key, None))
    return found


def wrote(array: Any, writer: str) -> None:
    """Note that `array` has been (or is about to be) overwritten by `writer`."""
    region(array).touch(writer)


def writer_since(array: Any, serial: int) -> str | None:
    """Who wrote into the memory of `array` after `serial`; None where nobody did."""
    device, low, high = _place(array)
    for other in list(_regions.values()):
        if other.serial > serial and other.device == device and other.low < high and low < other.high:
            return other.writer
    return None
