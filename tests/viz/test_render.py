"""Finding a program that draws, and what happens where there is none, or a broken one."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import tinygrad_opt as tg
from tinygrad_opt.errors import RendererError
from tinygrad_opt.viz import Edge, Graph, Vertex, graph
from tinygrad_opt.viz.render import find_renderer

FOUND = {
    "dot": shutil.which("dot"),
    "graphviz-pure": shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")),
}
posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in programs are scripts with a first line #!")


@pytest.fixture(params=list(FOUND))
def renderer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the programs that are installed, chosen by the environment variable."""
    program = FOUND[request.param]
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setenv("TINYGRAD_OPT_DOT", program)
    return str(request.param)


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without any renderer; the folder returned is the scripts folder of this Python."""
    scripts = tmp_path / "scripts"
    (tmp_path / "path").mkdir()
    scripts.mkdir()
    monkeypatch.delenv("TINYGRAD_OPT_DOT", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(scripts))
    return scripts


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a program out of the body of a Python script, and the variable name it."""

    def make(body: str, path: Path | None = None) -> Path:
        path = path or tmp_path / "program"
        path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("TINYGRAD_OPT_DOT", str(path))
        return path

    return make


def picture() -> Graph:
    x = tg.tensor(1.0, requires_grad=True)
    x.name = "x"
    return graph(x * x)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(found.itertext()).strip() for found in root.iter("{http://www.w3.org/2000/svg}text")]


# The programs themselves.


def test_a_picture_says_what_the_graph_says(renderer: str) -> None:
    said = texts(picture().svg())
    assert {"x", "multiply", "output", "scalar", "elementwise"} <= set(said)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(titles=st.lists(st.text(max_size=3), min_size=1, max_size=20))
@example(
    titles=[
        'say "hi"',
        "a<b>&amp;",
        "&;",
        "std::vector",
        "back\\slash\\N\\G\\",
        "two\nlines",
        "\ud800\x00\x1b",
        "",
        "]",
    ]
)
def test_any_title_can_be_drawn(renderer: str, titles: list[str]) -> None:
    vertices = [Vertex(str(i), "leaf", title) for i, title in enumerate(titles)]
    arrows = [Edge(vertices[0].key, vertex.key, "forward", "1") for vertex in vertices]
    said = texts(Graph(tuple(vertices), tuple(arrows), notes=tuple(titles)).svg())
    for title in titles:
        visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in title)
        assert not visible.strip() or visible.split() in [text.split() for text in said]


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".PNG", b"\x89PNG")])
def test_files(renderer: str, tmp_path: Path, suffix: str, start: bytes) -> None:
    target = tmp_path / f"graph{suffix}"
    picture().render(target)
    assert target.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [target]


def test_pdf_is_written_or_the_remedy_is_named(renderer: str, tmp_path: Path) -> None:
    target = tmp_path / "graph.pdf"
    if renderer == "dot":
        picture().render(str(target))
        assert target.read_bytes().startswith(b"%PDF")
    else:
        with pytest.raises(RendererError, match=r"wrote no pdf.*Graphviz itself.*or write \.svg"):
            picture().render(target)
        assert list(tmp_path.iterdir()) == []


# Where it is looked for.


@posix
def test_the_order_in_which_programs_are_tried(
    nothing_installed: Path, program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = program("")
    places = [
        chosen,
        program("", tmp_path / "path" / "dot"),
        program("", tmp_path / "path" / "graphviz-pure"),
        program("", nothing_installed / "graphviz-pure"),
    ]
    monkeypatch.setenv("TINYGRAD_OPT_DOT", str(chosen))
    for place in places:
        assert find_renderer() == str(place)
        place.unlink()
        monkeypatch.delenv("TINYGRAD_OPT_DOT", raising=False)
    with pytest.raises(RendererError):
        find_renderer()


def test_without_a_program_rendering_names_the_remedy(nothing_installed: Path, tmp_path: Path) -> None:
    for draw in (picture().svg, lambda: picture().render(tmp_path / "graph.png")):
        with pytest.raises(RendererError, match=r"pip install 'tinygrad_opt\[viz\]'"):
            draw()


def test_a_variable_that_names_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYGRAD_OPT_DOT", str(tmp_path / "nowhere"))
    with pytest.raises(RendererError, match=r"TINYGRAD_OPT_DOT names .*nowhere'"):
        picture().svg()


@posix
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('no such layout')", "wrote no svg: no such layout. The environment variable TINYGRAD_OPT_DOT"),
        ("sys.exit(3)", "wrote no svg: exit status 3"),
        ("", "wrote no svg: exit status 0"),
    ],
)
def test_a_broken_program_is_quoted(program: Callable[..., Path], body: str, message: str) -> None:
    program(f"sys.stdin.buffer.read()\n{body}")
    with pytest.raises(RendererError, match=message):
        picture().svg()


@posix
def test_a_program_that_cannot_be_run_is_named(program: Callable[..., Path]) -> None:
    program("").write_bytes(b"not a program")
    with pytest.raises(RendererError, match="program cannot be run"):
        picture().svg()


# In a notebook.


def test_a_notebook_shows_the_text_and_the_hint_where_nothing_draws(nothing_installed: Path) -> None:
    (shown,) = picture()._repr_mimebundle_().values()
    assert "pip install 'tinygrad_opt[viz]'" in shown
    assert shown.endswith(picture().to_dot())
    assert picture()._repr_svg_() is None


def test_a_notebook_shows_the_picture(renderer: str) -> None:
    assert picture()._repr_mimebundle_() == {"image/svg+xml": picture().svg()}
    assert "<svg" in str(picture()._repr_svg_())


# Files.


def test_dot_files_need_no_program(nothing_installed: Path, tmp_path: Path) -> None:
    target = tmp_path / "graph.dot"
    picture().render(target)
    assert target.read_text(encoding="utf-8") == picture().to_dot()


@pytest.mark.parametrize("name", ["graph", "graph.gif", "graph.svg.gz"])
def test_an_unknown_suffix_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"\.svg, \.png, \.pdf or \.dot; got '{name}'"):
        picture().render(tmp_path / name)


@posix
def test_a_failure_leaves_the_old_file_and_nothing_else(program: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    target = folder / "graph.svg"
    program("sys.stdout.write(sys.stdin.read())")
    picture().render(target)
    before = target.read_bytes()
    program("sys.stdout.write('half'); sys.exit(1)")
    with pytest.raises(RendererError):
        picture().render(target)
    assert target.read_bytes() == before
    (folder / "folder.svg").mkdir()  # cannot be replaced by a file
    program("sys.stdout.write('whole')")
    with pytest.raises(IsADirectoryError):
        picture().render(folder / "folder.svg")
    assert sorted(path.name for path in folder.iterdir()) == ["folder.svg", "graph.svg"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        picture().render(tmp_path / "missing" / "graph.dot")
