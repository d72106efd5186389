"""What holds for each lesson: it runs, its numbers are numbers, it draws what it says, and the list names it."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "course"
LESSONS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "lesson")


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_a_reduced_run_draws_and_keeps_what_the_lesson_claims(
    name: str, lesson: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "here"
    measured = lesson("lesson").run(lesson(name).main, ["--quick", "--out", str(out)])
    printed = capsys.readouterr().out
    pictures = sorted(path.name for path in out.iterdir())
    assert pictures
    assert all(picture in printed for picture in pictures)
    assert all(title in printed and rows for title, rows in measured.items())
    assert not re.search(r"\bnan\b", printed)
    lesson(f"claims_{name}").check(measured)  # a lesson without claims fails here


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_says_what_it_shows_and_is_listed(name: str, lesson: Callable[[str], ModuleType]) -> None:
    module = lesson(name)
    assert module.__doc__
    assert list(inspect.signature(module.main).parameters) == ["out", "quick"]
    assert f"[`{name}.py`]({name}.py)" in (FOLDER / "README.md").read_text()


def test_tables_are_aligned_and_numbers_short(lesson: Callable[[str], ModuleType]) -> None:
    text = lesson("lesson").table([{"step": 10, "loss": math.pi}, {"step": 2000, "loss": 1e-9}], "Title")
    assert text.splitlines() == ["Title", "step   loss", "  10  3.142", "2000  1e-09"]


def test_panels_are_labelled_by_the_lesson_and_saved(lesson: Callable[[str], ModuleType], tmp_path: Path) -> None:
    made, panels = lesson("lesson").figure(2, 3)
    assert panels.shape == (2, 3)
    assert np.allclose(made.get_size_inches(), (3 * 4.8, 2 * 3.6))
    lesson("lesson").save(made, tmp_path / "a" / "b", "name")
    assert (tmp_path / "a" / "b" / "name.png").read_bytes()[:4] == b"\x89PNG"
