"""Devices of the double, the current one, and what makes the host wait for them.

As in CUDA, every thread has a current device: new arrays land there, and work on arrays that live elsewhere is refused.
Reading a value on the host waits for the device; `synchronizations` lists where that happened.
"""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

COUNT = 2
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_watchers: list[list[str]] = []


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.stack = [0]


_current = _PerThread()


class Device:
    """One of the double's devices; a ``with`` block makes it current."""

    def __init__(self, device: int | None = None) -> None:
        self.id = _current.stack[-1] if device is None else int(device)
        if not 0 <= self.id < COUNT:
            raise RuntimeError(f"cudaErrorInvalidDevice: invalid device ordinal {self.id}")

    def __enter__(self) -> Device:
        _current.stack.append(self.id)
        return self

    def __exit__(self, *_: object) -> None:
        _current.stack.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    def __hash__(self) -> int:
        return hash(("double", self.id))

    def __repr__(self) -> str:
        return f"<strict double, device {self.id}>"


def current() -> int:
    """The number of this thread's current device."""
    return _current.stack[-1]


def launch(devices: Iterable[int]) -> int:
    """The device on which a kernel that touches memory of `devices` runs: the current one, or it is refused."""
    here = current()
    for device in devices:
        if device != here:
            raise ValueError(
                f"The device where the array resides ({device}) is different from the current device ({here})."
            )
    return here


def synchronize(what: str) -> None:
    """Note that the host waits for the device."""
    if _watchers:
        frames = traceback.extract_stack()
        caller = next((f for f in reversed(frames) if not f.filename.startswith(_HERE)), frames[0])
        for events in _watchers:
            events.append(f"{what} at {caller.filename}:{caller.lineno}: {caller.line}")


@contextlib.contextmanager
def synchronizations() -> Iterator[list[str]]:
    """A list that grows while the block is open: what made the host wait, and where."""
    events: list[str] = []
    _watchers.append(events)
    try:
        yield events
    finally:
        _watchers[:] = [watcher for watcher in _watchers if watcher is not events]


class Runtime:
    """The two questions that are put to ``cupy.cuda.runtime``."""

    @staticmethod
    def getDeviceCount() -> int:
        """How many devices there are."""
        return COUNT

    @staticmethod
    def getDevice() -> int:
        """The number of the current one."""
        return current()


class Cuda:
    """What is used of ``cupy.cuda``."""

    Device = Device
    runtime = Runtime


__all__: list[Any] = ["COUNT", "Cuda", "Device", "current", "launch", "synchronizations", "synchronize"]
