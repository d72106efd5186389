"""A traced update rule as one compiled loop: Numba reads every vector once and writes it once.

Numba comes with the extra `fast`, and is imported when a first loop is made. The text of a loop is kept in the user's
cache folder under a name made of its contents; beside it Numba keeps the machine code, so that the next process need
not compile again. Where nothing can be written, loops are compiled anew in each process.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .source import in_python
from .tracing import Structure

__all__ = ["Loop", "cache_folder", "is_installed"]

Array = Any


@functools.cache
def is_installed() -> bool:
    """Whether there is a Numba to import."""
    return importlib.util.find_spec("numba") is not None


class Loop:
    """What a structure does to vectors of one dtype on the host."""

    def __init__(self, structure: Structure, dtype: Any) -> None:
        self.dtype = dtype
        self.function = _compiled(in_python(structure), structure.inputs, dtype)

    def run(self, vectors: Sequence[Array], numbers: Sequence[float]) -> None:
        """Apply the rule to whole vectors, in place."""
        self.function(np.array([*numbers, 1.0, 0.0], self.dtype), *vectors)


def cache_folder() -> str:
    """Where the loops are kept: in the folder that the system has for such things."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "tinygrad_opt", "loops")


def _compiled(text: str, inputs: int, dtype: Any) -> Callable[..., None]:
    """The loop, compiled: by an earlier process, where its work is found and is sound."""
    numbers = np.zeros(text.count("= numbers["), dtype)
    vectors = [np.empty(0, dtype) for _ in range(inputs)]  # the first call compiles, or loads
    file = _kept(text)
    if file is not None:
        with contextlib.suppress(Exception):  # files that another Numba, or a full disk, has left behind
            loop = _loop(text, file, cache=True)
            loop(numbers, *vectors)
            return loop
    loop = _loop(text, "<update rule>", cache=False)
    loop(numbers, *vectors)
    return loop


def _loop(text: str, file: str, cache: bool) -> Callable[..., None]:
    import numba

    if getattr(numba.config, "DISABLE_JIT", False):
        raise RuntimeError("NUMBA_DISABLE_JIT is set")
    names: dict[str, Any] = {"sqrt": np.sqrt, "fabs": np.fabs, "__name__": __name__}
    exec(compile(text, file, "exec"), names)
    # NumPy's division: without a test for zero, which would keep the loop from using vector instructions. No fastmath:
    # every operation is rounded by itself, as NumPy does it.
    return numba.njit(names["loop"], error_model="numpy", cache=cache)


def _kept(text: str) -> str | None:
    """The file that holds the text, written whole or not at all; None where it cannot be."""
    import hashlib
    import tempfile

    folder = cache_folder()
    file = os.path.join(folder, f"rule_{hashlib.sha256(text.encode()).hexdigest()[:20]}.py")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _is_ours(folder):
            return None
        if not os.path.exists(file):
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False, encoding="utf-8") as part:
                part.write(text)
            os.replace(part.name, file)
        return file
    except OSError:
        return None


def _is_ours(folder: str) -> bool:
    """Whether nobody else can put machine code into a folder."""
    about = os.stat(folder)
    return sys.platform == "win32" or (about.st_uid == os.getuid() and not about.st_mode & 0o022)
