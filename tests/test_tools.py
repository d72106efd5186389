"""The two commands of tools/, without a network: what they are asked for, what they build, how they fail.

An environment is built in three steps that `subprocess` runs. Here a stand-in takes its place: it remembers
the steps, makes a file that passes for the interpreter, and fails where a test wants it to.
"""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TOOLS = REPOSITORY / "tools"
COMMANDS = ["demo", "test"]


def load(name: str) -> ModuleType:
    """Import a file of tools/ by its path, so that the folder, with its test.py, stays off sys.path."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(monkeypatch):
    """The shared module, freshly imported, as the commands will find it."""
    module = load("_environment")
    monkeypatch.setitem(sys.modules, "_environment", module)
    return module


class Builder:
    """Stands in for `subprocess.run`: remembers the commands, and gives the wanted answer to one of them."""

    def __init__(self, root: Path):
        self.root = root
        self.commands = []
        self.fail_at = None
        self.output = ""
        self.returncode = 1

    def __call__(self, command, **options):
        command = [str(part) for part in command]
        self.commands.append(command)
        if self.fail_at in command:
            return subprocess.CompletedProcess(command, self.returncode, self.output)
        if "venv" in command:
            folder = Path(command[-1])
            for python in [folder / "bin" / "python", folder / "Scripts" / "python.exe"]:
                python.parent.mkdir(parents=True, exist_ok=True)
                python.touch()
        return subprocess.CompletedProcess(command, 0, "")


@pytest.fixture
def builder(environment, monkeypatch, tmp_path):
    """A checkout in an empty folder, whose environments are built by the stand-in."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    stand_in = Builder(tmp_path)
    monkeypatch.setattr(subprocess, "run", stand_in)
    return stand_in


# An old Python


@pytest.mark.parametrize("name", ["_environment", *COMMANDS])
def test_files_parse_on_python_3_6(name):
    source = (TOOLS / f"{name}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__" not in source


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_import_only_what_python_3_6_has_before_the_version_is_checked(name):
    body = ast.parse((TOOLS / f"{name}.py").read_text(encoding="utf-8")).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    *earlier, last = imports
    assert last.module == "_environment"
    assert {alias.name for node in earlier for alias in node.names} <= {"argparse", "subprocess", "sys"}


def test_old_python_is_told_so_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(SystemExit) as stopped:
        load("_environment")
    sentence = stopped.value.code  # which the interpreter prints before it exits with status 1
    assert sentence.startswith("tinygrad_opt needs Python 3.10 or newer, and this is Python 3.9.18: ")
    assert "\n" not in sentence


def test_oldest_python_is_that_of_the_package():
    source = (TOOLS / "_environment.py").read_text(encoding="utf-8")
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    major, minor = re.search(r"version_info < \((\d+), (\d+)\)", source).groups()
    assert f'requires-python = ">={major}.{minor}"' in project


# Arguments of tools/test.py


@pytest.mark.parametrize(
    ("arguments", "extras", "pytest_arguments"),
    [
        ([], [], []),
        (["-q"], [], ["-q"]),
        (["-n", "2", "-k", "a and b", "tests"], [], ["-n", "2", "-k", "a and b", "tests"]),
        (["--with", "oracle,dev"], ["dev", "oracle"], []),
        (["--with=dev", "-x"], ["dev"], ["-x"]),
        (["--with", "oracle,oracle", "--", "-q"], ["oracle"], ["-q"]),
        (["--", "--help"], [], ["--help"]),
        (["--", "--with", "x"], [], ["--with", "x"]),
        (["--without-x", "--w"], [], ["--without-x", "--w"]),
    ],
)
def test_arguments_are_split(environment, arguments, extras, pytest_arguments):
    assert load("test").split_arguments(arguments) == (extras, pytest_arguments)


@pytest.mark.parametrize("extras", ["", ",", "../elsewhere", "a b"])
def test_names_that_cannot_be_extras_are_refused(environment, extras, capsys):
    with pytest.raises(SystemExit):
        load("test").split_arguments(["--with", extras])
    assert "expected names separated by commas" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "arguments", "folder", "extras", "job"),
    [
        ("test", [], "test", ".[test]", ["-m", "pytest"]),
        ("test", ["--with", "x,b", "-q"], "test-b-x", ".[b,test,x]", ["-m", "pytest", "-q"]),
        ("demo", [], "demo", ".[train,viz]", ["examples/quickstart.py", "--out"]),
    ],
)
def test_commands_run_their_job_in_their_environment(
    environment, builder, monkeypatch, name, arguments, folder, extras, job
):
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command, cwd: calls.append((cwd, command)) or 7)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    assert load(name).main() == 7
    assert builder.commands[-1][-1] == extras
    [(cwd, (python, *rest))] = calls
    assert cwd == builder.root
    assert python.is_relative_to(builder.root / ".venv" / folder)
    assert rest[: len(job)] == job


def test_demo_lists_its_pictures(environment, builder, monkeypatch, capsys):
    def draw(command, cwd):
        command[-1].mkdir(parents=True)
        (command[-1] / "loss.png").touch()
        return 0

    monkeypatch.setattr(subprocess, "call", draw)
    monkeypatch.setattr(sys, "argv", ["demo.py"])
    assert load("demo").main() == 0
    printed = capsys.readouterr().out
    assert str(builder.root / "out" / "demo") in printed
    assert "loss.png" in printed


# The stamp


def test_environment_is_made_once(environment, builder):
    python = environment.prepare("demo", ["viz", "train"])
    assert [command[3] for command in builder.commands] == ["venv", "ensurepip", "pip"]
    assert environment.prepare("demo", ["train", "viz", "viz"]) == python
    assert len(builder.commands) == 3


def change_project(root, monkeypatch):
    (root / "pyproject.toml").write_text("[project]\ndependencies = []\n")


def change_python(root, monkeypatch):
    monkeypatch.setattr(sys, "version", "3.99.0 (another build)")


def remove_interpreter(root, monkeypatch):
    for python in (root / ".venv").rglob("python*"):
        python.unlink()


def damage_stamp(root, monkeypatch):
    stamp = root / ".venv" / "demo" / "complete"
    stamp.write_text(stamp.read_text()[:-1])


@pytest.mark.parametrize("change", [change_project, change_python, remove_interpreter, damage_stamp])
def test_outdated_environment_is_made_anew(environment, builder, monkeypatch, change):
    environment.prepare("demo", ["viz"])
    change(builder.root, monkeypatch)
    environment.prepare("demo", ["viz"])
    assert len(builder.commands) == 6
    assert "--clear" in builder.commands[3]


def test_fingerprint_tells_extras_formats_and_folders_apart(environment, builder, monkeypatch, tmp_path):
    prints = {environment.fingerprint(["viz"]), environment.fingerprint(["train", "viz"])}
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "pyproject.toml", copy)
    monkeypatch.setattr(environment, "ROOT", copy)
    prints.add(environment.fingerprint(["viz"]))
    monkeypatch.setattr(environment, "STAMP_FORMAT", "next")
    prints.add(environment.fingerprint(["viz"]))
    assert len(prints) == 4


@pytest.mark.parametrize("step", ["venv", "ensurepip", "pip"])
@pytest.mark.parametrize("made_before", [False, True])
def test_environment_is_not_complete_after_a_failed_step(environment, builder, step, made_before):
    if made_before:
        environment.prepare("demo", ["viz"])
        (builder.root / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    builder.fail_at = step
    with pytest.raises(environment.SetupError):
        environment.prepare("demo", ["viz"])
    builder.fail_at, builder.commands = None, []
    environment.prepare("demo", ["viz"])
    assert len(builder.commands) == 3


def test_environment_is_not_complete_after_an_interruption(environment, builder, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.prepare("demo", ["viz"])
    environment.prepare("demo", ["viz"])
    assert len(builder.commands) == 3


# Failures


REFUSED = """\
WARNING: Retrying after connection broken by 'NewConnectionError('<object>: [Errno 111] Connection refused')'
ERROR: Could not find a version that satisfies the requirement hatchling>=1.27 (from versions: none)
ERROR: No matching distribution found for hatchling>=1.27
"""
OFFLINE = "".join(REFUSED.splitlines(keepends=True)[1:])
FORBIDDEN = REFUSED.replace("[Errno 111] Connection refused", "[Errno 1] Operation not permitted")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (REFUSED, "The package index cannot be reached: "),
        (FORBIDDEN, "The package index cannot be reached: "),
        (OFFLINE, "No installable release of hatchling>=1.27 was found: "),
        ("Error: [Errno 13] Permission denied: '/repo/.venv'", "No permission to write: "),
        ("Error: [Errno 30] Read-only file system: '/repo/.venv'", "No permission to write: "),
        ("[WinError 5] Access is denied: '.venv'", "No permission to write: "),
        ("/usr/bin/python3: No module named ensurepip", "This Python cannot make virtual environments: "),
        ("/usr/bin/python3: No module named venv", "This Python cannot make virtual environments: "),
        (REFUSED + "ERROR: [Errno 28] No space left on device", "The disk is full: "),
        ("WARNING: the project does not provide the extra 'oracel'", "There is no extra named oracel: "),
        ("something else", "The environment could not be made; the failing step said:\n    something else"),
    ],
)
def test_failures_are_explained(environment, output, sentence):
    assert environment.explain(output).startswith(sentence)


def test_explanation_ends_with_the_last_errors_a_line_each(environment):
    noise = "WARNING: of no importance"
    errors = [f"ERROR: number {i}" for i in range(9)]
    output = "\n".join([noise, *errors, "ERROR: " + "long " * 100, noise])
    _, *details = environment.explain(output).splitlines()
    assert [line.strip() for line in details[:3]] == errors[-3:]
    assert details[3].endswith("long ...")
    assert len(details) == 4
    assert max(map(len, details)) < 170


def test_unknown_extra_fails_though_pip_succeeds(environment, builder):
    builder.fail_at, builder.returncode = "pip", 0
    builder.output = "WARNING: the project does not provide the extra 'oracel'"
    with pytest.raises(environment.SetupError, match="There is no extra named oracel"):
        environment.prepare("test-oracel", ["oracel", "test"])


def test_unwritable_folder_is_named(environment, builder, monkeypatch):
    def refuse(path, missing_ok=False):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(environment.SetupError) as failure:
        environment.prepare("demo", ["viz"])
    sentence, detail = str(failure.value).splitlines()
    assert sentence.startswith("No permission to write: ")
    assert str(builder.root) in sentence
    assert str(builder.root / ".venv" / "demo") in detail
    assert builder.commands == []


def test_steps_see_no_packages_from_outside_and_cannot_ask(environment, builder, monkeypatch):
    seen = []

    def run(command, **options):
        seen.append((command, options))
        return builder(command, **options)

    monkeypatch.setattr(subprocess, "run", run)
    environment.prepare("demo", ["viz"])
    for command, options in seen:
        assert command[1] == "-I"
        assert options["stdin"] is subprocess.DEVNULL
        assert options["env"]["PIP_NO_INPUT"] == "1"


@pytest.mark.parametrize("status", [0, 3])
def test_status_of_the_job_is_passed_on(environment, status):
    with pytest.raises(SystemExit) as stopped:
        environment.exit_with(lambda: status)
    assert stopped.value.code == status


def test_failed_setup_and_interruption_exit_without_a_trace(environment, capsys):
    def fail():
        raise environment.SetupError("A sentence.")

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        environment.exit_with(fail)
    assert stopped.value.code == "A sentence."
    with pytest.raises(SystemExit) as stopped:
        environment.exit_with(interrupt)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "Interrupted.\n"
