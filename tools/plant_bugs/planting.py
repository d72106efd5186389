"""Plants a bug in a copy of the repository, runs tests there, and tells which one failed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .mutations import Mutation

__all__ = ["BrokenSuiteError", "Outcome", "copied", "plant", "plant_all", "run_tests"]

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "venv", "out", "build", "dist", "site", ".hypothesis", "__pycache__", ".*_cache"
)
TIME_LIMIT = 900  # seconds; a planted bug may make a loop endless
PASSED, FAILED, INTERRUPTED = 0, 1, 2  # pytest's exit statuses; a file that cannot be collected interrupts
SELF = "tests/test_plant_bugs.py"  # sees every planted bug, as a line that is not what it was


class BrokenSuiteError(RuntimeError):
    """The tests cannot tell anything: they do not run, or fail without any planted bug."""


@dataclass(frozen=True)
class Outcome:
    """What the tests said: the first that failed (None where all passed), and how long that took."""

    seen_by: str | None
    seconds: float


@contextmanager
def copied() -> Iterator[Path]:
    """A temporary copy of the repository."""
    with tempfile.TemporaryDirectory(prefix="plant_bugs_", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "repository"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        yield copy


def _environment(folder: Path) -> dict[str, str]:
    """Variables that make the copy the package that is imported, and two runs alike."""
    return {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_PROFILE": "ci",
        **dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"),
    }


def run_tests(folder: Path, tests: Sequence[str]) -> Outcome:
    """Run tests of a copy up to the first failure."""
    options = ["-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "-m", "not slow", f"--ignore={SELF}"]
    started = time.monotonic()
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=TIME_LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(f"no end after {TIME_LIMIT} s", time.monotonic() - started)
    seconds = time.monotonic() - started
    if run.returncode == PASSED:
        return Outcome(None, seconds)
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", run.stdout, re.MULTILINE)
    if run.returncode not in (FAILED, INTERRUPTED) or failed is None:
        raise BrokenSuiteError(f"pytest could not run {' '.join(tests)}:\n{(run.stdout + run.stderr)[-2000:]}")
    return Outcome(failed[1], seconds)


def plant(mutation: Mutation, tests: Sequence[str] | None = None) -> Outcome:
    """Plant one bug in a copy, and run the tests that are to see it, or others."""
    with copied() as folder:
        source = folder / mutation.file
        source.write_text(mutation.plant(source.read_text(encoding="utf-8")), encoding="utf-8")
        return run_tests(folder, tests or mutation.tests)


def check_suite(tests: Sequence[str]) -> Outcome:
    """See that the tests pass on a copy without any bug, and that it is the copy they import."""
    with copied() as folder:
        command = [sys.executable, "-c", "import tinygrad_opt; print(tinygrad_opt.__file__)"]
        imported = subprocess.run(command, cwd=folder, env=_environment(folder), capture_output=True, text=True)
        if not imported.stdout.startswith(str(folder)):
            raise BrokenSuiteError(f"not the copy is imported, but {imported.stdout or imported.stderr}")
        outcome = run_tests(folder, tests)
    if outcome.seen_by is not None:
        raise BrokenSuiteError(f"without any planted bug {outcome.seen_by} fails: nothing can be told from it")
    return outcome


def plant_all(
    mutations: Sequence[Mutation], tests: Sequence[str] | None, jobs: int, report: Callable[[Mutation, Outcome], None]
) -> list[Mutation]:
    """Plant bugs, `jobs` at a time, report each, and return those that no test saw."""
    for mutation in mutations:  # stale ones show at once
        mutation.plant((ROOT / mutation.file).read_text(encoding="utf-8"))
    check_suite(tests or sorted({test for mutation in mutations for test in mutation.tests}))
    missed = []
    with ThreadPoolExecutor(jobs) as pool:
        for mutation, outcome in zip(mutations, pool.map(lambda m: plant(m, tests), mutations), strict=True):
            report(mutation, outcome)
            if outcome.seen_by is None:
                missed.append(mutation)
    return missed
