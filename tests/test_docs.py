"""The pages of docs/ and CONTRIBUTING.md keep their word: code runs, links lead somewhere, what is generated is fresh.

Every ``python`` block of a page is run, from top to bottom, in one namespace where `tg` is the package: a block with
``>>>`` as a doctest, another as it stands.
"""

import doctest
import importlib.util
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.primitive import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
PICTURES = sorted((ROOT / "docs").glob("*/*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
LANGUAGES = {"python", "console", "text"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_NDIFF

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


class Block(NamedTuple):
    """A fenced block: its language, its text, and the number of the line before its first."""

    language: str
    text: str
    line: int


def blocks(markdown: str) -> Iterator[Block]:
    for found in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", markdown, re.MULTILINE):
        yield Block(found[1], found[2], markdown.count("\n", 0, found.start(2)))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The module tools/draw_docs.py."""
    specification = importlib.util.spec_from_file_location("draw_docs", ROOT / "tools" / "draw_docs.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def clean_registry():
    """Forget the primitives that a page declares: other tests go through all there are."""
    before = set(REGISTRY)
    yield
    for name in set(REGISTRY) - before:
        del REGISTRY[name]


@each_page
@pytest.mark.usefixtures("clean_registry")
def test_code_runs_and_prints_what_the_page_says(page):
    names = {"tg": tg, "__name__": "__main__"}
    tg.manual_seed(0)
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    report = []
    for block in blocks(page.read_text("utf-8")):
        if block.language == "python" and block.text.startswith(">>> "):
            examples = doctest.DocTestParser().get_examples(block.text, page.name)
            test = doctest.DocTest(examples, names, page.name, str(page), block.line, block.text)
            test.globs = names  # it made a copy; the next block shall see what this one defines
            runner.run(test, out=report.append, clear_globs=False)
        elif block.language == "python":
            # As many empty lines in front as the page has: tracebacks then show the page's own line.
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
    assert not runner.failures, "".join(report)


@each_page
def test_blocks_are_of_a_known_language(page):
    assert {block.language for block in blocks(page.read_text("utf-8"))} <= LANGUAGES


def anchors(page: Path) -> set[str]:
    """The names that a forge gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose)):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_can_be_reached_from_the_first():
    first = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert {page.name for page in PAGES if page.parent.name == "docs"} - {"README.md"} <= set(
        re.findall(r"\]\(([\w-]+\.md)\)", first)
    )


# Pictures and tables.


def test_pictures_are_those_that_the_tool_draws_and_the_pages_show(tool):
    shown = {name for page in PAGES for name in re.findall(r"!\[[^\]]+\]\(pictures/(.*)\)", page.read_text("utf-8"))}
    assert {picture.name for picture in PICTURES} == {f"{name}.svg" for name in tool.PICTURES} == shown


def words(picture: Path) -> set[str]:
    return {"".join(text.itertext()).strip() for text in ElementTree.parse(picture).iter(f"{SVG}text")}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_pictures_are_small_and_show_what_the_tool_would_draw_now(tool, picture, tmp_path):
    """Renderers differ in where they put things, so words are compared and not files."""
    assert picture.stat().st_size < 60_000
    tool.draw(picture.stem, tmp_path)
    assert words(tmp_path / picture.name) == words(picture) != set()


def test_tables_are_what_the_tool_would_write_now(tool):
    for marker, (name, content) in tool.TABLES.items():
        page = (ROOT / "docs" / name).read_text("utf-8")
        assert tool.rewritten(page, marker, content()) == page, "run: python tools/draw_docs.py"


def test_markers_of_a_table_have_to_be_there(tool):
    with pytest.raises(SystemExit, match="end nowhere"):
        tool.rewritten("no markers", "nowhere", "table")
