"""The planted bugs: each still fits the sources, and the tool tells a seen bug from one that is not seen."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))

from plant_bugs import planting
from plant_bugs.mutations import MUTATIONS, Mutation, StaleMutationError

ROOT = Path(__file__).resolve().parent.parent
SIGN = next(mutation for mutation in MUTATIONS if mutation.name == "wrong sign")


def source_of(mutation: Mutation) -> str:
    return (ROOT / mutation.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_changes_one_line_of_code(mutation: Mutation) -> None:
    before = source_of(mutation)
    after = mutation.plant(before)
    changed = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(changed) == 1
    assert ast.dump(ast.parse(before)) != ast.dump(ast.parse(after))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_is_aimed_at_tests_that_exist(mutation: Mutation) -> None:
    assert mutation.breaks
    assert mutation.tests
    for test in mutation.tests:
        path, _, function = test.partition("::")
        files = [ROOT / path] if path.endswith(".py") else list((ROOT / path).glob("test_*.py"))
        assert files, f"{path} holds no tests"
        assert all(f"def {function.partition('[')[0]}" in file.read_text(encoding="utf-8") for file in files)


def test_there_are_many_and_their_names_differ() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 15


@pytest.mark.parametrize("source", ["", f"{SIGN.old}\n{SIGN.old}\n"])
def test_a_line_that_is_gone_or_not_alone_is_an_error(source: str) -> None:
    with pytest.raises(StaleMutationError, match=r"'wrong sign': .* holds .* [02] times instead of once"):
        SIGN.plant(source)


def test_a_bug_is_seen() -> None:
    outcome = planting.plant(SIGN, ["tests/test_transforms.py"])
    assert outcome.seen_by is not None
    assert outcome.seen_by.startswith("tests/test_transforms.py::test_")


def test_a_bug_that_no_test_looks_at_is_not_seen() -> None:
    assert planting.plant(SIGN, ["tests/test_tree.py"]).seen_by is None


def test_the_command_reports_in_a_table_and_by_its_status() -> None:
    command = [sys.executable, "tools/plant_bugs", "--jobs", "2", "--tests", "tests/test_tree.py", "--only", SIGN.name]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    assert "NOT SEEN: subtract: the gradient of what is subtracted" in run.stdout
    assert run.stdout.endswith("0 of 1 planted bugs were seen.\n")


def test_the_command_knows_its_bugs() -> None:
    command = [sys.executable, "tools/plant_bugs", "--only", "no such bug"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert "no bug is named 'no such bug'; the names are: " in run.stderr
    assert "swapped betas" in run.stderr


def test_tests_that_cannot_run_are_no_answer() -> None:
    with pytest.raises(planting.BrokenSuiteError, match=r"pytest could not run tests/no_such_test.py"):
        planting.plant(SIGN, ["tests/no_such_test.py"])
