"""The lessons of the course as modules."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A lesson imports its neighbour `lesson`, as it does when it is run as a script; what it claims stands beside this.
sys.path += [str(ROOT / "examples" / "course"), str(Path(__file__).parent / "claims")]


@pytest.fixture(scope="session")
def lesson() -> Callable[[str], ModuleType]:
    """A lesson by its name."""
    pytest.importorskip("matplotlib")
    return importlib.import_module
