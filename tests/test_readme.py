"""The README keeps its word: its code runs, prints what it says, and names files that exist."""

from __future__ import annotations

import re
import shlex
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


class Block(NamedTuple):
    """A fenced block: its language, its text, and the number of the line before its first."""

    language: str
    text: str
    line: int


def blocks(*languages: str) -> Iterator[Block]:
    for found in re.finditer(r"^```(\w*)\n((?:.*\n)*?)```$", TEXT, re.MULTILINE):
        if found[1] in languages:
            yield Block(found[1], found[2], TEXT.count("\n", 0, found.start(2)))


def test_every_block_is_of_a_known_language_and_closed() -> None:
    fences = re.findall(r"^```(.*)$", TEXT, re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= {"python", "console", "text"}
    assert set(fences[1::2]) == {""}
    assert len(list(blocks("python"))) >= 3


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, str]]]:
    """The folder in which all Python blocks were run, in order and in one namespace, and what each line printed."""
    folder, printed = tmp_path_factory.mktemp("readme"), []

    def record(line: int, *words: Any, sep: str = " ", end: str = "") -> None:
        printed.append((line, sep.join(str(word) for word in words) + end))

    namespace: dict[str, Any] = {
        "__name__": "readme",
        "print": lambda *words, **options: record(sys._getframe(1).f_lineno, *words, **options),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks("python"):
            exec(compile("\n" * block.line + block.text, str(ROOT / "README.md"), "exec"), namespace)
    return folder, printed


@pytest.mark.slow
def test_the_code_runs_and_prints_what_its_comments_say(ran: tuple[Path, list[tuple[int, str]]]) -> None:
    _, printed = ran
    lines = TEXT.splitlines()
    assert len(printed) == sum(block.text.count("print(") for block in blocks("python"))
    for number, text in printed:
        _, _, comment = lines[number - 1].partition("# ")
        said = re.match(r"(tensor\(.*?\]\)|\w+)", comment)
        if said:
            assert text.startswith(said[1]), f"line {number} says {said[1]} and prints {text}"


@pytest.mark.slow
def test_the_code_writes_the_files_that_it_names(ran: tuple[Path, list[tuple[int, str]]]) -> None:
    folder, _ = ran
    named = re.findall(r'(?:render\(|save_weights\(model, )"(.+?)"\)', "".join(b.text for b in blocks("python")))
    assert len(named) == 3
    for name in named:
        if name.endswith(".svg"):
            ElementTree.parse(folder / name)
    assert sorted(path.name for path in folder.iterdir()) == sorted(named)


@pytest.mark.slow
def test_the_networks_of_the_readme_learn(ran: tuple[Path, list[tuple[int, str]]]) -> None:
    _, printed = ran
    dense, convolutional = (float(m[1]) for _, text in printed if (m := re.search(r"'accuracy': ([\d.]+)", text)))
    assert dense > 0.95
    assert convolutional >= 0.985


def test_commands_name_files_and_extras_that_exist() -> None:
    _, _, rest = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.optional-dependencies]\n")
    known = set(re.findall(r"^(\w+) = \[", rest.partition("\n[")[0], re.MULTILINE))
    assert {"viz", "train", "test"} <= known
    commands = [line for block in blocks("console") for line in block.text.splitlines() if line.strip()]
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command, comments=True)
        if program == "python" and arguments[0] != "-m":
            assert (ROOT / arguments[0]).is_file(), command
        elif (program, arguments[0]) == ("pip", "install"):
            for extras in re.findall(r"\[(.*?)\]", " ".join(arguments)):
                assert set(extras.split(",")) <= known, command
        else:
            pytest.fail(f"a command that nobody checks: {command}")


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    for link in links:
        if not link.startswith(("http://", "https://", "#")):
            assert (ROOT / link.partition("#")[0]).exists(), link


def test_no_placeholder_is_left() -> None:
    assert re.findall(r"@\w+@|TODO|XXX", TEXT) == []
