"""Files that appear complete or not at all, whatever interrupts the writing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

__all__ = ["write"]


def write(path: Any, content: bytes) -> None:
    """Write a file beside the target, see it onto the disk, and put it in the target's place in one step.

    A symbolic link is followed, and stays one.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}")
    try:
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    _settle(target.parent)


def _settle(folder: Path) -> None:
    """See the new name onto the disk too, where folders can be opened (not on Windows)."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
