"""What the tests of the engines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_opt.optim import engines


@pytest.fixture(scope="session")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the compiled loops of one run are kept."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch, loops: Path) -> None:
    """Every rule that may be compiled is, at its first step."""
    pytest.importorskip("numba")
    monkeypatch.setenv("XDG_CACHE_HOME", str(loops))
    monkeypatch.setenv("LOCALAPPDATA", str(loops))
    monkeypatch.setattr(engines, "PATIENCE", 0)
    monkeypatch.setattr(engines, "_host", {})
